//! Engine and simulator together in virtual time: hours pass in seconds, and the same seed gives the same counters.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a failing test may panic")]

use std::sync::Arc;

use carousel_core::exchange::Request;
use carousel_core::settings::Settings;
use carousel_engine::{Engine, EngineOptions, HookPlaces, NoSites};
use carousel_simulator::{InProcess, Latency, Simulator, SimulatorOptions, demo_requests};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Crawls the demo's requests, some hundred at a time, without plugins.
async fn crawl(seed: u64) -> (Value, Value) {
    let options = SimulatorOptions { seed, latency: Latency::realistic(), ..SimulatorOptions::default() };
    let api = InProcess::new(Simulator::new(options));
    let options = EngineOptions { seed: Some(seed), hooks: HookPlaces::InPlace, ..EngineOptions::default() };
    let engine = Engine::new(Arc::new(Settings::default()), api.clone(), Arc::new(NoSites), options).expect("an engine");
    let mut under_way = JoinSet::new();
    for line in demo_requests() {
        if under_way.len() == 200 {
            under_way.join_next().await;
        }
        let engine = engine.clone();
        let request = Request::from_json(Value::Object(line)).expect("a request");
        under_way.spawn(async move { engine.fetch(request).await.is_ok() });
    }
    under_way.join_all().await;
    (engine.report(), api.report())
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_counters_twice() {
    let (first, second) = (crawl(7).await, crawl(7).await);
    assert_eq!(first, second);
    assert!(first.0["requests"]["total"].as_u64() > Some(2_000), "{}", first.0["requests"]);
    let other = crawl(8).await;
    assert_ne!(first.1, other.1, "another seed is another course of events");
}

#[tokio::test(start_paused = true)]
async fn no_request_is_sent_on_a_session_that_the_api_has_ended() {
    let (engine, api) = crawl(1).await;
    let sessions = &api["sessions"];
    assert_eq!(sessions["reborn"], json!(0), "{sessions}");
    // But for calls that were under way beside the third ban in a row: one at most, where four share a session.
    let banned = sessions["ended"]["bans"].as_u64().unwrap_or_default();
    let late = sessions["refused_expired"].as_u64().unwrap_or_default();
    assert!(late <= banned, "{sessions}");
    assert_eq!(engine["sessions"]["use/expired"].as_u64().unwrap_or_default(), late);
}
