//! Cuts a URL or a pattern into scheme, authority, path, query and fragment, as Python's `urllib.parse` does.
//!
//! The `url` crate cannot do this job: patterns are not URLs, and it rewrites what it reads (escapes, dots, case).

use std::net::Ipv6Addr;

/// Schemes whose last path segment may carry `;parameters`; an empty parameter list loses its semicolon.
const SCHEMES_WITH_PARAMETERS: [&str; 16] = [
    "", "ftp", "hdl", "prospero", "http", "imap", "https", "shttp", "rtsp", "rtsps", "rtspu", "sip", "sips", "mms", "sftp", "tel",
];

/// The parts of a URL; a part that is not there is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Lower case, without the colon.
    pub(super) scheme: String,
    /// User, host and port as written, without a port that the scheme implies.
    pub(super) netloc: String,
    /// With its leading slash and its `;parameters`.
    pub(super) path: String,
    /// Without the question mark.
    pub(super) query: String,
    /// Without the number sign.
    pub(super) fragment: String,
}

/// The authority has brackets that enclose no IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadBrackets;

impl Parts {
    /// Cuts a URL.
    pub(super) fn of_url(url: &str) -> Result<Self, BadBrackets> {
        let clean: String = url.trim_start_matches(|c| c <= ' ').chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect();
        let (scheme, rest) = split_scheme(&clean);
        let (netloc, rest) = split_netloc(rest);
        check_brackets(netloc)?;
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = if SCHEMES_WITH_PARAMETERS.contains(&scheme.as_str()) { without_empty_parameters(path) } else { path };
        let (scheme, netloc) = without_implied_port(scheme, netloc);
        Ok(Self { scheme, netloc, path: path.to_owned(), query: query.to_owned(), fragment: fragment.to_owned() })
    }

    /// Cuts a pattern: a URL whose scheme, and whose host too, may be missing.
    pub(super) fn of_pattern(pattern: &str) -> Result<Self, BadBrackets> {
        if has_scheme(pattern) { Self::of_url(pattern) } else { Self::of_url(&format!("//{pattern}")) }
    }
}

/// Tells whether a pattern starts with `scheme://`; one that starts with `//` is a path that starts with two slashes.
fn has_scheme(pattern: &str) -> bool {
    pattern.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_scheme_char)
}

fn is_scheme_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')
}

fn split_scheme(url: &str) -> (String, &str) {
    match url.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
        _ => (String::new(), url),
    }
}

fn split_netloc(rest: &str) -> (&str, &str) {
    match rest.strip_prefix("//") {
        Some(after) => after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len())),
        None => ("", rest),
    }
}

fn check_brackets(netloc: &str) -> Result<(), BadBrackets> {
    match (netloc.contains('['), netloc.contains(']')) {
        (false, false) => Ok(()),
        (true, true) => {
            let inside = netloc.split_once('[').map_or("", |(_, after)| after);
            let host = inside.split_once(']').map_or(inside, |(host, _)| host);
            if is_bracketed_host(host) { Ok(()) } else { Err(BadBrackets) }
        }
        _ => Err(BadBrackets),
    }
}

fn is_bracketed_host(host: &str) -> bool {
    if let Some(future) = host.strip_prefix('v') {
        return future.split_once('.').is_some_and(|(version, address)| {
            !version.is_empty() && !address.is_empty() && version.chars().all(|c| c.is_ascii_hexdigit())
        });
    }
    let (address, zone) = host.split_once('%').unwrap_or((host, "zone"));
    !zone.is_empty() && address.parse::<Ipv6Addr>().is_ok()
}

fn without_empty_parameters(path: &str) -> &str {
    let last_segment = path.rfind('/').unwrap_or(0);
    match path.get(last_segment..).and_then(|segment| segment.find(';')) {
        Some(at) if last_segment + at + 1 == path.len() => path.strip_suffix(';').unwrap_or(path),
        _ => path,
    }
}

/// Drops port 80 of `http` and 443 of `https`; without a scheme such a port implies it.
fn without_implied_port(scheme: String, netloc: &str) -> (String, String) {
    let implied = match netloc.rsplit_once(':') {
        Some((host, "80")) => Some((host, "http")),
        Some((host, "443")) => Some((host, "https")),
        _ => None,
    };
    match implied {
        Some((host, of_port)) if scheme.is_empty() || scheme == of_port => (of_port.to_owned(), host.to_owned()),
        _ => (scheme, netloc.to_owned()),
    }
}
