#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
use super::*;

fn of(params: Value, pool: Option<&str>) -> String {
    fingerprint(params.as_object().unwrap(), pool)
}

#[track_caller]
fn check(same: bool, a: Value, b: Value) {
    assert_eq!(of(a.clone(), None) == of(b.clone(), None), same, "{a} and {b}");
}

fn page(url: &str) -> Value {
    json!({"url": url, "httpResponseBody": true})
}

#[test]
fn spellings_of_one_url_are_equal() {
    let spellings = [
        ("https://shop.example", "https://SHOP.example/"),
        ("https://shop.example/?b=2&a=1&a=0", "https://shop.example/?a=0&a=1&b=2"),
        ("https://shop.example/?a&&b=", "https://shop.example/?b&a="),
        ("https://shop.example/?q=a+b", "https://shop.example/?q=a%20b"),
        ("https://shop.example/a b", "https://shop.example/a%20b"),
        ("https://shop.example/%7ea%c3%a9", "https://shop.example/~aé"),
        ("https://shop.example/%2fa", "https://shop.example/%2Fa"),
        ("https://shop.example/a/./b/../c", "https://shop.example/a/c"),
        ("https://shop.example/a/..", "https://shop.example/"),
        ("https://shop.example/a;", "https://shop.example/a"),
        ("https://shop.example:/", "https://shop.example/"),
        ("https://exämple.com/", "https://xn--exmple-cua.com/"),
        ("http://[::0:1]/", "http://[::1]/"),
        (" https://shop.example/\n", "https://shop.example/"),
        ("https://shop.example/#top", "https://shop.example/"),
    ];
    for (a, b) in spellings {
        check(true, page(a), page(b));
    }
}

#[test]
fn different_urls_differ() {
    let urls = [
        "https://shop.example/",
        "http://shop.example/",
        "https://shop.example:443/",
        "https://www.shop.example/",
        "https://shop.example/a",
        "https://shop.example/A",
        "https://shop.example/a/",
        "https://shop.example/a/b",
        "https://shop.example/a%2Fb",
        "https://shop.example/a%252Fb",
        "https://shop.example/a;b",
        "https://shop.example/a%3Bb",
        "https://shop.example/?a=1",
        "https://shop.example/?a=2",
        "https://shop.example/?A=1",
        "https://user@shop.example/",
    ];
    let all: std::collections::HashSet<String> = urls.iter().map(|url| of(page(url), None)).collect();
    assert_eq!(all.len(), urls.len());
}

#[test]
fn a_fragment_counts_where_a_browser_may_see_it() {
    let cases = [
        (false, json!({"httpResponseBody": true})),
        (true, json!({"browserHtml": true})),
        (true, json!({"screenshot": true})),
        (true, json!({"product": true})),
        (true, json!({"product": true, "productOptions": {"extractFrom": "browserHtml"}})),
        (false, json!({"product": true, "productOptions": {"extractFrom": "httpResponseBody"}})),
        (false, json!({"serp": true})),
    ];
    for (counts, params) in cases {
        let with = |url: &str| {
            let mut params = params.clone();
            params["url"] = json!(url);
            params
        };
        check(!counts, with("https://shop.example/#a"), with("https://shop.example/#b"));
    }
}

#[test]
fn parameters_count_unless_they_leave_the_answer_as_it_is() {
    let with = |name: &str, value: Value| json!({"url": "https://shop.example/", "browserHtml": true, name: value});
    let bare = json!({"url": "https://shop.example/", "browserHtml": true});
    let same = [
        ("requestHeaders", json!({"referer": "x"})),
        ("customHttpRequestHeaders", json!([{"name": "a", "value": "b"}])),
        ("requestCookies", json!([{"name": "a", "value": "b", "domain": "c"}])),
        ("session", json!({"id": "x"})),
        ("sessionContextParameters", json!({"actions": []})),
        ("jobId", json!("1")),
        ("ipType", json!("residential")),
        ("cookieManagement", json!("discard")),
        ("experimental", json!({"x": true})),
        ("screenshot", json!(false)),
        ("device", json!("desktop")),
        ("followRedirect", json!(true)),
        ("actions", json!([])),
        ("viewport", json!({"width": null})),
        ("javascript", json!(null)),
    ];
    for (name, value) in same {
        check(true, bare.clone(), with(name, value));
    }
    let different = [
        ("screenshot", json!(true)),
        ("device", json!("mobile")),
        ("followRedirect", json!(false)),
        ("javascript", json!(false)),
        ("geolocation", json!("IE")),
        ("actions", json!([{"action": "scrollBottom"}])),
        ("echoData", json!("a")),
        ("tags", json!({"a": "b"})),
        ("sessionContext", json!([{"name": "a", "value": "b"}])),
        ("responseCookies", json!(true)),
        ("unheardOf", json!(false)),
    ];
    for (name, value) in different {
        check(false, bare.clone(), with(name, value));
    }
}

#[test]
fn the_order_of_keys_does_not_count_and_the_order_of_lists_does() {
    let with = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    check(
        true,
        with(r#"{"url": "http://a/", "tags": {"b": "1", "a": "2"}}"#),
        with(r#"{"tags": {"a": "2", "b": "1"}, "url": "http://a"}"#),
    );
    check(false, with(r#"{"url": "http://a/", "actions": [1, 2]}"#), with(r#"{"url": "http://a/", "actions": [2, 1]}"#));
    check(true, json!({"url": "http://a/", "httpRequestText": "ab"}), json!({"url": "http://a/", "httpRequestBody": "YWI="}));
}

#[test]
fn the_pool_counts_unless_the_request_has_a_context_of_its_own() {
    let request = page("https://shop.example/");
    assert_ne!(of(request.clone(), None), of(request.clone(), Some("a")));
    assert_ne!(of(request.clone(), Some("b")), of(request, Some("a")));
    let own = json!({"url": "https://shop.example/", "sessionContext": [{"name": "a", "value": "b"}]});
    assert_eq!(of(own.clone(), Some("a")), of(own, None));
}
