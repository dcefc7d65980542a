//! Compares with the real scrapy-zyte-api 0.36.0 which pairs of requests have equal fingerprints.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

mod python;
#[path = "python/random.rs"]
mod random;

use carousel_core::fingerprint::fingerprint;
use random::Random;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

const REQUESTS: usize = 12_000;

const BASES: [&str; 8] = [
    "https://shop.example",
    "https://SHOP.example",
    "https://shop.example:443",
    "http://shop.example:",
    "https://exämple.com",
    "https://xn--exmple-cua.com",
    "http://[::0:1]",
    "http://us%2Der:p%40ss@shop.example",
];
const PATHS: [&str; 22] = [
    "",
    "/",
    "/a",
    "/A",
    "/a/",
    "/a/../",
    "/a/./b",
    "/a/b",
    "/a%2Fb",
    "/a%2fb",
    "/a%252fb",
    "/a b",
    "/a%20b",
    "/a+b",
    "/é",
    "/%c3%a9",
    "/a;",
    "/a;b",
    "/a%3bb",
    "/a[1]|",
    "/..",
    "/%7Ea%zz%",
];
const QUERIES: [&str; 16] = [
    "",
    "?",
    "?a",
    "?a=",
    "?a=1",
    "?a=1&b=2",
    "?b=2&a=1",
    "?b=2&&a=1",
    "?A=1",
    "?a=x+y",
    "?a=x%20y",
    "?a=é",
    "?a=%C3%A9",
    "?a=%e9",
    "?a=1;b=2",
    "?a='*|",
];
const FRAGMENTS: [&str; 5] = ["", "#", "#a", "#%61", "#b c"];

/// Parameters that say something, in JSON; how they change the request is up to the peer.
const SAYING: [&str; 24] = [
    r#"{"requestHeaders": {"referer": "https://a.example"}}"#,
    r#"{"customHttpRequestHeaders": [{"name": "X-A", "value": "b"}]}"#,
    r#"{"requestCookies": [{"name": "a", "value": "b", "domain": "shop.example"}]}"#,
    r#"{"responseCookies": true}"#,
    r#"{"cookieManagement": "discard"}"#,
    r#"{"session": {"id": "1"}}"#,
    r#"{"session": {"id": "2"}}"#,
    r#"{"sessionContext": [{"name": "a", "value": "b"}]}"#,
    r#"{"sessionContextParameters": {"actions": [{"action": "scrollBottom"}]}}"#,
    r#"{"jobId": "1"}"#,
    r#"{"ipType": "residential"}"#,
    r#"{"echoData": "a"}"#,
    r#"{"tags": {"a": "b", "c": "d"}}"#,
    r#"{"tags": {"c": "d", "a": "b"}}"#,
    r#"{"experimental": {"x": true}}"#,
    r#"{"geolocation": "IE"}"#,
    r#"{"device": "mobile"}"#,
    r#"{"followRedirect": false}"#,
    r#"{"actions": [{"action": "click", "selector": null}]}"#,
    r#"{"actions": [{"selector": null, "action": "click"}]}"#,
    r#"{"viewport": {"width": 1, "height": 2}}"#,
    r#"{"httpRequestMethod": "POST", "httpRequestText": "ab"}"#,
    r#"{"httpRequestMethod": "POST", "httpRequestBody": "YWI="}"#,
    r#"{"networkCapture": [{"filterType": "url", "value": "a"}]}"#,
];
/// Parameters that say what holds anyway.
const SILENT: [&str; 14] = [
    r#"{"geolocation": null}"#,
    r#"{"viewport": {}}"#,
    r#"{"viewport": {"width": null}}"#,
    r#"{"device": "desktop"}"#,
    r#"{"followRedirect": true}"#,
    r#"{"actions": []}"#,
    r#"{"networkCapture": []}"#,
    r#"{"screenshot": false}"#,
    r#"{"product": false}"#,
    r#"{"responseCookies": false}"#,
    r#"{"tags": {}}"#,
    r#"{"productOptions": {}}"#,
    r#"{"sessionContext": []}"#,
    r#"{"httpRequestMethod": "GET"}"#,
];
/// Outputs such that the peer's automatic parameters add none.
const OUTPUTS: [&str; 9] = [
    r#"{"httpResponseBody": true, "httpResponseHeaders": true}"#,
    r#"{"browserHtml": true}"#,
    r#"{"screenshot": true}"#,
    r#"{"product": true}"#,
    r#"{"product": true, "productOptions": {"extractFrom": "browserHtml"}}"#,
    r#"{"product": true, "productOptions": {"extractFrom": "httpResponseBody"}}"#,
    r#"{"product": true, "article": true, "productOptions": {"extractFrom": "httpResponseBody"}}"#,
    r#"{"serp": true}"#,
    r#"{"serp": true, "serpOptions": {"extractFrom": "browserHtml"}}"#,
];

