//! What must not get into a fixture: the API key, cookies, authorisation, and what plugins keep for a session. Each value has a
//! placeholder that is the same wherever the value stands, so that what was equal stays equal.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};
use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carousel_core::exchange::Object;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use crate::args::Secret;

/// Shorter values are replaced only where they stand as a cookie or as authorisation: everywhere else they are ordinary text.
const ANYWHERE_CHARS: usize = 4;

/// What a plugin keeps for a session counts as secret from this length on.
const STORED_CHARS: usize = 8;

/// The members that hold cookies, as Zyte API calls them.
const COOKIES: [&str; 2] = ["requestCookies", "responseCookies"];

/// The members that hold headers.
const HEADERS: [&str; 2] = ["customHttpRequestHeaders", "httpResponseHeaders"];

/// Parts of the names under which authorisation goes.
const AUTHORISATION: [&str; 13] = [
    "authorization",
    "authentication",
    "token",
    "password",
    "passwd",
    "secret",
    "apikey",
    "api-key",
    "api_key",
    "csrf",
    "xsrf",
    "credential",
    "signature",
];

/// What a form or a query string leaves as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How a placeholder begins; a number follows. Letters and digits only: nothing that a plugin does with the text changes them.
const PLACEHOLDERS: [&str; 3] = ["APIKEY", "COOKIE", "SECRET"];

/// The secrets that were seen.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    /// Each value, in each way it may be written, with its placeholder.
    known: BTreeMap<String, String>,
    count: usize,
}

/// Replaces secrets.
pub(crate) struct Redactor<'s> {
    secrets: &'s Secrets,
    finder: AhoCorasick,
    placeholders: Vec<&'s str>,
}

impl Secrets {
    /// Knows the API keys.
    pub(crate) fn new(api_keys: &[Secret]) -> Self {
        let mut secrets = Self::default();
        for key in api_keys.iter().map(Secret::reveal) {
            secrets.add("APIKEY", key);
            secrets.alias(&STANDARD.encode(format!("{key}:")), key);
        }
        secrets
    }

