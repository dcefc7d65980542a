//! Requests that are kept apart, left alone or refused before anything is sent, seen from outside.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::api::{Api, Call, Kind};
use crate::harness::crawl::{Crawl, Crawled};
use crate::harness::reply::Reply;

fn page(more: Value) -> Value {
    let mut line = json!({"url": "https://s.example/a", "browserHtml": true});
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    line
}

fn crawl(api: &Api, settings: &str, lines: &[Value], args: &[&str]) -> Crawled {
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    Crawl::through(api).settings(settings).args(["--annotate", "--store-errors"]).args(args).run(&input)
}

#[test]
fn each_page_comes_from_its_place() {
    let places = ["DE", "US", "FR", "JP"];
    for (output, inits) in [(json!({"browserHtml": false, "httpResponseBody": true}), 4), (json!({}), 0)] {
        let place = |place: &&str| {
            let mut line = page(json!({"geolocation": place}));
            line.as_object_mut().unwrap().extend(output.as_object().unwrap().clone());
            line
        };
        let lines: Vec<Value> = places.iter().chain(&places).map(place).collect();
        let api = Api::start(|_| Reply::ok());
        let crawled = crawl(&api, "", &lines, &[]);
        crawled.exits(0);
        assert_eq!(api.calls_of(Kind::Init).len(), inits, "browser requests create their sessions themselves");
        let calls = api.calls();
        let first = |call: &Call| calls.iter().find(|first| first.session() == call.session()).unwrap();
        assert!(calls.iter().all(|call| first(call).body["geolocation"] == call.body["geolocation"]));
        let sessions: BTreeSet<&str> = calls.iter().map(Call::session).collect();
        assert_eq!(sessions.len(), 4);
        let pools: Vec<String> = crawled.stats["pools"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(pools, ["DE", "FR", "JP", "US"].map(|place| format!("s.example;geolocation={place}")));
    }
}

#[test]
fn in_the_peers_profile_it_is_warned_of_once() {
    let lines = ["DE", "US", "FR"].map(|place| page(json!({"geolocation": place})));
    let api = Api::start(|_| Reply::ok());
    let settings = "profile = \"scrapy-zyte-api\"\nsession.enabled = true\nsession.pool_size = 1\n";
    let crawled = crawl(&api, settings, &lines, &[]);
    crawled.exits(0);
    assert_eq!(crawled.process.stderr.matches("another geolocation or ipType than its session began with").count(), 1);
    assert_eq!(crawled.stats["pools"].as_object().unwrap().len(), 1);
}

#[test]
fn what_the_caller_manages_and_what_can_have_no_session_is_sent_as_it_is() {
    let lines = [
        page(json!({"session": {"id": "0a0b0c0d-0000-4000-8000-000000000001"}, "echoData": 1})),
        page(json!({"sessionContext": [{"name": "a", "value": "b"}], "echoData": 2})),
        json!({"url": "https://search.example/?q=a", "serp": true}),
    ];
    let api = Api::start(|_| Reply::ok());
    let crawled = crawl(&api, "crawl.concurrency = 1\n", &lines, &[]);
    crawled.exits(0);
    let sent: Vec<Value> = api.calls().into_iter().map(|call| call.body).collect();
    assert_eq!(sent, lines);
    assert_eq!(crawled.stats["sessions"], json!({"use/own-session": 2, "use/disabled": 1}));
}

#[test]
fn what_the_api_would_refuse_costs_nothing_unless_it_is_to_be_sent_unchecked() {
    let lines = [
        json!({"url": "https://s.example/a"}),
        page(json!({"geolocation": "DE", "meta": {"zyte_api_session_params": {"browserHtml": true, "geolocation": "US"}}})),
        page(json!({"httpResponseBody": true})),
    ];
    let api = Api::start(|_| Reply::ok());
    let crawled = crawl(&api, "", &lines, &[]);
    crawled.exits(1);
    assert_eq!(api.calls().len(), 0);
    let error = |line: usize| crawled.about(line)["error"].clone();
    for line in 1..=3 {
        assert_eq!(error(line)["kind"], "bad-request", "{}", error(line));
    }
    let told = json!([error(1)["status"], error(1)["type"], error(1)["title"]]);
    assert_eq!(told, json!([422, "/request/unprocessable", "No data requested"]));
    assert_eq!(error(3)["title"], "Unprocessable Request");
    let crawled = crawl(&api, "", &lines, &["--no-check"]);
    assert_eq!(crawled.about(2)["error"]["kind"], "bad-request", "that is no affair of the API's");
    assert_eq!((api.calls_of(Kind::Init).len(), api.calls_of(Kind::Use).len()), (1, 2));
}
