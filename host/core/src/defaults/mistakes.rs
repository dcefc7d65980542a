//! Metadata that means something and is written so that it means nothing.

use serde_json::Value;

use super::meta;
use crate::exchange::Request;

/// How much of a wrong value a message repeats.
const MOST_TOLD: usize = 100;

/// What is wrong with the metadata that session management reads, if anything: what it is, and what it should be. What only says which
/// pool or which retry policy is told where it is read.
pub fn meta_mistake(request: &Request) -> Option<String> {
    let wrong = request.meta().iter().find_map(|(key, value)| {
        let expected = expected(key, value).filter(|_| !value.is_null())?;
        Some(format!("meta.{key} is {}, expected {expected}", crate::text::shorten(&value.to_string(), MOST_TOLD)))
    });
    wrong.or_else(|| misplaced(request))
}

/// What should stand in the place of a value, unless it is right.
fn expected(key: &str, value: &Value) -> Option<&'static str> {
    let (is_right, expected) = match key {
        meta::ENABLED | meta::COOKIE_MODE => (value.is_boolean() || matches!(value.as_u64(), Some(0 | 1)), "true or false"),
        meta::LOCATION => (value.is_object(), "an address, such as {\"postalCode\": \"10001\"}"),
        meta::PARAMS => (value.is_object(), "an object of API parameters, such as {\"browserHtml\": true}"),
        meta::MAX_RETRY_TIMES => (value.as_u64().is_some(), "a whole number of 0 or more"),
        _ => return None,
    };
    (!is_right).then_some(expected)
}

/// A key of the metadata among the API's parameters, which knows none of them.
fn misplaced(request: &Request) -> Option<String> {
    let key = request.params().keys().find(|key| meta::ALL.contains(&key.as_str()))?;
    Some(format!("\"{key}\" is no parameter of the API: write {{\"meta\": {{\"{key}\": …}}}}"))
}
