//! The table of request fields.

use super::kinds::Kind::{
    self, Action, Any, Base64, Choice, Cookie, Country, Flag, Integer, Labels, List, Object, OrNull, Record, Text, Url, Uuid4,
};

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

/// The extraction outputs, of which a request may ask for one.
pub(crate) const EXTRACTIONS: &[&str] = &[
    "article",
    "articleList",
    "articleNavigation",
    "forumThread",
    "jobPosting",
    "jobPostingNavigation",
    "pageContent",
    "product",
    "productList",
    "productNavigation",
];

const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "HEAD"];
const SOURCES: &[&str] = &["httpResponseBody", "browserHtml", "browserHtmlOnly", "userHtml"];
const SERP_SOURCES: &[&str] = &["httpResponseBody", "browserHtml"];
const USER_HTML: Kind = Text { min: 1, max: 2_621_440 };
const ACTIONS: Kind = List { max: usize::MAX, of: &Action };
const COOKIES: Kind = List { max: 100, of: &Cookie };
const EXTRACTION_OPTIONS: Kind = Record(&[may("extractFrom", Choice(SOURCES)), may("userHtml", USER_HTML)]);
const POSITIVE: Kind = Integer { min: 1, max: i64::MAX };

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
    may("customAttributes", OrNull(&Object { max: 20 })),
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
        List { max: 200, of: &Record(&[must("name", Text { min: 1, max: 200 }), must("value", Text { min: 0, max: 7_000 })]) },
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
    may(
        "networkCapture",
        List {
            max: 10,
            of: &Record(&[
                must("filterType", Choice(&["url", "resourceType"])),
                may("httpResponseBody", Flag),
                may("matchType", Choice(&["contains", "exact", "startsWith", "endsWith"])),
                may("resourceType", Choice(&["document", "xhr"])),
                may("value", Text { min: 3, max: 8_192 }),
            ]),
        },
    ),
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
    may("requestHeaders", Record(&[may("referer", Text { min: 0, max: 8_192 })])),
    may("responseCookies", Flag),
    may("screenshot", Flag),
    may("screenshotOptions", Record(&[may("format", Choice(&["png", "jpeg"])), may("fullPage", Flag)])),
    may("serp", Flag),
    may("serpOptions", Record(&[may("extractFrom", Choice(SERP_SOURCES)), may("keyword", Text { min: 0, max: 8_192 })])),
    may("session", Record(&[must("id", Uuid4)])),
    may(
        "sessionContext",
        List { max: 10, of: &Record(&[must("name", Text { min: 1, max: 30 }), must("value", Text { min: 1, max: 100 })]) },
    ),
    may("sessionContextParameters", Record(&[may("actions", ACTIONS)])),
    may("tags", OrNull(&Labels)),
    must("url", Url { max: 8_192 }),
    may("verifyCertificate", Flag),
    may("viewport", Record(&[may("height", Integer { min: 360, max: 4_096 }), may("width", Integer { min: 320, max: 5_120 })])),
];
