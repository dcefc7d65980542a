//! The course of a request: order of checks, sessions, faults, bills.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, page, session_id};
use crate::{
    BanRule, FaultRule, Latency, Reply, SessionRules, Simulator, SimulatorOptions, WireFault,
    demo_requests,
};

const PAGE: &str = r#"{"url": "https://shop.example/p/1", "browserHtml": true}"#;

fn client(faults: &str) -> Client {
    Client::new(SimulatorOptions {
        faults: FaultRule::read_list(faults).unwrap(),
        ..SimulatorOptions::default()
    })
}

fn header<'a, B>(reply: &'a Reply<B>, name: &str) -> Option<&'a str> {
    let found = reply.headers.iter().find(|(known, _)| known == name)?;
    Some(&found.1)
}

#[test]
fn checks_come_in_the_order_of_the_real_service() {
    let large = " ".repeat(5 * 1024 * 1024 + 1);
    for (method, path, key, body, expected) in [
        (
            "GET",
            "/v2/extract",
            None,
            "",
            (404, "/request/invalid", "HTTP 404 Not Found"),
        ),
        (
            "POST",
            "/extract",
            None,
            "",
            (404, "/request/invalid", "HTTP 404 Not Found"),
        ),
        (
            "GET",
            "/v1/extract",
            None,
            "",
            (405, "/request/invalid", "HTTP 405 Method Not Allowed"),
        ),
        (
            "POST",
            "/v1/extract",
            None,
            "{",
            (401, "/auth/not-valid", "Authentication Info Invalid"),
        ),
        (
            "POST",
            "/v1/extract",
            Some("unknown"),
            "{",
            (401, "/auth/key-not-found", "Authentication Key Not Found"),
        ),
        (
            "POST",
            "/v1/extract",
            Some("suspended"),
            "{",
            (403, "/auth/account-suspended", "Account Suspended"),
        ),
        (
            "POST",
            "/v1/extract",
            Some("key"),
            &large,
            (413, "/request/invalid", "HTTP 413 Content Too Large"),
        ),
        (
            "POST",
            "/v1/extract",
            Some("key"),
            "{",
            (400, "/request/invalid-json", "Invalid JSON"),
        ),
        (
            "POST",
            "/v1/extract",
            Some("key"),
            r#"{"colour": 1}"#,
            (400, "/request/invalid", "Bad Request"),
        ),
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
        let found = (
            reply.status,
            document["type"].as_str().unwrap(),
            document["title"].as_str().unwrap(),
        );
        assert_eq!(found, expected);
        assert_eq!(document["status"], reply.status);
        assert!(document["detail"].is_string());
        assert_eq!(
            header(&reply, "content-type"),
            Some("application/problem+json")
        );
        assert_eq!(header(&reply, "request-id").map(str::len), Some(32));
        let challenge = (reply.status == 401).then_some("Basic realm=\"Zyte API\"");
        assert_eq!(header(&reply, "www-authenticate"), challenge);
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
    assert_eq!(
        names,
        [
            "url",
            "statusCode",
            "httpResponseBody",
            "httpResponseHeaders",
            "session",
            "echoData",
            "jobId"
        ]
    );
    assert_eq!(answer["echoData"], json!([1, {"a": null}]));
    assert_eq!(answer["session"]["id"], id);
    let answer = client.ok(&json!({"url": "https://shop.example/p/1", "screenshot": true, "product": true,
        "actions": [], "responseCookies": true, "networkCapture": [{"filterType": "resourceType", "resourceType": "document"}]}));
    let names: Vec<_> = answer.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "url",
            "statusCode",
            "screenshot",
            "networkCapture",
            "product",
            "actions",
            "responseCookies"
        ]
    );
    assert!(
        answer["screenshot"]
            .as_str()
            .unwrap()
            .starts_with("iVBORw0KGgo")
    );
    assert_eq!(
        answer["networkCapture"][0]["interceptionStatus"]["status"],
        "success"
    );
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
            sessions: SessionRules {
                creation_fault_share: 0.1,
                ..SessionRules::default()
            },
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
fn a_lapsed_session_is_refused_and_later_silently_new() {
    let mut client = client("[]");
    let request = json!({"url": "https://a.tickets.example/", "browserHtml": true, "session": {"id": session_id(1)}, "responseCookies": true});
    let first = client.ok(&request)["responseCookies"].clone();
    client.wait(119.0);
    assert_eq!(client.ok(&request)["responseCookies"], first);
    client.wait(120.0);
    assert_eq!(client.outcome(&request), "422 /problem/session-expired");
    client.wait(600.0);
    assert_ne!(client.ok(&request)["responseCookies"], first);
    let sessions = &client.simulator.report()["sessions"];
    assert_eq!(sessions["created"], 2);
    assert_eq!(sessions["reborn"], 1);
    assert_eq!(sessions["refused_expired"], 1);
}

