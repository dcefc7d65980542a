//! The course of a request: order of checks, answers, bills, latency.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, client, header, session_id};
use crate::{FaultRule, Latency, SessionRules, Simulator, SimulatorOptions, demo_requests};

const PAGE: &str = r#"{"url": "https://shop.example/p/1", "browserHtml": true}"#;

#[test]
fn checks_come_in_the_order_of_the_real_service() {
    let large = " ".repeat(5 * 1024 * 1024 + 1);
    for (method, path, key, body, expected) in [
        ("GET", "/v2/extract", None, "", (404, "/request/invalid", "HTTP 404 Not Found")),
        ("POST", "/extract", None, "", (404, "/request/invalid", "HTTP 404 Not Found")),
        ("GET", "/v1/extract", None, "", (405, "/request/invalid", "HTTP 405 Method Not Allowed")),
        ("DELETE", "/v1/search", None, "", (405, "/request/invalid", "HTTP 405 Method Not Allowed")),
        ("POST", "/v1/search", None, "{", (401, "/auth/not-valid", "Authentication Info Invalid")),
        ("POST", "/v1/search", Some("key"), r#"{"domain": "google.com"}"#, (400, "/request/invalid", "Bad Request")),
        ("POST", "/v1/extract", None, "{", (401, "/auth/not-valid", "Authentication Info Invalid")),
        ("POST", "/v1/extract", Some("unknown"), "{", (401, "/auth/key-not-found", "Authentication Key Not Found")),
        ("POST", "/v1/extract", Some("suspended"), "{", (403, "/auth/account-suspended", "Account Suspended")),
        ("POST", "/v1/extract", Some("key"), &large, (413, "/request/invalid", "HTTP 413 Content Too Large")),
        ("POST", "/v1/extract", Some("key"), "{", (400, "/request/invalid-json", "Invalid JSON")),
        ("POST", "/v1/extract", Some("key"), r#"{"colour": 1}"#, (400, "/request/invalid", "Bad Request")),
        (
            "POST",
            "/v1/extract",
            Some("key"),
            r#"{"url": "https://e429.example/"}"#,
            (422, "/request/unprocessable", "No data requested"),
        ),
        (
            "POST",
            "/v1/extract",
            Some("key"),
            r#"{"url": "https://e429.example/", "screenshot": true}"#,
            (429, "/limits/over-user-limit", "Over User Requests Limit"),
        ),
    ] {
        let reply = client("[]").call(method, path, key, body);
        let document: Value = serde_json::from_slice(&reply.body).unwrap();
        let found = (reply.status, document["type"].as_str().unwrap(), document["title"].as_str().unwrap());
        assert_eq!(found, expected);
        assert_eq!(document["status"], reply.status);
        assert!(document["detail"].is_string());
        assert_eq!(header(&reply, "content-type"), Some("application/problem+json"));
        assert_eq!(header(&reply, "request-id").map(str::len), Some(32));
        let challenge = (reply.status == 401).then_some("Basic realm=\"Zyte API\"");
        assert_eq!(header(&reply, "www-authenticate"), challenge);
        assert_eq!(header(&reply, "allow"), (reply.status == 405).then_some("POST"));
    }
}

#[test]
fn an_answer_has_what_was_asked_for_and_nothing_else() {
    let mut client = client("[]");
    let id = session_id(1);
    let answer = client.ok(&json!({
        "url": "https://shop.example/p/1", "httpResponseBody": true, "httpResponseHeaders": true,
        "session": {"id": id}, "echoData": [1, {"a": null}], "jobId": "7", "tags": {"a": "b"},
    }));
    let names: Vec<_> = answer.keys().map(String::as_str).collect();
    assert_eq!(names, ["url", "statusCode", "httpResponseBody", "httpResponseHeaders", "session", "echoData", "jobId"]);
    assert_eq!(answer["echoData"], json!([1, {"a": null}]));
    assert_eq!(answer["session"]["id"], id);
    let answer = client.ok(&json!({"url": "https://shop.example/p/1", "screenshot": true, "product": true,
        "actions": [], "responseCookies": true, "networkCapture": [{"filterType": "resourceType", "resourceType": "document"}]}));
    let names: Vec<_> = answer.keys().map(String::as_str).collect();
    assert_eq!(names, ["url", "statusCode", "screenshot", "networkCapture", "product", "actions", "responseCookies"]);
    assert!(answer["screenshot"].as_str().unwrap().starts_with("iVBORw0KGgo"));
    assert_eq!(answer["networkCapture"][0]["interceptionStatus"]["status"], "success");
}

#[test]
fn html_that_comes_with_a_request_is_read_without_a_site_or_a_session() {
    let mut client = client(r#"[{"nth": [2], "status": 520}]"#);
    let request = json!({"url": "https://s1.market.example/p/1", "product": true, "extractFrom": "userHtml",
        "productOptions": {"userHtml": "<h1>a lamp</h1><b class=price>5.00</b>"}, "session": {"id": session_id(1)}});
    let answer = client.ok(&request);
    assert_eq!((&answer["product"]["name"], &answer["product"]["price"]), (&json!("a lamp"), &json!("5.00")));
    assert!(!answer.contains_key("statusCode"));
    assert_eq!(client.outcome(&request), "520 /download/temporary-error");
    let report = client.simulator.report();
    assert_eq!((&report["sessions"]["created"], &report["pages"]), (&json!(0), &json!({})));
    assert_eq!((&report["billed"]["total"], &report["billed"]["modes"]), (&json!(1), &json!({"own-html": 1})));
}

#[test]
fn the_trusted_entry_and_the_bytes_say_the_same() {
    let mut trusted = client("[]");
    let mut bytes = client("[]");
    let request: Value = serde_json::from_str(PAGE).unwrap();
    let direct = trusted.send(&request);
    let wire = bytes.call("POST", "/v1/extract", Some("key"), PAGE);
    assert_eq!(wire, direct.into_bytes());
}

#[test]
fn equal_seeds_and_calls_give_equal_bytes() {
    let run = |seed| {
        let mut simulator = Simulator::new(SimulatorOptions {
            seed,
            latency: Latency::realistic(),
            faults: FaultRule::read_list(r#"[{"status": 520, "probability": 0.1}]"#).unwrap(),
            sessions: SessionRules { creation_fault_share: 0.1, ..SessionRules::default() },
            ..SimulatorOptions::default()
        });
        let mut replies = Vec::new();
        for (nth, mut request) in (0..).zip(demo_requests().take(600)) {
            request.remove("meta");
            let number = nth % 50 + nth / 300 * 100;
            request.insert("session".into(), json!({"id": session_id(number)}));
            request.insert("responseCookies".into(), true.into());
            let now = Duration::from_secs(u64::from(nth) * 3);
            replies.push(simulator.extract(now, &request).into_bytes());
        }
        (replies, simulator.report())
    };
    assert_eq!(run(7), run(7));
    let (first, second) = (run(7), run(8));
    assert_ne!(first.0, second.0);
}

#[test]
fn redirects_are_followed_unless_told_otherwise() {
    let mut client = client("[]");
    let mut request = json!({"url": "https://a.example/redirect/2", "httpResponseBody": true});
    let answer = client.ok(&request);
    assert_eq!((&answer["url"], &answer["statusCode"]), (&json!("https://a.example/redirect/0"), &json!(200)));
    request["followRedirect"] = false.into();
    assert_eq!(client.ok(&request)["statusCode"], 302);
}

#[test]
fn long_pages_are_cut_at_10_mib() {
    let answer = client("[]").ok(&json!({"url": "https://a.example/big/20000000", "browserHtml": true}));
    assert_eq!(answer["browserHtml"].as_str().unwrap().len(), 10 * 1024 * 1024);
}
#[test]
fn only_answers_with_200_are_billed_by_mode_host_and_part() {
    let mut client = client(r#"[{"status": 520, "nth": [4]}]"#);
    let session = json!({"id": session_id(1)});
    let browser = json!({"url": "https://a.example/", "browserHtml": true, "session": session});
    let http = json!({"url": "https://a.example/status/404", "httpResponseBody": true, "session": session});
    let other = json!({"url": "https://b.example/", "httpResponseBody": true});
    for request in [&browser, &http, &other, &other] {
        client.send(request);
    }
    let report = client.simulator.report();
    assert_eq!(
        report["billed"],
        json!({"total": 3, "weight": 3, "modes": {"browser": 1, "http": 2}, "extractions": {}, "session_parts": {"first": 1, "later": 1, "none": 1},
            "hosts": {"a.example": 2, "b.example": 1}})
    );
    assert_eq!(
        report["requests"],
        json!({"total": 4, "statuses": {"200": 3, "520": 1}, "problems": {"/download/temporary-error": 1}})
    );
    assert_eq!(report["target_statuses"], json!({"200": 2, "404": 1}));
    client.simulator.reset();
    assert_eq!(client.simulator.report()["billed"]["total"], 0);
}

#[test]
fn a_search_has_the_documented_shape_and_counts_by_its_results() {
    let mut client = Client::new(SimulatorOptions { requests_per_minute: Some(4), ..SimulatorOptions::default() });
    let mut search = |request: Value| client.call("POST", "/v1/search", Some("key"), &request.to_string());
    let reply = search(json!({"domain": "search.example", "query": "a <lamp>", "include": ["organic"], "maxResults": 30,
        "queryParameters": {"style": "generic", "geolocation": "US", "locale": "en-US"}}));
    let answer: Value = serde_json::from_slice(&reply.body).unwrap();
    let names: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["status", "url", "fetchedAt", "meta", "organicResults"]);
    assert_eq!(answer["meta"], json!({"requestedAt": "2026-01-01T00:00:00Z", "geolocation": "US", "locale": "en-US"}));
    let results = answer["organicResults"].as_array().unwrap();
    assert_eq!((results.len(), &results[29]["rank"]), (30, &json!(30)));
    let reply = search(json!({"domain": "google.com", "query": "a <lamp>"}));
    let answer: Value = serde_json::from_slice(&reply.body).unwrap();
    assert!(answer["html"].as_str().unwrap().contains("<h1>a &lt;lamp&gt;</h1>") && answer.get("organicResults").is_none());
    // Three for the first and one for the second are all of the minute.
    assert_eq!(search(json!({"domain": "google.com", "query": "b"})).status, 429);
    let billed = &client.simulator.report()["billed"];
    assert_eq!((&billed["total"], &billed["weight"], &billed["modes"]), (&json!(2), &json!(4), &json!({"search": 2})));
}

#[test]
fn a_search_that_breaks_the_schema_is_refused_by_name() {
    for (extra, field) in [
        (json!({"domain": "bing.com"}), "domain"),
        (json!({"query": ""}), "query"),
        (json!({"query": "x".repeat(2_049)}), "query"),
        (json!({"maxResults": 15}), "maxResults"),
        (json!({"maxResults": 110}), "maxResults"),
        (json!({"include": ["images"]}), "include[0]"),
        (json!({"include": "html"}), "include"),
        (json!({"queryParameters": {"gl": "us"}}), "queryParameters.style"),
        (json!({"queryParameters": {"style": "generic", "geolocation": "us"}}), "queryParameters.geolocation"),
        (json!({"url": "https://a.example/"}), "url"),
    ] {
        let mut request = json!({"domain": "google.com", "query": "a"});
        request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let reply = client("[]").call("POST", "/v1/search", Some("key"), &request.to_string());
        let detail = String::from_utf8(reply.body).unwrap();
        assert!(reply.status == 400 && detail.contains(&format!("field \\\"{field}\\\"")), "{extra}: {detail}");
    }
}

#[test]
fn without_latency_waits_take_no_time_though_they_are_told() {
    let mut client = client("[]");
    let request = json!({"url": "https://a.example/", "browserHtml": true, "actions": [
        {"action": "waitForTimeout", "timeout": 3}, {"action": "setLocation", "onError": "continue"},
        {"action": "waitForSelector", "selector": {"type": "css", "value": ".none"}, "timeout": 7}]});
    let reply = client.send(&request);
    assert_eq!(reply.latency, Duration::ZERO);
    let elapsed: Vec<_> =
        reply.body["actions"].as_array().unwrap().iter().map(|it| it["elapsedTime"].as_f64().unwrap()).collect();
    assert_eq!((elapsed[0], elapsed[2]), (3.0, 7.0));
}

#[test]
fn latency_depends_on_the_mode() {
    let mut client =
        Client::new(SimulatorOptions { latency: Latency { spread: 0.0, ..Latency::realistic() }, ..SimulatorOptions::default() });
    for (request, seconds) in [
        (json!({"url": "https://a.example/", "browserHtml": true}), 8.0),
        (json!({"url": "https://a.example/", "httpResponseBody": true}), 1.5),
        (json!({"url": "https://e429.example/", "httpResponseBody": true}), 0.2),
        (json!({"url": "https://e520.example/", "httpResponseBody": true}), 1.5),
        (json!({"url": "https://slow.example/", "httpResponseBody": true}), 31.5),
        (
            json!({"url": "https://a.example/", "browserHtml": true, "actions": [{"action": "waitForTimeout", "timeout": 3}]}),
            11.0,
        ),
    ] {
        assert_eq!(client.send(&request).latency, Duration::from_secs_f64(seconds), "{request}");
    }
}
