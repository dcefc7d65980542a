//! The schema, rule by rule.

use serde_json::{Map, Value, json};

use super::{check_combination, check_fields, fields, parse_body};
use crate::options::SimulatorOptions;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn with(extra: &Value) -> Map<String, Value> {
    let mut request = object(json!({"url": "https://a.example/", "browserHtml": true}));
    request.extend(object(extra.clone()));
    request
}

#[test]
fn the_table_has_the_55_documented_fields_and_the_experimental_one() {
    let names: Vec<_> = fields::FIELDS.iter().map(|field| field.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    assert_eq!(names.iter().filter(|it| **it != "experimental").count(), 55);
}

#[test]
fn a_field_that_breaks_the_schema_is_named() {
    let long = "x".repeat(9_000);
    for (extra, path) in [
        (json!({"colour": 1}), "colour"),
        (json!({"browserHtml": "yes"}), "browserHtml"),
        (json!({"browserHtml": null}), "browserHtml"),
        (json!({"url": "nowhere"}), "url"),
        (json!({"url": "ftp://a.example/"}), "url"),
        (json!({"url": "http://127.0.0.1/"}), "url"),
        (json!({"url": "http://[::1]/"}), "url"),
        (json!({"url": format!("https://a.example/{long}")}), "url"),
        (json!({"geolocation": "us"}), "geolocation"),
        (json!({"geolocation": "UK"}), "geolocation"),
        (json!({"ipType": "mobile"}), "ipType"),
        (json!({"session": {}}), "session.id"),
        (json!({"session": {"id": "1"}}), "session.id"),
        (json!({"viewport": {"width": 319}}), "viewport.width"),
        (json!({"viewport": {"height": 4097}}), "viewport.height"),
        (json!({"viewport": {"depth": 1}}), "viewport.depth"),
        (json!({"requestHeaders": {"accept": "x"}}), "requestHeaders.accept"),
        (json!({"jobId": "x".repeat(101)}), "jobId"),
        (json!({"tags": ["a"]}), "tags"),
        (json!({"tags": {"a": 1}}), "tags"),
        (json!({"httpRequestBody": "***"}), "httpRequestBody"),
        (json!({"httpRequestText": ""}), "httpRequestText"),
        (json!({"httpRequestMethod": "get"}), "httpRequestMethod"),
        (json!({"actions": [{"action": "dance"}]}), "actions[0].action"),
        (json!({"actions": [{"action": "click"}]}), "actions[0].selector"),
        (json!({"actions": [{"action": "waitForTimeout", "timeout": 16}]}), "actions[0].timeout"),
        (
            json!({"actions": [{"action": "reload"}, {"action": "hover", "selector": {"type": "id", "value": "a"}}]}),
            "actions[1].selector.type",
        ),
        (json!({"actions": [{"action": "setLocation", "address": {"addressCountry": 1}}]}), "actions[0].address.addressCountry"),
        (json!({"actions": [{"action": "setLocation", "address": {"zip": "1"}}]}), "actions[0].address.zip"),
        (json!({"actions": [{"action": "scrollTo", "top": 1.5}]}), "actions[0].top"),
        (json!({"actions": [{"action": "keyPress", "key": "x".repeat(15)}]}), "actions[0].key"),
        (json!({"actions": [{"action": "setLocation", "onError": "stop"}]}), "actions[0].onError"),
        (json!({"requestCookies": [{"name": "a", "value": "b"}]}), "requestCookies[0].domain"),
        (
            json!({"requestCookies": [{"name": "a".repeat(2_100), "value": "b".repeat(2_000), "domain": "a"}]}),
            "requestCookies[0]",
        ),
        (json!({"customHttpRequestHeaders": [{"name": "a".repeat(201), "value": ""}]}), "customHttpRequestHeaders[0].name"),
        (json!({"sessionContext": [{"name": "", "value": "a"}]}), "sessionContext[0].name"),
        (json!({"networkCapture": [{"filterType": "size"}]}), "networkCapture[0].filterType"),
        (json!({"networkCapture": [{"value": "abc"}]}), "networkCapture[0].filterType"),
        (json!({"networkCapture": [{"filterType": "url", "matchType": "exact"}]}), "networkCapture[0].value"),
        (json!({"networkCapture": [{"filterType": "url", "value": "abc"}]}), "networkCapture[0].matchType"),
        (json!({"networkCapture": [{"filterType": "url", "value": "ab", "matchType": "exact"}]}), "networkCapture[0].value"),
        (json!({"networkCapture": [{"filterType": "url", "value": "é", "matchType": "exact"}]}), "networkCapture[0].value"),
        (json!({"networkCapture": [{"filterType": "resourceType"}]}), "networkCapture[0].resourceType"),
        (
            json!({"networkCapture": [{"filterType": "resourceType", "resourceType": "xhr", "value": "abc"}]}),
            "networkCapture[0].value",
        ),
        (json!({"product": true, "extractFrom": "browserHtmlOnly"}), "extractFrom"),
        (json!({"product": true, "productOptions": {"extractFrom": "browserHtmlOnly"}}), "productOptions.extractFrom"),
        (json!({"customAttributesOptions": {"method": "guess"}}), "customAttributesOptions.method"),
        (json!({"customAttributes": {"a": {}}}), "customAttributes.a.type"),
        (json!({"customAttributes": {"a": "string"}}), "customAttributes.a"),
        (json!({"customAttributes": {"a": {"type": "date"}}}), "customAttributes.a.type"),
        (json!({"customAttributes": {"a": {"type": "array"}}}), "customAttributes.a.items"),
        (json!({"customAttributes": {"a": {"type": "object"}}}), "customAttributes.a.properties"),
        (json!({"customAttributes": {"a": {"type": "string", "enum": ["one"]}}}), "customAttributes.a.enum"),
        (json!({"customAttributes": {"a": {"type": "integer", "enum": [1, 1.5]}}}), "customAttributes.a.enum[1]"),
        (
            json!({"customAttributes": {"a": {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "c"}}}}}}),
            "customAttributes.a.items.properties.b.type",
        ),
        (
            json!({"customAttributes": {"a": {"type": "boolean", "description": "x".repeat(301)}}}),
            "customAttributes.a.description",
        ),
    ] {
        let problem = check_fields(&with(&extra)).unwrap_err();
        assert_eq!((problem.status, problem.kind.as_ref()), (400, "/request/invalid"));
        let detail = problem.document()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(&format!("field {path:?} ")), "{path}: {detail}");
    }
}

