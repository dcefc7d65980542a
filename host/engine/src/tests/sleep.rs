//! The machine sleeps: Zyte's sessions grow old meanwhile, and no page is fetched on one that may have been replaced.

use carousel_core::settings::Growth;
use fake::engine_asleep;

use super::*;
use crate::SimulatedSleep;

/// Longer than a session lives without use.
const NIGHT: Duration = Duration::from_secs(8 * 3600);

/// Fetches page 1, and sends the machine to sleep after so many seconds of it; then page 2. What was called.
async fn slept_after(seconds: f64, settings: Settings, api: &Api, site: FakeSite) -> Vec<String> {
    let sleep = SimulatedSleep::default();
    let engine = engine_asleep(settings, api, site, Some(sleep.clone()));
    let first = tokio::spawn({
        let engine = engine.clone();
        async move { engine.fetch(request(1)).await }
    });
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    sleep.sleep(NIGHT);
    first.await.unwrap().unwrap();
    engine.fetch(request(2)).await.unwrap();
    api.log()
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_idle_is_not_used_after_a_sleep() {
    let api = Api::good();
    let log = slept_after(20.0, Settings::default(), &api, FakeSite::default()).await;
    assert_eq!(log, ["init a", "use a", "init b", "use b"]);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_was_under_way_is_kept_and_the_next_one_has_a_new_session() {
    let api = Api::good();
    let log = slept_after(9.0, Settings::default(), &api, FakeSite::default()).await;
    assert_eq!(log, ["init a", "use a", "init b", "use b"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_pauses_is_not_repeated_on_its_session_after_a_sleep() {
    for eager in [false, true] {
        let api = Api::failing(|n, _| (n == 2).then(|| problem(500, "/server/internal")));
        let growth = if eager { Growth::Eager } else { Growth::Thrifty };
        let session = SessionSettings { growth: Some(growth), pool_size: 1, ..SessionSettings::default() };
        let log = slept_after(10.0, with_session(session), &api, FakeSite::default()).await;
        assert_eq!(log, ["init a", "use a", "init b", "use b", "use b"], "{eager}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_initialisation_was_under_way_in_a_sleep_is_not_used() {
    let chain = || FakeSite {
        chain: Some(vec![json!({"url": "https://shop.example/login"}), json!({"url": "https://shop.example/in"})]),
        dawdles: Duration::from_secs(10),
        ..FakeSite::default()
    };
    for (seconds, site, expected) in [
        (4.0, FakeSite::default(), vec!["init a", "init b", "use b", "use b"]),
        (4.0, chain(), vec!["init a", "init b", "init b", "use b", "use b"]),
        (12.0, chain(), vec!["init a", "init a", "init b", "init b", "use b", "use b"]),
        (20.0, chain(), vec!["init a", "init a", "init b", "init b", "use b", "use b"]),
    ] {
        let api = Api::good();
        assert_eq!(slept_after(seconds, Settings::default(), &api, site).await, expected, "{seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_of_cookies_outlives_a_sleep() {
    let session = SessionSettings { cookie_mode: true, ..SessionSettings::default() };
    let api = Api::good();
    let engine_log = slept_after(20.0, with_session(session), &api, FakeSite::default()).await;
    assert_eq!(engine_log.len(), 3, "one initialisation");
}

#[tokio::test(start_paused = true)]
async fn what_has_become_due_in_a_sleep_is_seen_to_within_a_minute() {
    let (api, sleep) = (Api::good(), SimulatedSleep::default());
    let engine = engine_asleep(Settings::default(), &api, FakeSite::default(), Some(sleep.clone()));
    engine.fetch(request(1)).await.unwrap();
    sleep.sleep(NIGHT);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(engine.census().sessions, 0);
}
