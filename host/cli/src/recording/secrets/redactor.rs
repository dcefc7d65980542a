//! Replaces secrets in what is written.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, Match, MatchKind};
use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carousel_core::exchange::Object;
use serde_json::Value;

use super::names::{Place, is_secret};
use super::spans::secrets_in;
use super::{BODIES, COOKIES, DEPTH, HEADERS, Header, header, kind_of_header, notations, secret_of_pair};

/// Shorter values are replaced only where they stand as a secret: everywhere else they are ordinary text.
const ANYWHERE_CHARS: usize = 4;

/// Shorter values are replaced only where they are words of their own: within words they are ordinary text.
const WITHIN_WORDS_CHARS: usize = 8;

/// Replaces secrets.
pub(in crate::recording) struct Redactor<'s> {
    known: &'s BTreeMap<String, String>,
    finder: AhoCorasick,
    placeholders: Vec<&'s str>,
}

impl<'s> Redactor<'s> {
    /// Replaces these values by these placeholders.
    pub(super) fn new(known: &'s BTreeMap<String, String>) -> anyhow::Result<Self> {
        let anywhere = known.iter().filter(|(value, _)| value.chars().count() >= ANYWHERE_CHARS);
        let (values, placeholders): (Vec<&String>, Vec<&str>) = anywhere.map(|(value, it)| (value, it.as_str())).unzip();
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(values);
        Ok(Self { known, finder: finder.context("there are too many cookies and tokens to replace")?, placeholders })
    }

    /// Replaces the secrets in every text of a value, in encoded bodies too.
    pub(in crate::recording) fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(members) => self.object(members),
            Value::Number(number) => {
                let digits = number.to_string();
                if digits.len() >= ANYWHERE_CHARS {
                    self.number(value, &digits);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Replaces the secrets in every text of an object, and in its names.
    pub(in crate::recording) fn object(&self, members: &mut Object) {
        let pair = secret_of_pair(members);
        for (name, value) in members.iter_mut() {
            match value {
                Value::String(text) if BODIES.contains(&name.as_str()) => {
                    if let Ok(body) = STANDARD.decode(text.as_bytes()) {
                        *text = STANDARD.encode(self.bytes(body));
                    }
                }
                Value::Array(cookies) if COOKIES.contains(&name.as_str()) => self.cookies(cookies),
                Value::Array(headers) if HEADERS.contains(&name.as_str()) => self.headers(headers),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                    match pair == Some(name.as_str()) || is_secret(name, Place::Anywhere) {
                        true => self.secret(value),
                        false => self.value(value),
                    }
                }
            }
        }
        if members.keys().any(|name| self.finder.is_match(name)) {
            *members = std::mem::take(members).into_iter().map(|(name, value)| (self.text(&name), value)).collect();
        }
    }

    /// Replaces the secrets in a text.
    pub(in crate::recording) fn text(&self, text: &str) -> String {
        self.text_at(text, 0)
    }

    fn text_at(&self, text: &str, depth: usize) -> String {
        let marked = self.named(text);
        let mut replaced = String::with_capacity(marked.len());
        self.finder.replace_all_with(&marked, &mut replaced, |found, value, out| {
            let placeholder = self.placeholders.get(found.pattern().as_usize()).copied();
            let is_part = value.len() < WITHIN_WORDS_CHARS && is_within_word(marked.as_bytes(), found);
            out.push_str(placeholder.filter(|_| !is_part).unwrap_or(value));
            true
        });
        if depth < DEPTH { self.encoded(&replaced, depth) } else { replaced }
    }

    /// Replaces what stands as a secret, however short.
    fn named(&self, text: &str) -> String {
        let mut replaced = String::with_capacity(text.len());
        let mut end = 0;
        for place in secrets_in(text).into_iter() {
            let Some((value, before)) = text.get(place.clone()).zip(text.get(end..place.start)) else { continue };
            let plain = || self.known.get(&notations::plain(value));
            let Some(placeholder) = self.known.get(value).or_else(plain) else { continue };
            replaced.extend([before, placeholder]);
            end = place.end;
        }
        replaced.push_str(text.get(end..).unwrap_or_default());
        replaced
    }

    /// Replaces within base64.
    fn encoded(&self, text: &str, depth: usize) -> String {
        let mut replaced = String::with_capacity(text.len());
        let mut end = 0;
        for (place, decoded) in notations::base64_in(text) {
            let without = self.text_at(&decoded, depth + 1);
            if without == decoded {
                continue;
            }
            let run = text.get(place.clone()).unwrap_or_default();
            replaced.push_str(text.get(end..place.start).unwrap_or_default());
            replaced.push_str(&notations::base64_like(run, &without));
            end = place.end;
        }
        replaced.push_str(text.get(end..).unwrap_or_default());
        replaced
    }

    fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        match String::from_utf8(bytes) {
            Ok(text) => self.text(&text).into_bytes(),
            Err(error) => self.finder.replace_all_bytes(error.as_bytes(), &self.placeholders),
        }
    }

    /// What stands under the name of a secret, however short.
    fn secret(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.whole(text),
            Value::Number(number) => {
                let digits = number.to_string();
                self.number(value, &digits);
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.secret(item)),
            Value::Object(_) | Value::Null | Value::Bool(_) => self.value(value),
        }
    }

    fn number(&self, value: &mut Value, digits: &str) {
        if let Some(placeholder) = self.known.get(digits) {
            *value = placeholder.parse::<u64>().map_or_else(|_| Value::from(placeholder.as_str()), Value::from);
        }
    }

    /// A text that is a secret as a whole, however short.
    fn whole(&self, text: &str) -> String {
        self.known.get(text).cloned().unwrap_or_else(|| self.text(text))
    }

    fn cookies(&self, cookies: &mut [Value]) {
        for cookie in cookies {
            self.value(cookie);
            if let Some(Value::String(value)) = cookie.get_mut("value") {
                *value = self.whole(value);
            }
        }
    }

    fn headers(&self, headers: &mut [Value]) {
        for item in headers {
            let kind = header(item).map(|(name, _)| kind_of_header(name));
            self.value(item);
            let Some(Value::String(value)) = item.get_mut("value") else { continue };
            match kind {
                Some(Header::Cookie) => *value = self.cookie_header(value),
                Some(Header::Authorisation) => *value = self.whole(value),
                Some(Header::Plain) | None => {}
            }
        }
    }

    fn cookie_header(&self, header: &str) -> String {
        let pair = |pair: &str| match pair.split_once('=') {
            Some((name, value)) => format!("{name}={}", self.whole(value)),
            None => pair.to_owned(),
        };
        header.split(';').map(pair).collect::<Vec<_>>().join(";")
    }
}

/// Whether letters or digits go on before or behind a match.
fn is_within_word(text: &[u8], found: &Match) -> bool {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
    is_word(found.start().checked_sub(1).and_then(|at| text.get(at))) || is_word(text.get(found.end()))
}
