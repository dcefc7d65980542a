//! Engine and simulator together where Zyte keeps the sessions: what they cost, how long they live, and how one is discarded.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a failing test may panic")]

use std::sync::Arc;
use std::time::Duration;

use carousel_core::exchange::Request;
use carousel_core::settings::{KindRule, SessionSettings, Settings};
use carousel_engine::{Engine, EngineOptions, HookPlaces, NoSites};
use carousel_simulator::{InProcess, Latency, Simulator, SimulatorOptions};
use serde_json::{Value, json};

/// Fetches a page each hour at one place; what engine and simulator say of it.
async fn crawl(kind: Option<KindRule>, hours: u64, output: &str) -> (Value, Value) {
    let options = SimulatorOptions { seed: 1, latency: Latency::realistic(), ..SimulatorOptions::default() };
    let api = InProcess::new(Simulator::new(options));
    let location = json!({"addressCountry": "US", "postalCode": "10001"}).as_object().cloned().expect("an object");
    let session = SessionSettings { kind, location, ..SessionSettings::default() };
    let settings = Arc::new(Settings { session, ..Settings::default() });
    let options = EngineOptions { seed: Some(1), hooks: HookPlaces::InPlace, ..EngineOptions::default() };
    let engine = Engine::new(settings, api.clone(), Arc::new(NoSites), options).expect("an engine");
    for hour in 0..hours {
        if hour > 0 {
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        let line = json!({"url": format!("https://bakery.example/store?hour={hour}"), output: true});
        engine.fetch(Request::from_json(line).expect("a request")).await.expect("a page");
    }
    (engine.report(), api.report())
}

#[tokio::test(start_paused = true)]
async fn a_page_each_hour_costs_one_answer_where_zyte_keeps_the_session_and_two_where_it_does_not() {
    for output in ["browserHtml", "httpResponseBody"] {
        for (kind, inits, opened, managed) in
            [(None, 4, 4, 0), (Some(KindRule::User), 4, 4, 0), (Some(KindRule::Zyte), 0, 0, 1), (Some(KindRule::Auto), 0, 0, 1)]
        {
            let (engine, api) = crawl(kind, 4, output).await;
            assert_eq!(engine["billed"], json!({"init": inits, "use": 4, "discarded": 0}), "{kind:?}");
            assert_eq!((&api["sessions"]["created"], &api["managed_sessions"]["created"]), (&json!(opened), &json!(managed)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_four_hours_the_next_session_has_another_context() {
    let (engine, api) = crawl(Some(KindRule::Zyte), 9, "httpResponseBody").await;
    assert_eq!(api["managed_sessions"]["created"], 3, "{}", api["managed_sessions"]);
    assert_eq!(engine["ended"], json!({"expired-age": 2}));
}
