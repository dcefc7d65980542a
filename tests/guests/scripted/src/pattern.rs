//! Partial patterns of JSON values, and ordinals.

use carousel_guest::prelude::*;
use regex_lite::Regex;

/// Tells whether a value fits a pattern: objects need the listed members, lists the same length, all else is equal.
pub(crate) fn matches(pattern: &Value, value: &Value) -> Result<bool> {
    match (pattern, value) {
        (Value::Object(members), _) => match members.iter().next() {
            Some((word, argument)) if members.len() == 1 && word.starts_with('$') => special(word, argument, value),
            _ => members_match(members, value),
        },
        (Value::Array(patterns), Value::Array(values)) => {
            if patterns.len() != values.len() {
                return Ok(false);
            }
            all(patterns.iter().zip(values), |(pattern, value)| matches(pattern, value))
        }
        (Value::Number(wanted), Value::Number(number)) => Ok(wanted.as_f64() == number.as_f64()),
        _ => Ok(pattern == value),
    }
}

/// Tells whether a text holds a match of a regular expression.
pub(crate) fn contains_regex(text: &str, expression: &str) -> Result<bool> {
    let regex = Regex::new(expression)
        .map_err(|error| Error::new(format!("cannot read the regular expression \"{expression}\": {error}")))?;
    Ok(regex.is_match(text))
}

/// Tells whether a count is among those of an ordinal: `3`, `[1, 2]`, `{"min": 2, "max": 4}` or `{"odd": true}`.
pub(crate) fn is_ordinal(ordinal: &Value, count: i64) -> bool {
    if let Some(wanted) = ordinal.as_i64() {
        return wanted == count;
    }
    if let Some(wanted) = ordinal.as_array() {
        return wanted.iter().any(|wanted| wanted.as_i64() == Some(count));
    }
    let limit = |name: &str, default| ordinal.get(name).and_then(Value::as_i64).unwrap_or(default);
    let odd = ordinal.get("odd").and_then(Value::as_bool);
    odd.is_none_or(|odd| odd == (count % 2 == 1)) && (limit("min", 1)..=limit("max", i64::MAX)).contains(&count)
}

type Members = carousel_guest::serde_json::Map<String, Value>;

fn members_match(members: &Members, value: &Value) -> Result<bool> {
    let Value::Object(value) = value else {
        return Ok(false);
    };
    all(members, |(name, pattern)| match value.get(name) {
        _ if is_absence(pattern) => Ok(!value.contains_key(name)),
        Some(value) => matches(pattern, value),
        None => Ok(false),
    })
}

fn special(word: &str, argument: &Value, value: &Value) -> Result<bool> {
    match word {
        "$any" => Ok(true),
        "$absent" => Ok(value.is_null()),
        "$contains" => match (value, argument) {
            (Value::String(text), Value::String(part)) => Ok(text.contains(part.as_str())),
            (Value::Array(items), _) => any(items, |item| matches(argument, item)),
            _ => Ok(false),
        },
        "$regex" => match (value, argument) {
            (Value::String(text), Value::String(expression)) => contains_regex(text, expression),
            _ => Ok(false),
        },
        "$not" => Ok(!matches(argument, value)?),
        "$len" => Ok(length(value).is_some_and(|length| argument.as_u64() == u64::try_from(length).ok())),
        "$exact" => Ok(argument == value),
        _ => Err(Error::new(format!("unknown pattern {word}"))),
    }
}

fn is_absence(pattern: &Value) -> bool {
    pattern.get("$absent").and_then(Value::as_bool) == Some(true)
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.chars().count()),
        Value::Array(items) => Some(items.len()),
        Value::Object(members) => Some(members.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Like `Iterator::all`, for questions that may fail.
pub(crate) fn all<T>(items: impl IntoIterator<Item = T>, mut holds: impl FnMut(T) -> Result<bool>) -> Result<bool> {
    for item in items {
        if !holds(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Like `Iterator::any`, for questions that may fail.
pub(crate) fn any<T>(items: impl IntoIterator<Item = T>, mut holds: impl FnMut(T) -> Result<bool>) -> Result<bool> {
    Ok(!all(items, |item| Ok(!holds(item)?))?)
}
