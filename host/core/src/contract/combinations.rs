//! Which fields go together.

use std::fmt;

use serde_json::Value;

use super::fields::{BESIDE_SERP, EXTRACTIONS, RAW_OUTPUTS, browser_only, http_only, is_set};
use super::mode::{Mode, extraction, mode, options_of};
use crate::exchange::{Object, Problem};

/// Why the API refuses a request whose fields are each as they should be: 422 `/request/unprocessable`.
///
/// Type and title are the API's; the detail is ours, because the API's texts are not published and change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The title of the API's error.
    pub title: &'static str,
    /// Which fields do not go together, and what to do.
    pub detail: String,
}

impl Refusal {
    /// The status of the API's error.
    pub const STATUS: u16 = 422;
    /// The type of the API's error.
    pub const KIND: &'static str = "/request/unprocessable";

    fn new(detail: impl Into<String>) -> Option<Self> {
        Some(Self { title: "Unprocessable Request", detail: detail.into() })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self {
            status: Refusal::STATUS,
            kind: Refusal::KIND.to_owned(),
            title: refusal.title.to_owned(),
            detail: refusal.detail,
            ..Self::default()
        }
    }
}

/// Says why the API would refuse a request for the combination of its fields; nothing where it would not.
///
/// `session` beside `sessionContext` is not judged: Zyte does not say what becomes of it.
pub fn refusal(request: &Object) -> Option<Refusal> {
    beside_serp(request)
        .or_else(|| outputs(request))
        .or_else(|| custom_attributes(request))
        .or_else(|| mixed_modes(request))
        .or_else(|| two_bodies(request))
        .or_else(|| cookie_header(request))
}

fn beside_serp(request: &Object) -> Option<Refusal> {
    if !is_set(request, "serp") {
        return None;
    }
    let odd = request.keys().find(|name| is_set(request, name) && !BESIDE_SERP.contains(&name.as_str()))?;
    Refusal::new(format!("{odd:?} cannot be combined with \"serp\", which allows only \"serpOptions\" and \"url\" beside it"))
}

fn outputs(request: &Object) -> Option<Refusal> {
    let mut extractions = EXTRACTIONS.into_iter().filter(|name| is_set(request, name));
    match (extractions.next(), extractions.next()) {
        (Some(one), Some(other)) => Refusal::new(format!("{one:?} and {other:?} exclude each other: extract one type a request")),
        (None, _) if !is_set(request, "serp") && !RAW_OUTPUTS.into_iter().any(|name| is_set(request, name)) => Some(Refusal {
            title: "No data requested",
            detail: "no output is asked for: set one to true, such as \"browserHtml\" or \"httpResponseBody\"".to_owned(),
        }),
        _ => None,
    }
}

fn custom_attributes(request: &Object) -> Option<Refusal> {
    if extraction(request).is_some() || !is_set(request, "customAttributes") {
        return None;
    }
    Refusal::new("\"customAttributes\" needs an extraction beside it, such as \"product\" or \"article\"")
}

fn mixed_modes(request: &Object) -> Option<Refusal> {
    match mode(request) {
        Mode::Http => {
            let odd = browser_only(request)?;
            Refusal::new(format!("{odd:?} takes a browser request, {} asks for an HTTP request", reason_for_http(request)))
        }
        Mode::Browser => not_in_a_browser(request, http_only(request)?),
        Mode::OwnHtml => own_html(request),
    }
}

fn reason_for_http(request: &Object) -> &'static str {
    match extraction(request) {
        Some(_) => "\"extractFrom\": \"httpResponseBody\"",
        None => "\"httpResponseBody\"",
    }
}

fn not_in_a_browser(request: &Object, odd: &str) -> Option<Refusal> {
    let detail = match extraction(request) {
        Some(name) => {
            format!("{odd:?} takes an HTTP request, {name:?} a browser request unless \"extractFrom\" is \"httpResponseBody\"")
        }
        None => format!("{odd:?} takes an HTTP request: it needs \"httpResponseBody\""),
    };
    Refusal::new(detail)
}

/// `httpResponseHeaders` may stand beside everything, but there are none.
fn own_html(request: &Object) -> Option<Refusal> {
    let name = extraction(request)?;
    if !options_of(request, name).is_some_and(|options| is_set(options, "userHtml")) {
        return Refusal::new(format!("\"extractFrom\": \"userHtml\" needs the HTML in \"{name}Options.userHtml\""));
    }
    let odd = browser_only(request).or_else(|| http_only(request))?;
    Refusal::new(format!("{odd:?} takes a request for the page, \"extractFrom\": \"userHtml\" makes none"))
}

fn two_bodies(request: &Object) -> Option<Refusal> {
    if !is_set(request, "httpRequestBody") || !is_set(request, "httpRequestText") {
        return None;
    }
    Refusal::new("\"httpRequestBody\" and \"httpRequestText\" exclude each other")
}

fn cookie_header(request: &Object) -> Option<Refusal> {
    let mut headers = request.get("customHttpRequestHeaders")?.as_array()?.iter();
    let is_cookie = |header: &Value| header["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("cookie"));
    if !headers.any(is_cookie) {
        return None;
    }
    Refusal::new("\"customHttpRequestHeaders\" cannot set cookies: put them into \"requestCookies\"")
}