type Request = (Map<String, Value>, Option<&'static str>);

#[test]
fn written_out_requests_are_equal_where_the_peer_finds_them_equal() {
    compare("zyte_api", 1, &SAYING);
}

#[test]
fn requests_with_defaults_are_equal_where_the_peer_finds_them_equal() {
    compare("zyte_api_automap", 2, &[SAYING.as_slice(), SILENT.as_slice()].concat());
}

/// Compares all pairs of random requests, which the peer finds under `key` of a request's metadata.
fn compare(key: &str, seed: u64, extras: &[&str]) {
    let mut random = Random(seed);
    let requests: Vec<Request> = (0..REQUESTS).map(|_| request(&mut random, extras)).collect();
    let asked: Vec<Value> = requests.iter().map(|(params, pool)| json!({"key": key, "params": params, "pool": pool})).collect();
    let Some(answered) = python::ask("fingerprint_answers.py", &Value::Array(asked)) else {
        return;
    };
    let theirs: Vec<String> = serde_json::from_value(answered).unwrap();
    let ours: Vec<String> = requests.iter().map(|(params, pool)| fingerprint(params, *pool)).collect();
    assert_eq!(ours.len(), theirs.len());
    assert_same_answer(&requests, &theirs, &ours, "equal only here", "here");
    assert_same_answer(&requests, &ours, &theirs, "equal only there", "there");
    let distinct = ours.iter().collect::<HashSet<_>>().len();
    println!("{} requests ({key}), {distinct} different ones", requests.len());
    assert!((500..REQUESTS * 3 / 4).contains(&distinct), "too few pairs of either kind: {distinct}");
}

/// Asserts that requests equal in `merging` are equal in `telling` too.
fn assert_same_answer(requests: &[Request], telling: &[String], merging: &[String], what: &str, side: &str) {
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (place, merged) in merging.iter().enumerate() {
        let other = *first.entry(merged).or_insert(place);
        assert_eq!(telling[other], telling[place], "{what}, {side}:\n{:?}\n{:?}", requests[other], requests[place]);
    }
}

/// Few hosts, paths and parameters at once, so that equal requests are frequent.
fn request(random: &mut Random, extras: &[&str]) -> Request {
    let mut params = Map::new();
    let (base, path, query) = (
        if random.chance(70) { BASES[random.below(2)] } else { random.one(&BASES) },
        if random.chance(70) { PATHS[random.below(3)] } else { random.one(&PATHS) },
        if random.chance(70) { QUERIES[random.below(2)] } else { random.one(&QUERIES) },
    );
    let fragment = if random.chance(80) { "" } else { random.one(&FRAGMENTS) };
    params.insert("url".to_owned(), json!(format!("{base}{path}{query}{fragment}")));
    let output = if random.chance(60) { OUTPUTS[random.below(2)] } else { random.one(&OUTPUTS) };
    merge(&mut params, output);
    for _ in 0..random.below(3) {
        merge(&mut params, random.one(extras));
    }
    // An output that is set and unset again would be the peer's business only.
    merge(&mut params, output);
    (params, [None, None, None, Some("shop.example"), Some("shop.example@1")][random.below(5)])
}

fn merge(params: &mut Map<String, Value>, more: &str) {
    let more: Map<String, Value> = serde_json::from_str(more).unwrap();
    params.extend(more);
}