    /// Learns the secrets in a request, an answer, or anything like them.
    pub(crate) fn learn(&mut self, value: &Value) {
        match value {
            Value::Object(members) => self.learn_members(members),
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Learns what a plugin keeps for a session, and will send to the site sooner or later.
    pub(crate) fn learn_stored(&mut self, value: &Value) {
        match value {
            Value::String(text) if text.chars().count() >= STORED_CHARS && !text.contains(char::is_whitespace) => {
                self.add("SECRET", text);
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_stored(item)),
            Value::Object(members) => members.values().for_each(|member| self.learn_stored(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn learn_members(&mut self, members: &Object) {
        for (name, value) in members {
            match value {
                Value::Array(cookies) if COOKIES.contains(&name.as_str()) => {
                    cookies.iter().filter_map(|cookie| cookie.get("value")?.as_str()).for_each(|value| self.add("COOKIE", value));
                }
                Value::Array(headers) if HEADERS.contains(&name.as_str()) => {
                    headers.iter().filter_map(header).for_each(|(name, value)| self.learn_header(name, value));
                }
                Value::String(url) if name == "url" => self.learn_url(url),
                Value::String(form) if name == "httpRequestText" => self.learn_pairs(form),
                Value::String(text) if is_authorisation(name) => self.learn_authorisation(text),
                value @ (Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_)) => self.learn(value),
            }
        }
    }

    fn learn_header(&mut self, name: &str, value: &str) {
        match kind_of_header(name) {
            Header::Cookie => cookie_values(value).for_each(|value| self.add("COOKIE", value)),
            Header::Authorisation => self.learn_authorisation(value),
            Header::Plain => {}
        }
    }

    /// `Bearer TOKEN` is a scheme and a secret; `Basic` hides a password besides.
    fn learn_authorisation(&mut self, value: &str) {
        let secret = value.trim().split_once(' ').map_or(value.trim(), |(_, secret)| secret.trim());
        self.add("SECRET", secret);
        let decoded = STANDARD.decode(secret).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some((_, password)) = decoded.as_deref().and_then(|pair| pair.split_once(':')) {
            self.add("SECRET", password);
        }
    }

    fn learn_url(&mut self, url: &str) {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if let Some((_, password)) = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')) {
            self.add("SECRET", password);
        }
        if let Some((_, query)) = url.split_once('?') {
            self.learn_pairs(query.split('#').next().unwrap_or_default());
        }
    }

    fn learn_pairs(&mut self, pairs: &str) {
        let named = pairs.split('&').filter_map(|pair| pair.split_once('='));
        named.filter(|(name, _)| is_authorisation(name)).for_each(|(_, value)| self.add("SECRET", value));
    }

    fn add(&mut self, kind: &str, value: &str) {
        let plain = percent_decode_str(value.trim_matches('"')).decode_utf8_lossy().into_owned();
        if plain.is_empty() || is_placeholder(&plain) {
            return;
        }
        let known = self.known.get(value).or_else(|| self.known.get(&plain)).cloned();
        let placeholder = known.unwrap_or_else(|| {
            self.count += 1;
            format!("{kind}{}", self.count)
        });
        let encoded = utf8_percent_encode(&plain, PLAIN).to_string();
        let escaped = plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        let all_encoded = utf8_percent_encode(&plain, NON_ALPHANUMERIC).to_string();
        for written in [value.to_owned(), plain, encoded, all_encoded, escaped] {
            self.known.entry(written).or_insert_with(|| placeholder.clone());
        }
    }

    fn alias(&mut self, written: &str, value: &str) {
        if let Some(placeholder) = self.known.get(value).cloned() {
            self.known.insert(written.to_owned(), placeholder);
        }
    }

    /// Makes ready to replace all that is known by now.
    pub(crate) fn redactor(&self) -> anyhow::Result<Redactor<'_>> {
        let anywhere = self.known.iter().filter(|(value, _)| value.chars().count() >= ANYWHERE_CHARS);
        let (values, placeholders): (Vec<&String>, Vec<&str>) = anywhere.map(|(value, it)| (value, it.as_str())).unzip();
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(values);
        Ok(Redactor { secrets: self, finder: finder.context("there are too many cookies and tokens to replace")?, placeholders })
    }
}

impl Redactor<'_> {
    /// Replaces the secrets in every text of a value, in encoded bodies too.
    pub(crate) fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(members) => self.object(members),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Replaces the secrets in every text of an object.
    pub(crate) fn object(&self, members: &mut Object) {
        for (name, value) in members.iter_mut() {
            match value {
                Value::String(text) if matches!(name.as_str(), "httpResponseBody" | "httpRequestBody") => {
                    if let Ok(body) = STANDARD.decode(text.as_bytes()) {
                        *text = STANDARD.encode(self.finder.replace_all_bytes(&body, &self.placeholders));
                    }
                }
                Value::Array(cookies) if COOKIES.contains(&name.as_str()) => self.cookies(cookies),
                Value::Array(headers) if HEADERS.contains(&name.as_str()) => self.headers(headers),
                Value::String(text) if is_authorisation(name) => *text = self.whole(text),
                value @ (Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_)) => self.value(value),
            }
        }
    }

    /// Replaces the secrets in a text.
    pub(crate) fn text(&self, text: &str) -> String {
        self.finder.replace_all(text, &self.placeholders)
    }

    /// A text that is a secret as a whole, however short.
    fn whole(&self, text: &str) -> String {
        self.secrets.known.get(text).cloned().unwrap_or_else(|| self.text(text))
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

/// Whether a text stands for a secret.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let number = PLACEHOLDERS.iter().find_map(|kind| text.strip_prefix(kind));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

enum Header {
    Cookie,
    Authorisation,
    Plain,
}

fn kind_of_header(name: &str) -> Header {
    match name.to_ascii_lowercase().as_str() {
        "cookie" | "set-cookie" => Header::Cookie,
        "www-authenticate" | "proxy-authenticate" => Header::Plain,
        lower if is_authorisation(lower) || lower.contains("auth") || lower.contains("session") => Header::Authorisation,
        _ => Header::Plain,
    }
}

fn is_authorisation(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    AUTHORISATION.iter().any(|part| lower.contains(part))
}

fn header(item: &Value) -> Option<(&str, &str)> {
    Some((item.get("name")?.as_str()?, item.get("value")?.as_str()?))
}

/// The values of a `Cookie` header, or the one of a `Set-Cookie` header with its attributes.
fn cookie_values(header: &str) -> impl Iterator<Item = &str> {
    const ATTRIBUTES: [&str; 5] = ["path", "domain", "expires", "max-age", "samesite"];
    let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| !ATTRIBUTES.contains(&name.to_ascii_lowercase().as_str())).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What becomes of a value when its own secrets are replaced.
    fn redacted(value: &Value) -> Value {
        let mut secrets = Secrets::new(&["the-api-key".into()]);
        secrets.learn(value);
        let mut value = value.clone();
        secrets.redactor().unwrap().value(&mut value);
        value
    }

    #[test]
    fn secrets_are_replaced_wherever_they_stand_and_stay_equal() {
        let page = "<p data-sid='s3ss10n'>token a%2Fb%2Bc%3D%3D and a/b+c==, key the-api-key, &quot;q&quot;</p>";
        let before = json!({
            "url": "https://bob:hunter22@shop.example/?page=2&access_token=t0ken99",
            "requestCookies": [{"name": "sid", "value": "s3ss10n"}, {"name": "n", "value": "7"}],
            "customHttpRequestHeaders": [
                {"name": "Cookie", "value": "sid=s3ss10n; n=7"},
                {"name": "Authorization", "value": "Bearer a/b+c=="},
                {"name": "X-CSRF-Token", "value": "\"q\"xy"},
                {"name": "Accept", "value": "7"},
            ],
            "httpRequestText": "user=bob&password=hunter22",
            "browserHtml": page,
            "httpResponseBody": STANDARD.encode(page),
            "config": {"password": "xyz"},
        });
        let after = redacted(&before);
        let text = after.to_string();
        for secret in ["s3ss10n", "a/b+c", "hunter22", "t0ken99", "the-api-key", "\"xyz\"", "a%2Fb"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        let sid = after["requestCookies"][0]["value"].as_str().unwrap();
        assert!(sid.starts_with("COOKIE"));
        assert_eq!(
            after["customHttpRequestHeaders"][0]["value"],
            json!(format!("sid={sid}; n={}", after["requestCookies"][1]["value"].as_str().unwrap()))
        );
        assert!(after["browserHtml"].as_str().unwrap().contains(&format!("data-sid='{sid}'")));
        let body = STANDARD.decode(after["httpResponseBody"].as_str().unwrap()).unwrap();
        assert_eq!(std::str::from_utf8(&body).unwrap(), after["browserHtml"].as_str().unwrap());
        let token = after["customHttpRequestHeaders"][1]["value"].as_str().unwrap().strip_prefix("Bearer ").unwrap();
        assert_eq!(after["browserHtml"].as_str().unwrap().matches(token).count(), 2, "however it is written");
        assert_eq!(after["customHttpRequestHeaders"][3]["value"], "7", "a short value is ordinary text elsewhere");
        assert!(after["url"].as_str().unwrap().contains("shop.example/?page=2&"));
    }

    #[test]
    fn ordinary_traffic_is_left_alone() {
        let plain = json!({
            "url": "https://shop.example/a?page=2",
            "session": {"id": "00000000-0000-4000-8000-000000000001"},
            "httpResponseHeaders": [{"name": "Content-Type", "value": "text/html"}],
            "author": "Ann",
            "actions": [{"action": "click", "status": "success"}],
        });
        assert_eq!(redacted(&plain), plain);
    }

    #[test]
    fn a_set_cookie_header_loses_its_value_and_keeps_its_attributes() {
        let after = redacted(&json!({"httpResponseHeaders": [{"name": "set-cookie", "value": "sid=abcdef; Path=/; HttpOnly"}]}));
        assert_eq!(after["httpResponseHeaders"][0]["value"], "sid=COOKIE2; Path=/; HttpOnly");
    }

    #[test]
    fn what_a_plugin_keeps_is_replaced_where_it_is_long_enough_to_be_a_token() {
        let mut secrets = Secrets::default();
        secrets.learn_stored(&json!({"t": "0123abcd", "zip": "10001", "name": "Store No 1"}));
        let mut value = json!({"page": "0123abcd 10001 Store No 1"});
        secrets.redactor().unwrap().value(&mut value);
        assert_eq!(value, json!({"page": "SECRET1 10001 Store No 1"}));
    }

    #[test]
    fn learning_what_was_replaced_learns_nothing_new() {
        let before = json!({"requestCookies": [{"name": "sid", "value": "s3ss10n"}]});
        let mut secrets = Secrets::default();
        secrets.learn(&before);
        let mut after = before;
        secrets.redactor().unwrap().value(&mut after);
        secrets.learn(&after);
        assert_eq!(secrets.count, 1);
    }
}
