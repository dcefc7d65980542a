//! Where the API has no session for a site: how long its requests wait for one.

use std::time::Duration;

use carousel_core::exchange::{CallError, Problem, Request};
use carousel_core::settings::{Seconds, SessionSettings, Settings};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::fake::{Api, FakeSite, engine, engine_with, is_use, page, problem, request, request_with, usual_time};
use super::{count, peer, with_session};
use crate::FailureKind;

const OVER_LIMIT: (u16, &str) = (422, "/problem/over-session-limit");

/// An API that has no session for the site "none", and none for anybody in the first so many calls.
fn without_session(first: usize, (status, kind): (u16, &'static str)) -> Api {
    Api::failing(move |n, params| {
        let is_none = params["url"].as_str().is_some_and(|url| url.contains("none.example"));
        (!is_use(params) && (is_none || n <= first)).then(|| problem(status, kind))
    })
}

fn on_none(n: usize) -> Request {
    request_with(n, json!({"url": "https://none.example/"}))
}

#[tokio::test(start_paused = true)]
async fn a_site_the_api_never_has_a_session_for_fails_its_requests_with_the_reason_and_no_other() {
    for kind in [OVER_LIMIT, (503, "/problem/session-creation-error")] {
        let api = without_session(0, kind);
        let engine = engine(with_session(SessionSettings { max_bad_inits: 1, ..SessionSettings::default() }), &api);
        let started = Instant::now();
        let in_time = tokio::time::timeout(Duration::from_secs(100_000), engine.fetch(on_none(1)));
        let failure = in_time.await.expect("it waits for ever").unwrap_err();
        let took = started.elapsed().as_secs();
        assert!((1800..1900).contains(&took) && failure.kind == FailureKind::NoSession, "{failure} after {took} s");
        for part in ["session.creation_timeout", kind.1, "tries again in 60 s"] {
            assert!(failure.message.contains(part), "{failure}");
        }
        let calls = api.log().len();
        assert_eq!(engine.fetch(on_none(2)).await.unwrap_err().kind, FailureKind::NoSession);
        assert_eq!(api.log().len(), calls, "nothing is tried while the pool pauses");
        assert!(engine.fetch(request(3)).await.is_ok() && engine.close_reason().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_sessions_that_others_use_up_for_as_long_as_sessions_live_loses_no_request() {
    // With each try taking 8 s and the pause after it 60 s, this is a quarter of an hour.
    let api = without_session(14, OVER_LIMIT);
    let engine = engine(with_session(SessionSettings { max_bad_inits: 1, ..SessionSettings::default() }), &api);
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(count(&engine.report(), "init/over-limit"), 14);
}

#[tokio::test(start_paused = true)]
async fn while_the_crawl_itself_takes_up_the_limit_of_sessions_nobody_gives_up() {
    let session = SessionSettings { creation_timeout: Some(Seconds::new(300)), ..SessionSettings::default() };
    for (kind, expected) in [(OVER_LIMIT, 1300..1600), ((503, "/problem/session-creation-error"), 300..400)] {
        let engine = engine(with_session(session.clone()), &without_session(0, kind));
        engine.fetch(request(1)).await.unwrap();
        let waiting = {
            let engine = engine.clone();
            tokio::spawn(async move { (engine.fetch(on_none(2)).await, Instant::now()) })
        };
        let started = Instant::now();
        for n in 3..24 {
            tokio::time::sleep(Duration::from_secs(50)).await;
            engine.fetch(request(n)).await.unwrap();
        }
        let (result, ended) = waiting.await.unwrap();
        let took = (ended - started).as_secs();
        assert!(result.is_err() && expected.contains(&took), "{}: {took} s", kind.1);
    }
}

#[tokio::test(start_paused = true)]
async fn cookie_sessions_take_up_no_limit_of_the_api() {
    let session = SessionSettings { creation_timeout: Some(Seconds::new(300)), ..SessionSettings::default() };
    let engine = engine(with_session(session), &without_session(0, OVER_LIMIT));
    engine.fetch(request_with(1, json!({"meta": {"zyte_api_session_cookie_mode": true}}))).await.unwrap();
    let started = Instant::now();
    assert!(engine.fetch(on_none(2)).await.is_err());
    assert!((300..400).contains(&started.elapsed().as_secs()));
}

#[tokio::test(start_paused = true)]
async fn a_busy_api_between_the_calls_of_a_chain_is_waited_for_however_long() {
    let chain = vec![json!({"url": "https://shop.example/login"}), json!({"url": "https://shop.example/in"})];
    let api = Api::new(|n, params: &Value| {
        let is_busy = params["url"] == "https://shop.example/in" && n <= 40;
        let kind = "/limits/over-domain-limit".to_owned();
        let retry_after = Some(Duration::from_secs(200));
        let busy = CallError::Api(Box::new(Problem { status: 429, kind, retry_after, ..Problem::default() }));
        (usual_time(params), if is_busy { Err(busy) } else { Ok(page(params)) })
    });
    let session = SessionSettings { creation_timeout: Some(Seconds::new(300)), max_bad_inits: 1, ..SessionSettings::default() };
    let site = FakeSite { chain: Some(chain), ..FakeSite::default() };
    let engine = engine_with(with_session(session), &api, site);
    let started = Instant::now();
    engine.fetch(request(1)).await.unwrap();
    assert!(started.elapsed().as_secs() > 1000, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_initialisation_the_api_refuses_fails_alone_and_after_one_try() {
    for (status, kind) in [(400, "/request/invalid"), (422, "/request/unprocessable")] {
        let api = Api::failing(move |_, params| {
            let is_bad = params["url"].as_str().is_some_and(|url| url.contains("/too-long"));
            is_bad.then(|| problem(status, kind))
        });
        let engine = engine(Settings::default(), &api);
        let bad = request_with(1, json!({"url": "https://shop.example/too-long"}));
        let (bad, good) = tokio::join!(engine.fetch(bad), engine.fetch(request(2)));
        let failure = bad.unwrap_err();
        assert!(failure.kind == FailureKind::BadInits && failure.message.contains(kind), "{failure}");
        assert!(good.is_ok());
        assert_eq!(api.log(), ["init a", "init b", "use b"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_problem_of_sessions_at_an_initialisation_does_not_blame_the_request() {
    for kind in ["/problem/session-expired", "/problem/over-session-limit"] {
        let engine = engine(Settings::default(), &Api::failing(move |n, _| (n <= 2).then(|| problem(422, kind))));
        engine.fetch(request(1)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_peers_profile_a_session_is_waited_for_without_end() {
    let engine = engine(peer(), &without_session(0, OVER_LIMIT));
    let request = engine.fetch(on_none(1));
    assert!(tokio::time::timeout(Duration::from_secs(100_000), request).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_chain_that_failed_does_not_keep_its_session_alive() {
    let chain = vec![json!({"url": "https://shop.example/login"}), json!({"url": "https://shop.example/in"})];
    let api = Api::new(|n, params: &Value| match n {
        2 => (Duration::from_secs(60), Err(problem(500, "/server/internal"))),
        3 => {
            let (kind, retry_after) = ("/limits/over-domain-limit".to_owned(), Some(Duration::from_secs(40)));
            let busy = Problem { status: 429, kind, retry_after, ..Problem::default() };
            (Duration::from_secs(1), Err(CallError::Api(Box::new(busy))))
        }
        _ => (usual_time(params), Ok(page(params))),
    });
    let site = FakeSite { chain: Some(chain), ..FakeSite::default() };
    let engine = engine_with(Settings::default(), &api, site);
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init a", "init a", "init a", "init b", "init b", "use b"]);
}

/// Its session was to be made by the page's own call, or was lost before.
#[tokio::test(start_paused = true)]
async fn a_page_whose_session_cannot_be_created_waits_for_another_one() {
    for settings in [Settings::default(), peer()] {
        let api = Api::new(|n, params| {
            let refused = is_use(params) && n <= 2;
            let answer = if refused { Err(problem(503, "/problem/session-creation-error")) } else { Ok(page(params)) };
            (usual_time(params), answer)
        });
        let engine = engine(settings, &api);
        engine.fetch(request(1)).await.unwrap();
        assert_eq!(api.log(), ["init a", "use a", "init b", "use b"]);
    }
}
