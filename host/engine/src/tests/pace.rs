//! Initialisations while the API is busy: they wait their turn, hold up nobody else, and are not sent in vain.

use std::sync::Mutex;

use carousel_core::exchange::{CallError, Problem, Request};
use carousel_core::settings::Growth;
use carousel_core::turns::{Order, TurnsOptions};
use tokio::time::Instant;

use super::*;
use crate::Bursts;

fn of(host: &str, n: usize) -> Request {
    Request::from_json(json!({"url": format!("https://{host}/{n}"), "httpResponseBody": true, "echoData": n})).unwrap()
}

fn busy(kind: &str, retry_after: u64) -> CallError {
    let retry_after = Some(Duration::from_secs(retry_after));
    CallError::Api(Box::new(Problem { status: 429, kind: kind.to_owned(), retry_after, ..Problem::default() }))
}

/// An API that takes so many calls a second, and as many as fit into one at once.
fn limited(per_second: f64) -> Api {
    let bucket = Mutex::new((per_second, None::<Instant>));
    Api::new(move |_, params| {
        let (mut bucket, now) = (bucket.lock().unwrap(), Instant::now());
        let passed = bucket.1.map_or(0.0, |before| (now - before).as_secs_f64());
        *bucket = ((bucket.0 + passed * per_second).min(per_second), Some(now));
        match bucket.0 >= 1.0 {
            true => {
                bucket.0 -= 1.0;
                (usual_time(params), Ok(page(params)))
            }
            false => (Duration::from_millis(200), Err(problem(429, "/limits/over-user-limit"))),
        }
    })
}

#[tokio::test(start_paused = true)]
async fn small_sites_keep_to_a_limit_though_half_of_their_calls_are_initialisations() {
    let api = limited(4.0);
    let engine = engine(Settings::default(), &api);
    let mut bursts =
        Bursts::new(engine.clone(), TurnsOptions { places: 80, window: 1_000, window_bytes: usize::MAX, order: Order::Bursts });
    for n in 0..400 {
        bursts.add(n, of(&format!("s{n}.example"), n), 1);
    }
    bursts.end_of_input();
    let started = Instant::now();
    while let Some(done) = bursts.next().await {
        assert!(done.unwrap().result.is_ok());
    }
    let (calls, took) = (api.calls.lock().unwrap().len(), started.elapsed().as_secs_f64());
    // At first, when nothing is known of a limit, all places call.
    let refused = calls - 800 - 76;
    assert_eq!(engine.report()["billed"], json!({"init": 400, "use": 400, "discarded": 0}));
    assert!(took * 4.0 * 0.85 < 800.0, "800 calls took {took} s");
    assert!(refused * 10 < 800, "{refused} of {calls} later calls were refused");
}

#[tokio::test(start_paused = true)]
async fn a_session_lives_as_long_as_it_may_however_long_its_initialisation_had_to_wait() {
    let api = Api::failing(|n, _| (n == 1).then(|| busy("/limits/over-user-limit", 1_000)));
    let engine = engine(Settings::default(), &api);
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init a", "init a", "use a"]);
}

