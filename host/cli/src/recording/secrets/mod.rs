//! What must not get into a fixture: the API key, cookies, authorisation, whatever a name or its looks give away as a secret, and what
//! plugins keep for a session. It is learned from all that is written, and replaced by value, however it is written there. Each value
//! has a placeholder that is the same wherever the value stands, so that what was equal stays equal.

mod names;
mod notations;
mod redactor;
mod spans;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carousel_core::exchange::Object;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use self::names::{Place, is_everyday, is_secret};
pub(super) use self::redactor::Redactor;
use self::spans::secrets_in;
use crate::args::Secret;

/// What a plugin keeps for a session counts as secret from this length on.
const STORED_CHARS: usize = 8;

/// How often a text is decoded to look for secrets in it.
const DEPTH: usize = 3;

/// The members that hold cookies, as Zyte API calls them.
const COOKIES: [&str; 2] = ["requestCookies", "responseCookies"];

/// The members that hold headers.
const HEADERS: [&str; 2] = ["customHttpRequestHeaders", "httpResponseHeaders"];

/// The members that hold base64.
const BODIES: [&str; 2] = ["httpRequestBody", "httpResponseBody"];

/// The members that are sent as the body of a request.
const SENT: [&str; 2] = ["httpRequestText", "httpRequestBody"];

/// How a placeholder begins; a number follows. Letters and digits only: nothing that a plugin does with the text changes them. A secret
/// of digits alone has other digits in its place, since it may stand where JSON has a number.
const PLACEHOLDERS: [&str; 3] = ["APIKEY", "COOKIE", "SECRET"];

/// How a placeholder of digits begins; three digits or more follow.
const DIGITS: &str = "900";

/// Everyday values under the names of secrets, and words that fixtures are made of.
const NO_SECRETS: [&str; 34] = [
    "authorization",
    "basic",
    "bearer",
    "cancel",
    "check",
    "close-crawl",
    "close-pool",
    "cookie",
    "csrf",
    "default",
    "digest",
    "discard",
    "download",
    "false",
    "hidden",
    "init-session",
    "keep",
    "none",
    "null",
    "off",
    "on",
    "optional",
    "params",
    "password",
    "plan",
    "process-request",
    "raised",
    "reject",
    "required",
    "submit",
    "throttled",
    "token",
    "trapped",
    "true",
];

/// The secrets that were seen.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// Each value, in each way it may be written, with its placeholder.
    known: BTreeMap<String, String>,
    /// What is never replaced: placeholders, and what is no secret whoever says so.
    spared: BTreeSet<String>,
    count: usize,
}

impl Secrets {
    /// Knows the API keys.
    pub(super) fn new(api_keys: &[Secret]) -> Self {
        let mut secrets = Self::default();
        for key in api_keys.iter().map(Secret::reveal) {
            secrets.add("APIKEY", key);
            let placeholder = secrets.known.get(key).cloned().unwrap_or_default();
            secrets.known.insert(STANDARD.encode(format!("{key}:")), placeholder);
        }
        secrets
    }

    /// Leaves this value alone: a session's id, which fixtures are told apart by.
    pub(super) fn spare(&mut self, value: &str) {
        self.spared.insert(value.to_owned());
    }

    /// Learns the secrets in a request, an answer, or anything like them.
    pub(super) fn learn(&mut self, value: &Value) {
        self.learn_at(value, Place::Anywhere, 0);
    }

