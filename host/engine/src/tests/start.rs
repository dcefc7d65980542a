//! Which sessions begin with an initialisation, and which with the first request.

use carousel_core::exchange::{CallError, Problem, Request};
use carousel_core::settings::{InitRule, PoolTable};
use tokio::time::Instant;

use super::*;

fn browser(n: usize, more: Value) -> Request {
    let mut line = json!({"url": format!("https://shop.example/{n}"), "browserHtml": true, "echoData": n});
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Request::from_json(line).unwrap()
}

fn unavailable(kind: &str, retry_after: Option<u64>) -> CallError {
    let status = if kind.contains("limit") { 422 } else { 503 };
    let retry_after = retry_after.map(Duration::from_secs);
    CallError::Api(Box::new(Problem { status, kind: kind.to_owned(), retry_after, ..Problem::default() }))
}

const NO_SESSION: [&str; 2] = ["/problem/over-session-limit", "/problem/session-creation-error"];

fn keep_all() -> FakeSite {
    FakeSite { check: Some(Box::new(|_, _| Ok(Verdict::Keep))), ..FakeSite::default() }
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_that_would_tell_nothing_is_not_sent() {
    let always = || with_session(SessionSettings { init: Some(InitRule::Always), ..SessionSettings::default() });
    let checked = |init_rule| FakeSite { init_rule, ..keep_all() };
    let pages_only = |init_rule| FakeSite { checks_pages_only: true, ..checked(init_rule) };
    let process = FakeSite { process: Some(Box::new(|_| Ok(Edit::default()))), ..FakeSite::default() };
    let chain = FakeSite { chain: Some(vec![json!({})]), init_rule: Some(InitRule::None), ..FakeSite::default() };
    let meta = |meta: Value| json!({"meta": meta});
    for (what, settings, site, more, calls) in [
        ("nothing looks", Settings::default(), FakeSite::default(), json!({}), 1),
        ("always", always(), FakeSite::default(), json!({}), 2),
        ("the site's word goes before", always(), pages_only(Some(InitRule::Auto)), json!({}), 1),
        ("the peer", peer(), FakeSite::default(), json!({}), 2),
        ("a check", Settings::default(), keep_all(), json!({}), 2),
        ("a check of pages", Settings::default(), pages_only(None), json!({}), 1),
        ("none, a check", Settings::default(), checked(Some(InitRule::None)), json!({}), 1),
        ("an edit", Settings::default(), process, json!({}), 2),
        ("none, a chain", Settings::default(), chain, json!({}), 2),
        ("a location", Settings::default(), pages_only(None), meta(json!({"zyte_api_session_location": {"postalCode": "1"}})), 2),
        ("params", Settings::default(), FakeSite::default(), meta(json!({"zyte_api_session_params": {"screenshot": true}})), 2),
        ("cookies", Settings::default(), FakeSite::default(), meta(json!({"zyte_api_session_cookie_mode": true})), 2),
        ("by HTTP", Settings::default(), FakeSite::default(), json!({"browserHtml": false, "httpResponseBody": true}), 2),
        ("discards cookies", Settings::default(), FakeSite::default(), json!({"cookieManagement": "discard"}), 2),
    ] {
        let api = Api::good();
        let engine = engine_with(settings, &api, site);
        engine.fetch(browser(1, more)).await.unwrap();
        assert_eq!(api.log().len(), calls, "{what}: {:?}", api.log());
        let report = engine.report();
        assert_eq!((count(&report, "init/check-passed"), count(&report, "use/check-passed")), (1, 1), "{what} counts as both");
        let chain = u64::from(what.contains("chain"));
        assert_eq!(report["billed"]["use"], 1, "{what}");
        assert_eq!(report["billed"]["init"], calls as u64 - 1 + chain - chain, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_by_http_creates_its_session_where_site_pool_or_settings_say_none() {
    let none = Some(InitRule::None);
    let site = FakeSite { init_rule: none, ..FakeSite::default() };
    let table = PoolTable { init: none, ..PoolTable::default() };
    let pools = SessionSettings { pools: [("shop.example".to_owned(), table)].into(), ..SessionSettings::default() };
    let all = SessionSettings { init: none, ..SessionSettings::default() };
    for (settings, site) in [
        (Settings::default(), site),
        (with_session(pools), FakeSite { init_rule: Some(InitRule::Always), ..FakeSite::default() }),
        (with_session(all), FakeSite::default()),
    ] {
        let api = Api::good();
        let engine = engine_with(settings, &api, site);
        for n in 1..=3 {
            engine.fetch(request(n)).await.unwrap();
        }
        assert_eq!(api.log(), ["use a", "use a", "use a"]);
        let call = &api.calls.lock().unwrap()[0];
        assert_eq!(call["tags"]["carousel-phase"], "use");
    }
}

#[tokio::test(start_paused = true)]
async fn others_wait_for_the_request_that_creates_the_session() {
    let api =
        Api::new(|_, params| (Duration::from_secs(if params.get("browserHtml").is_some() { 8 } else { 1 }), Ok(page(params))));
    let engine = engine(Settings::default(), &api);
    let first = tokio::spawn({
        let engine = engine.clone();
        async move { engine.fetch(browser(0, json!({}))).await.map(drop) }
    });
    tokio::task::yield_now().await;
    let others = fetch_all(&engine, 20).await;
    assert!(first.await.unwrap().is_ok() && others.iter().all(Result::is_ok));
    assert_eq!(count(&engine.report(), "init/check-passed"), 1, "{:?}", api.log());
    assert!(api.log().iter().all(|call| call == "use a"));
}

#[tokio::test(start_paused = true)]
async fn pages_of_four_places_create_a_session_in_each() {
    let api = Api::good();
    let engine = engine(Settings::default(), &api);
    for round in 0..2 {
        for place in ["DE", "US", "FR", "JP"] {
            engine.fetch(browser(round, json!({"geolocation": place}))).await.unwrap();
        }
    }
    assert_eq!(api.log(), ["use a", "use b", "use c", "use d", "use a", "use b", "use c", "use d"]);
    assert_eq!(engine.census().pools, 4);
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_the_first_request_counts_as_both() {
    for (status, kind, init, used, ended, tries) in [
        (520, "/download/temporary-error", "init/failed", "use/failed", "banned", 2),
        (521, "/download/internal-error", "init/failed", "use/failed", "download-errors", 2),
        (422, "/problem/session-expired", "init/failed", "use/expired", "expired-upstream", 2),
        (400, "/request/invalid", "init/failed", "", "uncreated", 1),
        (451, "/download/domain-forbidden", "init/failed", "", "uncreated", 1),
    ] {
        let api = Api::failing(move |n, _| (n == 1).then(|| problem(status, kind)));
        let engine = engine(Settings::default(), &api);
        assert_eq!(engine.fetch(browser(1, json!({}))).await.is_ok(), tries == 2, "{status}");
        let report = engine.report();
        assert_eq!((count(&report, init), api.log().len()), (1, tries), "{status}");
        assert!(used.is_empty() || count(&report, used) == 1, "{status}: {report}");
        assert_eq!(report["ended"], json!({ended: 1}), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_check_of_the_first_request_counts_as_both() {
    let api = Api::good();
    let check = |call: &carousel_core::hooks::HookCall, _: &_| {
        assert!(!call.init, "it looks at pages alone");
        Ok(Verdict::keep_if(call.request.url().ends_with("/2")))
    };
    let site = FakeSite { check: Some(Box::new(check)), checks_pages_only: true, ..FakeSite::default() };
    let settings = with_session(SessionSettings { retry_times: Some(1), ..SessionSettings::default() });
    let engine = engine_with(settings, &api, site);
    assert_eq!(engine.fetch(browser(1, json!({}))).await.unwrap_err().kind, FailureKind::CheckFailed);
    engine.fetch(browser(2, json!({}))).await.unwrap();
    let report = engine.report();
    let counts =
        ["init/check-failed", "use/check-failed", "init/check-passed", "use/check-passed"].map(|key| count(&report, key));
    assert_eq!(counts, [2, 2, 1, 1]);
    assert_eq!(report["ended"], json!({"check-failed": 2}));
    assert_eq!(report["billed"], json!({"init": 0, "use": 1, "discarded": 2}));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_looks_at_pages_alone_is_not_asked_about_an_initialisation() {
    let check = |call: &carousel_core::hooks::HookCall, _: &_| {
        assert!(!call.init, "it looks at pages alone");
        Ok(Verdict::Keep)
    };
    let site = FakeSite { check: Some(Box::new(check)), checks_pages_only: true, ..FakeSite::default() };
    let api = Api::good();
    engine_with(Settings::default(), &api, site).fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init a", "use a"]);
}

#[tokio::test(start_paused = true)]
async fn a_site_whose_first_requests_keep_failing_opens_its_circuit() {
    let api = Api::failing(|_, params| {
        params["url"].as_str()?.contains("bad.example").then(|| problem(520, "/download/temporary-error"))
    });
    let engine = engine(Settings::default(), &api);
    let mut kinds = Vec::new();
    for n in 0..4 {
        kinds.push(engine.fetch(browser(n, json!({"url": "https://bad.example/"}))).await.unwrap_err().kind);
    }
    assert_eq!(kinds, [FailureKind::Api, FailureKind::BadInits, FailureKind::BadInits, FailureKind::BadInits]);
    assert_eq!((api.log().len(), count(&engine.report(), "init/failed")), (8, 8));
    engine.fetch(browser(1, json!({}))).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_busy_api_is_waited_for_by_the_request_that_creates_a_session() {
    let api = Api::failing(|n, _| (n <= 3).then(|| problem(503, "about:blank")));
    let engine = engine(with_session(SessionSettings { max_bad_inits: 1, ..SessionSettings::default() }), &api);
    engine.fetch(browser(1, json!({}))).await.unwrap();
    assert_eq!(api.log().len(), 4);
    assert_eq!(count(&engine.report(), "init/failed"), 0);
}

/// Requests of both kinds of sessions that their first use creates: without an initialisation, and with one outside of the session.
fn created_by_use() -> [(FakeSite, Request); 2] {
    let chain = Some(vec![json!({"url": "https://shop.example/login", "session": null})]);
    [(FakeSite::default(), browser(1, json!({}))), (FakeSite { chain, ..FakeSite::default() }, request(1))]
}

#[tokio::test(start_paused = true)]
async fn a_use_that_creates_its_session_waits_for_the_api_like_an_initialisation_and_is_not_lost() {
    for kind in NO_SESSION {
        for (retry_after, pause) in [(Some(7), 7), (None, 60), (Some(200), 200), (Some(0), 1)] {
            for (site, request) in created_by_use() {
                let api = Api::new(move |n, params| {
                    let is_refused = is_use(params) && n <= 3;
                    let page = if is_refused { Err(unavailable(kind, retry_after)) } else { Ok(page(params)) };
                    (Duration::from_millis(100), page)
                });
                let settings = SessionSettings { retry_times: Some(0), max_bad_inits: 1, ..SessionSettings::default() };
                let engine = engine_with(with_session(settings), &api, site);
                let started = Instant::now();
                let trace = engine.fetch(request).await.unwrap().trace;
                let refused = trace.attempts.len() - 1;
                let took = started.elapsed().as_secs();
                assert!(
                    refused >= 1 && (pause * refused as u64..=pause * refused as u64 + 1).contains(&took),
                    "{kind}: {took} s"
                );
                let counter = if kind.contains("limit") { "init/over-limit" } else { "init/server-error" };
                assert_eq!(count(&engine.report(), counter), refused as u64);
                assert_eq!(engine.report()["requests"]["retries"]["count"], 0);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_api_never_has_a_session_for_it_the_request_fails_after_creation_timeout() {
    for kind in NO_SESSION {
        for (site, request) in created_by_use() {
            let api = Api::failing(move |_, params| is_use(params).then(|| unavailable(kind, None)));
            let engine = engine_with(Settings::default(), &api, site);
            let started = Instant::now();
            let other = tokio::spawn({
                let (engine, other) = (engine.clone(), browser(2, json!({"url": "https://other.example/"})));
                async move { engine.fetch(other).await.unwrap_err().kind }
            });
            let in_time = tokio::time::timeout(Duration::from_secs(100_000), engine.fetch(request)).await;
            let failure = in_time.expect("it waits for ever").unwrap_err();
            let took = started.elapsed().as_secs();
            assert!(failure.kind == FailureKind::NoSession && failure.message.contains(kind), "{failure}");
            assert!((1800..2000).contains(&took), "{took} s");
            assert_eq!(other.await.unwrap(), FailureKind::NoSession, "nor do two that wait at once keep each other waiting");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_waits_for_as_long_as_the_api_asks_where_it_has_no_session() {
    for kind in NO_SESSION {
        for (retry_after, honoured, pause) in [(Some(7), true, 7), (Some(300), true, 300), (Some(7), false, 60), (None, true, 60)]
        {
            let api = Api::failing(move |n, _| (n == 1).then(|| unavailable(kind, retry_after)));
            let mut settings = Settings::default();
            settings.api.honour_retry_after = Some(honoured);
            let started = Instant::now();
            engine(settings, &api).fetch(request(1)).await.unwrap();
            assert_eq!(started.elapsed().as_secs(), 8 + pause + 8 + 1, "{kind} {retry_after:?}");
        }
    }
}