#[test]
fn what_the_schema_allows_is_accepted() {
    for extra in [
        json!({"tags": null, "customAttributes": null}),
        json!({"tags": {"a": "b", "c": null}}),
        json!({"echoData": ["anything", 1, null]}),
        json!({"viewport": {"width": 320, "height": 4096}}),
        json!({"session": {"id": "3f0c6a1e-7d1b-4b52-9a53-0f6f5b0c9e11"}}),
        json!({"actions": [{"action": "setLocation"}, {"action": "waitForSelector", "selector": {"type": "css", "value": "a"}, "timeout": 2.5, "onError": "continue"}]}),
        json!({"experimental": {"responseCookies": true}}),
        json!({"requestCookies": [{"name": "a", "value": "b", "domain": ".a.example", "expires": 1, "sameSite": "Lax"}]}),
        // Limits that the published schema does not have.
        json!({"actions": [{"action": "type", "selector": {"type": "css", "value": "a"}, "text": "x".repeat(9_000), "delay": 61}]}),
        json!({"actions": [{"action": "goto", "url": format!("https://a.example/{}", "x".repeat(9_000))}]}),
        json!({"actions": [{"action": "searchKeyword", "keyword": "x".repeat(9_000)}, {"action": "keyPress", "key": ""}]}),
        json!({"actions": [{"action": "scrollTo", "top": -5, "left": -1.0}]}),
        json!({"actions": [{"action": "scrollBottom", "maxPageHeight": -1, "maxScrollCount": -1}]}),
        json!({"actions": [{"action": "scrollBottom", "maxPageHeight": 18_446_744_073_709_551_615_u64}]}),
        json!({"actions": [{"action": "setLocation", "address": {"addressCountry": "usa", "streetAddress": "x".repeat(9_000)}}]}),
        json!({"sessionContextParameters": {"actions": [{"action": "setLocation", "address": {"addressCountry": ""}}]}}),
        json!({"requestHeaders": {"referer": "x".repeat(9_000)}}),
        json!({"requestCookies": [{"name": "", "value": "", "domain": "a", "path": format!("/{}", "x".repeat(4_085))}]}),
        json!({"serpOptions": {"keyword": "x".repeat(9_000)}}),
        json!({"customHttpRequestHeaders": [{"name": "", "value": ""}]}),
        json!({"viewport": {"width": 800.0}}),
        json!({"networkCapture": [{"filterType": "url", "value": "ééé", "matchType": "exact", "httpResponseBody": true},
            {"filterType": "resourceType", "resourceType": "xhr"}]}),
        json!({"customAttributes": {"a": {"type": "string", "enum": ["b", "c"], "format": "uri", "description": "d"},
            "e": {"type": "array", "items": {"type": "object", "properties": {"f": {"type": "number", "enum": [1, 2.5]}}}}},
            "customAttributesOptions": {"method": "extract"}}),
    ] {
        check_fields(&with(&extra)).unwrap();
    }
}

