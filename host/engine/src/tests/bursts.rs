//! Requests that are held back until their turn comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use carousel_core::exchange::Request;
use carousel_core::settings::Settings;
use carousel_core::turns::{Order, TurnsOptions};
use serde_json::{Value, json};

use super::fake::{Api, FakeSite, engine, engine_with, request, request_with};
use crate::{Bursts, Fetcher};

fn in_pool(n: usize, pool: Value) -> Request {
    request_with(n, json!({"meta": {"zyte_api_session_pool": pool}}))
}

fn turns(places: usize) -> TurnsOptions {
    TurnsOptions { places, window: 100, window_bytes: 1 << 20, order: Order::Bursts }
}

/// The pages in the order in which they are done.
async fn done(mut bursts: Bursts<impl Fetcher, usize>) -> Vec<usize> {
    let mut order = Vec::new();
    while let Some(done) = bursts.next().await {
        order.push(done.unwrap().key);
    }
    order
}

#[tokio::test(start_paused = true)]
async fn a_pool_whose_session_rests_holds_no_place() {
    let engine = engine(Settings::default(), &Api::good());
    let mut bursts = Bursts::new(engine, turns(1));
    let slow = json!({"id": "slow", "size": 1, "delay": 100.0, "randomize_delay": false});
    for n in 0..2 {
        bursts.add(n, in_pool(n, slow.clone()), 1);
    }
    for n in 10..14 {
        bursts.add(n, in_pool(n, json!("quick")), 1);
    }
    bursts.end_of_input();
    assert_eq!(done(bursts).await, [10, 11, 12, 13, 0, 1], "the slow pool rests for 100 s after its initialisation");
}

#[tokio::test(start_paused = true)]
async fn what_is_added_starts_at_once_while_a_place_is_free() {
    let api = Api::good();
    let mut bursts = Bursts::new(engine(Settings::default(), &api), turns(2));
    bursts.add(1, in_pool(1, json!("a")), 1);
    assert_eq!((bursts.running(), bursts.waiting()), (1, 0));
    bursts.add(2, in_pool(2, json!("a")), 1);
    bursts.add(3, in_pool(3, json!("b")), 1);
    assert_eq!((bursts.running(), bursts.waiting()), (2, 1), "the second waits for the first session of its pool");
    assert_eq!(done(bursts).await.len(), 3);
    assert_eq!(api.log().iter().filter(|call| call.starts_with("init")).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_is_made_again_when_its_turn_comes() {
    for (again, expected) in [(true, vec!["ok"; 4]), (false, vec!["ok", "lost", "lost", "lost"])] {
        let recall = if again { |n: &usize| Some(in_pool(*n, json!("a"))) } else { |_: &usize| None };
        let mut bursts = Bursts::new(engine(Settings::default(), &Api::good()), turns(1)).recalling(recall);
        (0..4).for_each(|n| bursts.add(n, in_pool(n, json!("a")), 1));
        bursts.end_of_input();
        let mut results = Vec::new();
        while let Some(done) = bursts.next().await {
            results.push(done.map_or("lost", |done| if done.result.is_ok() { "ok" } else { "failed" }));
        }
        results.sort_by_key(|result| *result == "lost");
        assert_eq!(results, expected, "what cannot be made again is lost, and nothing waits for it");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plugin_is_asked_once_for_a_request_that_waits() {
    let asked = Arc::new(AtomicUsize::new(0));
    let site = FakeSite { plans: Some(Arc::clone(&asked)), ..FakeSite::default() };
    let engine = engine_with(Settings::default(), &Api::good(), site);
    let mut bursts = Bursts::new(engine, turns(1)).recalling(|n| Some(request(*n)));
    (0..3).for_each(|n| bursts.add(n, request(n), 1));
    bursts.end_of_input();
    assert_eq!(done(bursts).await, [0, 1, 2]);
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}
