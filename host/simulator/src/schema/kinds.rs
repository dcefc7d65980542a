//! What one value may be, and how a violation is told.

use std::fmt;
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::countries::is_country;
use super::fields::{Field, Presence, may, must};
use super::unions::{ACTION, ATTRIBUTE, CAPTURE, Union};
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
    /// Whole, also where it is written with a fraction of zero.
    Integer {
        min: f64,
        max: f64,
    },
    /// A multiple of ten.
    Tens {
        min: u32,
        max: u32,
    },
    Number {
        min: f64,
        max: f64,
    },
    List {
        min: usize,
        max: usize,
        of: &'static Self,
    },
    Record(&'static [Field]),
    /// An object with members of any name.
    Dictionary {
        max: usize,
        of: &'static Self,
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
    /// An action of a browser.
    Action,
    /// A custom attribute.
    Attribute,
    /// A filter of network capture.
    Capture,
    Any,
}

/// Text of any length.
pub(super) const LINE: Kind = Kind::Text { min: 0, max: usize::MAX };

/// A whole number within bounds.
pub(super) const fn integer(min: f64, max: f64) -> Kind {
    Kind::Integer { min, max }
}

/// A list with an upper bound only.
pub(super) const fn list(max: usize, of: &'static Kind) -> Kind {
    Kind::List { min: 0, max, of }
}

/// An object with members of any name.
pub(super) const fn dictionary(max: usize, of: &'static Kind) -> Kind {
    Kind::Dictionary { max, of }
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
    check_members(given, fields.iter(), path)
}

fn check_members(
    given: &Map<String, Value>,
    mut fields: impl Iterator<Item = &'static Field> + Clone,
    path: &str,
) -> Result<(), Violation> {
    for (name, value) in given {
        let Some(field) = fields.clone().find(|field| field.name == name) else {
            return violation(&below(path, name), "is unknown");
        };
        check(value, &field.kind, &below(path, name))?;
    }
    let missing = fields.find(|field| field.presence == Presence::Required && !given.contains_key(field.name));
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
        Kind::Integer { min, max } => {
            let is_whole = |it: f64| it.fract() == 0.0 && (*min..=*max).contains(&it);
            require(value.as_f64().is_some_and(is_whole), path, format!("must be an integer{}", bounds(*min, *max)))
        }
        Kind::Tens { min, max } => {
            let is_one = |it: f64| it % 10.0 == 0.0 && (f64::from(*min)..=f64::from(*max)).contains(&it);
            require(value.as_f64().is_some_and(is_one), path, format!("must be a multiple of 10 from {min} to {max}"))
        }
        Kind::Number { min, max } => require(
            value.as_f64().is_some_and(|it| (*min..=*max).contains(&it)),
            path,
            format!("must be a number{}", bounds(*min, *max)),
        ),
        Kind::List { min, max, of } => check_list(value, *min..=*max, of, path),
        Kind::Record(fields) => check_record(object(value, path)?, fields, path),
        Kind::Action => check_union(object(value, path)?, &ACTION, path),
        Kind::Attribute => check_union(object(value, path)?, &ATTRIBUTE, path),
        Kind::Capture => check_union(object(value, path)?, &CAPTURE, path),
        Kind::Dictionary { max, of } => check_dictionary(object(value, path)?, *max, of, path),
        Kind::OrNull(inner) if !value.is_null() => check(value, inner, path),
        Kind::OrNull(_) => Ok(()),
        Kind::Labels => {
            require(object(value, path)?.values().all(|it| it.is_string() || it.is_null()), path, "must map names to text")
        }
        Kind::Uuid4 => require(value.as_str().and_then(parse_uuid4).is_some(), path, "must be a version 4 UUID"),
        Kind::Url { max } => check_url(value, *max, path),
        Kind::Cookie => check_cookie(value, path),
    }
}

/// Words for what a number must be between.
fn bounds(min: f64, max: f64) -> String {
    match (min.is_finite(), max.is_finite()) {
        (true, true) => format!(" from {min} to {max}"),
        (true, false) => format!(" of at least {min}"),
        (false, true) => format!(" of at most {max}"),
        (false, false) => String::new(),
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
    // A character has up to four bytes: counting them is worth it only where bytes do not decide.
    let is_long_enough = text.len() >= min.saturating_mul(4) || text.chars().count() >= min;
    let fits = is_long_enough && (text.len() <= max || text.chars().count() <= max);
    require(fits, path, format!("must have from {min} to {max} characters"))?;
    Ok(text)
}

fn check_base64(value: &Value, max: usize, path: &str) -> Result<(), Violation> {
    let text = check_text(value, 0, max, path)?;
    require(STANDARD.decode(text).is_ok(), path, "must be base64")
}

fn check_list(value: &Value, sizes: RangeInclusive<usize>, of: &'static Kind, path: &str) -> Result<(), Violation> {
    let Some(items) = value.as_array() else {
        return violation(path, "must be an array");
    };
    require(items.len() >= *sizes.start(), path, format!("must have at least {} items", sizes.start()))?;
    require(items.len() <= *sizes.end(), path, format!("must have at most {} items", sizes.end()))?;
    for (index, item) in items.iter().enumerate() {
        check(item, of, &format!("{path}[{index}]"))?;
    }
    Ok(())
}

fn check_dictionary(given: &Map<String, Value>, max: usize, of: &'static Kind, path: &str) -> Result<(), Violation> {
    require(given.len() <= max, path, format!("must have at most {max} members"))?;
    given.iter().try_for_each(|(name, value)| check(value, of, &below(path, name)))
}

fn check_union(given: &Map<String, Value>, union: &'static Union, path: &str) -> Result<(), Violation> {
    let kind = given.get(union.tag).and_then(Value::as_str);
    let Some(members) = kind.and_then(|kind| union.members(kind)) else {
        return violation(&below(path, union.tag), format!("must be one of {}", union.kinds().join(", ")));
    };
    check_members(given, members, path)
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
    let size = length("name").unwrap_or(0) + 1 + length("value").unwrap_or(0) + 9 + length("domain").unwrap_or(0);
    require(size <= MAX_COOKIE_BYTES, path, "is too large a cookie")
}

/// What the service was seen to refuse in 2024; its schema bounds only the members, and the path not at all.
const MAX_COOKIE_BYTES: usize = 4_097;

const COOKIE: &[Field] = &[
    must("name", Kind::Text { min: 0, max: 4_085 }),
    must("value", Kind::Text { min: 0, max: 4_085 }),
    must("domain", Kind::Text { min: 1, max: 253 }),
    may("path", LINE),
    may("expires", integer(i64::MIN as f64, i64::MAX as f64)),
    may("httpOnly", Kind::Flag),
    may("secure", Kind::Flag),
    may("sameSite", Kind::Choice(&["Strict", "Lax", "Extended", "None"])),
];
