//! Sessions as requests meet them: life, jar, address, bans.

use std::time::Duration;

use serde_json::json;

use super::{Client, client, page, session_id};
use crate::{BanRule, ManagedRules, SimulatorOptions};

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
    client.ok(&json!({"url": "https://a.example/set/a/1", "browserHtml": true, "session": session}));
    let list = json!({"url": "https://a.example/cookies", "httpResponseBody": true, "session": session});
    assert!(page(&client.ok(&list)).contains(">a=1<"));
    let mut with_cookies = list.clone();
    with_cookies["requestCookies"] =
        json!([{"name": "b", "value": "2", "domain": "a.example"}, {"name": "a", "value": "9", "domain": ".a.example"}]);
    let html = page(&client.ok(&with_cookies));
    assert!(html.contains(">b=2<") && html.contains(">a=9<") && !html.contains(">a=1<"), "{html}");
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
    let html =
        page(&client.ok(
            &json!({"url": "https://a.example/cookies", "httpResponseBody": true, "requestCookies": answer["responseCookies"]}),
        ));
    assert!(html.contains(">a=1<"), "{html}");
}

#[test]
fn a_site_bans_a_session_after_its_uses() {
    let mut client =
        Client::new(SimulatorOptions { bans: vec![BanRule::after_uses("*.shop.example", 2)], ..SimulatorOptions::default() });
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
        bans: vec![BanRule { host: "*".into(), after_uses: None, min_interval: Some(Duration::from_secs(2)) }],
        ..SimulatorOptions::default()
    });
    let request = json!({"url": "https://a.example/", "browserHtml": true, "session": {"id": session_id(1)}});
    for (pause, expected) in [(0.0, "200"), (1.9, "520 /download/temporary-error"), (2.0, "200")] {
        client.wait(pause);
        assert_eq!(client.outcome(&request), expected);
    }
}

#[test]
fn a_context_of_the_service_keeps_its_session() {
    let mut client = client("[]");
    let request = json!({"url": "https://a.grocer.example/p/1", "httpResponseBody": true,
        "sessionContext": [{"name": "zip", "value": "10001"}],
        "sessionContextParameters": {"actions": [{"action": "setLocation", "address": {"postalCode": "10001"}}]}});
    let html = page(&client.ok(&request));
    assert!(html.contains("<span id=\"store-postal\">10001</span>"), "{html}");
    assert_eq!(page(&client.ok(&request)), html);
    let report = client.simulator.report();
    assert_eq!(report["managed_sessions"], json!({"created": 1, "kept": 1, "ended": {}}));
    assert_eq!(report["billed"]["session_parts"], json!({"managed": 2}));
}

#[test]
fn a_session_of_a_context_ends_by_age_and_by_bans_in_all() {
    let managed = ManagedRules { max_age: Duration::from_secs(100), max_bans: 2 };
    let mut client = Client::new(SimulatorOptions {
        managed,
        bans: vec![BanRule::after_uses("*.shop.example", 1)],
        ..SimulatorOptions::default()
    });
    let ask = |host: &str| json!({"url": format!("https://{host}/ip"), "browserHtml": true, "sessionContext": [{"name": "a", "value": "b"}]});
    let (shop, other) = (ask("a.shop.example"), ask("a.example"));
    let first = page(&client.ok(&shop));
    let ban = "520 /download/temporary-error";
    for (request, expected) in [(&shop, ban), (&other, "200"), (&shop, ban)] {
        assert_eq!(client.outcome(request), expected);
    }
    let second = page(&client.ok(&shop));
    client.wait(99.0);
    assert_eq!(page(&client.ok(&other)), second);
    client.wait(1.0);
    let third = page(&client.ok(&other));
    assert!(first != second && second != third);
    assert_eq!(client.simulator.report()["managed_sessions"], json!({"created": 3, "kept": 1, "ended": {"age": 1, "bans": 1}}));
}

#[test]
fn a_session_beside_a_context_is_refused_or_wins() {
    let request = json!({"url": "https://a.example/", "browserHtml": true, "session": {"id": session_id(1)},
        "sessionContext": [{"name": "a", "value": "b"}]});
    assert_eq!(client("[]").outcome(&request), "422 /request/unprocessable");
    let mut lenient = Client::new(SimulatorOptions { refuse_session_with_context: false, ..SimulatorOptions::default() });
    assert_eq!(lenient.outcome(&request), "200");
    let report = lenient.simulator.report();
    assert_eq!((&report["sessions"]["created"], &report["managed_sessions"]["created"]), (&json!(1), &json!(0)));
}
