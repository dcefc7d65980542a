//! How the API is reached, and why that can be impossible from the start.

use std::fmt;
use std::time::Duration;

use carousel_core::settings::ApiSettings;

use crate::{ApiKey, Destination};

/// How Zyte API is reached.
#[derive(Clone, Debug)]
pub struct ZyteOptions {
    /// The API's base address; calls go to this plus `extract`, so it ends in `/`. Default: Zyte's.
    pub url: String,
    /// The key that calls are made and billed with.
    pub key: ApiKey,
    /// The time for one call, connection and whole answer included, but not what it waits for memory. Default 320 s: the API gives up after 200 s. Less loses
    /// answers that were on their way and may have been billed; more keeps a dead connection.
    pub timeout: Duration,
    /// The time to make a connection. Default 30 s.
    pub connect_timeout: Duration,
    /// Who else stands behind the calls: added to our own `User-Agent` after a space. Default: nobody.
    pub user_agent_suffix: Option<String>,
    /// Whether the proxies in `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are used. Default false, as in the official client. Calls to
    /// this machine never use them.
    pub trust_env: bool,
    /// Whether calls, and the key with them, may leave this machine unencrypted, over plain HTTP. Default false: such an address is
    /// refused.
    pub allow_unencrypted: bool,
    /// Bytes of an answer, unpacked; a larger one is an error. Default 64 MiB.
    pub max_answer_bytes: usize,
    /// Memory that all answers may take from their first byte until nobody has them any more, at
    /// [`TIMES`](carousel_core::memory::TIMES) of their bytes. Beyond it reading the next one waits, outside of `timeout`. Default: no
    /// limit.
    pub memory: Option<u64>,
    /// Connections kept open while nothing is sent. Default 1024. Fewer than the calls in flight means new TLS handshakes.
    pub max_idle_connections: usize,
}

impl ZyteOptions {
    /// Zyte's production API with this key and every other option at its default.
    pub fn new(key: ApiKey) -> Self {
        Self::from_settings(&ApiSettings::default(), key)
    }

    /// The options that the `[api]` table of a settings file asks for.
    pub fn from_settings(settings: &ApiSettings, key: ApiKey) -> Self {
        Self {
            url: settings.url.clone(),
            key,
            timeout: settings.timeout.duration(),
            connect_timeout: settings.connect_timeout.duration(),
            user_agent_suffix: None,
            trust_env: settings.trust_env,
            allow_unencrypted: false,
            max_answer_bytes: settings.max_answer,
            memory: None,
            max_idle_connections: 1024,
        }
    }

    /// Where calls go. An error where the address cannot be used, or where the key would travel unencrypted.
    pub(crate) fn destination(&self) -> Result<Destination, ZyteError> {
        let destination = Destination::of(&self.url)?;
        if destination.is_private() || self.allow_unencrypted {
            return Ok(destination);
        }
        Err(ZyteError::Unencrypted(self.url.clone()))
    }

    /// What we call ourselves.
    pub(crate) fn user_agent(&self) -> String {
        let ours = concat!("carousel/", env!("CARGO_PKG_VERSION"));
        match self.user_agent_suffix.as_deref().map(str::trim) {
            None | Some("") => ours.to_owned(),
            Some(suffix) => format!("{ours} {suffix}"),
        }
    }
}

/// Why no calls can be made with these options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZyteError {
    /// The key is empty.
    NoKey,
    /// The key has characters that no key has.
    BadKey,
    /// The base address holds a user name or a password.
    KeyInUrl,
    /// The base address cannot be used.
    BadUrl {
        /// The address as given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The base address is plain HTTP and not on this machine, which the options do not allow.
    Unencrypted(String),
    /// What is added to our `User-Agent` cannot stand in a header.
    BadUserAgent,
    /// The HTTP client could not be made, for example because the system has no root certificates.
    Client(String),
}

impl fmt::Display for ZyteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str("the API key is empty: get one from Zyte and set ZYTE_API_KEY"),
            Self::BadKey => f.write_str("the API key has characters that no key has: is it the whole key and nothing else?"),
            Self::KeyInUrl => f.write_str("the API's URL holds a user name or password: give the key on its own"),
            Self::BadUrl { url, why } => write!(f, "the API's URL \"{url}\" cannot be used: {why}"),
            Self::Unencrypted(url) => write!(
                f,
                "the API's URL \"{url}\" is not encrypted: whoever is on the way could read the API key; use https://, or allow it with \
                 --insecure-api"
            ),
            Self::BadUserAgent => f.write_str("the User-Agent suffix has characters that cannot stand in a header"),
            Self::Client(why) => write!(f, "the HTTP client could not be made: {why}"),
        }
    }
}

impl std::error::Error for ZyteError {}

#[cfg(test)]
mod tests {
    use super::*;

    const ZYTE: &str = "https://api.zyte.com/v1/";

    fn options(url: &str) -> ZyteOptions {
        ZyteOptions { url: url.to_owned(), ..ZyteOptions::new(ApiKey::new("0123456789abcdef").unwrap()) }
    }

    #[test]
    fn a_key_leaves_this_machine_encrypted_or_by_permission() {
        for (url, allow_unencrypted, is_usable) in [
            (ZYTE, false, true),
            ("https://other.example/", false, true),
            ("http://api.zyte.com/v1/", false, false),
            ("http://other.example/", false, false),
            ("http://other.example/", true, true),
            ("http://127.0.0.1:8765/v1/", false, true),
            ("http://localhost:8765/v1/", false, true),
        ] {
            let options = ZyteOptions { allow_unencrypted, ..options(url) };
            let expected = if is_usable { Ok(url.to_owned()) } else { Err(ZyteError::Unencrypted(url.to_owned())) };
            assert_eq!(options.destination().map(|destination| destination.base().to_owned()), expected, "{url}");
        }
    }

    #[test]
    fn the_user_agent_begins_with_us() {
        let ours = concat!("carousel/", env!("CARGO_PKG_VERSION"));
        for (suffix, agent) in
            [(None, ours.to_owned()), (Some("  "), ours.to_owned()), (Some("shop-crawl/2"), format!("{ours} shop-crawl/2"))]
        {
            let options = ZyteOptions { user_agent_suffix: suffix.map(str::to_owned), ..options(ZYTE) };
            assert_eq!(options.user_agent(), agent);
        }
    }

    #[test]
    fn printed_options_do_not_show_the_key() {
        let printed = format!("{:?}", options(ZYTE));
        assert!(printed.contains("ApiKey(0123456…)") && !printed.contains("01234567"), "{printed}");
    }
}
