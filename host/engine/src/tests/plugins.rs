//! What a plugin that is left alone costs: nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

#[tokio::test(start_paused = true)]
async fn while_a_plugin_is_left_alone_no_initialisation_is_sent_and_those_who_wait_fail_of_it() {
    let left_alone = Arc::new(AtomicBool::new(true));
    let check = |_: &carousel_core::hooks::HookCall, _: &carousel_core::exchange::Answer| Ok(Verdict::Keep);
    let site = || FakeSite { check: Some(Box::new(check)), left_alone: Some(Arc::clone(&left_alone)), ..FakeSite::default() };
    let api = Api::good();
    let engine = engine_with(Settings::default(), &api, site());
    let results = fetch_all(&engine, 20).await;
    assert!(results.iter().all(|result| *result == Err(FailureKind::Plugin)), "{results:?}");
    assert_eq!((api.log().len(), engine.report()["billed"]["init"].as_u64()), (0, Some(0)));
    left_alone.store(false, Ordering::SeqCst);
    assert!(fetch_all(&engine, 20).await.iter().all(Result::is_ok), "and its pools are as good as before");
}

#[tokio::test(start_paused = true)]
async fn a_page_whose_check_would_not_be_asked_is_not_sent() {
    let left_alone = Arc::new(AtomicBool::new(false));
    let check = |_: &carousel_core::hooks::HookCall, _: &carousel_core::exchange::Answer| Ok(Verdict::Keep);
    let site = FakeSite { check: Some(Box::new(check)), left_alone: Some(Arc::clone(&left_alone)), ..FakeSite::default() };
    let api = Api::good();
    let engine = engine_with(Settings::default(), &api, site);
    engine.fetch(request(1)).await.unwrap();
    left_alone.store(true, Ordering::SeqCst);
    let failure = engine.fetch(request(2)).await.unwrap_err();
    assert_eq!((failure.kind, failure.message.contains("left alone")), (FailureKind::Plugin, true), "{failure}");
    assert_eq!(api.log(), ["init a", "use a"]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_takes_longer_than_a_session_lives_ends_its_request_rather_than_open_sessions_for_ever() {
    let process = |_: &carousel_core::hooks::HookCall| Ok(Edit::default());
    let site = FakeSite { process: Some(Box::new(process)), ..FakeSite::default() };
    let api = Api::good();
    let takes = crate::HookPlaces::InPlaceAfter(|_| Duration::from_secs(3_600));
    let failure = fake::engine_on(takes, Settings::default(), &api, site).fetch(request(1)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoSession, "{failure}");
    let log = api.log();
    assert!(log.len() <= 10 && log.iter().all(|call| call.starts_with("init")), "{log:?}");
}
