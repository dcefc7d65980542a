//! How a key may be written by somebody who repeats it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in place of a key.
const HIDDEN: &str = "[API key]";

/// From this length on any text is taken for a key wherever it stands.
const KEY_CHARS: usize = 9;

/// From this length on a text with a digit in it is: shorter ones, and short words, are ordinary text, and no key of Zyte's.
const KEY_CHARS_WITH_DIGIT: usize = 6;

/// Base64 of fewer characters may be anything.
const BASE64_CHARS: usize = 8;

/// So much of the beginning or the end of a longer text is as good as the whole: somebody has cut it off.
const PART_CHARS: usize = 12;

/// Finds a key in texts, however it is written there.
#[derive(Clone, Debug)]
pub(crate) struct Notations(Option<AhoCorasick>);

impl Notations {
    /// Those of a key: in clear, and as Basic authorisation or any other base64, each as it is, escaped for URLs, JSON or HTML, and in
    /// any case. Of a key that is too short to be told from ordinary text only what no ordinary text has.
    pub(crate) fn of(key: &str) -> Self {
        let has_digit = key.bytes().any(|byte| byte.is_ascii_digit());
        let is_distinct = key.len() >= if has_digit { KEY_CHARS_WITH_DIGIT } else { KEY_CHARS };
        let clear = is_distinct.then(|| [key.to_owned(), hex(key)]).into_iter().flatten();
        let plain = clear.chain(base64(key));
        let patterns: BTreeSet<String> = plain.flat_map(|text| escaped(&text)).flat_map(|text| parts(&text)).collect();
        if patterns.is_empty() {
            return Self(None);
        }
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).ascii_case_insensitive(true).build(patterns);
        Self(finder.ok())
    }

    /// The text with the key hidden.
    pub(crate) fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(finder) = self.0.as_ref().filter(|finder| finder.is_match(text)) else { return Cow::Borrowed(text) };
        let mut hidden = String::with_capacity(text.len());
        finder.replace_all_with(text, &mut hidden, |_, _, out| {
            out.push_str(HIDDEN);
            true
        });
        Cow::Owned(hidden)
    }
}

fn hex(key: &str) -> String {
    key.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The key, and the pair of key and no password, as base64; and what of it any longer text in base64 has, wherever in it the key is.
fn base64(key: &str) -> Vec<String> {
    let pair = format!("{key}:");
    let whole = [key, &pair]
        .into_iter()
        .flat_map(|text| [STANDARD.encode(text), STANDARD_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(text)]);
    let within = (0..3).filter_map(|skipped| {
        let groups = key.as_bytes().get(skipped..)?.chunks_exact(3).flatten().copied().collect::<Vec<u8>>();
        Some(STANDARD_NO_PAD.encode(groups))
    });
    let within = within.filter(|text| text.len() > BASE64_CHARS);
    whole.filter(|text| text.len() >= BASE64_CHARS).chain(within).collect()
}

/// A text, and all beginnings and ends of it that are long enough.
fn parts(text: &str) -> Vec<String> {
    let cuts = PART_CHARS..text.len();
    let beginnings = cuts.clone().filter_map(|length| text.get(..length));
    let ends = cuts.filter_map(|length| text.get(text.len() - length..));
    beginnings.chain(ends).chain([text]).map(str::to_owned).collect()
}

/// A text as it is, and as it stands in a URL, in JSON and in HTML.
fn escaped(text: &str) -> [String; 5] {
    let json = text.replace('\\', "\\\\").replace('"', "\\\"");
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let url = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    [text.to_owned(), json.replace('/', "\\/"), json, html, url]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_key_is_hidden_however_it_is_written() {
        for key in [KEY, "a/b+c=\"d\\&<x>9", "a-word-of-a-key"] {
            let notations = Notations::of(key);
            let json = serde_json::to_string(key).unwrap();
            let long = format!("{{\"user\": \"{key}\", \"password\": \"\"}}");
            let written = [
                key.to_owned(),
                key.to_uppercase(),
                json.trim_matches('"').to_owned(),
                utf8_percent_encode(key, NON_ALPHANUMERIC).to_string(),
                utf8_percent_encode(key, NON_ALPHANUMERIC).to_string().to_lowercase(),
                STANDARD.encode(format!("{key}:")),
                STANDARD.encode(key),
                URL_SAFE_NO_PAD.encode(format!("{key}:")),
                utf8_percent_encode(&STANDARD.encode(format!("{key}:")), NON_ALPHANUMERIC).to_string(),
                hex(key),
            ];
            for text in written {
                assert_eq!(notations.hide(&format!("bad key {text}.")), "bad key [API key].", "{text}");
            }
            for lead in ["", "a", "ab", "abc"] {
                let hidden = notations.hide(&STANDARD.encode(format!("{lead}{long}"))).into_owned();
                assert!(hidden.contains("[API key]"), "{hidden}");
            }
        }
    }

    #[test]
    fn a_key_that_was_cut_off_is_hidden_too() {
        let basic = STANDARD.encode(format!("{KEY}:"));
        for part in [&KEY[..12], &KEY[..31], &KEY[1..], &KEY[20..], &basic[..20], &basic[16..]] {
            assert_eq!(Notations::of(KEY).hide(&format!("key {part}… is bad")), "key [API key]… is bad");
        }
    }

    #[test]
    fn every_place_is_hidden_and_everything_else_stays() {
        let text = format!("é {KEY}{KEY} \n {} é", STANDARD.encode(format!("{KEY}:")));
        assert_eq!(Notations::of(KEY).hide(&text), "é [API key][API key] \n [API key] é");
        for plain in ["", "an ordinary text", "0123456…", "89abcdef0123"] {
            assert!(matches!(Notations::of(KEY).hide(plain), Cow::Borrowed(_)), "{plain}");
        }
    }

    #[test]
    fn a_key_that_is_an_ordinary_word_leaves_that_word_alone() {
        for word in ["k", "any", "demo", "simulate", "key-1"] {
            let text = format!("{word}s of the {word}");
            assert_eq!(Notations::of(word).hide(&text), text);
        }
        assert_eq!(Notations::of("any").hide("Basic YW55Og== as such"), "Basic [API key] as such");
    }
}
