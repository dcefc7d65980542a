//! The table of request fields.

use super::kinds::Kind::{
    self, Action, Any, Attribute, Base64, Capture, Choice, Cookie, Country, Flag, Labels, OrNull, Record, Tens, Text, Url, Uuid4,
};
use super::kinds::{LINE, dictionary, integer, list};

/// One field of an object.
pub(super) struct Field {
    /// Its name.
    pub(super) name: &'static str,
    /// What its value must be.
    pub(super) kind: Kind,
    /// Whether it may be left out.
    pub(super) presence: Presence,
}

/// Whether a field may be left out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
}

/// A field that may be left out.
pub(super) const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, presence: Presence::Optional }
}

/// A field that must be there.
pub(super) const fn must(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, presence: Presence::Required }
}

const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "HEAD"];
const SOURCES: &[&str] = &["httpResponseBody", "browserHtml", "userHtml"];
const SERP_SOURCES: &[&str] = &["httpResponseBody", "browserHtml"];
const USER_HTML: Kind = Text { min: 1, max: 2_621_440 };
const ACTIONS: Kind = list(usize::MAX, &Action);
const COOKIES: Kind = list(100, &Cookie);
const EXTRACTION_OPTIONS: Kind = Record(&[may("extractFrom", Choice(SOURCES)), may("userHtml", USER_HTML)]);
const POSITIVE: Kind = integer(1.0, f64::INFINITY);

/// All fields of a request, sorted by name.
pub(super) const FIELDS: &[Field] = &[
    may("actions", ACTIONS),
    may("article", Flag),
    may("articleList", Flag),
    may("articleListOptions", EXTRACTION_OPTIONS),
    may("articleNavigation", Flag),
    may("articleNavigationOptions", EXTRACTION_OPTIONS),
    may("articleOptions", EXTRACTION_OPTIONS),
    may("browserHtml", Flag),
    may("cookieManagement", Choice(&["auto", "discard"])),
    may("customAttributes", OrNull(&dictionary(20, &Attribute))),
    may(
        "customAttributesOptions",
        Record(&[
            may("maxInputTokens", POSITIVE),
            may("maxOutputTokens", POSITIVE),
            may("method", Choice(&["generate", "extract"])),
        ]),
    ),
    may(
        "customHttpRequestHeaders",
        list(200, &Record(&[must("name", Text { min: 0, max: 200 }), must("value", Text { min: 0, max: 7_000 })])),
    ),
    may("device", Choice(&["desktop", "mobile"])),
    may("echoData", Any),
    // Not in the published schema, but official clients still send it.
    may("experimental", Record(&[may("requestCookies", COOKIES), may("responseCookies", Flag)])),
    may("extractFrom", Choice(SOURCES)),
    may("followRedirect", Flag),
    may("forumThread", Flag),
    may("forumThreadOptions", EXTRACTION_OPTIONS),
    may("geolocation", Country),
    may("httpRequestBody", Base64 { max: 400_000 }),
    may("httpRequestMethod", Choice(METHODS)),
    may("httpRequestText", Text { min: 1, max: 400_000 }),
    may("httpResponseBody", Flag),
    may("httpResponseHeaders", Flag),
    may("includeIframes", Flag),
    may("ipType", Choice(&["datacenter", "residential"])),
    may("javascript", Flag),
    may("jobId", Text { min: 0, max: 100 }),
    may("jobPosting", Flag),
    may("jobPostingNavigation", Flag),
    may("jobPostingNavigationOptions", EXTRACTION_OPTIONS),
    may("jobPostingOptions", EXTRACTION_OPTIONS),
    may("networkCapture", list(10, &Capture)),
    may("pageContent", Flag),
    may("pageContentOptions", EXTRACTION_OPTIONS),
    may("product", Flag),
    may("productList", Flag),
    may("productListOptions", EXTRACTION_OPTIONS),
    may("productNavigation", Flag),
    may("productNavigationOptions", EXTRACTION_OPTIONS),
    may(
        "productOptions",
        Record(&[
            may("extractFrom", Choice(SOURCES)),
            may("model", Choice(&["2024-02-01", "2024-09-16"])),
            may("userHtml", USER_HTML),
        ]),
    ),
    may("requestCookies", COOKIES),
    may("requestHeaders", Record(&[may("referer", LINE)])),
    may("responseCookies", Flag),
    may("screenshot", Flag),
    may("screenshotOptions", Record(&[may("format", Choice(&["png", "jpeg"])), may("fullPage", Flag)])),
    may("serp", Flag),
    may("serpOptions", Record(&[may("extractFrom", Choice(SERP_SOURCES)), may("keyword", LINE)])),
    may("session", Record(&[must("id", Uuid4)])),
    may("sessionContext", list(10, &Record(&[must("name", Text { min: 1, max: 30 }), must("value", Text { min: 1, max: 100 })]))),
    may("sessionContextParameters", Record(&[may("actions", ACTIONS)])),
    may("tags", OrNull(&Labels)),
    must("url", Url { max: 8_192 }),
    may("verifyCertificate", Flag),
    may("viewport", Record(&[may("height", integer(360.0, 4_096.0)), may("width", integer(320.0, 5_120.0))])),
];

/// All fields of a search, sorted by name.
pub(super) const SEARCH_FIELDS: &[Field] = &[
    must("domain", Text { min: 1, max: 253 }),
    may("include", list(3, &Choice(&["html", "organic", "aiOverview"]))),
    may("maxResults", Tens { min: 10, max: 100 }),
    must("query", Text { min: 1, max: 2_048 }),
    may(
        "queryParameters",
        Record(&[
            may("cr", LINE),
            may("geolocation", Country),
            may("gl", LINE),
            may("hl", LINE),
            may("locale", LINE),
            may("lr", LINE),
            may("nfpr", integer(0.0, 1.0)),
            may("safe", Choice(&["active", "off"])),
            must("style", Choice(&["engineSpecific", "generic"])),
            may("uule", LINE),
        ]),
    ),
];
