//! One spelling for all spellings of a URL, with the choices of w3lib's `canonicalize_url`.
//!
//! The `url` crate does not do: it drops default ports, and keeps escapes and the order of the query as they are.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use std::net::Ipv6Addr;

/// What is not unreserved is escaped.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Escapes and delimiters stay.
const FRAGMENT: &AsciiSet = &VALUE
    .remove(b'%')
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');
const PATH: &AsciiSet = &FRAGMENT.remove(b'[').remove(b']').remove(b'|');
const USER: &AsciiSet =
    &VALUE.remove(b'!').remove(b'$').remove(b'&').remove(b'\'').remove(b'(').remove(b')').remove(b'*').remove(b'+').remove(b',');

/// Returns the canonical spelling: host in lower case and punycode, escapes in upper case and only where needed, dot segments
/// resolved, the query sorted; the fragment only if it counts.
pub(super) fn canonical(url: &str, fragment_counts: bool) -> String {
    let trimmed = url.trim_matches(|c| c <= ' ').replace(['\t', '\n', '\r'], "");
    let (before_fragment, fragment) = trimmed.split_once('#').unwrap_or((&trimmed, ""));
    let (before_query, query) = before_fragment.split_once('?').unwrap_or((before_fragment, ""));
    let (scheme, rest) = split_scheme(before_query);
    let rest = if is_special(&scheme) { rest.replace('\\', "/") } else { rest.to_owned() };
    let (authority, path) = match rest.strip_prefix("//") {
        Some(after) => after.split_at(after.find('/').unwrap_or(after.len())),
        None => ("", rest.as_str()),
    };
    let mut text = String::new();
    if !scheme.is_empty() {
        text.extend([scheme.as_str(), ":"]);
    }
    if !authority.is_empty() {
        text.extend(["//", &canonical_authority(authority)]);
    }
    text.push_str(&canonical_path(path));
    let query = canonical_query(query);
    if !query.is_empty() {
        text.extend(["?", &query]);
    }
    if fragment_counts && !fragment.is_empty() {
        text.push('#');
        text.extend(percent_encode(fragment.as_bytes(), FRAGMENT));
    }
    text
}

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

fn is_special(scheme: &str) -> bool {
    matches!(scheme, "http" | "https" | "ftp" | "file" | "ws" | "wss")
}

fn canonical_authority(authority: &str) -> String {
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let mut text = String::new();
    if let Some(user) = user {
        let (name, password) = user.split_once(':').map_or((user, None), |(name, password)| (name, Some(password)));
        text.push_str(&canonical_user(name));
        if let Some(password) = password {
            text.extend([":", &canonical_user(password)]);
        }
        text.push('@');
    }
    text.push_str(&canonical_host(host));
    text
}

fn canonical_user(user: &str) -> String {
    let bytes: Vec<u8> = percent_decode(user.as_bytes()).collect();
    percent_encode(&bytes, USER).to_string()
}

fn canonical_host(host_and_port: &str) -> String {
    let (name, port) = match host_and_port.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
        Some((address, after)) => {
            let address = address.parse::<Ipv6Addr>().map_or_else(|_| address.to_lowercase(), |address| address.to_string());
            (format!("[{address}]"), after.strip_prefix(':').unwrap_or(""))
        }
        None => {
            let (name, port) = host_and_port.split_once(':').unwrap_or((host_and_port, ""));
            (idna::domain_to_ascii(name).unwrap_or_else(|_| name.to_lowercase()), port)
        }
    };
    let port = port.parse::<u32>().map_or_else(|_| port.to_owned(), |number| number.to_string());
    if port.is_empty() { name } else { format!("{name}:{port}") }
}

/// The path with its escapes in one form and without dot segments; parameters behind the last segment stay as they are.
fn canonical_path(path: &str) -> String {
    let last_segment = path.rfind('/').map_or(0, |slash| slash + 1);
    let parameters_at = path.get(last_segment..).and_then(|segment| segment.find(';')).map_or(path.len(), |at| last_segment + at);
    let (path, parameters) = path.split_at(parameters_at);
    let plain = percent_encode(&unescape_path(path), PATH).to_string();
    let plain = if plain.is_empty() { "/".to_owned() } else { plain };
    let resolved = if plain.starts_with('/') { without_dot_segments(&plain) } else { plain };
    match parameters {
        "" | ";" => resolved,
        more => format!("{resolved}{}", percent_encode(more.as_bytes(), FRAGMENT)),
    }
}

/// Undoes escapes, except those of `%`, `/`, `;` and `?`, which mean something else when they stand for themselves.
fn unescape_path(path: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut pieces = path.split('%');
    bytes.extend_from_slice(pieces.next().unwrap_or("").as_bytes());
    for piece in pieces {
        match piece.split_at_checked(2).and_then(|(digits, rest)| Some((escaped_byte(digits)?, rest))) {
            Some((byte, rest)) if matches!(byte, b'%' | b'/' | b';' | b'?') => {
                bytes.extend_from_slice(format!("%{byte:02X}{rest}").as_bytes());
            }
            Some((byte, rest)) => {
                bytes.push(byte);
                bytes.extend_from_slice(rest.as_bytes());
            }
            None => {
                bytes.push(b'%');
                bytes.extend_from_slice(piece.as_bytes());
            }
        }
    }
    bytes
}

fn escaped_byte(digits: &str) -> Option<u8> {
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u8::from_str_radix(digits, 16).ok())?
}

/// Resolves `.` and `..` in a path that starts with a slash.
fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

/// The query's names and values in order, each escaped alike; a name without a value gets an empty one.
fn canonical_query(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = pairs.map(|(name, value)| (unescape(name), unescape(value))).collect();
    pairs.sort_unstable();
    let spelled = pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    spelled.collect::<Vec<_>>().join("&")
}

fn unescape(text: &str) -> Vec<u8> {
    percent_decode(text.replace('+', " ").as_bytes()).collect()
}

fn escape(bytes: &[u8]) -> String {
    percent_encode(bytes, VALUE).to_string().replace("%20", "+")
}
