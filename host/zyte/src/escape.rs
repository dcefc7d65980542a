//! URLs as the API wants them: no character that one of the URL standards forbids.

use std::borrow::Cow;

use url::Host;

/// Escapes a URL the way the official client does before it sends one, so that the API, which wants RFC 2396, takes it.
///
/// Percent-encodes what is not safe in a path, a query or a fragment, and keeps existing escapes, also wrong ones. Drops white
/// space around the URL, and tabs and line breaks inside. Of an `http` or `https` URL it also writes scheme and host in lower
/// case, the host in ASCII, `\` in the path as `/`, and drops an empty port, query or fragment. A URL that cannot be read
/// is escaped as far as it goes; the API will say what is wrong with it.
///
/// One difference: hosts are written as browsers do (`ß` keeps its own name), not by the older rule that made it `ss`.
pub fn escape_url(url: &str) -> Cow<'_, str> {
    let escaped = escaped(url);
    if escaped == url { Cow::Borrowed(url) } else { Cow::Owned(escaped) }
}

fn escaped(url: &str) -> String {
    let url = url.trim_matches(|c| c <= ' ').replace(['\t', '\n', '\r'], "");
    let (scheme, rest) = split_scheme(&url);
    let web = matches!(scheme.as_str(), "http" | "https");
    let (rest, fragment) = split(rest, '#');
    let (place, query) = split(rest, '?');
    let place = if web { Cow::Owned(place.replace('\\', "/")) } else { Cow::Borrowed(place) };
    let (authority, path) = split_authority(&place);

    let mut out = String::with_capacity(url.len() + 16);
    if !scheme.is_empty() {
        out.extend([&scheme, ":"]);
    }
    if let Some(authority) = authority {
        out.push_str("//");
        match if web { written_authority(authority) } else { None } {
            Some(authority) => out.push_str(&authority),
            None => out.push_str(authority),
        }
    }
    let has_host = authority.is_some_and(|authority| !authority.is_empty());
    if web && has_host && path.is_empty() && query.is_some_and(|query| !query.is_empty()) {
        out.push('/');
    }
    quote(path, Part::Path, &mut out);
    let query_part = if web || scheme == "ftp" { Part::WebQuery } else { Part::Query };
    for (mark, part, text) in [('?', query_part, query), ('#', Part::Path, fragment)] {
        let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
        out.push(mark);
        quote(text, part, &mut out);
    }
    out
}

/// The scheme in lower case, empty where there is none, and what follows its colon.
fn split_scheme(url: &str) -> (String, &str) {
    let is_scheme = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    match url.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
        _ => (String::new(), url),
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn split_authority(place: &str) -> (Option<&str>, &str) {
    let Some(rest) = place.strip_prefix("//") else { return (None, place) };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    (Some(authority), path)
}

/// User, host and port in their usual form; none where they cannot be read.
fn written_authority(authority: &str) -> Option<String> {
    let mut out = String::with_capacity(authority.len());
    let (user, place) = match authority.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, authority),
    };
    if let Some(user) = user {
        write_user(user, &mut out);
        out.push('@');
    }
    let (host, port) = if place.starts_with('[') {
        let (host, port) = place.split_at(place.find(']')? + 1);
        (host, port.strip_prefix(':').or_else(|| port.is_empty().then_some("")))
    } else {
        let (host, port) = split(place, ':');
        (host, Some(port.unwrap_or_default()))
    };
    out.push_str(&written_host(host)?);
    let port = port?;
    if !port.is_empty() {
        out.push(':');
        out.push_str(&written_port(port)?.to_string());
    }
    Some(out)
}

/// User and password, each unescaped and escaped again, so that what was escaped too little and what was not come out alike.
fn write_user(user: &str, out: &mut String) {
    let (name, password) = split(user, ':');
    quote_bytes(unquote(name), Part::User, out);
    if let Some(password) = password {
        out.push(':');
        quote_bytes(unquote(password), Part::User, out);
    }
}

fn written_host(host: &str) -> Option<String> {
    if host.is_ascii() && !host.starts_with('[') {
        return Some(host.to_ascii_lowercase());
    }
    if host.starts_with('[') {
        return Host::parse(host).is_ok().then(|| host.to_ascii_lowercase());
    }
    Host::parse(host).ok().map(|host| host.to_string())
}

fn written_port(port: &str) -> Option<u16> {
    port.bytes().all(|b| b.is_ascii_digit()).then(|| port.parse().ok()).flatten()
}

/// Where in a URL a character stands decides whether it is safe there.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// Path and fragment.
    Path,
    /// The query of a web address, where a quote must be escaped.
    WebQuery,
    /// The query of any other address.
    Query,
    /// User name and password.
    User,
}

impl Part {
    fn keeps(self, byte: u8) -> bool {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => true,
            b'!' | b'$' | b'&' | b'(' | b')' | b'*' | b'+' | b',' => true,
            b'\'' => self != Self::WebQuery,
            b';' | b'=' | b':' | b'/' | b'?' | b'@' | b'%' => self != Self::User,
            _ => false,
        }
    }
}

fn quote(text: &str, part: Part, out: &mut String) {
    quote_bytes(text.bytes(), part, out);
}

fn quote_bytes(bytes: impl Iterator<Item = u8>, part: Part, out: &mut String) {
    for byte in bytes {
        if part.keeps(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend([byte >> 4, byte & 15].map(|digit| char::from(HEX.get(usize::from(digit)).copied().unwrap_or(b'0'))));
        }
    }
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// The bytes of a text with its well-formed escapes undone.
fn unquote(text: &str) -> impl Iterator<Item = u8> {
    let mut rest = text.as_bytes();
    std::iter::from_fn(move || {
        let (byte, after) = match rest {
            [b'%', high, low, after @ ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (b'%', rest.get(1..)?),
            },
            [byte, after @ ..] => (*byte, after),
            [] => return None,
        };
        rest = after;
        Some(byte)
    })
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests;
