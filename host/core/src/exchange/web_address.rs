//! Which URLs a page can be had from at all: what fails here would fail at the API, at the price of an initialisation.

use std::fmt;

use url::{Host, ParseError, Url};

/// Bytes of a name, and of a label of it, in the domain name system.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// Why a URL is none that a page can be had from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoWebAddress {
    /// It does not begin with `http://` or `https://`.
    Scheme,
    /// It names no host.
    NoHost,
    /// Its host is none that can exist, for this reason.
    BadHost(String),
    /// Its port is not a number from 1 to 65535.
    BadPort,
}

/// Is there anything wrong with the scheme, the host or the port of a URL?
pub fn web_address(url: &str) -> Result<(), NoWebAddress> {
    let (scheme, rest) = url.trim_start().split_once(':').ok_or(NoWebAddress::Scheme)?;
    if !["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) {
        return Err(NoWebAddress::Scheme);
    }
    let rest = rest.strip_prefix("//").ok_or(NoWebAddress::Scheme)?;
    // A lenient reader would take the path for the host.
    if rest.is_empty() || rest.starts_with(['/', '\\', '?', '#']) {
        return Err(NoWebAddress::NoHost);
    }
    let parsed = Url::parse(url).map_err(|error| {
        if error == ParseError::EmptyHost {
            NoWebAddress::NoHost
        } else if error == ParseError::InvalidPort {
            NoWebAddress::BadPort
        } else {
            NoWebAddress::BadHost(error.to_string())
        }
    })?;
    if parsed.port() == Some(0) {
        return Err(NoWebAddress::BadPort);
    }
    match parsed.host() {
        None => Err(NoWebAddress::NoHost),
        Some(Host::Domain(name)) => possible_name(name),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => Ok(()),
    }
}

fn possible_name(name: &str) -> Result<(), NoWebAddress> {
    let bad = |why: &str| Err(NoWebAddress::BadHost(why.to_owned()));
    // A dot at the end says that the name is complete.
    let labels = name.strip_suffix('.').unwrap_or(name);
    if labels.split('.').any(str::is_empty) {
        return bad("a part of it between dots is empty");
    }
    if labels.len() > LONGEST_NAME || labels.split('.').any(|label| label.len() > LONGEST_LABEL) {
        return bad("it is longer than a name can be");
    }
    Ok(())
}

impl fmt::Display for NoWebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme => f.write_str("does not begin with http:// or https://"),
            Self::NoHost => f.write_str("names no host"),
            Self::BadHost(why) => write!(f, "names a host that cannot exist: {why}"),
            Self::BadPort => f.write_str("has a port that is not a number from 1 to 65535"),
        }
    }
}

impl std::error::Error for NoWebAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_web_passes_however_it_is_written() {
        for url in [
            "http://a.example",
            "HTTPS://A.example:443/",
            "https://a.example/?q=ftp://b",
            "http://ä.example/ ü",
            "https://user:pass@a.example/x",
            "https://u",
            "https://a_b.example./",
            "http://127.0.0.1:8080/",
            "http://[::1]:65535/",
            " https://a.example/",
        ] {
            assert_eq!(web_address(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn what_no_page_can_be_had_from_is_told_by_its_part() {
        let long = format!("https://{}.example/", "x".repeat(64));
        let longer = format!("https://{}example/", "x.".repeat(130));
        for (url, expected) in [
            ("shop.example/a", "Scheme"),
            ("ftp://a.example/", "Scheme"),
            ("https:a.example", "Scheme"),
            ("https:/a.example", "Scheme"),
            ("", "Scheme"),
            ("https://", "NoHost"),
            ("https:///x", "NoHost"),
            ("http://\\x", "NoHost"),
            ("https://?q", "NoHost"),
            ("https://#x", "NoHost"),
            ("https://:80/", "NoHost"),
            ("https://user@/x", "NoHost"),
            ("https://a.example:99999/", "BadPort"),
            ("https://a.example:http/", "BadPort"),
            ("https://a.example:-1/", "BadPort"),
            ("https://a.example:0/", "BadPort"),
            ("https://a b.example/", "BadHost"),
            ("https://a.example%/", "BadHost"),
            ("https://a..example/", "BadHost"),
            ("https://.a.example/", "BadHost"),
            ("https://[::1/", "BadHost"),
            ("https://1.2.3.999/", "BadHost"),
            ("https://<b>/", "BadHost"),
            (&long, "BadHost"),
            (&longer, "BadHost"),
        ] {
            let found = format!("{:?}", web_address(url).expect_err(url));
            assert!(found.starts_with(expected), "{url}: {found}");
        }
    }
}
