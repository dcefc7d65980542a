//! Which fields go together: 422 for a request that is well-formed but asks for the impossible.

use serde_json::{Map, Value};

use super::fields::EXTRACTIONS;
use crate::options::SimulatorOptions;
use crate::problem::Problem;

/// Fields that only a browser request may carry; here they count as given unless they are `false`.
const BROWSER_FIELDS: &[&str] = &[
    "browserHtml",
    "screenshot",
    "includeIframes",
    "actions",
    "networkCapture",
    "requestHeaders",
    "screenshotOptions",
    "viewport",
];

/// Fields that only an HTTP request may carry.
const HTTP_FIELDS: &[&str] = &["customHttpRequestHeaders", "device", "httpRequestBody", "httpRequestMethod", "httpRequestText"];

/// Fields that may stand beside `serp`: its own, and those that only label a request.
const SERP_COMPANIONS: &[&str] = &["serp", "serpOptions", "url", "tags", "jobId", "echoData", "extractFrom"];

/// Checks the rules on combinations; `is_http` is the mode that the outputs ask for.
pub(crate) fn check_combination(request: &Map<String, Value>, is_http: bool, options: &SimulatorOptions) -> Result<(), Problem> {
    check_outputs(request)?;
    check_mode(request, is_http)?;
    check_body(request)?;
    check_headers(request)?;
    check_custom_attributes(request)?;
    if options.refuse_session_with_context && request.contains_key("session") && given(request, "sessionContext") {
        return refuse("\"session\" and \"sessionContext\" exclude each other");
    }
    Ok(())
}

fn refuse(detail: impl Into<String>) -> Result<(), Problem> {
    Err(Problem::unprocessable(detail))
}

/// Tells whether a field says something: `false`, null and an empty list say nothing.
fn given(request: &Map<String, Value>, name: &str) -> bool {
    request.get(name).is_some_and(|value| {
        !value.is_null() && value.as_bool() != Some(false) && value.as_array().is_none_or(|items| !items.is_empty())
    })
}

fn check_outputs(request: &Map<String, Value>) -> Result<(), Problem> {
    let extractions = EXTRACTIONS.iter().filter(|name| given(request, name)).count();
    if extractions > 1 {
        return refuse("only one extraction type may be requested at a time");
    }
    if given(request, "serp") {
        let odd = request.keys().find(|name| given(request, name) && !SERP_COMPANIONS.contains(&name.as_str()));
        return odd.map_or(Ok(()), |name| refuse(format!("\"serp\" cannot be combined with {name:?}")));
    }
    let raw = ["browserHtml", "httpResponseBody", "httpResponseHeaders", "screenshot"];
    if extractions == 0 && !raw.iter().any(|name| given(request, name)) {
        return Err(Problem::unprocessable("request at least one output, such as \"browserHtml\" or \"httpResponseBody\"")
            .titled("No data requested"));
    }
    Ok(())
}

fn check_mode(request: &Map<String, Value>, is_http: bool) -> Result<(), Problem> {
    if !is_http {
        if given(request, "httpResponseBody") {
            check_http(request)?;
            return refuse("\"httpResponseBody\" cannot be part of a browser request");
        }
        let odd = HTTP_FIELDS.iter().find(|name| given(request, name));
        return odd.map_or(Ok(()), |name| refuse(format!("{name:?} needs \"httpResponseBody\"")));
    }
    check_http(request)
}

fn check_http(request: &Map<String, Value>) -> Result<(), Problem> {
    let odd = BROWSER_FIELDS.iter().find(|name| given(request, name));
    // Forcing scripts off is a wish to a browser too, so `false` counts here.
    let odd = odd.or_else(|| request.contains_key("javascript").then_some(&"javascript"));
    odd.map_or(Ok(()), |name| refuse(format!("{name:?} cannot be part of an HTTP request")))
}

fn check_body(request: &Map<String, Value>) -> Result<(), Problem> {
    if request.contains_key("httpRequestBody") && request.contains_key("httpRequestText") {
        return refuse("\"httpRequestBody\" and \"httpRequestText\" exclude each other");
    }
    Ok(())
}

fn check_headers(request: &Map<String, Value>) -> Result<(), Problem> {
    let headers = request.get("customHttpRequestHeaders").and_then(Value::as_array);
    let is_cookie =
        |header: &Value| header.get("name").and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case("cookie"));
    if headers.is_some_and(|headers| headers.iter().any(is_cookie)) {
        return refuse("send cookies in \"requestCookies\", not as a header");
    }
    Ok(())
}

fn check_custom_attributes(request: &Map<String, Value>) -> Result<(), Problem> {
    if given(request, "customAttributes") && !EXTRACTIONS.iter().any(|name| given(request, name)) {
        return refuse("\"customAttributes\" needs an extraction type");
    }
    for name in EXTRACTIONS {
        let options = request.get(&format!("{name}Options"));
        let source = options.and_then(|it| it.get("extractFrom")).and_then(Value::as_str);
        let html = options.and_then(|it| it.get("userHtml"));
        if source == Some("userHtml") && html.is_none() {
            return refuse(format!("\"{name}Options.userHtml\" is missing"));
        }
    }
    Ok(())
}