#[test]
fn a_session_keeps_its_address_and_a_request_without_one_gets_another() {
    let mut client = client("[]");
    let with = json!({"url": "https://a.example/ip", "browserHtml": true, "session": {"id": session_id(1)}});
    let without = json!({"url": "https://a.example/ip", "browserHtml": true});
    let first = page(&client.ok(&with));
    assert_eq!(page(&client.ok(&with)), first);
    let (one, other) = (page(&client.ok(&without)), page(&client.ok(&without)));
    assert!(one != first && one != other);
}

#[test]
fn the_jar_is_shared_by_browser_and_http_and_ignores_request_cookies() {
    let mut client = client("[]");
    let session = json!({"id": session_id(1)});
    client
        .ok(&json!({"url": "https://a.example/set/a/1", "browserHtml": true, "session": session}));
    let list =
        json!({"url": "https://a.example/cookies", "httpResponseBody": true, "session": session});
    assert!(page(&client.ok(&list)).contains(">a=1<"));
    let mut with_cookies = list.clone();
    with_cookies["requestCookies"] = json!([{"name": "b", "value": "2", "domain": "a.example"}, {"name": "a", "value": "9", "domain": ".a.example"}]);
    let html = page(&client.ok(&with_cookies));
    assert!(
        html.contains(">b=2<") && html.contains(">a=9<") && !html.contains(">a=1<"),
        "{html}"
    );
    let html = page(&client.ok(&list));
    assert!(html.contains(">a=1<") && !html.contains("b=2"), "{html}");
    let mut discarding = list.clone();
    discarding["cookieManagement"] = "discard".into();
    assert!(!page(&client.ok(&discarding)).contains("a=1"));
}

#[test]
fn response_cookies_can_be_sent_back() {
    let mut client = client("[]");
    let answer = client.ok(&json!({"url": "https://a.example/set/a/1", "httpResponseBody": true, "responseCookies": true}));
    assert_eq!(answer["responseCookies"][0]["name"], "a");
    let html = page(&client.ok(&json!({"url": "https://a.example/cookies", "httpResponseBody": true, "requestCookies": answer["responseCookies"]})));
    assert!(html.contains(">a=1<"), "{html}");
}

#[test]
fn a_site_bans_a_session_after_its_uses() {
    let mut client = Client::new(SimulatorOptions {
        bans: vec![BanRule::after_uses("*.shop.example", 2)],
        ..SimulatorOptions::default()
    });
    let request = |host: &str, session| json!({"url": format!("https://{host}/"), "browserHtml": true, "session": {"id": session_id(session)}});
    let a = "a.shop.example";
    for expected in ["200", "200"] {
        assert_eq!(client.outcome(&request(a, 1)), expected);
    }
    assert_eq!(client.outcome(&request("b.shop.example", 1)), "200");
    for expected in [
        "520 /download/temporary-error",
        "520 /download/temporary-error",
        "520 /download/temporary-error",
        "422 /problem/session-expired",
    ] {
        assert_eq!(client.outcome(&request(a, 1)), expected);
    }
    assert_eq!(client.outcome(&request(a, 2)), "200");
    assert_eq!(client.simulator.report()["sessions"]["ended"]["bans"], 1);
}

#[test]
fn a_site_may_ban_who_comes_too_fast() {
    let mut client = Client::new(SimulatorOptions {
        bans: vec![BanRule {
            host: "*".into(),
            after_uses: None,
            min_interval: Some(Duration::from_secs(2)),
        }],
        ..SimulatorOptions::default()
    });
    let request =
        json!({"url": "https://a.example/", "browserHtml": true, "session": {"id": session_id(1)}});
    for (pause, expected) in [
        (0.0, "200"),
        (1.9, "520 /download/temporary-error"),
        (2.0, "200"),
    ] {
        client.wait(pause);
        assert_eq!(client.outcome(&request), expected);
    }
}

