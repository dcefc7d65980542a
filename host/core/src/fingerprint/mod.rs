//! Fingerprints: two requests that would bring the same answer have the same one.
//!
//! What counts, as in scrapy-zyte-api 0.36.0 (a test compares which pairs are equal): the canonical URL (with its fragment only if a
//! browser may see it), the parameters that can change the answer (`echoData` and `tags` among them), and the pool where sessions
//! are on. What does not: session ids, cookies, headers, `jobId`, `ipType`, session context parameters and `experimental`.
//! A parameter that says what would hold without it counts as absent; unlike the peer, that is so for every kind of request.
//!
//! Fingerprint a request as its author wrote it, before tags, cookies or a session are put in.

mod url;

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Parameters that leave the answer as it is, or that sessions and clients put in on their own.
const WITHOUT_EFFECT: [&str; 10] = [
    "requestHeaders",
    "customHttpRequestHeaders",
    "ipType",
    "jobId",
    "sessionContextParameters",
    "session",
    "cookieManagement",
    "requestCookies",
    "experimental",
    "httpRequestText",
];

/// Outputs that are extracted from the page, each with options of its own under the name with `Options`.
const EXTRACTIONS: [&str; 11] = [
    "article",
    "articleList",
    "articleNavigation",
    "forumThread",
    "jobPosting",
    "jobPostingNavigation",
    "product",
    "productList",
    "productNavigation",
    "serp",
    "pageContent",
];

/// Returns the fingerprint of a request, 64 hexadecimal digits, from its API parameters and the pool that serves it (nothing where
/// sessions are off); a `sessionContext` among the parameters beats the pool.
pub fn fingerprint(params: &Map<String, Value>, pool: Option<&str>) -> String {
    let mut counting = counting_params(params);
    if let Some(pool) = pool {
        counting.entry("sessionContext").or_insert_with(|| json!(pool));
    }
    if let Some(Value::String(url)) = params.get("url") {
        counting.insert("url", json!(url::canonical(url, fragment_counts(params))));
    }
    // An object's map is sorted by key, so equal parameters give equal text.
    let text = serde_json::to_vec(&counting).unwrap_or_default();
    Sha256::digest(&text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The parameters that count, without those that change nothing, objects sorted.
fn counting_params(params: &Map<String, Value>) -> BTreeMap<&str, Value> {
    let mut counting: BTreeMap<&str, Value> = params
        .iter()
        .filter(|(name, _)| !WITHOUT_EFFECT.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), sorted(value)))
        .filter(|(name, value)| !is_default(name, value))
        .collect();
    if let Some(text) = params.get("httpRequestText").and_then(Value::as_str).filter(|text| !text.is_empty()) {
        counting.insert("httpRequestBody", json!(STANDARD.encode(text)));
    }
    counting
}

/// A value with the keys of its objects in order and, outside of lists, without members that are null or empty objects.
fn sorted(value: &Value) -> Value {
    let mut sorted = without_void(value);
    crate::json::unify_numbers(&mut sorted);
    sorted.sort_all_objects();
    sorted
}

fn without_void(value: &Value) -> Value {
    match value.as_object() {
        Some(members) => {
            let pruned = members.iter().map(|(key, member)| (key.clone(), without_void(member)));
            Value::Object(pruned.filter(|(_, member)| !is_void(member)).collect())
        }
        None => value.clone(),
    }
}

fn is_void(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty)
}

/// Tells whether a known parameter has the value that holds without it.
fn is_default(name: &str, value: &Value) -> bool {
    if is_void(value) {
        return true;
    }
    match name {
        "httpRequestMethod" => value == "GET",
        "httpRequestBody" => value == "",
        "device" => value == "desktop",
        "followRedirect" => value == true,
        "actions" | "networkCapture" | "sessionContext" => value.as_array().is_some_and(Vec::is_empty),
        "httpResponseBody" | "httpResponseHeaders" | "browserHtml" | "screenshot" | "responseCookies" => value == false,
        _ => EXTRACTIONS.contains(&name) && value == false,
    }
}

/// Tells whether a browser may load the page, which then sees the fragment of its URL.
fn fragment_counts(params: &Map<String, Value>) -> bool {
    if is_on(params, "browserHtml") || is_on(params, "screenshot") {
        return true;
    }
    let sources: Vec<Option<&str>> =
        EXTRACTIONS.iter().filter(|name| is_on(params, name)).map(|name| extraction_source(params, name)).collect();
    if sources.contains(&Some("browserHtml")) {
        return true;
    }
    !sources.contains(&Some("httpResponseBody")) && !is_on(params, "httpResponseBody")
}

/// Where an output is extracted from, if that is known.
fn extraction_source<'a>(params: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let options = params.get(&format!("{name}Options")).and_then(Value::as_object);
    match options.and_then(|options| options.get("extractFrom")) {
        Some(source) => source.as_str(),
        None => (name == "serp").then_some("httpResponseBody"),
    }
}

fn is_on(params: &Map<String, Value>, name: &str) -> bool {
    match params.get(name) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(members)) => !members.is_empty(),
    }
}
