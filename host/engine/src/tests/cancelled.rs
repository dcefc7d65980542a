//! Requests that are cancelled while they wait: no session is lost with them, and no stack overflows.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::*;
use crate::engine::Waiter;

/// Longer than any of these tests takes.
const LONG: Duration = Duration::from_secs(120);

/// One session for one request at a time, which never ends.
fn narrow() -> Settings {
    let session = SessionSettings { pool_size: 1, max_in_flight: Some(1), ..SessionSettings::default() };
    with_session(session)
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_granted_to_nobody_is_given_to_the_next() {
    let api = Api::good();
    let engine = engine(narrow(), &api);
    let fetches: Vec<_> = (1..=3)
        .map(|n| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.fetch(request(n)).await.map_err(|failure| failure.kind).map(drop) })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(9)).await;
    {
        // As if the second were about to go while the first gives its session back.
        let mut state = engine.0.state();
        let next = state.waiting.keys().min().copied().unwrap();
        state.waiting.remove(&next);
    }
    let mut ends = Vec::new();
    for fetch in fetches {
        ends.push(timeout(LONG, fetch).await.expect("nobody waits for ever").unwrap());
    }
    assert_eq!(ends, [Ok(()), Err(FailureKind::Closed), Ok(())]);
    timeout(LONG, engine.fetch(request(4))).await.unwrap().unwrap();
}

/// Four threads, with requests that are cut while sessions come back to the pool.
#[test]
fn requests_that_are_cut_take_no_session_with_them() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let api = Api::new(|_, params| (Duration::ZERO, Ok(page(params))));
        let engine = engine(narrow(), &api);
        for round in 0..20 {
            let mut tasks = JoinSet::new();
            for n in 0..100 {
                let engine = engine.clone();
                tasks.spawn(async move {
                    let patience = async {
                        for _ in 0..(n * 7 + round) % 40 {
                            tokio::task::yield_now().await;
                        }
                    };
                    tokio::select! {
                        result = engine.fetch(request(n)) => drop(result),
                        () = patience => {}
                    }
                });
            }
            tasks.join_all().await;
            timeout(LONG, engine.fetch(request(1_000))).await.expect("the pool hangs").unwrap();
        }
        assert_eq!(engine.census().waiting, 0);
    });
}

#[test]
fn a_runtime_that_ends_ends_the_requests_however_many_wait() {
    for (lasts, waiters) in [(Duration::from_secs(3600), 1_000), (Duration::ZERO, 100_000)] {
        let api = Api::new(move |n, params| (if n == 1 { lasts } else { Duration::from_secs(3600) }, Ok(page(params))));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let engine = runtime.block_on(async {
            let engine = engine(narrow(), &api);
            for n in 0..waiters {
                let engine = engine.clone();
                tokio::spawn(async move { drop(engine.fetch(request(n)).await) });
            }
            while api.calls.lock().unwrap().len() < if lasts.is_zero() { 2 } else { 1 } {
                tokio::task::yield_now().await;
            }
            engine
        });
        drop(runtime);
        assert_eq!((engine.census().waiting, engine.census().openings), (0, 0), "{lasts:?}");
        if !lasts.is_zero() {
            let after = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let late =
                after.block_on(async { timeout(LONG, engine.fetch(request(1))).await.expect("it does not wait for ever") });
            assert_eq!(late.unwrap_err().kind, FailureKind::Closed, "there is no runtime for initialisations");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_waiters_may_all_be_gone_when_their_session_comes_back() {
    let engine = engine(narrow(), &Api::good());
    let fetches = [1, 2].map(|n| {
        let engine = engine.clone();
        tokio::spawn(async move { engine.fetch(request(n)).await.map(drop).map_err(|failure| failure.kind) })
    });
    tokio::time::sleep(Duration::from_secs(9)).await;
    engine.0.apply(|state, now| {
        let trigger = state.waiting.values().next().map(|waiter| Arc::clone(&waiter.trigger)).unwrap();
        for _ in 0..100_000 {
            let (ticket, (answer, _)) = (engine.0.ticket(), oneshot::channel());
            state.waiting.insert(ticket, Waiter { trigger: Arc::clone(&trigger), answer });
            state.pools.handle_request(
                &trigger.pool,
                Default::default,
                ticket,
                Arc::clone(&trigger),
                carousel_core::pool::Start::ByInit,
                now,
            );
        }
    });
    for fetch in fetches {
        assert_eq!(timeout(LONG, fetch).await.unwrap().unwrap(), Ok(()));
    }
    assert_eq!(engine.census().waiting, 0);
    timeout(LONG, engine.fetch(request(3))).await.unwrap().unwrap();
}
