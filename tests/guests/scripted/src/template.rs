//! Values of the script with their placeholders filled in.

use carousel_guest::prelude::*;

use crate::context::Context;

/// Fills in `{"$session": PATH}` and its like, and `{url}` and its like inside strings; what is missing becomes null or
/// nothing.
pub(crate) fn fill(template: &Value, context: &Context<'_>) -> Result<Value> {
    match template {
        Value::String(text) => Ok(Value::String(fill_text(text, context)?)),
        Value::Array(items) => items.iter().map(|item| fill(item, context)).collect(),
        Value::Object(members) => match members.iter().next() {
            Some((source, path)) if members.len() == 1 && is_source(source) => lookup(source, path, context),
            _ => members.iter().map(|(name, value)| Ok((name.clone(), fill(value, context)?))).collect(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(template.clone()),
    }
}

/// Fills in the placeholders of a text; braces around anything else stay.
pub(crate) fn fill_text(text: &str, context: &Context<'_>) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let known = match after.split_once('}') {
            Some((name, tail)) => placeholder(name, context)?.map(|value| (value, tail)),
            None => None,
        };
        match known {
            Some((value, tail)) => {
                filled.push_str(&value);
                rest = tail;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

fn placeholder(name: &str, context: &Context<'_>) -> Result<Option<String>> {
    let value = match name {
        "host" => context.request.host(),
        "url" => context.request.url(),
        "url_rstrip" => context.request.url().trim_end_matches('/').to_owned(),
        "session_id" => context.in_session(|session| Ok(session.id()))?.unwrap_or_default(),
        "call" => context.call.to_string(),
        _ => match name.split_once('.') {
            Some(("session", path)) => as_text(stored(path, context)?),
            Some(("location", path)) => as_text(walk(context.location()?, path)),
            _ => return Ok(None),
        },
    };
    Ok(Some(value))
}

fn is_source(name: &str) -> bool {
    matches!(name, "$location" | "$meta" | "$response" | "$session")
}

fn lookup(source: &str, path: &Value, context: &Context<'_>) -> Result<Value> {
    let path = path.as_str().unwrap_or_default();
    match source {
        "$location" => Ok(walk(context.location()?, path)),
        "$meta" => Ok(walk(Value::Object(context.request.meta()?), path)),
        "$session" => stored(path, context),
        _ => {
            let (member, inner) = path.split_once('.').unwrap_or((path, ""));
            let answer = context.answer_for(&json!({member: true}))?;
            Ok(answer.get(member).map_or(Value::Null, |value| walk(value.clone(), inner)))
        }
    }
}

fn stored(path: &str, context: &Context<'_>) -> Result<Value> {
    let (key, inner) = path.split_once('.').unwrap_or((path, ""));
    Ok(walk(context.stored(key)?.unwrap_or_default(), inner))
}

/// Follows a dotted path through objects and lists; the empty path is the value itself.
fn walk(value: Value, path: &str) -> Value {
    if path.is_empty() {
        return value;
    }
    let found = path.split('.').try_fold(&value, |value, step| match value.as_array() {
        Some(items) => items.get(step.parse::<usize>().ok()?),
        None => value.get(step),
    });
    found.cloned().unwrap_or_default()
}

fn as_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
