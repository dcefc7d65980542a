//! What one value may be, and how a violation is told.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::actions;
use super::countries::is_country;
use super::fields::{Field, Presence};
use super::uuid::parse_uuid4;

/// What a value may be; lengths count characters.
pub(super) enum Kind {
    Flag,
    Text {
        min: usize,
        max: usize,
    },
    Base64 {
        max: usize,
    },
    Choice(&'static [&'static str]),
    /// One of the 249 official two-letter country codes, in upper case.
    Country,
    Integer {
        min: i64,
        max: i64,
    },
    Number {
        min: f64,
        max: f64,
    },
    List {
        max: usize,
        of: &'static Self,
    },
    Record(&'static [Field]),
    /// An object with any members.
    Object {
        max: usize,
    },
    OrNull(&'static Self),
    /// Text by name; null is a value.
    Labels,
    /// A version-4 UUID.
    Uuid4,
    /// An absolute http(s) URL with a domain name.
    Url {
        max: usize,
    },
    Cookie,
    Action,
    Any,
}

/// A field that breaks the schema, and how.
#[derive(Debug)]
pub(super) struct Violation {
    path: String,
    fault: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "field {:?} {}", self.path, self.fault)
    }
}

fn violation<T>(path: &str, fault: impl Into<String>) -> Result<T, Violation> {
    Err(Violation { path: path.to_owned(), fault: fault.into() })
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Checks an object against its table of fields.
pub(super) fn check_record(given: &Map<String, Value>, fields: &'static [Field], path: &str) -> Result<(), Violation> {
    for (name, value) in given {
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            return violation(&below(path, name), "is unknown");
        };
        check(value, &field.kind, &below(path, name))?;
    }
    let missing = fields.iter().find(|field| field.presence == Presence::Required && !given.contains_key(field.name));
    missing.map_or(Ok(()), |field| violation(&below(path, field.name), "is missing"))
}

fn check(value: &Value, kind: &'static Kind, path: &str) -> Result<(), Violation> {
    match kind {
        Kind::Any => Ok(()),
        Kind::Flag => require(value.is_boolean(), path, "must be true or false"),
        Kind::Text { min, max } => check_text(value, *min, *max, path).map(drop),
        Kind::Base64 { max } => check_base64(value, *max, path),
        Kind::Choice(words) => require(
            value.as_str().is_some_and(|word| words.contains(&word)),
            path,
            format!("must be one of {}", words.join(", ")),
        ),
        Kind::Country => {
            require(value.as_str().is_some_and(is_country), path, "must be an ISO 3166-1 alpha-2 code in upper case")
        }
        Kind::Integer { min, max } => require(
            value.as_i64().is_some_and(|it| (*min..=*max).contains(&it)),
            path,
            format!("must be an integer from {min} to {max}"),
        ),
        Kind::Number { min, max } => require(
            value.as_f64().is_some_and(|it| (*min..=*max).contains(&it)),
            path,
            format!("must be a number from {min} to {max}"),
        ),
        Kind::List { max, of } => check_list(value, *max, of, path),
        Kind::Record(fields) => check_record(object(value, path)?, fields, path),
        Kind::Object { max } => require(object(value, path)?.len() <= *max, path, format!("must have at most {max} members")),
        Kind::OrNull(inner) if !value.is_null() => check(value, inner, path),
        Kind::OrNull(_) => Ok(()),
        Kind::Labels => {
            require(object(value, path)?.values().all(|it| it.is_string() || it.is_null()), path, "must map names to text")
        }
        Kind::Uuid4 => require(value.as_str().and_then(parse_uuid4).is_some(), path, "must be a version 4 UUID"),
        Kind::Url { max } => check_url(value, *max, path),
        Kind::Cookie => check_cookie(value, path),
        Kind::Action => check_action(value, path),
    }
}

fn require(holds: bool, path: &str, fault: impl Into<String>) -> Result<(), Violation> {
    if holds { Ok(()) } else { violation(path, fault) }
}

fn object<'a>(value: &'a Value, path: &str) -> Result<&'a Map<String, Value>, Violation> {
    value.as_object().map_or_else(|| violation(path, "must be an object"), Ok)
}

fn check_text<'a>(value: &'a Value, min: usize, max: usize, path: &str) -> Result<&'a str, Violation> {
    let Some(text) = value.as_str() else {
        return violation(path, "must be a string");
    };
    // Counting characters of a long text is worth it only where bytes do not decide.
    let fits = text.len() >= min && (text.len() <= max || text.chars().count() <= max);
    require(fits, path, format!("must have from {min} to {max} characters"))?;
    Ok(text)
}

fn check_base64(value: &Value, max: usize, path: &str) -> Result<(), Violation> {
    let text = check_text(value, 0, max, path)?;
    require(STANDARD.decode(text).is_ok(), path, "must be base64")
}

fn check_list(value: &Value, max: usize, of: &'static Kind, path: &str) -> Result<(), Violation> {
    let Some(items) = value.as_array() else {
        return violation(path, "must be an array");
    };
    require(items.len() <= max, path, format!("must have at most {max} items"))?;
    for (index, item) in items.iter().enumerate() {
        check(item, of, &format!("{path}[{index}]"))?;
    }
    Ok(())
}

fn check_url(value: &Value, max: usize, path: &str) -> Result<(), Violation> {
    let text = check_text(value, 1, max, path)?;
    let Ok(url) = url::Url::parse(text) else {
        return violation(path, "must be an absolute URL");
    };
    require(matches!(url.scheme(), "http" | "https"), path, "must be an http or https URL")?;
    require(url.domain().is_some(), path, "must have a domain name as host, not an IP address")
}

fn check_cookie(value: &Value, path: &str) -> Result<(), Violation> {
    check_record(object(value, path)?, COOKIE, path)?;
    let length = |name: &str| value.get(name).and_then(Value::as_str).map(str::len);
    let size = length("name").unwrap_or(0)
        + 1
        + length("value").unwrap_or(0)
        + 9
        + length("domain").unwrap_or(0)
        + length("path").map_or(0, |path| path + 7);
    require(size <= MAX_COOKIE_BYTES, path, "is too large a cookie")
}

const MAX_COOKIE_BYTES: usize = 4_097;

const COOKIE: &[Field] = &[
    super::fields::must("name", Kind::Text { min: 0, max: 4_085 }),
    super::fields::must("value", Kind::Text { min: 0, max: 4_085 }),
    super::fields::must("domain", Kind::Text { min: 1, max: 253 }),
    super::fields::may("path", Kind::Text { min: 0, max: 4_085 }),
    super::fields::may("expires", Kind::Integer { min: i64::MIN, max: i64::MAX }),
    super::fields::may("httpOnly", Kind::Flag),
    super::fields::may("secure", Kind::Flag),
    super::fields::may("sameSite", Kind::Choice(&["Strict", "Lax", "Extended", "None"])),
];

fn check_action(value: &Value, path: &str) -> Result<(), Violation> {
    let given = object(value, path)?;
    let Some(own) = given.get("action").and_then(Value::as_str).and_then(actions::parameters) else {
        return violation(&below(path, "action"), "must name a known action");
    };
    for (name, value) in given {
        let Some(field) = actions::parameter(own, name) else {
            return violation(&below(path, name), "is unknown");
        };
        check(value, &field.kind, &below(path, name))?;
    }
    actions::missing(own, given).map_or(Ok(()), |name| violation(&below(path, name), "is missing"))
}
