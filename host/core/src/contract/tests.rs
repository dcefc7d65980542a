//! The rules, one row for each thing that Zyte's reference says.

use serde_json::{Value, json};

use super::{Mode, Sessionless, begins_as_browser, brings_session, mode, refusal, sessionless};
use crate::exchange::{Object, Problem};

fn request(fields: &Value) -> Object {
    let mut request = json!({"url": "https://a.example/"}).as_object().unwrap().clone();
    request.extend(fields.as_object().unwrap().clone());
    request
}

#[test]
fn what_fetches_the_page_follows_from_the_outputs() {
    for (fields, expected) in [
        (json!({"browserHtml": true}), Mode::Browser),
        (json!({"screenshot": true}), Mode::Browser),
        (json!({"httpResponseBody": true}), Mode::Http),
        (json!({"httpResponseHeaders": true}), Mode::Browser),
        (json!({"httpResponseBody": true, "httpResponseHeaders": true}), Mode::Http),
        (json!({"product": true}), Mode::Browser),
        (json!({"product": false, "httpResponseBody": true, "extractFrom": "browserHtml"}), Mode::Http),
        (json!({"product": true, "extractFrom": "httpResponseBody"}), Mode::Http),
        (json!({"product": true, "productOptions": {"extractFrom": "httpResponseBody"}}), Mode::Http),
        (json!({"product": true, "articleOptions": {"extractFrom": "httpResponseBody"}}), Mode::Browser),
        (
            json!({"product": true, "extractFrom": "httpResponseBody", "productOptions": {"extractFrom": "browserHtml"}}),
            Mode::Browser,
        ),
        (json!({"article": true, "extractFrom": "userHtml"}), Mode::OwnHtml),
        (json!({"serp": true}), Mode::Http),
        (json!({"serp": true, "serpOptions": {"extractFrom": "browserHtml"}}), Mode::Browser),
    ] {
        assert_eq!(mode(&request(&fields)), expected, "{fields}");
    }
}

#[test]
fn a_session_begins_well_with_what_is_surely_a_browser_request_that_keeps_cookies() {
    for (fields, expected) in [
        (json!({"browserHtml": true}), true),
        (json!({"screenshot": true, "actions": [{"action": "reload"}]}), true),
        (json!({"product": true}), true),
        (json!({"browserHtml": true, "cookieManagement": "auto"}), true),
        (json!({"browserHtml": true, "cookieManagement": "discard"}), false),
        (json!({"product": true, "extractFrom": "httpResponseBody"}), false),
        (json!({"httpResponseBody": true}), false),
        (json!({"httpResponseHeaders": true}), false),
        (json!({"article": true, "extractFrom": "userHtml"}), false),
    ] {
        assert_eq!(begins_as_browser(&request(&fields)), expected, "{fields}");
    }
}

