//! The document of a successful answer: what was asked for, and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::actions::Performed;
use crate::ask::{Ask, Mode};
use crate::cookies::{Cookie, Jar};
use crate::extraction::{self, Source};
use crate::fetch::Landing;
use crate::network;
use crate::sites::{Family, Standing};

/// Pages longer than this are cut without a word.
const MAX_PAGE_BYTES: usize = 10 * 1024 * 1024;

/// A white picture of one pixel, whatever the page and the wanted format.
const SCREENSHOT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4////fwAJ+wP9KobjigAAAABJRU5ErkJggg==";

/// What there is to tell about a fetch.
pub(crate) struct Fetched {
    pub(crate) page: Landing,
    pub(crate) performed: Option<Performed>,
    /// The cookies afterwards; empty unless they are asked for.
    pub(crate) jar: Jar,
    pub(crate) extra: Vec<Cookie>,
}

impl Fetched {
    /// Nothing was fetched: the page is the HTML of the request.
    pub(crate) fn own_html(ask: &Ask<'_>) -> Self {
        let page = Landing {
            url: ask.url.clone(),
            status: 200,
            headers: Vec::new(),
            body: ask.own_html().as_bytes().to_vec(),
            family: Family::Plain,
            standing: Standing::Good,
            place: None,
        };
        Self { page, performed: None, jar: Jar::default(), extra: Vec::new() }
    }
}

/// Writes the answer. One to HTML that came with the request has no `statusCode`: there was no response to have one.
pub(crate) fn document(ask: &Ask<'_>, fetched: Fetched, now_seconds: i64) -> Map<String, Value> {
    let Fetched { mut page, performed, jar, extra } = fetched;
    page.body.truncate(MAX_PAGE_BYTES);
    let mut answer = Map::with_capacity(8);
    answer.insert("url".into(), page.url.as_str().into());
    if ask.mode != Mode::OwnHtml {
        answer.insert("statusCode".into(), page.status.into());
    }
    raw_outputs(ask, &page, &mut answer);
    if let Some(kind) = ask.extraction() {
        answer.insert(kind.into(), extracted(kind, ask, &page, now_seconds));
        let custom = ask.fields.get("customAttributes");
        if let Some(schema) = custom.and_then(Value::as_object) {
            answer.insert("customAttributes".into(), extraction::custom_attributes(schema));
        }
    }
    if let Some(performed) = performed {
        answer.insert("actions".into(), performed.results.into());
    }
    cookies(ask, &jar, &extra, &mut answer);
    for name in ["session", "echoData", "jobId"] {
        if let Some(value) = ask.fields.get(name) {
            answer.insert(name.into(), value.clone());
        }
    }
    answer
}

fn extracted(kind: &'static str, ask: &Ask<'_>, page: &Landing, now_seconds: i64) -> Value {
    let keyword = ask.fields.get("serpOptions").and_then(|it| it.get("keyword")?.as_str());
    let html = String::from_utf8_lossy(&page.body);
    extraction::extract(kind, &Source { url: &page.url, html: &html, downloaded: now_seconds, keyword })
}

fn raw_outputs(ask: &Ask<'_>, page: &Landing, answer: &mut Map<String, Value>) {
    if ask.wants("browserHtml") {
        let html = String::from_utf8_lossy(&page.body);
        answer.insert("browserHtml".into(), html.into());
    }
    if ask.wants("httpResponseBody") {
        let body = STANDARD.encode(&page.body);
        answer.insert("httpResponseBody".into(), body.into());
    }
    if ask.wants("httpResponseHeaders") {
        let headers = page.headers.iter().map(|(name, value)| json!({"name": name, "value": value}));
        answer.insert("httpResponseHeaders".into(), headers.collect());
    }
    if ask.wants("screenshot") {
        answer.insert("screenshot".into(), SCREENSHOT.into());
    }
    let filters = ask.list("networkCapture");
    if !filters.is_empty() && ask.mode == Mode::Browser {
        let captured = network::capture(filters, page);
        answer.insert("networkCapture".into(), captured.into());
    }
}

/// Writes the final cookies: those of the jar, and those of the request that the jar does not replace.
fn cookies(ask: &Ask<'_>, jar: &Jar, extra: &[Cookie], answer: &mut Map<String, Value>) {
    if !ask.wants_cookies() {
        return;
    }
    let mut all = Jar::default();
    for cookie in extra.iter().chain(jar.iter()) {
        all.put(cookie.clone());
    }
    let list: Value = all.iter().map(Cookie::document).collect();
    if ask.wants_experimental_cookies() {
        answer.insert("experimental".into(), json!({"responseCookies": list.clone()}));
    }
    if ask.wants("responseCookies") {
        answer.insert("responseCookies".into(), list);
    }
}