#[tokio::test(start_paused = true)]
async fn requests_that_wait_for_an_initialisation_at_the_gate_hold_no_places() {
    let refused = Mutex::new(0);
    let api = Api::new(move |_, params| {
        let is_slow = params["url"].as_str().is_some_and(|url| url.contains("slow.example"));
        let mut refused = refused.lock().unwrap();
        *refused += u32::from(is_slow);
        match is_slow && *refused <= 4 {
            true => (Duration::from_millis(200), Err(busy("/limits/over-domain-limit", 500))),
            false => (usual_time(params), Ok(page(params))),
        }
    });
    let engine = engine(Settings::default(), &api);
    let options = TurnsOptions { places: 4, window: 1_000, window_bytes: usize::MAX, order: Order::Bursts };
    let mut bursts = Bursts::new(engine.clone(), options);
    for n in 0..4 {
        bursts.add("slow", of(&format!("s{n}.slow.example"), n), 1);
    }
    for n in 0..20 {
        bursts.add("quick", of(&format!("q{n}.example"), n), 1);
    }
    bursts.end_of_input();
    let started = Instant::now();
    let mut latest = Duration::ZERO;
    while let Some(done) = bursts.next().await {
        let done = done.unwrap();
        assert!(done.result.is_ok());
        if done.key == "quick" {
            latest = started.elapsed();
        }
    }
    assert!(latest < Duration::from_secs(100), "the others were done after {latest:?}");
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_that_waits_at_the_gate_is_given_up_with_the_last_request_that_needs_it() {
    let api = Api::failing(|n, _| (n == 1).then(|| busy("/limits/over-user-limit", 3_000)));
    let engine = engine(Settings::default(), &api);
    let _ = tokio::time::timeout(Duration::from_secs(20), engine.fetch(request(1))).await;
    let cut = tokio::time::timeout(Duration::from_secs(20), engine.fetch(of("other.example", 1))).await;
    assert!(cut.is_err());
    let started = Instant::now();
    engine.finish().await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    tokio::time::sleep(Duration::from_secs(4_000)).await;
    assert_eq!((api.log(), engine.census().at_gate), (vec!["init a".to_owned()], 0));
    engine.fetch(request(2)).await.unwrap();
    assert_eq!(engine.report()["billed"]["init"], 1);
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_at_the_gate_hears_of_the_end_of_the_crawl() {
    let api = Api::failing(|n, _| (n == 1).then(|| busy("/limits/over-user-limit", 3_000)));
    let engine = engine(Settings::default(), &api);
    let waiting = tokio::spawn({
        let engine = engine.clone();
        async move { engine.fetch(request(1)).await.map(drop).map_err(|failure| failure.kind) }
    });
    tokio::time::sleep(Duration::from_secs(20)).await;
    engine.close("enough");
    assert_eq!(waiting.await.unwrap(), Err(FailureKind::Closed));
    engine.finish().await;
    assert_eq!((api.log().len(), count(&engine.report(), "init/failed")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_growing_pool_and_its_neighbours_share_one_pace() {
    let api = limited(3.0);
    let session =
        SessionSettings { growth: Some(Growth::OnDemand), max_in_flight: Some(1), pool_size: 50, ..SessionSettings::default() };
    let engine = engine(with_session(session), &api);
    assert!(fetch_all(&engine, 150).await.iter().all(Result::is_ok));
    let (report, calls) = (engine.report(), api.calls.lock().unwrap().len());
    // At first 50 initialisations are begun at once.
    let refused = report["api"]["429"].as_u64().unwrap() - 47;
    assert!(count(&report, "init/failed") == 0 && refused * 10 < calls as u64, "{refused} of {calls} later calls were refused");
}

#[tokio::test(start_paused = true)]
async fn a_call_of_an_initialisation_is_not_repeated_when_the_session_it_has_begun_has_lapsed() {
    let error = |status, seconds| {
        let retry_after = Some(Duration::from_secs(seconds));
        Some(CallError::Api(Box::new(Problem { status, retry_after, ..Problem::default() })))
    };
    for (first, then, calls) in [(error(500, 300), None, 1), (error(500, 1), error(429, 300), 2)] {
        let api = Api::failing(move |n, _| [&first, &then].get(n - 1).and_then(|error| (*error).clone()));
        let engine = engine(Settings::default(), &api);
        engine.fetch(request(1)).await.unwrap();
        let log = api.log();
        assert!(log[..calls].iter().all(|call| call == "init a") && log[calls..] == ["init b", "use b"], "{log:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_chain_is_not_gone_on_with_when_its_session_has_lapsed_since_the_start_of_its_last_call() {
    let api = Api::new(|n, params| match n {
        1 => (Duration::from_secs(97), Ok(page(params))),
        2 => (Duration::from_millis(200), Err(busy("/limits/over-user-limit", 33))),
        _ => (usual_time(params), Ok(page(params))),
    });
    let chain = vec![json!({"url": "https://shop.example/login"}), json!({"url": "https://shop.example/in"})];
    let engine = engine_with(Settings::default(), &api, FakeSite { chain: Some(chain), ..FakeSite::default() });
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init a", "init a", "init b", "init b", "use b"]);
}

#[tokio::test(start_paused = true)]
async fn requests_without_a_session_that_wait_for_a_busy_api_hold_no_places() {
    for (pause, others_have_sessions) in [(Some(20), true), (None, true), (Some(20), false)] {
        let refused = Mutex::new(0);
        let api = Api::new(move |_, params| {
            let is_slow = params["url"].as_str().is_some_and(|url| url.contains("slow.example"));
            let mut refused = refused.lock().unwrap();
            *refused += u32::from(is_slow);
            let problem =
                pause.map_or_else(|| problem(429, "/limits/over-domain-limit"), |pause| busy("/limits/over-domain-limit", pause));
            match is_slow && *refused <= 12 {
                true => (Duration::from_millis(200), Err(problem)),
                false => (usual_time(params), Ok(page(params))),
            }
        });
        let engine = engine(Settings::default(), &api);
        let options = TurnsOptions { places: 10, window: 1_000, window_bytes: usize::MAX, order: Order::Bursts };
        let mut bursts = Bursts::new(engine.clone(), options);
        let plain = |host: &str, n: usize| {
            let meta = json!({"zyte_api_session_enabled": false});
            let line = json!({"url": format!("https://{host}/{n}"), "httpResponseBody": true, "echoData": n, "meta": meta});
            Request::from_json(line).unwrap()
        };
        for n in 0..100 {
            bursts.add("slow", plain("slow.example", n), 1);
        }
        for n in 0..20 {
            let host = format!("q{n}.example");
            bursts.add("quick", if others_have_sessions { of(&host, n) } else { plain(&host, n) }, 1);
        }
        bursts.end_of_input();
        let (started, mut latest, mut slow) = (Instant::now(), Duration::ZERO, 0);
        while let Some(done) = bursts.next().await {
            let done = done.unwrap();
            assert!(done.result.is_ok());
            slow += usize::from(done.key == "slow");
            latest = if done.key == "quick" { started.elapsed() } else { latest };
        }
        assert_eq!(slow, 100);
        assert!(latest < Duration::from_secs(if others_have_sessions { 21 } else { 5 }), "{pause:?}: {latest:?}");
    }
}
