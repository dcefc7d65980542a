//! What a page says of its own encoding: `<meta charset>`, `<meta http-equiv>`, the XML declaration.

use super::{label, labels};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// Bytes from the start of a page that are searched, as Scrapy does; browsers search 1,024.
const SEARCHED: usize = 4096;

/// Finds the encoding that the markup declares. Markup that can be read as ASCII is not UTF-16, whatever it says.
pub(super) fn declared(body: &[u8]) -> Option<&'static Encoding> {
    let start: String = body.iter().take(SEARCHED).map(|&byte| char::from(byte)).collect();
    let found = xml_declaration(&start).or_else(|| metas(&start))?;
    Some(match found {
        found if found == UTF_16LE || found == UTF_16BE => UTF_8,
        found if found == X_USER_DEFINED => WINDOWS_1252,
        found => found,
    })
}

fn xml_declaration(start: &str) -> Option<&'static Encoding> {
    let declaration = start.trim_start().strip_prefix("<?xml")?;
    let declaration = declaration.get(..declaration.find('>')?)?;
    labels::encoding(attribute(declaration, "encoding")?)
}

fn metas(start: &str) -> Option<&'static Encoding> {
    let mut rest = start;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at + 1..)?;
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.get(comment.find("-->")? + 3..)?;
        } else if rest.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("meta")) {
            let tag = inside(rest.get(4..)?);
            if let Some(encoding) = meta(tag) {
                return Some(encoding);
            }
            rest = rest.get(4 + tag.len()..)?;
        }
    }
    None
}

/// What is in a tag up to its end; a `>` in quotes does not end it.
fn inside(tag: &str) -> &str {
    let mut end = 0;
    while let Some(next) = tag.get(end..).and_then(|rest| rest.find(['>', '='])).map(|at| end + at) {
        let after = tag.get(next + 1..).unwrap_or_default();
        if tag.get(next..).is_some_and(|rest| rest.starts_with('>')) {
            return tag.get(..next).unwrap_or_default();
        }
        let value = after.trim_start();
        let quoted =
            value.chars().next().filter(|quote| matches!(quote, '"' | '\'')).and_then(|quote| value.get(1..)?.find(quote));
        end = tag.len() - value.len() + quoted.map_or(0, |length| length + 2);
    }
    tag
}

fn meta(tag: &str) -> Option<&'static Encoding> {
    if let Some(value) = attribute(tag, "charset") {
        return labels::encoding(label(value));
    }
    let kind = attribute(tag, "http-equiv")?;
    let content = attribute(tag, "content")?;
    kind.trim().eq_ignore_ascii_case("content-type").then(|| content_charset(content)).flatten().and_then(labels::encoding)
}

/// What follows `charset=` anywhere in the content of a `meta` element.
fn content_charset(content: &str) -> Option<&str> {
    let lower = content.to_ascii_lowercase();
    lower.match_indices("charset").find_map(|(at, word)| {
        let value = content.get(at + word.len()..)?.trim_start().strip_prefix('=')?;
        Some(label(value))
    })
}

/// The value of an attribute, quoted or not.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = tag;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/'))?;
        let own = rest.get(..end)?;
        rest = rest.get(end..)?.trim_start();
        let Some(after) = rest.strip_prefix('=') else {
            continue;
        };
        let after = after.trim_start();
        let (value, next) = match after.chars().next()? {
            quote @ ('"' | '\'') => after.get(1..)?.split_once(quote)?,
            _ => after.split_at(after.find(|c: char| c.is_ascii_whitespace()).unwrap_or(after.len())),
        };
        if own.eq_ignore_ascii_case(name) {
            return Some(value.trim_end_matches(['/', '?']));
        }
        rest = next;
    }
}
