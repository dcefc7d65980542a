//! Requests that are held back until their turn comes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carousel_core::exchange::Request;
use carousel_core::settings::Settings;
use carousel_core::turns::{Order, TurnsOptions};
use serde_json::{Value, json};

use super::fake::{Api, FakeSite, engine, engine_with, request, request_with};
use super::sites::{ByUrl, Hooks, Served};
use crate::{Bursts, Engine, EngineOptions, Fetcher, HookPlaces};

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

/// Two sites whose pools a hook tells, of which one takes its time, and one that the defaults serve.
fn slow_and_quick(ordered: bool) -> Bursts<super::sites::Sited, usize> {
    let named = |name| Some(Served::new(name, Hooks { pool: Some(""), ..Hooks::default() }));
    let rules = vec![("https://slow.", named("slow")), ("https://quick.", named("quick"))];
    let takes = |site: &str| Duration::from_secs(if site == "slow" { 80 } else { 0 });
    let options = EngineOptions { seed: Some(7), hooks: HookPlaces::InPlaceAfter(takes), ..EngineOptions::default() };
    let engine = Engine::new(Arc::default(), Api::good(), Arc::new(ByUrl(Mutex::new(rules))), options).unwrap();
    let order = if ordered { Order::Input } else { Order::Bursts };
    Bursts::new(engine, TurnsOptions { order, ..turns(50) })
}

/// A page of one of the sites.
fn of_site(n: usize) -> Request {
    super::sites::page(&format!("https://{}.example/{n}", ["slow", "quick", "plain"][n % 3]), json!({}))
}

#[tokio::test(start_paused = true)]
async fn a_site_that_is_slow_to_tell_its_pools_holds_up_nobody_else_and_keeps_its_order() {
    for recall in [false, true] {
        let mut bursts = slow_and_quick(false);
        if recall {
            bursts = bursts.recalling(|n| Some(of_site(*n)));
        }
        (0..90).for_each(|n| bursts.add(n, of_site(n), 1));
        assert_eq!(bursts.waiting() + bursts.running(), 90);
        bursts.end_of_input();
        let order = done(bursts).await;
        let (slow, others): (Vec<usize>, Vec<usize>) = order.iter().partition(|n| **n % 3 == 0);
        assert_eq!(others.len(), 60);
        assert!(order[..60].iter().all(|n| n % 3 != 0), "the others are done first: {order:?}");
        assert_eq!(slow, (0..90).step_by(3).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn lines_that_wait_for_their_pool_count_for_the_window() {
    let mut bursts = slow_and_quick(false);
    let mut n = 0;
    while bursts.wants_more() && n < 1_000 {
        bursts.add(n, of_site(3 * n), 1);
        n += 1;
    }
    assert_eq!((n, bursts.running()), (100, 0));
    assert_eq!(bursts.take_waiting().len(), 100);
    assert!(!bursts.is_busy() && bursts.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn where_the_order_of_the_input_holds_nothing_passes_a_slow_hook() {
    let mut bursts = slow_and_quick(true);
    let (mut n, mut order) = (0, Vec::new());
    while n < 9 || bursts.is_busy() {
        if n < 9 && bursts.wants_more() {
            bursts.add(n, of_site(n), 1);
            n += 1;
        } else {
            order.push(bursts.next().await.unwrap().unwrap().key);
        }
    }
    order.retain(|n| n % 3 == 1);
    assert_eq!(order, [1, 4, 7]);
}
