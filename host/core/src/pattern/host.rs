//! Hosts: the domain someone registered, and the form that sorts general before special.

use psl::Psl;
use std::net::IpAddr;

/// The registered domain of a URL's host in lower case (`blog.shop.co.uk` gives `shop.co.uk`), the last label where no public
/// suffix is known, an address as it is, or nothing.
///
/// Private suffixes (`blogspot.com`) count as registered domains, not as suffixes.
pub(crate) fn registered_domain(url: &str) -> String {
    let host = lenient_host(url).replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".").to_lowercase();
    if host.starts_with('[') || host.parse::<IpAddr>().is_ok() {
        return host;
    }
    let suffix_bytes = public_suffix_bytes(&host);
    last_labels(&host, suffix_bytes).to_owned()
}

/// The suffix of a host that begins one label before its last `suffix_bytes` bytes.
fn last_labels(host: &str, suffix_bytes: usize) -> &str {
    let before = host.len().saturating_sub(suffix_bytes);
    let label_end = if suffix_bytes == 0 { before } else { before.saturating_sub(1) };
    let start = host.get(..label_end).and_then(|prefix| prefix.rfind('.')).map_or(0, |dot| dot + 1);
    host.get(start..).unwrap_or(host)
}

/// The length of the longest suffix under which a registrar lets people register, 0 if none is known.
fn public_suffix_bytes(host: &str) -> usize {
    let mut rest = host;
    while let Some(suffix) = psl::List.suffix(rest.as_bytes()) {
        match suffix.typ() {
            Some(psl::Type::Icann) => return suffix.as_bytes().len(),
            Some(psl::Type::Private) => {
                let of_private = rest.get(rest.len().saturating_sub(suffix.as_bytes().len())..).unwrap_or("");
                let Some((_, parent)) = of_private.split_once('.') else {
                    return 0;
                };
                rest = parent;
            }
            None => return 0,
        }
    }
    0
}

/// The host of anything that looks like a URL, with or without a scheme.
fn lenient_host(url: &str) -> &str {
    let rest = match url.find("//") {
        Some(0) => url.get(2..).unwrap_or(""),
        Some(at) if is_scheme(url.get(..at).unwrap_or("")) => url.get(at + 2..).unwrap_or(""),
        _ => url,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.find(']') {
        Some(end) if host.starts_with('[') => host.get(..=end).unwrap_or(host),
        _ => {
            let name = host.split(':').next().unwrap_or("").trim();
            name.trim_end_matches(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'])
        }
    }
}

fn is_scheme(before_slashes: &str) -> bool {
    before_slashes.strip_suffix(':').is_some_and(|scheme| {
        !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// A host without its port and with its labels in reverse (`com.shop.blog`), so that a special host sorts after a general one.
pub(super) fn hierarchical(netloc: &str) -> String {
    let host = netloc.rsplit_once(':').map_or(netloc, |(host, _)| host);
    if host.parse::<IpAddr>().is_ok() {
        return host.to_owned();
    }
    host.split('.').rev().collect::<Vec<_>>().join(".")
}