    /// Learns what a plugin keeps for a session, and will send to the site sooner or later.
    pub(super) fn learn_stored(&mut self, value: &Value) {
        match value {
            Value::String(text) if text.chars().count() >= STORED_CHARS && !text.contains(char::is_whitespace) => {
                self.add("SECRET", text);
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_stored(item)),
            Value::Object(members) => members.values().for_each(|member| self.learn_stored(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn learn_at(&mut self, value: &Value, place: Place, depth: usize) {
        match value {
            Value::Object(members) => self.learn_members(members, place, depth),
            Value::Array(items) => items.iter().for_each(|item| self.learn_at(item, place, depth)),
            Value::String(text) => self.learn_text(text, place, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn learn_members(&mut self, members: &Object, place: Place, depth: usize) {
        self.learn_pair(members);
        for (name, value) in members {
            match value {
                Value::Array(cookies) if COOKIES.contains(&name.as_str()) => {
                    cookies.iter().filter_map(|cookie| cookie.get("value")?.as_str()).for_each(|value| self.add("COOKIE", value));
                }
                Value::Array(headers) if HEADERS.contains(&name.as_str()) => {
                    headers.iter().filter_map(header).for_each(|(name, value)| self.learn_header(name, value));
                }
                Value::String(body) if BODIES.contains(&name.as_str()) => {
                    let bytes = STANDARD.decode(body).unwrap_or_default();
                    self.learn_text(&String::from_utf8_lossy(&bytes), sent(name, place), depth);
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                    let is_everyday = match value {
                        Value::String(text) => is_everyday(name, text),
                        Value::Number(number) => is_everyday(name, &number.to_string()),
                        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
                    };
                    match is_secret(name, place) && !is_everyday {
                        true => self.learn_secret(value, place, depth),
                        false => self.learn_at(value, sent(name, place), depth),
                    }
                }
            }
        }
    }

    /// `{"name": "password", "value": "…"}`, as lists of fields are written, and text that is typed into a field of such a name.
    fn learn_pair(&mut self, members: &Object) {
        if let Some(Value::String(secret)) = secret_of_pair(members).and_then(|member| members.get(member)) {
            self.add_plain(secret);
        }
    }

    /// What stands under the name of a secret.
    fn learn_secret(&mut self, value: &Value, place: Place, depth: usize) {
        match value {
            Value::String(text) if is_rule(text) => {}
            Value::String(text) => self.learn_authorisation(text),
            Value::Number(number) => self.add("SECRET", &number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.learn_secret(item, place, depth)),
            Value::Object(members) => self.learn_members(members, place, depth),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn learn_header(&mut self, name: &str, value: &str) {
        match kind_of_header(name) {
            Header::Cookie => cookie_values(value).for_each(|value| self.add("COOKIE", value)),
            Header::Authorisation => self.learn_authorisation(value),
            Header::Plain => self.learn_text(value, Place::Anywhere, 0),
        }
    }

    /// `Bearer TOKEN` is a scheme and a secret; `Basic` hides a password besides.
    fn learn_authorisation(&mut self, value: &str) {
        let value = value.trim();
        let is_scheme = |word: &str| NO_SECRETS.contains(&word.to_ascii_lowercase().as_str());
        let secret = match value.split_once(' ') {
            Some((scheme, secret)) if is_scheme(scheme) || !secret.contains(' ') => secret.trim(),
            _ => value,
        };
        self.add_plain(secret);
        let decoded = STANDARD.decode(secret).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some((_, password)) = decoded.as_deref().and_then(|pair| pair.split_once(':')) {
            self.add_plain(password);
        }
    }

    /// Learns by what stands around it, also within what is encoded in the text.
    fn learn_text(&mut self, text: &str, place: Place, depth: usize) {
        for value in secrets_in(text) {
            let value = text.get(value).unwrap_or_default();
            if !is_rule(value) {
                self.learn_authorisation(value);
            }
        }
        if place == Place::Field && !text.trim_start().starts_with(['{', '[', '<']) {
            let fields = text.split('&').filter_map(|field| field.split_once('='));
            fields
                .filter(|(name, value)| is_secret(name, place) && !is_everyday(name, value))
                .for_each(|(_, value)| self.add_plain(value));
        }
        if depth >= DEPTH {
            return;
        }
        if let Some(value) = json(text) {
            self.learn_at(&value, place, depth + 1);
        }
        if text.contains('%') {
            let decoded = percent_decode_str(text).decode_utf8_lossy();
            if decoded != text {
                self.learn_text(&decoded, place, depth + 1);
            }
        }
        for (_, decoded) in notations::base64_in(text) {
            self.learn_text(&decoded, place, depth + 1);
        }
    }

    /// Learns a secret that is none of the everyday values.
    fn add_plain(&mut self, value: &str) {
        if !NO_SECRETS.contains(&value.to_ascii_lowercase().as_str()) {
            self.add("SECRET", value);
        }
    }

    fn add(&mut self, kind: &str, value: &str) {
        let plain = notations::plain(value.trim_matches('"'));
        if plain.is_empty() || is_placeholder(&plain) || self.spared.contains(&plain) {
            return;
        }
        let known = self.known.get(value).or_else(|| self.known.get(&plain)).cloned();
        let placeholder = known.unwrap_or_else(|| {
            self.count += 1;
            let is_number = kind == "SECRET" && plain.bytes().all(|byte| byte.is_ascii_digit());
            let placeholder = match is_number {
                true => format!("{DIGITS}{:03}", self.count),
                false => format!("{kind}{}", self.count),
            };
            self.spared.insert(placeholder.clone());
            placeholder
        });
        for written in notations::of(&plain).into_iter().chain([value.to_owned()]) {
            self.known.entry(written).or_insert_with(|| placeholder.clone());
        }
    }

    /// Makes ready to replace all that is known by now.
    pub(super) fn redactor(&self) -> anyhow::Result<Redactor<'_>> {
        Redactor::new(&self.known)
    }
}

/// Where what stands under a name goes: the body of a request, or where what it stands in goes.
fn sent(name: &str, place: Place) -> Place {
    if SENT.contains(&name) { Place::Field } else { place }
}

/// Whether a text says where a value comes from, as the tables of sites without code do, rather than being one.
fn is_rule(text: &str) -> bool {
    let is_template = text.split_once('{').is_some_and(|(before, rest)| before.is_empty() && rest.ends_with('}'));
    is_template || text.contains("::attr(") || text.contains("::text") || text.starts_with("//") || text.starts_with("css:")
}

/// The member that holds the secret which another one names.
fn secret_of_pair(members: &Object) -> Option<&'static str> {
    let text = |member: &str| members.get(member).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let is_named = |member: &str| text(member).is_some_and(|name| is_secret(&name, Place::Anywhere));
    match () {
        () if is_named("name") || is_named("key") => Some("value"),
        () if text("action").is_some_and(|action| action == "type") && is_named("selector") => Some("text"),
        () => None,
    }
}

/// A text that is a JSON object or list.
fn json(text: &str) -> Option<Value> {
    let is_json = text.trim_start().starts_with(['{', '[']);
    is_json.then(|| serde_json::from_str(text).ok()).flatten()
}

/// Whether a text stands for a secret.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let is_number = |number: &str, digits: usize| number.len() >= digits && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = PLACEHOLDERS.iter().find_map(|kind| text.strip_prefix(kind));
    number.is_some_and(|number| is_number(number, 1)) || text.strip_prefix(DIGITS).is_some_and(|rest| is_number(rest, 3))
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
        lower if is_secret(lower, Place::Anywhere) || lower.contains("auth") || lower.contains("session") => {
            Header::Authorisation
        }
        _ => Header::Plain,
    }
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
