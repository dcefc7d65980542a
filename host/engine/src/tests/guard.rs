//! A fault of this program in the work on one request ends that request, with a name, and no other.

use std::sync::Arc;

use carousel_core::exchange::Answer;
use carousel_core::hooks::HookCall;
use carousel_core::turns::{Order, TurnsOptions};

use super::*;
use crate::{Bursts, Done};

/// What panics, by the URL of the request.
fn is_faulty(call: &HookCall) -> bool {
    call.request.url().ends_with("/2") && !call.init
}

fn faulty_check() -> FakeSite {
    let check = |call: &HookCall, _: &Answer| {
        assert!(!is_faulty(call), "oh no");
        Ok(Verdict::Keep)
    };
    FakeSite { check: Some(Box::new(check)), ..FakeSite::default() }
}

fn faulty_edit() -> FakeSite {
    let process = |call: &HookCall| {
        assert!(!is_faulty(call), "oh no");
        Ok(Edit::default())
    };
    FakeSite { process: Some(Box::new(process)), ..FakeSite::default() }
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_work_panics_fails_as_internal_and_gives_back_what_it_held() {
    for (name, site) in [("check", faulty_check()), ("process_request", faulty_edit())] {
        let session = SessionSettings { pool_size: 1, max_in_flight: Some(1), ..SessionSettings::default() };
        let engine = engine_with(with_session(session), &Api::good(), site);
        let results = fetch_all(&engine, 5).await;
        let expected = [Ok(()), Ok(()), Err(FailureKind::Internal), Ok(()), Ok(())];
        assert_eq!(results, expected, "{name}");
        assert_eq!(engine.report()["requests"]["failed_by_kind"], json!({"internal": 1}), "{name}");
        assert_eq!(count(&engine.report(), "init/check-passed"), 1, "{name}: the session is not lost");
        let failure = engine.fetch(request(2)).await.unwrap_err();
        assert!(failure.message.contains("fault of this program") && failure.message.contains("oh no"), "{failure}");
        assert!(!failure.is_left_over());
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_panics_is_the_failure_of_its_request_and_known_by_its_key() {
    let site = FakeSite { plan_panics_on: Some("/2"), plans: Some(Arc::default()), ..FakeSite::default() };
    let options = TurnsOptions { places: 5, window: 100, window_bytes: 1 << 20, order: Order::Bursts };
    let mut bursts = Bursts::new(engine_with(Settings::default(), &Api::good(), site), options);
    (1..=3).for_each(|n| bursts.add(n, request(n), 10));
    bursts.end_of_input();
    let mut results = Vec::new();
    while let Some(done) = bursts.next().await {
        let Done { key, result, .. } = done.unwrap();
        results.push((key, result.map(drop).map_err(|failure| failure.kind)));
    }
    results.sort_unstable_by_key(|(key, _)| *key);
    assert_eq!(results, [(1, Ok(())), (2, Err(FailureKind::Internal)), (3, Ok(()))]);
}
