//! Patterns that no URL can match: each is a mistake of whoever wrote it, and would leave its site to the defaults in silence.

use super::matcher::PatternError;
use super::split::Parts;

/// Characters of a host, besides letters and digits of any alphabet.
const HOST_MARKS: [char; 4] = ['-', '.', '_', '%'];

/// Refuses a pattern that nothing matches.
pub(super) fn refuse_hopeless(pattern: &str, parts: &Parts) -> Result<(), PatternError> {
    if pattern != pattern.trim() {
        return Err(PatternError::BlankAround);
    }
    let authority = parts.netloc.rsplit_once('@').map_or(parts.netloc.as_str(), |(_, host)| host);
    let (host, port) = split_port(authority);
    if port.is_some_and(|port| !port.is_empty() && port.parse::<u16>().is_err()) || is_broken_scheme(host, port, parts) {
        return Err(PatternError::BadPort);
    }
    if host.starts_with('[') {
        return Ok(());
    }
    match host.chars().find(|c| !c.is_alphanumeric() && !HOST_MARKS.contains(c)) {
        None => Ok(()),
        Some('*') => Err(PatternError::WildcardInHost),
        Some(c) if c.is_whitespace() => Err(PatternError::BlankInHost),
        Some(c) => Err(PatternError::BadCharacter(c)),
    }
}

/// The colons of an IPv6 address begin no port.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// `https:/shop.example` is a host `https` with an empty port.
fn is_broken_scheme(host: &str, port: Option<&str>, parts: &Parts) -> bool {
    parts.scheme.is_empty() && port == Some("") && ["http", "https"].iter().any(|scheme| host.eq_ignore_ascii_case(scheme))
}
