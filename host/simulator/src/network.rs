//! Network capture: the page itself is the only response that a fictional page makes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::fetch::Landing;

/// Gives the captured responses: the document, under the first filter that matches it.
pub(crate) fn capture(filters: &[Value], page: &Landing) -> Vec<Value> {
    filters.iter().find(|filter| matches(filter, page.url.as_str())).map(|filter| document(filter, page)).into_iter().collect()
}

fn matches(filter: &Value, url: &str) -> bool {
    let text = |name: &str| filter.get(name).and_then(Value::as_str).unwrap_or("");
    if text("filterType") == "resourceType" {
        return text("resourceType") == "document";
    }
    let value = text("value");
    match text("matchType") {
        "exact" => url == value,
        "startsWith" => url.starts_with(value),
        "endsWith" => url.ends_with(value),
        _ => url.contains(value),
    }
}

fn document(filter: &Value, page: &Landing) -> Value {
    let headers: Map<String, Value> =
        page.headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
    let mut captured = json!({
        "url": page.url.as_str(),
        "statusCode": page.status,
        "headers": headers,
        "filter": filter,
        "request": {"url": page.url.as_str(), "method": "GET", "headers": {}, "body": ""},
        "interceptionStatus": {"status": "success"},
    });
    let wants_body = filter.get("httpResponseBody").and_then(Value::as_bool) == Some(true);
    if let (true, Some(captured)) = (wants_body, captured.as_object_mut()) {
        let body = STANDARD.encode(&page.body);
        captured.insert("httpResponseBody".into(), body.into());
    }
    captured
}