#[test]
fn a_missing_url_is_named() {
    let problem = check_fields(&Map::new()).unwrap_err();
    assert_eq!(problem.document()["detail"], "field \"url\" is missing");
}

#[test]
fn a_body_must_be_a_json_object_of_5_mib_at_most() {
    let large = vec![b' '; super::MAX_BODY_BYTES + 1];
    for (body, status, kind) in [
        (&b"{"[..], 400, "/request/invalid-json"),
        (&b""[..], 400, "/request/invalid-json"),
        (&b"\xff"[..], 400, "/request/invalid-json"),
        (&b"[]"[..], 400, "/request/invalid"),
        (&large[..], 413, "/request/invalid"),
    ] {
        let problem = parse_body(body).unwrap_err();
        assert_eq!((problem.status, problem.kind.as_ref()), (status, kind));
    }
}

#[test]
fn fields_that_exclude_each_other_are_refused() {
    let http = |extra: Value| {
        let mut request = object(json!({"url": "https://a.example/", "httpResponseBody": true}));
        request.extend(object(extra));
        request
    };
    for (request, refused) in [
        (object(json!({"url": "https://a.example/"})), true),
        (with(&json!({"browserHtml": false})), true),
        (with(&json!({"browserHtml": false, "httpResponseHeaders": true})), false),
        (with(&json!({"browserHtml": false, "responseCookies": true})), true),
        (http(json!({})), false),
        (http(json!({"browserHtml": true})), true),
        (http(json!({"browserHtml": false, "screenshot": false})), false),
        (http(json!({"actions": [{"action": "reload"}]})), true),
        (http(json!({"actions": []})), false),
        (http(json!({"javascript": false})), true),
        (http(json!({"requestHeaders": {"referer": "a"}})), true),
        (http(json!({"httpRequestMethod": "POST", "httpRequestText": "a"})), false),
        (http(json!({"httpRequestText": "a", "httpRequestBody": "YQ=="})), true),
        (http(json!({"customHttpRequestHeaders": [{"name": "Cookie", "value": "a"}]})), true),
        (with(&json!({"httpRequestMethod": "POST"})), true),
        (with(&json!({"customHttpRequestHeaders": [{"name": "a", "value": "a"}]})), true),
        (with(&json!({"product": true, "article": true})), true),
        (with(&json!({"product": true})), false),
        (with(&json!({"serp": true})), true),
        (object(json!({"url": "https://a.example/", "serp": true, "serpOptions": {}})), false),
        (object(json!({"url": "https://a.example/", "serp": true, "tags": {"a": "b"}})), true),
        (object(json!({"url": "https://a.example/", "serp": true, "echoData": 1})), true),
        (http(json!({"product": true})), true),
        (http(json!({"product": true, "extractFrom": "httpResponseBody"})), false),
        (with(&json!({"article": true, "extractFrom": "userHtml", "articleOptions": {"userHtml": "<p>"}})), true),
        (with(&json!({"customAttributes": {"a": {"type": "string"}}})), true),
        (with(&json!({"product": true, "customAttributes": {"a": {"type": "string"}}})), false),
        (
            object(json!({"url": "https://a.example/", "product": true, "productOptions": {"extractFrom": "httpResponseBody"},
                "customHttpRequestHeaders": [{"name": "a", "value": "a"}]})),
            false,
        ),
        (
            with(
                &json!({"session": {"id": "3f0c6a1e-7d1b-4b52-9a53-0f6f5b0c9e11"}, "sessionContext": [{"name": "a", "value": "b"}]}),
            ),
            true,
        ),
    ] {
        check_fields(&request).unwrap();
        let outcome = check_combination(&request, &SimulatorOptions::default());
        assert_eq!(outcome.is_err(), refused, "{request:?}");
        if let Err(problem) = outcome {
            assert_eq!((problem.status, problem.kind.as_ref()), (422, "/request/unprocessable"));
        }
    }
}
