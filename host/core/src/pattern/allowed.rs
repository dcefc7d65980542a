//! Hosts that may be fetched from, compared as whoever fetches reads a URL.
//!
//! A [`Pattern`](super::Pattern) reads URLs as Python does, and generously: good to choose a site by, but a URL that somebody wrote
//! with intent may match a pattern and still lead to another host.

use super::matcher::{Pattern, PatternError};
use url::Url;

/// The schemes of pages.
const SCHEMES: [&str; 2] = ["http", "https"];

/// The hosts that a pattern names: one host, perhaps with its subdomains, or any.
#[derive(Debug, Clone)]
pub struct AllowedHosts {
    /// None: any host.
    host: Option<Authority>,
    has_subdomains: bool,
}

/// A host in lower case and in punycode, without a last dot, with a port that is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Authority {
    host: String,
    port: Option<u16>,
}

impl AllowedHosts {
    /// Reads a pattern, of which only the host counts: alone it stands for its subdomains too, with a path or a query for itself and
    /// `www.`. A pattern without a host stands for any.
    pub fn parse(pattern: &str) -> Result<Self, PatternError> {
        Pattern::parse(pattern)?;
        let after = pattern.split_once("://").map_or(pattern, |(_, after)| after);
        if after.is_empty() || after.starts_with(['/', '?', '#']) {
            return Ok(Self { host: None, has_subdomains: true });
        }
        let host = match pattern.contains("://") {
            true => Authority::of(pattern),
            false => Authority::of(&format!("https://{pattern}")).map(Authority::without_usual_port),
        };
        let has_subdomains = !after.trim_end_matches('/').contains(['/', '?', '#']);
        // What is no host at all is met by none.
        let nowhere = || Authority { host: String::new(), port: None };
        Ok(Self { host: Some(host.unwrap_or_else(nowhere)), has_subdomains })
    }

    /// Whether a page of this URL may be fetched. Where not all hosts are allowed, what is no URL of a page is refused, and so is a
    /// URL in which programs see different hosts.
    pub fn allows(&self, url: &str) -> bool {
        let Some(allowed) = &self.host else { return true };
        let Some(found) = page_authority(url) else { return false };
        found.port == allowed.port
            && match found.host.strip_suffix(&allowed.host) {
                Some("") => true,
                Some("www.") => true,
                Some(subdomain) => self.has_subdomains && subdomain.ends_with('.'),
                None => false,
            }
    }
}

/// Whether two URLs are of pages of the same host and port.
pub fn is_same_host(a: &str, b: &str) -> bool {
    page_authority(a).is_some_and(|authority| page_authority(b) == Some(authority))
}

fn page_authority(url: &str) -> Option<Authority> {
    let (scheme, rest) = url.split_once("://")?;
    let is_page = SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    // Browsers take a backslash for a slash, others for a part of the host.
    let is_clear = !rest.split('/').next().unwrap_or_default().contains('\\');
    if is_page && is_clear { Authority::of(url) } else { None }
}

impl Authority {
    fn of(url: &str) -> Option<Self> {
        let parsed = Url::parse(url).ok()?;
        let host = parsed.host_str()?;
        let host = host.strip_suffix('.').unwrap_or(host);
        (!host.is_empty()).then(|| Self { host: host.to_ascii_lowercase(), port: parsed.port() })
    }

    /// Without a scheme the usual port of either means no port.
    fn without_usual_port(self) -> Self {
        Self { port: self.port.filter(|port| *port != 80), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_allowed_however_it_is_spelled() {
        for (pattern, url) in [
            ("shop.example", "https://SHOP.example/a"),
            ("shop.example", "http://shop.example:80/"),
            ("shop.example", "https://shop.example./"),
            ("shop.example", r"https://user:word@api.shop.example/a\b?x=\"),
            ("Shop.example:443", "https://shop.example/"),
            ("shop.example:80", "http://shop.example/"),
            ("shop.example:8443/sale", "https://www.shop.example:8443/"),
            ("http://shop.example/sale", "https://shop.example/help"),
            ("köln.example", "https://xn--kln-sna.example/"),
            ("xn--kln-sna.example", "https://KÖLN.example/"),
            ("[::1]:80", "http://[0:0::1]/"),
            ("https://shop.example/sale?id=1", "http://www.shop.example/help"),
            ("", "https://any.example/"),
            ("/help", "https://any.example/"),
        ] {
            assert!(AllowedHosts::parse(pattern).unwrap().allows(url), "{pattern} {url}");
        }
    }

    #[test]
    fn another_host_is_refused_however_it_is_spelled() {
        for (pattern, url) in [
            ("shop.example", r"https://evil.example\.shop.example/"),
            ("shop.example", r"https://shop.example\@evil.example/"),
            ("shop.example", r"https:\\evil.example\.shop.example"),
            ("shop.example", "https://evil.example\u{ff0f}.shop.example/"),
            ("shop.example", "https://shop.example@evil.example/"),
            ("shop.example", "https://wwwxshop.example/"),
            ("shop.example", "https://evilshop.example/"),
            ("shop.example", "https://shop.example:8443/"),
            ("site.example", "https://s\u{131}te.example/"),
            ("shop.example/sale", "https://blog.shop.example/sale"),
            ("shop.example/sale", "https://mart.example/sale"),
            ("shop.example", "file://shop.example/etc/passwd"),
            ("shop.example", "ftp://shop.example/"),
            ("shop.example", "//shop.example/"),
            ("shop.example", "shop.example"),
        ] {
            assert!(!AllowedHosts::parse(pattern).unwrap().allows(url), "{pattern} {url}");
        }
        for pattern in ["[shop.example", "*.shop.example", "shop.example ", "shop.*"] {
            assert!(AllowedHosts::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn hosts_are_the_same_with_their_ports() {
        assert!(is_same_host("https://a.example:8000/x", "http://A.example:8000/y"));
        assert!(!is_same_host("https://a.example:8000/x", "https://a.example/x"));
        assert!(!is_same_host("no url", "no url"));
    }
}
