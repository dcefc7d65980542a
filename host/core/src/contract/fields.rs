//! Which fields there are of each kind.

use crate::exchange::Object;

/// The outputs of automatic extraction, of which a request may ask for one; `serp` is an output too, but one that stands alone.
pub const EXTRACTIONS: [&str; 10] = [
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

/// The outputs that are not extracted.
pub(super) const RAW_OUTPUTS: [&str; 4] = ["browserHtml", "httpResponseBody", "httpResponseHeaders", "screenshot"];

/// Fields that only a browser request may have. `javascript` is one too, but `false` is a wish there.
pub(super) const BROWSER_ONLY: [&str; 8] = [
    "browserHtml",
    "screenshot",
    "includeIframes",
    "actions",
    "networkCapture",
    "requestHeaders",
    "screenshotOptions",
    "viewport",
];

/// Fields that only an HTTP request may have. `followRedirect` and `verifyCertificate` are not among them: a browser request that has
/// them is answered as if it had not.
pub(super) const HTTP_ONLY: [&str; 6] =
    ["httpResponseBody", "customHttpRequestHeaders", "device", "httpRequestBody", "httpRequestMethod", "httpRequestText"];

/// What may stand beside `serp`.
pub(super) const BESIDE_SERP: [&str; 3] = ["serp", "serpOptions", "url"];

/// Tells whether a field is set: `false`, null, and an empty text, list or object mean the same as no field.
pub fn is_set(request: &Object, field: &str) -> bool {
    use serde_json::Value::{Array, Bool, Null, Number, Object, String};
    match request.get(field) {
        None | Some(Null | Bool(false)) => false,
        Some(Bool(true) | Number(_)) => true,
        Some(String(text)) => !text.is_empty(),
        Some(Array(items)) => !items.is_empty(),
        Some(Object(members)) => !members.is_empty(),
    }
}

/// The first of these fields that a browser request may have and no other.
pub(super) fn browser_only(request: &Object) -> Option<&'static str> {
    let javascript = request.get("javascript").is_some_and(|value| !value.is_null()).then_some("javascript");
    BROWSER_ONLY.into_iter().find(|field| is_set(request, field)).or(javascript)
}

/// The first of these fields that an HTTP request may have and no other.
pub(super) fn http_only(request: &Object) -> Option<&'static str> {
    HTTP_ONLY.into_iter().find(|field| is_set(request, field))
}
