//! Scripted faults, magic hosts and the rate limit.

use std::time::Duration;

use serde_json::json;

use super::{Client, client, header, session_id};
use crate::{SimulatorOptions, WireFault};

const PAGE: &str = r#"{"url": "https://shop.example/p/1", "browserHtml": true}"#;

#[test]
fn scripted_problems_keep_their_place_in_the_course() {
    for (fault, outcome, created) in [
        (r#"{"status": 429, "type": "/limits/over-domain-limit"}"#, "429 /limits/over-domain-limit", 0),
        (r#"{"status": 503}"#, "503 /limits/over-global-limit", 0),
        (r#"{"status": 503, "type": "/problem/session-creation-error"}"#, "503 /problem/session-creation-error", 0),
        (r#"{"status": 422, "type": "/problem/over-session-limit"}"#, "422 /problem/over-session-limit", 0),
        (r#"{"status": 422, "type": "/problem/session-expired"}"#, "422 /problem/session-expired", 0),
        (r#"{"status": 451}"#, "451 /download/domain-forbidden", 1),
        (r#"{"status": 421}"#, "421 /website/domain-unreachable", 1),
        (r#"{"status": 520}"#, "520 /download/temporary-error", 1),
        (r#"{"status": 521}"#, "521 /download/internal-error", 1),
        (r#"{"status": 500, "type": "/server/timed-out"}"#, "500 /server/timed-out", 1),
        (r#"{"status": 599, "type": "/new/kind"}"#, "599 /new/kind", 1),
    ] {
        let mut client = client(&format!("[{fault}]"));
        let request = json!({"url": "https://a.example/", "browserHtml": true, "session": {"id": session_id(1)}});
        assert_eq!(client.outcome(&request), outcome);
        let report = client.simulator.report();
        assert_eq!(report["sessions"]["created"], created, "{fault}");
        assert_eq!(report["billed"]["total"], 0);
    }
}

#[test]
fn a_scripted_expiry_ends_a_living_session() {
    let mut client = client(r#"[{"status": 422, "type": "/problem/session-expired", "session_use": [2]}]"#);
    let request = json!({"url": "https://a.example/", "browserHtml": true, "session": {"id": session_id(1)}});
    for expected in ["200", "422 /problem/session-expired", "422 /problem/session-expired"] {
        assert_eq!(client.outcome(&request), expected);
    }
    assert_eq!(client.simulator.report()["sessions"]["ended"]["script"], 1);
}

#[test]
fn three_scripted_bans_in_a_row_end_a_session() {
    let mut client = client(r#"[{"status": 520, "nth": [1, 2, 4, 5, 6]}]"#);
    let request = json!({"url": "https://a.example/", "browserHtml": true, "session": {"id": session_id(1)}});
    let ban = "520 /download/temporary-error";
    for expected in [ban, ban, "200", ban, ban, ban, "422 /problem/session-expired"] {
        assert_eq!(client.outcome(&request), expected);
    }
}

#[test]
fn faults_carry_retry_after_latency_and_broken_connections() {
    let mut client = client(
        r#"[{"nth": [1], "status": 520, "retry_after": 60}, {"nth": [2], "latency_seconds": 2.5},
            {"nth": [3], "connection": "drop"}, {"nth": [4], "connection": "wrong-content-type"}]"#,
    );
    let request = serde_json::from_str(PAGE).unwrap();
    let reply = client.send(&request);
    assert_eq!(header(&reply, "retry-after"), Some("60"));
    assert_eq!(client.send(&request).latency, Duration::from_millis(2_500));
    assert_eq!(client.send(&request).fault, Some(WireFault::Drop));
    let reply = client.send(&request);
    assert_eq!(reply.fault, Some(WireFault::WrongContentType));
    assert_eq!(header(&reply, "content-type"), Some("text/html"));
}

#[test]
fn a_rule_may_be_for_searches_or_for_extraction() {
    let mut client = client(
        r#"{"faults": [{"mode": "search", "status": 503}, {"extraction": true, "status": 503, "type": "/extractor/over-global-limit"}]}"#,
    );
    let search = client.call("POST", "/v1/search", Some("key"), r#"{"domain": "google.com", "query": "a"}"#);
    assert_eq!(search.status, 503);
    for (request, expected) in [
        (json!({"url": "https://a.example/", "browserHtml": true}), "200"),
        (json!({"url": "https://a.example/", "product": true}), "503 /extractor/over-global-limit"),
        (json!({"url": "https://a.example/", "serp": true}), "503 /extractor/over-global-limit"),
    ] {
        assert_eq!(client.outcome(&request), expected);
    }
}

#[test]
fn magic_hosts_answer_as_their_names_say() {
    for (host, expected) in [
        ("e429.example", "429 /limits/over-user-limit"),
        ("e503.example", "503 /limits/over-global-limit"),
        ("e520.example", "520 /download/temporary-error"),
        ("e521.example", "521 /download/internal-error"),
        ("e500.example", "500 /server/internal"),
        ("e451.example", "451 /download/domain-forbidden"),
        ("e421.example", "421 /website/domain-unreachable"),
        ("www.e422.example", "422 /request/unprocessable"),
        ("expired.example", "422 /problem/session-expired"),
        ("e5.example", "200"),
        ("e999.example", "200"),
    ] {
        let request = json!({"url": format!("https://{host}/"), "browserHtml": true, "session": {"id": session_id(1)}});
        assert_eq!(client("[]").outcome(&request), expected, "{host}");
    }
    let blocked = client("[]").send(&json!({"url": "https://e451.example/", "browserHtml": true}));
    assert_eq!(blocked.body["blockedDomain"], "e451.example");
    let elsewhere = client(r#"{"status": 451, "blocked_domain": "cdn.example"}"#);
    let blocked = { elsewhere }.send(&json!({"url": "https://a.example/", "browserHtml": true}));
    assert_eq!(blocked.body["blockedDomain"], "cdn.example");
    assert_eq!(client("[]").outcome(&json!({"url": "https://expired.example/", "browserHtml": true})), "200");
}

#[test]
fn a_key_has_a_limit_per_minute() {
    let mut client = Client::new(SimulatorOptions { requests_per_minute: Some(2), ..SimulatorOptions::default() });
    let request = serde_json::from_str(PAGE).unwrap();
    client.wait(50.0);
    for expected in ["200", "200", "429 /limits/over-user-limit"] {
        assert_eq!(client.outcome(&request), expected);
    }
    assert_eq!(header(&client.send(&request), "retry-after"), Some("10"));
    client.wait(10.0);
    assert_eq!(client.outcome(&request), "200");
}