/// What is refused, by a part of the detail; null where the request is fine.
#[test]
fn fields_that_do_not_go_together_are_refused_by_name() {
    let own = json!({"userHtml": "<p>"});
    let header = json!([{"name": "X-A", "value": "1"}]);
    let rows = [
        // Outputs.
        (json!({}), "no output"),
        (json!({"browserHtml": false}), "no output"),
        (json!({"responseCookies": true, "actions": [{"action": "reload"}]}), "no output"),
        (json!({"customAttributes": {"a": {"type": "string"}}}), "no output"),
        (json!({"httpResponseHeaders": true}), ""),
        (json!({"httpResponseHeaders": true, "actions": [{"action": "reload"}]}), ""),
        (json!({"product": true, "article": true}), "\"article\" and \"product\" exclude"),
        (json!({"product": true, "article": false}), ""),
        // An HTTP request.
        (
            json!({"httpResponseBody": true, "httpResponseHeaders": true, "device": "mobile", "customHttpRequestHeaders": header}),
            "",
        ),
        (json!({"httpResponseBody": true, "httpRequestMethod": "POST", "httpRequestText": "a", "followRedirect": false}), ""),
        (json!({"httpResponseBody": true, "browserHtml": true}), "\"browserHtml\" takes a browser"),
        (json!({"httpResponseBody": true, "screenshot": true}), "\"screenshot\" takes a browser"),
        (json!({"httpResponseBody": true, "browserHtml": false, "screenshot": false, "includeIframes": false}), ""),
        (json!({"httpResponseBody": true, "actions": [{"action": "reload"}]}), "\"actions\" takes a browser"),
        (json!({"httpResponseBody": true, "networkCapture": [{}]}), "\"networkCapture\" takes a browser"),
        (json!({"httpResponseBody": true, "requestHeaders": {"referer": "a"}}), "\"requestHeaders\" takes a browser"),
        (json!({"httpResponseBody": true, "viewport": {"width": 400}}), "\"viewport\" takes a browser"),
        (json!({"httpResponseBody": true, "actions": [], "viewport": {}, "requestHeaders": {}, "screenshotOptions": {}}), ""),
        (json!({"httpResponseBody": true, "javascript": true}), "\"javascript\" takes a browser"),
        (json!({"httpResponseBody": true, "javascript": false}), "\"javascript\" takes a browser"),
        (json!({"httpResponseBody": true, "httpRequestText": "a", "httpRequestBody": "YQ=="}), "exclude each other"),
        (json!({"httpResponseBody": true, "httpRequestText": "a", "httpRequestBody": ""}), ""),
        (json!({"httpResponseBody": true, "customHttpRequestHeaders": [{"name": "cookIE", "value": "a"}]}), "requestCookies"),
        // A browser request.
        (json!({"browserHtml": true, "screenshot": true, "javascript": false, "viewport": {"width": 400}}), ""),
        (json!({"browserHtml": true, "followRedirect": true, "verifyCertificate": true}), ""),
        (json!({"browserHtml": true, "httpRequestMethod": "POST"}), "needs \"httpResponseBody\""),
        (json!({"browserHtml": true, "device": "mobile"}), "\"device\" takes an HTTP"),
        (json!({"screenshot": true, "customHttpRequestHeaders": header}), "\"customHttpRequestHeaders\" takes an HTTP"),
        (json!({"httpResponseHeaders": true, "httpRequestText": "a"}), "\"httpRequestText\" takes an HTTP"),
        // Extraction.
        (json!({"product": true, "browserHtml": true, "screenshot": true, "actions": [{"action": "reload"}]}), ""),
        (json!({"product": true, "httpResponseBody": true}), "unless \"extractFrom\" is \"httpResponseBody\""),
        (json!({"pageContent": true, "customHttpRequestHeaders": header}), "unless \"extractFrom\""),
        (json!({"product": true, "httpResponseBody": true, "extractFrom": "httpResponseBody"}), ""),
        (json!({"article": true, "articleOptions": {"extractFrom": "httpResponseBody"}, "customHttpRequestHeaders": header}), ""),
        (json!({"product": true, "browserHtml": true, "extractFrom": "httpResponseBody"}), "\"browserHtml\" takes a browser"),
        (json!({"product": true, "javascript": true, "extractFrom": "httpResponseBody"}), "\"javascript\" takes a browser"),
        (json!({"browserHtml": true, "customAttributes": {"a": {"type": "string"}}}), "needs an extraction"),
        (json!({"browserHtml": true, "customAttributes": null}), ""),
        (json!({"article": true, "customAttributes": {"a": {"type": "string"}}}), ""),
        // The caller's own HTML.
        (json!({"article": true, "extractFrom": "userHtml", "articleOptions": own}), ""),
        (json!({"article": true, "articleOptions": {"extractFrom": "userHtml", "userHtml": "<p>"}, "geolocation": "US"}), ""),
        (json!({"article": true, "extractFrom": "userHtml"}), "articleOptions.userHtml"),
        (json!({"article": true, "extractFrom": "userHtml", "productOptions": own}), "articleOptions.userHtml"),
        (json!({"article": true, "extractFrom": "userHtml", "articleOptions": own, "screenshot": true}), "makes none"),
        (json!({"article": true, "extractFrom": "userHtml", "articleOptions": own, "httpResponseBody": true}), "makes none"),
        (json!({"article": true, "extractFrom": "userHtml", "articleOptions": own, "httpResponseHeaders": true}), ""),
        // Search results.
        (json!({"serp": true, "serpOptions": {"keyword": "a", "extractFrom": "browserHtml"}}), ""),
        (json!({"serp": true, "browserHtml": false, "tags": {}, "actions": []}), ""),
        (json!({"serp": true, "session": {"id": "x"}}), "\"session\" cannot"),
        (json!({"serp": true, "tags": {"a": "b"}}), "\"tags\" cannot"),
        (json!({"serp": true, "echoData": "a"}), "\"echoData\" cannot"),
        (json!({"serp": true, "jobId": "1/2/3"}), "\"jobId\" cannot"),
        (json!({"serp": true, "extractFrom": "browserHtml"}), "\"extractFrom\" cannot"),
        (json!({"serp": true, "httpResponseHeaders": true}), "\"httpResponseHeaders\" cannot"),
        (json!({"serp": true, "product": true}), "\"product\" cannot"),
    ];
    for (fields, expected) in rows {
        let found = refusal(&request(&fields));
        match (expected, found) {
            ("", None) => {}
            (part, Some(found)) if !part.is_empty() && found.detail.contains(part) => {}
            (_, found) => panic!("{fields}: expected {expected:?}, found {found:?}"),
        }
    }
}

#[test]
fn a_refusal_is_the_error_that_the_api_would_answer_with() {
    for (fields, title) in [(json!({}), "No data requested"), (json!({"serp": true, "jobId": "1"}), "Unprocessable Request")] {
        let problem = Problem::from(refusal(&request(&fields)).unwrap());
        assert_eq!((problem.status, problem.kind.as_str()), (422, "/request/unprocessable"));
        assert_eq!(problem.title, title);
        assert!(problem.is_bad_request() && !problem.detail.is_empty());
    }
}

#[test]
fn a_request_without_a_download_can_have_no_session() {
    let own = json!({"article": true, "articleOptions": {"extractFrom": "userHtml", "userHtml": "<p>"}});
    for (fields, expected) in [
        (json!({"serp": true}), Some(Sessionless::Serp)),
        (json!({"serp": true, "serpOptions": {"extractFrom": "browserHtml"}}), Some(Sessionless::Serp)),
        (json!({"serp": false, "browserHtml": true}), None),
        (own, Some(Sessionless::OwnHtml)),
        (json!({"product": true, "extractFrom": "userHtml"}), Some(Sessionless::OwnHtml)),
        (json!({"browserHtml": true, "extractFrom": "userHtml"}), None),
        (json!({"httpResponseBody": true}), None),
    ] {
        assert_eq!(sessionless(&request(&fields)), expected, "{fields}");
    }
}

#[test]
fn a_session_of_the_callers_own_is_one_that_is_set() {
    for (fields, expected) in [
        (json!({"session": {"id": "x"}}), true),
        (json!({"sessionContext": [{"name": "a", "value": "b"}]}), true),
        (json!({"session": null}), false),
        (json!({"sessionContext": []}), false),
        (json!({"sessionContextParameters": {"actions": []}}), false),
    ] {
        assert_eq!(brings_session(&request(&fields)), expected, "{fields}");
    }
}
