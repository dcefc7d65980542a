//! Metadata that means something and is written so that it means nothing.

use serde_json::Value;

use super::meta;
use crate::exchange::Request;

/// How much of a wrong value a message repeats.
const MOST_TOLD: usize = 100;

/// What is wrong with the metadata that session management reads, if anything: what it is, and what it should be. What only says which
/// pool or which retry policy is told where it is read.
pub fn meta_mistake(request: &Request) -> Option<String> {
    let truth = |value: &Value| value.is_boolean() || matches!(value.as_u64(), Some(0 | 1));
    let count = |value: &Value| value.as_u64().is_some();
    let wanted: [(&str, &dyn Fn(&Value) -> bool, &str); 5] = [
        (meta::ENABLED, &truth, "true or false"),
        (meta::COOKIE_MODE, &truth, "true or false"),
        (meta::LOCATION, &Value::is_object, "an address, such as {\"postalCode\": \"10001\"}"),
        (meta::PARAMS, &Value::is_object, "an object of API parameters, such as {\"browserHtml\": true}"),
        (meta::MAX_RETRY_TIMES, &count, "a whole number of 0 or more"),
    ];
    let wrong = wanted.into_iter().find_map(|(key, is_right, expected)| {
        let value = request.meta().get(key).filter(|value| !value.is_null() && !is_right(value))?;
        Some(format!("meta.{key} is {}, expected {expected}", crate::text::shorten(&value.to_string(), MOST_TOLD)))
    });
    wrong.or_else(|| misplaced(request))
}

/// A key of the metadata among the API's parameters, which knows none of them.
fn misplaced(request: &Request) -> Option<String> {
    let key = request.params().keys().find(|key| meta::ALL.contains(&key.as_str()))?;
    Some(format!("\"{key}\" is no parameter of the API: write {{\"meta\": {{\"{key}\": …}}}}"))
}
