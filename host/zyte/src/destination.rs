//! Where the key goes with every call, and who is there.

use std::net::IpAddr;

use url::{Host, Url};

use crate::ZyteError;

/// The base address of the API, known to be usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    base: Url,
    endpoint: Url,
}

/// Whose machine a [`Destination`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Zyte's.
    Zyte,
    /// This one.
    Loopback,
    /// Anybody else's.
    Foreign,
}

impl Destination {
    /// Reads a base address, which ends in `/`; calls go to it plus `extract`. An error where it is no web address or holds a
    /// user name or password.
    pub fn of(base: &str) -> Result<Self, ZyteError> {
        let bad = |why: &str| ZyteError::BadUrl { url: base.to_owned(), why: why.to_owned() };
        if has_credentials(base) {
            return Err(ZyteError::KeyInUrl);
        }
        let url = Url::parse(base).map_err(|error| bad(&error.to_string()))?;
        match url.scheme() {
            "http" | "https" => {}
            _ => return Err(bad("it must start with https:// or http://")),
        }
        if url.query().is_some() || url.fragment().is_some() || !base.ends_with('/') {
            return Err(bad("it must end in \"/\", such as https://api.zyte.com/v1/"));
        }
        let endpoint = url.join("extract").map_err(|error| bad(&error.to_string()))?;
        Ok(Self { base: url, endpoint })
    }

    /// Whose machine it is, as far as the name tells.
    pub fn owner(&self) -> Owner {
        match self.base.host() {
            Some(Host::Domain(name)) => owner_of(name.trim_end_matches('.')),
            Some(Host::Ipv4(address)) => owner_of_address(address.into()),
            Some(Host::Ipv6(address)) => owner_of_address(address.into()),
            None => Owner::Foreign,
        }
    }

    /// Whether nobody on the way can read the key: it is encrypted, or does not leave this machine.
    pub fn is_private(&self) -> bool {
        self.base.scheme() == "https" || self.owner() == Owner::Loopback
    }

    /// The base address.
    pub fn base(&self) -> &str {
        self.base.as_str()
    }

    /// Where calls go.
    pub(crate) fn endpoint(&self) -> &Url {
        &self.endpoint
    }
}

fn owner_of(name: &str) -> Owner {
    let is_below = |domain: &str| name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    match name {
        _ if is_below("localhost") => Owner::Loopback,
        _ if is_below("zyte.com") => Owner::Zyte,
        _ => Owner::Foreign,
    }
}

fn owner_of_address(address: IpAddr) -> Owner {
    if address.to_canonical().is_loopback() { Owner::Loopback } else { Owner::Foreign }
}

/// Whether an `@` stands in what comes before the path, also where the rest cannot be read.
fn has_credentials(base: &str) -> bool {
    let rest = base.split_once(':').map_or(base, |(_, rest)| rest);
    rest.trim_start_matches(['/', '\\']).split(['/', '\\', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_go_to_the_base_address_plus_extract() {
        for (base, endpoint) in [
            ("https://api.zyte.com/v1/", "https://api.zyte.com/v1/extract"),
            ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/extract"),
            ("https://proxy.example/zyte/v1/", "https://proxy.example/zyte/v1/extract"),
        ] {
            assert_eq!(Destination::of(base).unwrap().endpoint().as_str(), endpoint);
        }
    }

    #[test]
    fn a_base_address_that_cannot_be_used_is_refused_with_a_reason() {
        for (base, why) in [
            ("https://api.zyte.com/v1", "must end in \"/\""),
            ("https://api.zyte.com/v1/?x=/", "must end in \"/\""),
            ("https://api.zyte.com/v1/#/", "must end in \"/\""),
            ("ftp://api.zyte.com/v1/", "must start with https://"),
            ("api.zyte.com/v1/", "relative URL"),
            ("https://", "empty host"),
        ] {
            let error = Destination::of(base).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains(base), "{base}: {error}");
        }
    }

    #[test]
    fn a_key_in_the_base_address_is_refused_without_repeating_it() {
        for base in [
            "https://secret@api.zyte.com/v1/",
            "https://:secret@api.zyte.com/v1",
            "https://a:secret@h/",
            "https://secret@",
            "ftp://secret@h/",
            "secret@api.zyte.com/v1/",
            "https:\\\\secret@h/",
        ] {
            let error = Destination::of(base).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{base}: {error}");
        }
    }

    #[test]
    fn zyte_and_this_machine_are_told_from_everybody_else() {
        for (base, owner, is_private) in [
            ("https://api.zyte.com/v1/", Owner::Zyte, true),
            ("https://API.ZYTE.COM./v1/", Owner::Zyte, true),
            ("http://api.zyte.com/v1/", Owner::Zyte, false),
            ("https://api.zyte.com.evil.example/v1/", Owner::Foreign, true),
            ("https://notzyte.com/v1/", Owner::Foreign, true),
            ("http://127.0.0.1:8765/v1/", Owner::Loopback, true),
            ("http://127.8.9.1/", Owner::Loopback, true),
            ("http://2130706433/", Owner::Loopback, true),
            ("http://[::1]:8765/v1/", Owner::Loopback, true),
            ("http://[::ffff:127.0.0.1]/", Owner::Loopback, true),
            ("http://localhost:8765/v1/", Owner::Loopback, true),
            ("http://api.localhost/v1/", Owner::Loopback, true),
            ("http://localhost.evil.example/", Owner::Foreign, false),
            ("http://127.0.0.1.evil.example/", Owner::Foreign, false),
            ("http://notlocalhost/", Owner::Foreign, false),
            ("http://192.168.0.7/v1/", Owner::Foreign, false),
            ("http://[::2]/v1/", Owner::Foreign, false),
            ("http://0.0.0.0/", Owner::Foreign, false),
        ] {
            let destination = Destination::of(base).unwrap();
            assert_eq!((destination.owner(), destination.is_private()), (owner, is_private), "{base}");
        }
    }
}
