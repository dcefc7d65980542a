//! Whether a case of a hook holds.

use carousel_guest::prelude::*;
use carousel_guest::serde_json::Map;

use crate::context::Context;
use crate::pattern::{all, any, contains_regex, is_ordinal, matches};

/// Tells whether every member of a condition holds.
pub(crate) fn holds(condition: &Value, context: &Context<'_>) -> Result<bool> {
    let members = object(condition, "a condition")?;
    all(members, |(name, wanted)| member_holds(name, wanted, context))
}

fn member_holds(name: &str, wanted: &Value, context: &Context<'_>) -> Result<bool> {
    let request = context.request;
    match name {
        "all" => all(list(wanted, name)?, |condition| holds(condition, context)),
        "any" => any(list(wanted, name)?, |condition| holds(condition, context)),
        "not" => Ok(!holds(wanted, context)?),
        "init" => Ok(wanted.as_bool() == Some(request.is_init())),
        "host" => Ok(request.host().eq_ignore_ascii_case(text(wanted, name)?)),
        "host_contains" => Ok(request.host().contains(text(wanted, name)?)),
        "url_contains" => Ok(request.url().contains(text(wanted, name)?)),
        "url_regex" => contains_regex(&request.url(), text(wanted, name)?),
        "meta" => matches(wanted, &Value::Object(request.meta()?)),
        "meta_absent" => {
            let meta = request.meta()?;
            all(list(wanted, name)?, |key| Ok(!meta.contains_key(text(key, name)?)))
        }
        "request_params" => matches(wanted, request.params()?.as_value()),
        "response" => matches(wanted, &context.answer_for(wanted)?),
        "settings" => settings_match(wanted),
        "location" => location_matches(wanted, &context.location()?),
        "session" => session_matches(wanted, context),
        "call" => Ok(is_ordinal(wanted, context.call)),
        _ => Err(Error::new(format!("unknown condition {name}"))),
    }
}

fn location_matches(wanted: &Value, location: &Value) -> Result<bool> {
    let is_set = location.as_object().is_some_and(|members| !members.is_empty());
    match wanted.as_str() {
        Some("set") => Ok(is_set),
        Some("unset") => Ok(!is_set),
        Some(other) => Err(Error::new(format!("unknown location condition {other}"))),
        None => matches(wanted, location),
    }
}

/// Settings are named with or without `session.` in front.
fn settings_match(wanted: &Value) -> Result<bool> {
    let wanted = object(wanted, "settings")?.iter();
    let wanted = wanted.map(|(name, pattern)| (name.strip_prefix("session.").unwrap_or(name).to_owned(), pattern.clone()));
    matches(&Value::Object(wanted.collect()), &settings()?)
}

fn session_matches(wanted: &Value, context: &Context<'_>) -> Result<bool> {
    let mut stored = Map::new();
    for key in object(wanted, "session")?.keys() {
        if let Some(value) = context.stored(key)? {
            stored.insert(key.clone(), value);
        }
    }
    matches(wanted, &Value::Object(stored))
}

/// Reads a member of the script that must be an object.
pub(crate) fn object<'a>(value: &'a Value, name: &str) -> Result<&'a Map<String, Value>> {
    value.as_object().ok_or_else(|| Error::new(format!("{name} must be an object, not {value}")))
}

/// Reads a member of the script that must be a list.
pub(crate) fn list<'a>(value: &'a Value, name: &str) -> Result<&'a Vec<Value>> {
    value.as_array().ok_or_else(|| Error::new(format!("{name} must be a list, not {value}")))
}

/// Reads a member of the script that must be text.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value.as_str().ok_or_else(|| Error::new(format!("{name} must be text, not {value}")))
}
