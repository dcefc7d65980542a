//! The ways in which one value is written in URLs, forms, JSON, HTML and base64.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What a form or a query string leaves as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Fewer characters of base64 may be anything.
const BASE64_CHARS: usize = 12;

/// Base64 with or without padding, as people write it.
const BASE64: GeneralPurpose = lenient(&alphabet::STANDARD);

/// The same with the letters that URLs leave as they are.
const URL_BASE64: GeneralPurpose = lenient(&alphabet::URL_SAFE);

const fn lenient(alphabet: &alphabet::Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config.with_decode_padding_mode(DecodePaddingMode::Indifferent))
}

/// A value without the escapes of where it was found.
pub(super) fn plain(written: &str) -> String {
    let json = if written.contains('\\') { serde_json::from_str::<String>(&format!("\"{written}\"")).ok() } else { None };
    let text = json.unwrap_or_else(|| written.to_owned());
    let text = if text.contains('&') { unescaped_html(&text) } else { text };
    percent_decode_str(&text).decode_utf8().map_or_else(|_| text.clone(), Cow::into_owned)
}

fn unescaped_html(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

/// All ways to write a value, the value itself included.
pub(super) fn of(plain: &str) -> Vec<String> {
    let url = utf8_percent_encode(plain, PLAIN).to_string();
    let strict_url = utf8_percent_encode(plain, NON_ALPHANUMERIC).to_string();
    let path: String = plain.chars().map(|c| if c == ' ' { "%20".to_owned() } else { c.to_string() }).collect();
    let html = plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let json = serde_json::to_string(plain).unwrap_or_default();
    let json = json.get(1..json.len().saturating_sub(1)).unwrap_or_default().to_owned();
    let unicode = |write: fn(u16) -> String| {
        let escaped = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| write(*unit)).collect::<String>();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~!$()*,:;@?/# ".contains(c);
        plain_text(&json, plain, escaped)
    };
    let slashed = json.replace('/', "\\/");
    let forms = [url.replace("%20", "+"), plain.replace(' ', "+"), strict_url.replace("%20", "+")];
    let lower = [lower_hex(&url), lower_hex(&strict_url)];
    let lower_unicode = unicode(|unit| format!("\\u{unit:04x}"));
    let upper_unicode = unicode(|unit| format!("\\u{unit:04X}"));
    let twice = utf8_percent_encode(&url, PLAIN).to_string();
    let quoted_html = html.replace('\'', "&#39;");
    let mut all =
        vec![plain.to_owned(), path, html, quoted_html, json, slashed, lower_unicode, upper_unicode, twice, url, strict_url];
    all.extend(forms);
    all.extend(lower);
    all
}

/// A text of JSON with the characters escaped that are not left as they are; escapes that are there stay.
fn plain_text(json: &str, is_plain: impl Fn(char) -> bool, escaped: impl Fn(char) -> String) -> String {
    let mut text = String::with_capacity(json.len());
    let mut characters = json.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                text.push('\\');
                text.extend(characters.next());
            }
            character if is_plain(character) => text.push(character),
            character => text.push_str(&escaped(character)),
        }
    }
    text
}

/// The same escapes with small letters.
fn lower_hex(url: &str) -> String {
    let mut lower = String::with_capacity(url.len());
    for (at, part) in url.split('%').enumerate() {
        match part.split_at_checked(2) {
            Some((hex, rest)) if at > 0 => lower.extend(["%", &hex.to_ascii_lowercase(), rest]),
            _ => lower.push_str(part),
        }
    }
    lower
}

/// The runs of base64 in a text that decode to text.
pub(super) fn base64_in(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    let mut at = 0;
    while let Some(begin) = text.as_bytes().get(at..).and_then(|rest| rest.iter().position(is_letter)).map(|skip| at + skip) {
        let rest = text.as_bytes().get(begin..).unwrap_or_default();
        let letters = rest.iter().take_while(|byte| is_letter(byte)).count();
        let padding = rest.iter().skip(letters).take(2).take_while(|byte| **byte == b'=').count();
        at = begin + letters + padding;
        let run = text.get(begin..at).unwrap_or_default();
        if letters >= BASE64_CHARS
            && let Some(decoded) = engine_of(run).decode(run).ok().and_then(|bytes| String::from_utf8(bytes).ok())
            && !decoded.contains(|c: char| c.is_control() && !c.is_whitespace())
        {
            found.push((begin..at, decoded));
        }
    }
    found
}

/// The run that stands for another text in place of this one.
pub(super) fn base64_like(run: &str, text: &str) -> String {
    let encoded = engine_of(run).encode(text);
    if run.ends_with('=') || run.len().is_multiple_of(4) { encoded } else { encoded.trim_end_matches('=').to_owned() }
}

fn engine_of(run: &str) -> &'static GeneralPurpose {
    if run.contains(['-', '_']) { &URL_BASE64 } else { &BASE64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_same_however_it_was_written() {
        let value = "a/b-c==\"d&<é'x";
        for written in of(value).iter() {
            let decoded = plain(written);
            assert!(decoded == value || plain(&decoded) == value, "{written} is read as {decoded}");
        }
    }

    #[test]
    fn base64_is_found_within_text_and_written_as_it_was() {
        for (text, decoded) in [
            ("Basic YW5uOmh1bnRlcjIy", "ann:hunter22"),
            ("data=eyJwYXNzIjoiaHVudGVyMjIifQ&x=1", "{\"pass\":\"hunter22\"}"),
            ("eyJwYXNzIjoiaHVudGVyMjIifQ==", "{\"pass\":\"hunter22\"}"),
        ] {
            let found = base64_in(text);
            assert_eq!(found.iter().map(|(_, decoded)| decoded.as_str()).collect::<Vec<_>>(), [decoded], "{text}");
            let run = &text[found[0].0.clone()];
            assert_eq!(base64_like(run, decoded), run);
        }
        assert!(base64_in("an ordinary text of words, https://shop.example/a/b/c").is_empty());
    }
}
