//! Bytes to text: which encoding a page is in, decided as browsers and Scrapy do.

mod labels;
mod markup;
#[cfg(test)]
mod tests;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

/// Bytes from the start of a page that guessing looks at: more costs time and changes nothing.
const GUESSED: usize = 64 << 10;

/// Decodes a page: byte order mark, then the `Content-Type` header, then what the markup declares, then UTF-8 if the bytes are
/// UTF-8, then a guess. Bytes that the encoding does not know become U+FFFD.
pub(crate) fn decode(body: &[u8], content_type: Option<&str>, url: &str) -> String {
    if let Some(text) = decode_utf32(body) {
        return text;
    }
    if let Some((encoding, mark)) = Encoding::for_bom(body) {
        return with(encoding, body.get(mark..).unwrap_or_default());
    }
    let declared = content_type.and_then(charset).and_then(labels::encoding).or_else(|| markup::declared(body));
    match declared {
        Some(encoding) => with(encoding, body),
        None => match (wide(body), std::str::from_utf8(body)) {
            (Some(encoding), _) => with(encoding, body),
            (None, Ok(text)) => text.to_owned(),
            (None, Err(_)) => with(guess(body, url), body),
        },
    }
}

/// The `charset` parameter of a `Content-Type` header: the first one outside of quotes.
fn charset(content_type: &str) -> Option<&str> {
    let mut rest = content_type;
    while !rest.is_empty() {
        let mut quoted = false;
        let end = rest.find(|character| {
            quoted ^= character == '"';
            character == ';' && !quoted
        });
        let (parameter, after) = rest.split_at(end.unwrap_or(rest.len()));
        if let Some((name, value)) = parameter.split_once('=')
            && name.trim().eq_ignore_ascii_case("charset")
        {
            return Some(label(value));
        }
        rest = after.strip_prefix(';').unwrap_or_default();
    }
    None
}

/// The label that a value starts with, in quotes or not.
fn label(value: &str) -> &str {
    let value = value.trim_start().trim_start_matches(['"', '\'']).trim_start();
    value.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';')).next().unwrap_or_default()
}

fn with(encoding: &'static Encoding, body: &[u8]) -> String {
    encoding.decode_without_bom_handling(body).0.into_owned()
}

/// UTF-16 without a mark: every page of markup or JSON starts with two ASCII characters.
fn wide(body: &[u8]) -> Option<&'static Encoding> {
    match body {
        [a, 0, b, 0, ..] if a.is_ascii() && b.is_ascii() && *a > 0 && *b > 0 => Some(UTF_16LE),
        [0, a, 0, b, ..] if a.is_ascii() && b.is_ascii() && *a > 0 && *b > 0 => Some(UTF_16BE),
        _ => None,
    }
}

fn guess(body: &[u8], url: &str) -> &'static Encoding {
    let start = body.get(..GUESSED).unwrap_or(body);
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(start, start.len() == body.len());
    detector.guess(top_level_domain(url).as_deref().map(str::as_bytes), Utf8Detection::Allow)
}

/// The last label of the host name, in the form the detector wants: lower case, without dots.
fn top_level_domain(url: &str) -> Option<String> {
    let host = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let host = host.rsplit('@').next()?.split(':').next()?;
    let label = host.rsplit('.').next()?;
    let usable = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphabetic());
    usable.then(|| label.to_ascii_lowercase())
}

/// UTF-32 exists behind its byte order marks only. `FF FE 00 00` could also be UTF-16 that starts with U+0000, which no page does.
fn decode_utf32(body: &[u8]) -> Option<String> {
    let read: fn([u8; 4]) -> u32 = match body {
        [0xFF, 0xFE, 0, 0, ..] => u32::from_le_bytes,
        [0, 0, 0xFE, 0xFF, ..] => u32::from_be_bytes,
        _ => return None,
    };
    let (units, rest) = body.as_chunks::<4>();
    let characters = units.iter().skip(1).map(|unit| char::from_u32(read(*unit)).unwrap_or(char::REPLACEMENT_CHARACTER));
    let cut = (!rest.is_empty()).then_some(char::REPLACEMENT_CHARACTER);
    Some(characters.chain(cut).collect())
}