#[test]
fn scripted_problems_keep_their_place_in_the_course() {
    for (fault, outcome, created) in [
        (
            r#"{"status": 429, "type": "/limits/over-domain-limit"}"#,
            "429 /limits/over-domain-limit",
            0,
        ),
        (r#"{"status": 503}"#, "503 /limits/over-global-limit", 0),
        (
            r#"{"status": 503, "type": "/problem/session-creation-error"}"#,
            "503 /problem/session-creation-error",
            0,
        ),
        (
            r#"{"status": 422, "type": "/problem/over-session-limit"}"#,
            "422 /problem/over-session-limit",
            0,
        ),
        (
            r#"{"status": 422, "type": "/problem/session-expired"}"#,
            "422 /problem/session-expired",
            0,
        ),
        (r#"{"status": 451}"#, "451 /download/domain-forbidden", 1),
        (r#"{"status": 421}"#, "421 /website/domain-unreachable", 1),
        (r#"{"status": 520}"#, "520 /download/temporary-error", 1),
        (r#"{"status": 521}"#, "521 /download/internal-error", 1),
        (
            r#"{"status": 500, "type": "/server/timed-out"}"#,
            "500 /server/timed-out",
            1,
        ),
        (
            r#"{"status": 599, "type": "/new/kind"}"#,
            "599 /new/kind",
            1,
        ),
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
    let mut client =
        client(r#"[{"status": 422, "type": "/problem/session-expired", "session_use": [2]}]"#);
    let request =
        json!({"url": "https://a.example/", "browserHtml": true, "session": {"id": session_id(1)}});
    for expected in [
        "200",
        "422 /problem/session-expired",
        "422 /problem/session-expired",
    ] {
        assert_eq!(client.outcome(&request), expected);
    }
    assert_eq!(client.simulator.report()["sessions"]["ended"]["script"], 1);
}

#[test]
fn three_scripted_bans_in_a_row_end_a_session() {
    let mut client = client(r#"[{"status": 520, "nth": [1, 2, 4, 5, 6]}]"#);
    let request =
        json!({"url": "https://a.example/", "browserHtml": true, "session": {"id": session_id(1)}});
    let ban = "520 /download/temporary-error";
    for expected in [
        ban,
        ban,
        "200",
        ban,
        ban,
        ban,
        "422 /problem/session-expired",
    ] {
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
    assert_eq!(
        client("[]").outcome(&json!({"url": "https://expired.example/", "browserHtml": true})),
        "200"
    );
}

#[test]
fn a_key_has_a_limit_per_minute() {
    let mut client = Client::new(SimulatorOptions {
        requests_per_minute: Some(2),
        ..SimulatorOptions::default()
    });
    let request = serde_json::from_str(PAGE).unwrap();
    client.wait(50.0);
    for expected in ["200", "200", "429 /limits/over-user-limit"] {
        assert_eq!(client.outcome(&request), expected);
    }
    assert_eq!(header(&client.send(&request), "retry-after"), Some("10"));
    client.wait(10.0);
    assert_eq!(client.outcome(&request), "200");
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
        json!({"total": 3, "modes": {"browser": 1, "http": 2}, "session_parts": {"first": 1, "later": 1, "none": 1},
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
fn latency_depends_on_the_mode() {
    let mut client = Client::new(SimulatorOptions {
        latency: Latency {
            spread: 0.0,
            ..Latency::realistic()
        },
        ..SimulatorOptions::default()
    });
    for (request, seconds) in [
        (
            json!({"url": "https://a.example/", "browserHtml": true}),
            8.0,
        ),
        (
            json!({"url": "https://a.example/", "httpResponseBody": true}),
            1.5,
        ),
        (
            json!({"url": "https://e429.example/", "httpResponseBody": true}),
            0.2,
        ),
        (
            json!({"url": "https://e520.example/", "httpResponseBody": true}),
            1.5,
        ),
        (
            json!({"url": "https://slow.example/", "httpResponseBody": true}),
            31.5,
        ),
        (
            json!({"url": "https://a.example/", "browserHtml": true, "actions": [{"action": "waitForTimeout", "timeout": 3}]}),
            11.0,
        ),
    ] {
        assert_eq!(
            client.send(&request).latency,
            Duration::from_secs_f64(seconds),
            "{request}"
        );
    }
}

#[test]
fn a_context_of_the_service_keeps_its_session() {
    let mut client = client("[]");
    let request = json!({"url": "https://a.grocer.example/p/1", "httpResponseBody": true,
        "sessionContext": [{"name": "zip", "value": "10001"}],
        "sessionContextParameters": {"actions": [{"action": "setLocation", "address": {"postalCode": "10001"}}]}});
    let html = page(&client.ok(&request));
    assert!(
        html.contains("<span id=\"store-postal\">10001</span>"),
        "{html}"
    );
    assert_eq!(page(&client.ok(&request)), html);
}

#[test]
fn redirects_are_followed_unless_told_otherwise() {
    let mut client = client("[]");
    let mut request = json!({"url": "https://a.example/redirect/2", "httpResponseBody": true});
    let answer = client.ok(&request);
    assert_eq!(
        (&answer["url"], &answer["statusCode"]),
        (&json!("https://a.example/redirect/0"), &json!(200))
    );
    request["followRedirect"] = false.into();
    assert_eq!(client.ok(&request)["statusCode"], 302);
}

#[test]
fn long_pages_are_cut_at_10_mib() {
    let answer =
        client("[]").ok(&json!({"url": "https://a.example/big/20000000", "browserHtml": true}));
    assert_eq!(
        answer["browserHtml"].as_str().unwrap().len(),
        10 * 1024 * 1024
    );
}
