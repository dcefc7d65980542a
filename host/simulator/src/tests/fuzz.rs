//! Requests at random: whatever comes, the simulator answers in its own form and its meters add up.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Client, session_id};
use crate::chance::Chance;
use crate::{BanRule, FaultRule, SessionRules, SimulatorOptions};

/// Picks one of several.
fn pick<'a, T>(chance: &mut Chance, from: &'a [T]) -> &'a T {
    let index = usize::try_from(chance.draw() % from.len() as u64).unwrap();
    &from[index]
}

fn random_request(chance: &mut Chance) -> Map<String, Value> {
    let hosts = [
        "a.example",
        "s1.market.example",
        "s1.tickets.example",
        "s1.club.example",
        "s1.grocer.example",
        "e520.example",
        "expired.example",
        "drop.example",
    ];
    let paths = ["", "p/1", "login", "location", "store?postal=1", "status/500", "redirect/20", "big/x", "%ff"];
    let mut request = Map::new();
    let url = format!("https://{}/{}", pick(chance, &hosts), pick(chance, &paths));
    request.insert("url".into(), url.into());
    let extras = [
        ("browserHtml", json!(true)),
        ("httpResponseBody", json!(true)),
        ("product", json!(true)),
        ("responseCookies", json!(true)),
        ("httpRequestMethod", json!("POST")),
        ("httpRequestText", json!("user=a&password=open-sesame&zip=10001")),
        ("actions", json!([{"action": "setLocation"}, {"action": "click", "selector": {"type": "css", "value": "#save, a"}}])),
        ("actions", json!([{"action": "evaluate", "source": "document.querySelector('input').value = 'x'; location = '::'"}])),
        ("requestCookies", json!([{"name": "zip", "value": "\"<>&", "domain": ".example"}])),
        ("geolocation", json!("FR")),
        ("tags", json!({"place": "10001"})),
        ("session", json!({"id": "no"})),
        ("colour", json!(null)),
    ];
    for _ in 0..chance.draw() % 5 {
        let (name, value) = pick(chance, &extras);
        request.insert((*name).to_owned(), value.clone());
    }
    if chance.draw().is_multiple_of(2) {
        let number = u32::try_from(chance.draw() % 12).unwrap();
        request.insert("session".into(), json!({"id": session_id(number)}));
    }
    request
}

fn sum(tally: &Value) -> u64 {
    tally.as_object().unwrap().values().map(|it| it.as_u64().unwrap()).sum()
}

#[test]
fn whatever_comes_gets_an_answer_and_the_meters_add_up() {
    for seed in 1..=8 {
        let mut chance = Chance::new(seed);
        let mut client = Client::new(SimulatorOptions {
            seed,
            bans: vec![BanRule::after_uses("*", 5)],
            faults: FaultRule::read_list(r#"[{"probability": 0.05, "status": 503, "type": "/problem/session-creation-error"}]"#)
                .unwrap(),
            sessions: SessionRules {
                max_active: Some(6),
                creation_fault_share: 0.1,
                http_born_strict: true,
                ..SessionRules::default()
            },
            ..SimulatorOptions::default()
        });
        let total = 1_500;
        for _ in 0..total {
            client.now += Duration::from_secs(chance.draw() % 40);
            let request = random_request(&mut chance);
            let reply = client.simulator.extract(client.now, &request);
            let is_problem = reply.body.contains_key("type");
            assert_eq!(is_problem, reply.status != 200, "{request:?}");
            if is_problem {
                assert_eq!(reply.body["status"], reply.status);
            } else {
                assert!(reply.body.contains_key("url") && reply.body.contains_key("statusCode"));
            }
        }
        let report = client.simulator.report();
        assert_eq!(report["requests"]["total"], total);
        assert_eq!(sum(&report["requests"]["statuses"]), total);
        let billed = report["billed"]["total"].as_u64().unwrap();
        assert_eq!(report["requests"]["statuses"]["200"], billed);
        for part in ["modes", "session_parts", "hosts"] {
            assert_eq!(sum(&report["billed"][part]), billed);
        }
        assert_eq!(sum(&report["pages"]), billed);
        let sessions = &report["sessions"];
        let ended = sum(&sessions["ended"]);
        assert_eq!(sessions["created"], ended + sessions["active"].as_u64().unwrap());
        assert!(ended > 0 && sessions["reborn"].as_u64() > Some(0), "the run is a real one");
    }
}
