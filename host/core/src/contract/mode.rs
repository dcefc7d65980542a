//! What fetches the page of a request.

use serde_json::Value;

use super::fields::{EXTRACTIONS, is_set};
use crate::exchange::Object;

/// What fetches the page of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A browser, which runs scripts and actions.
    Browser,
    /// A plain HTTP client.
    Http,
    /// Nothing: the HTML to extract from is part of the request (`userHtml`).
    OwnHtml,
}

/// Says what fetches the page. `httpResponseHeaders` alone counts as a browser request, which Zyte does not say.
pub fn mode(request: &Object) -> Mode {
    match source(request) {
        Some("userHtml") => Mode::OwnHtml,
        Some("httpResponseBody") => Mode::Http,
        None if is_set(request, "httpResponseBody") => Mode::Http,
        Some(_) | None => Mode::Browser,
    }
}

/// The extraction that is asked for, `serp` not included; the first where there are several.
pub fn extraction(request: &Object) -> Option<&'static str> {
    EXTRACTIONS.into_iter().find(|name| is_set(request, name))
}

/// The options of an extraction: the object under its name with `Options`.
pub fn options_of<'a>(request: &'a Object, extraction: &str) -> Option<&'a Object> {
    request.get(&format!("{extraction}Options"))?.as_object()
}

/// What the extraction reads, where the request asks for one: its own option, else the one of all, else what holds without.
fn source(request: &Object) -> Option<&str> {
    if is_set(request, "serp") {
        return Some(chosen(options_of(request, "serp")).unwrap_or("httpResponseBody"));
    }
    let name = extraction(request)?;
    Some(chosen(options_of(request, name)).or_else(|| chosen(Some(request))).unwrap_or("browserHtml"))
}

fn chosen(options: Option<&Object>) -> Option<&str> {
    options?.get("extractFrom").and_then(Value::as_str)
}
