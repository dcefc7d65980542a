//! The road of a request through a scripted API and a scripted site, in virtual time.

mod bursts;
mod cancelled;
mod contract;
mod creation;
mod fake;
mod faults;
mod guard;
mod ledger;
mod pace;
mod place;
mod plugins;
mod pools;
mod reading;
mod sites;
mod sleep;
mod start;
mod unmanaged;
mod waits;
mod winding_down;

use std::time::Duration;

use carousel_core::hooks::{Edit, HookError};
use carousel_core::settings::{BudgetSettings, CrawlSettings, Profile, Seconds, SessionSettings, Settings};
use carousel_core::verdict::Verdict;
use serde_json::{Value, json};

use crate::{Engine, FailureKind, Site, Sites, Transport};
use fake::{Api, FakeSite, engine, engine_with, is_use, page, problem, request, request_with, usual_time};

fn with_session(session: SessionSettings) -> Settings {
    Settings { session, ..Settings::default() }
}

fn peer() -> Settings {
    let session = SessionSettings { enabled: Some(true), pool_size: 1, ..SessionSettings::default() };
    Settings { profile: Profile::ScrapyZyteApi, session, ..Settings::default() }
}

fn count(report: &Value, counter: &str) -> u64 {
    report["sessions"][counter].as_u64().unwrap_or_default()
}

/// Starts this many fetches at once and waits for all.
async fn fetch_all<T: Transport, S: Sites>(engine: &Engine<T, S>, n: usize) -> Vec<Result<(), FailureKind>>
where
    S::Site: Site,
{
    let fetch = |n| {
        let engine = engine.clone();
        tokio::spawn(async move { engine.fetch(request(n)).await.map(drop).map_err(|failure| failure.kind) })
    };
    let tasks: Vec<_> = (0..n).map(fetch).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

#[tokio::test(start_paused = true)]
async fn a_request_is_sent_on_a_session_that_was_initialised_for_it() {
    let api = Api::good();
    let fetched = engine(Settings::default(), &api).fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init a", "use a"]);
    assert_eq!(fetched.answer.status_code(), Ok(Some(200)));
    assert_eq!(fetched.trace.pool.unwrap().as_str(), "shop.example");
    assert_eq!(fetched.trace.attempts[0].outcome, "ok");
    let calls = api.calls.lock().unwrap();
    assert_eq!(calls[0]["url"], "https://shop.example/1");
    assert_eq!(calls[0]["browserHtml"], true);
    assert_eq!(calls[1]["tags"], json!({"carousel-pool": "shop.example", "carousel-phase": "use"}));
}

#[tokio::test(start_paused = true)]
async fn twenty_requests_share_one_initialisation_and_the_peer_needs_eight() {
    for (profile, inits) in [(Profile::Default, 1), (Profile::ScrapyZyteApi, 8)] {
        let api = Api::good();
        let settings =
            Settings { profile, ..with_session(SessionSettings { enabled: Some(true), ..SessionSettings::default() }) };
        let engine = engine(settings, &api);
        assert!(fetch_all(&engine, 20).await.iter().all(Result::is_ok));
        assert_eq!(count(&engine.report(), "init/check-passed"), inits);
        assert_eq!(engine.report()["billed"], json!({"init": inits, "use": 20, "discarded": 0}));
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_meets_an_expired_session_a_failed_check_and_a_ban_is_delivered_with_the_reasons() {
    let api = Api::new(|n, params| {
        let result = match n {
            2 => Err(problem(422, "/problem/session-expired")),
            4 => Ok(json!({"url": params["url"], "statusCode": 499})),
            6 => Err(problem(520, "/download/temporary-error")),
            _ => Ok(page(params)),
        };
        (Duration::from_secs(1), result)
    });
    let check = |_: &_, answer: &carousel_core::exchange::Answer| Ok(Verdict::keep_if(answer.status_code() == Ok(Some(200))));
    let engine = engine_with(Settings::default(), &api, FakeSite { check: Some(Box::new(check)), ..FakeSite::default() });
    let trace = engine.fetch(request(1)).await.unwrap().trace;
    let outcomes: Vec<&str> = trace.attempts.iter().map(|attempt| attempt.outcome.as_str()).collect();
    assert_eq!(outcomes, ["expired-upstream", "check-failed", "banned", "ok"]);
    assert_eq!(engine.report()["ended"], json!({"expired-upstream": 1, "check-failed": 1}), "one ban is no end");
    assert_eq!(engine.report()["requests"]["retries"]["count"], 3);
}

#[tokio::test(start_paused = true)]
async fn what_an_error_means_for_page_and_session() {
    for (status, kind, failure, sessions, calls) in [
        (520, "/download/temporary-error", FailureKind::Api, 2, 8),
        (521, "/download/internal-error", FailureKind::Api, 1, 4),
        (451, "/download/domain-forbidden", FailureKind::Api, 1, 2),
        (422, "/request/unprocessable", FailureKind::Api, 1, 2),
        (500, "/server/internal", FailureKind::Api, 1, 3),
    ] {
        let api = Api::failing(move |_, params| is_use(params).then(|| problem(status, kind)));
        let engine = engine(Settings::default(), &api);
        let failed = engine.fetch(request(1)).await.unwrap_err();
        assert_eq!(failed.kind, failure, "{status}");
        assert_eq!(api.log().len(), calls, "{status}: {:?}", api.log());
        assert_eq!(count(&engine.report(), "init/check-passed"), sessions, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_is_waited_out_on_the_same_session() {
    let api = Api::failing(|n, _| (n == 2).then(|| problem(429, "/limits/over-user-limit")));
    let engine = engine(Settings::default(), &api);
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init a", "use a", "use a"]);
    assert_eq!(engine.report()["api"]["429"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_the_api_cannot_create_is_asked_for_again_under_a_new_id() {
    let api = Api::failing(|n, _| (n == 1).then(|| problem(503, "/problem/session-creation-error")));
    let engine = engine(Settings::default(), &api);
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init a", "init b", "use b"]);
    assert_eq!(count(&engine.report(), "init/server-error"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_site_that_cannot_be_initialised_fails_its_requests_and_no_other() {
    let api = Api::failing(|_, params| {
        params["url"].as_str()?.contains("bad.example").then(|| problem(521, "/download/internal-error"))
    });
    let engine = engine(Settings::default(), &api);
    let bad =
        carousel_core::exchange::Request::from_json(json!({"url": "https://bad.example/", "httpResponseBody": true})).unwrap();
    let failed = engine.fetch(bad).await.unwrap_err();
    assert_eq!(failed.kind, FailureKind::BadInits);
    assert!(failed.message.contains("the last one: download failed: Zyte API answered 521"), "{}", failed.message);
    assert_eq!(count(&engine.report(), "init/failed"), 8);
    assert!(engine.fetch(request(1)).await.is_ok());
    assert!(engine.close_reason().is_none());
}

#[tokio::test(start_paused = true)]
async fn in_the_peers_profile_it_ends_the_crawl() {
    let api = Api::failing(|_, params| (!is_use(params)).then(|| problem(521, "/download/internal-error")));
    let engine = engine(peer(), &api);
    assert_eq!(engine.fetch(request(1)).await.unwrap_err().kind, FailureKind::BadInits);
    assert_eq!(engine.report()["close_reason"], "bad_session_inits");
    assert_eq!(engine.fetch(request(2)).await.unwrap_err().kind, FailureKind::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_ends_the_crawl_at_once() {
    for (status, kind, reason) in [
        (401, "/auth/key-not-found", "zyte_api_bad_key"),
        (401, "about:blank", "zyte_api_bad_key"),
        (403, "/auth/account-suspended", "zyte_api_suspended_account"),
        (404, "/request/invalid", "zyte_api_wrong_url"),
        (404, "about:blank", "zyte_api_wrong_url"),
        (308, "about:blank", "zyte_api_wrong_url"),
    ] {
        let api = Api::failing(move |_, _| Some(problem(status, kind)));
        let engine = engine(Settings::default(), &api);
        let results = fetch_all(&engine, 3).await;
        assert!(results.iter().all(Result::is_err));
        assert_eq!(&*engine.closed().await, reason);
        assert_eq!(api.log().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_budget_closes_the_crawl_and_finishes_what_is_under_way() {
    let api = Api::good();
    let settings = Settings { budget: BudgetSettings { billed: Some(3), ..BudgetSettings::default() }, ..Settings::default() };
    let engine = engine(settings, &api);
    for n in 1..=2 {
        engine.fetch(request(n)).await.unwrap();
    }
    assert_eq!(engine.fetch(request(3)).await.unwrap_err().kind, FailureKind::Closed);
    assert_eq!(engine.report()["close_reason"], "budget");
}

#[tokio::test(start_paused = true)]
async fn closing_refuses_those_who_wait_and_finishes_those_under_way() {
    let api = Api::good();
    let one_at_a_time = SessionSettings { pool_size: 1, max_in_flight: Some(1), ..SessionSettings::default() };
    let engine = engine(with_session(one_at_a_time), &api);
    let all = tokio::spawn({
        let engine = engine.clone();
        async move { fetch_all(&engine, 3).await }
    });
    tokio::time::sleep(Duration::from_secs(9)).await;
    engine.close("enough");
    assert_eq!(all.await.unwrap(), [Ok(()), Err(FailureKind::Closed), Err(FailureKind::Closed)]);
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_under_way_when_the_crawl_closes_is_finished_and_counted() {
    let api = Api::good();
    let engine = engine(Settings::default(), &api);
    let waiting = tokio::spawn({
        let engine = engine.clone();
        async move { engine.fetch(request(1)).await.map(drop).map_err(|failure| failure.kind) }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    engine.close("enough");
    assert_eq!(waiting.await.unwrap(), Err(FailureKind::Closed));
    engine.finish().await;
    assert_eq!(engine.report()["billed"]["init"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_fetch_gives_its_session_back_without_blame() {
    let api = Api::good();
    let one_at_a_time = SessionSettings { pool_size: 1, max_in_flight: Some(1), ..SessionSettings::default() };
    let engine = engine(with_session(one_at_a_time), &api);
    for after in [1, 8] {
        let cut = tokio::time::timeout(Duration::from_secs(after), engine.fetch(request(1))).await;
        assert!(cut.is_err());
    }
    engine.fetch(request(2)).await.unwrap();
    assert_eq!(api.log().iter().filter(|call| *call == "init a").count(), 1);
    assert_eq!(engine.report()["ended"], json!({}));
}

#[tokio::test(start_paused = true)]
async fn a_request_without_sessions_is_sent_untouched() {
    let api = Api::good();
    let engine = engine(Settings::default(), &api);
    let line = request_with(1, json!({"meta": {"zyte_api_session_enabled": false}, "session": {"id": "mine"}}));
    engine.fetch(line).await.unwrap();
    let expected = json!({"url": "https://shop.example/1", "httpResponseBody": true, "echoData": 1, "session": {"id": "mine"}});
    assert_eq!(*api.calls.lock().unwrap(), [expected]);
    assert_eq!(count(&engine.report(), "use/disabled"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cookie_session_is_the_cookies_of_its_initialisation() {
    let api = Api::good();
    let engine = engine(with_session(SessionSettings { cookie_mode: true, ..SessionSettings::default() }), &api);
    engine.fetch(request_with(1, json!({"requestCookies": [{"name": "own", "value": "2"}]}))).await.unwrap();
    let calls = api.calls.lock().unwrap();
    assert_eq!((calls[0].get("session"), &calls[0]["responseCookies"]), (None, &json!(true)));
    assert_eq!(
        calls[1]["requestCookies"],
        json!([{"name": "sid", "value": "1", "domain": "shop.example"}, {"name": "own", "value": "2"}])
    );
    assert_eq!(calls[1].get("session"), None);
}

/// Each call of the chain sets a cookie named after it: `c0` lives for 100 s, `c1` belongs to another path.
#[tokio::test(start_paused = true)]
async fn a_cookie_session_carries_what_its_chain_gathered_until_it_expires() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for (profile, chain, first, later) in [
        (Profile::Default, vec!["c0"], vec!["c0", "c2", "own"], vec!["c2", "own"]),
        (Profile::ScrapyZyteApi, vec![], vec!["c0", "c1", "c2"], vec!["c0", "c1", "c2", "c3"]),
    ] {
        let api = Api::new(move |n, params| {
            let (n, mut page) = (n - 1, page(params));
            let cookie = json!({"name": format!("c{n}"), "value": "1", "domain": ".shop.example"});
            page["responseCookies"] = json!([cookie]);
            match n {
                0 => page["responseCookies"][0]["expires"] = json!(now + 100),
                1 | 3 => page["responseCookies"][0]["path"] = json!("/cart"),
                _ => {}
            }
            (Duration::from_secs(1), Ok(page))
        });
        let session = SessionSettings { enabled: Some(true), cookie_mode: true, pool_size: 1, ..SessionSettings::default() };
        let url = |path: &str| json!({"url": format!("https://shop.example/{path}")});
        let site = FakeSite { chain: Some(vec![url("a"), url("b"), url("c")]), ..FakeSite::default() };
        let engine = engine_with(Settings { profile, session, ..Settings::default() }, &api, site);
        let own = json!({"requestCookies": [{"name": "own", "value": "1", "domain": "shop.example"}]});
        engine.fetch(request_with(1, own.clone())).await.unwrap();
        tokio::time::sleep(Duration::from_secs(200)).await;
        engine.fetch(request_with(2, own)).await.unwrap();
        let calls = api.calls.lock().unwrap();
        let names = |n: usize| {
            let cookies = calls[n]["requestCookies"].as_array().cloned().unwrap_or_default();
            cookies.iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!([names(1), names(2)], [chain.clone(), chain], "{profile:?}");
        assert_eq!([names(3), names(4)], [first, later], "{profile:?}");
        assert_eq!(calls[0].get("responseCookies"), (profile == Profile::Default).then_some(&json!(true)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_cookie_session_and_one_of_the_api_never_stand_in_for_each_other() {
    for (usual, other) in [(false, "shop.example;cookies"), (true, "shop.example;session")] {
        let api = Api::good();
        let engine = engine(with_session(SessionSettings { cookie_mode: usual, ..SessionSettings::default() }), &api);
        engine.fetch(request(1)).await.unwrap();
        let line = request_with(2, json!({"meta": {"zyte_api_session_cookie_mode": !usual}}));
        assert_eq!(engine.fetch(line).await.unwrap().trace.pool.unwrap().as_str(), other);
        assert_eq!(api.log().len(), 4, "each has a session of its own");
    }
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_calls_initialises_a_session() {
    let api = Api::good();
    let chain = vec![json!({"url": "https://shop.example/login", "session": null}), json!({"url": "https://shop.example/in"})];
    let engine = engine_with(Settings::default(), &api, FakeSite { chain: Some(chain), ..FakeSite::default() });
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init -", "init a", "use a"]);
    assert_eq!(engine.report()["billed"]["init"], 2);
}

#[tokio::test(start_paused = true)]
async fn an_unexpected_failure_of_a_check_drops_the_session_at_once_and_is_a_bad_initialisation() {
    for (fails_at_init, counters) in [
        (true, json!({"init/check-error": 1, "init/check-passed": 1, "use/check-passed": 1})),
        (false, json!({"init/check-passed": 2, "use/check-error": 1, "use/check-passed": 1})),
    ] {
        let api = Api::good();
        let failed = std::sync::atomic::AtomicBool::new(false);
        let check = move |call: &carousel_core::hooks::HookCall, _: &_| {
            let fails =
                call.init == fails_at_init && !failed.swap(call.init == fails_at_init, std::sync::atomic::Ordering::Relaxed);
            if fails { Err(HookError::Raised("boom".into())) } else { Ok(Verdict::Keep) }
        };
        let settings = with_session(SessionSettings { max_check_failures: 9, ..SessionSettings::default() });
        let engine = engine_with(settings, &api, FakeSite { check: Some(Box::new(check)), ..FakeSite::default() });
        engine.fetch(request(1)).await.unwrap();
        assert_eq!(engine.report()["sessions"], counters);
    }
}

#[tokio::test(start_paused = true)]
async fn below_the_limit_of_check_failures_the_page_is_tried_again_and_the_session_stays() {
    let api = Api::new(|n, params| {
        let answer = if n == 2 { json!({"url": params["url"], "statusCode": 404}) } else { page(params) };
        (Duration::from_secs(1), Ok(answer))
    });
    let check = |_: &_, answer: &carousel_core::exchange::Answer| Ok(Verdict::keep_if(answer.status_code() == Ok(Some(200))));
    let settings = with_session(SessionSettings { max_check_failures: 2, ..SessionSettings::default() });
    let engine = engine_with(settings, &api, FakeSite { check: Some(Box::new(check)), ..FakeSite::default() });
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init a", "use a", "use a"]);
}

#[tokio::test(start_paused = true)]
async fn a_custom_retry_policy_repeats_bans_on_the_same_session() {
    let api = Api::failing(|n, _| (n == 2 || n == 3).then(|| problem(520, "/download/temporary-error")));
    let session = SessionSettings { retry_policy: "custom-download-x3".parse().ok(), ..SessionSettings::default() };
    let engine = engine(with_session(session), &api);
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init a", "use a", "use a", "use a"]);
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_carries_location_and_params_of_its_trigger_and_no_other_metadata() {
    let api = Api::good();
    let check = |call: &carousel_core::hooks::HookCall, _: &_| match call.init {
        true => Ok(Verdict::keep_if(call.request.meta().keys().eq(["zyte_api_session_location"]))),
        false => Ok(Verdict::keep_if(call.request.meta().len() == 2)),
    };
    let engine = engine_with(Settings::default(), &api, FakeSite { check: Some(Box::new(check)), ..FakeSite::default() });
    let meta = json!({"meta": {"zyte_api_session_location": {"postalCode": "1"}, "other": 1}});
    engine.fetch(request_with(1, meta)).await.unwrap();
    assert_eq!(api.log(), ["init a", "use a"]);
}

#[tokio::test(start_paused = true)]
async fn in_the_peers_profile_a_session_of_the_requests_own_is_replaced() {
    let api = Api::good();
    let engine = engine(peer(), &api);
    engine.fetch(request_with(1, json!({"session": {"id": "mine"}}))).await.unwrap();
    let calls = api.calls.lock().unwrap();
    assert_eq!(calls[1]["session"], calls[0]["session"]);
    assert_ne!(calls[1]["session"]["id"], "mine");
}

#[tokio::test(start_paused = true)]
async fn process_request_edits_a_copy_for_each_try() {
    let api = Api::failing(|n, _| (n == 2).then(|| problem(422, "/problem/session-expired")));
    let process =
        |call: &carousel_core::hooks::HookCall| Ok(Edit { url: Some(format!("{}/x", call.request.url())), ..Edit::default() });
    let engine = engine_with(Settings::default(), &api, FakeSite { process: Some(Box::new(process)), ..FakeSite::default() });
    engine.fetch(request(1)).await.unwrap();
    let calls = api.calls.lock().unwrap();
    let uses: Vec<&Value> = calls.iter().filter(|call| is_use(call)).map(|call| &call["url"]).collect();
    assert_eq!(uses, ["https://shop.example/1/x", "https://shop.example/1/x"]);
}

#[tokio::test(start_paused = true)]
async fn a_failing_hook_fails_its_page_and_keeps_the_session() {
    let api = Api::good();
    let process = |call: &carousel_core::hooks::HookCall| match call.request.url().ends_with("/1") {
        true => Err(HookError::Trapped("took longer than 0.1 s".into())),
        false => Ok(Edit::default()),
    };
    let engine = engine_with(Settings::default(), &api, FakeSite { process: Some(Box::new(process)), ..FakeSite::default() });
    assert_eq!(engine.fetch(request(1)).await.unwrap_err().kind, FailureKind::Plugin);
    engine.fetch(request(2)).await.unwrap();
    assert_eq!(api.log(), ["init a", "use a"]);
}

#[tokio::test(start_paused = true)]
async fn a_failing_pool_hook_fails_the_request_or_ends_the_crawl() {
    for (settings, reason) in [(Settings::default(), "finished"), (peer(), "pool_error")] {
        let api = Api::good();
        let site = FakeSite { plan_error: Some(HookError::Raised("boom".into())), ..FakeSite::default() };
        let engine = engine_with(settings, &api, site);
        assert_eq!(engine.fetch(request(1)).await.unwrap_err().kind, FailureKind::Pool);
        assert_eq!(engine.report()["close_reason"], reason);
        assert_eq!(api.log().len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_verdict_may_end_the_page_the_pool_or_the_crawl() {
    for (verdict, kind, reason, calls) in [
        (Verdict::Reject("gone".into()), FailureKind::Rejected, "finished", 2),
        (Verdict::ClosePool("no use".into()), FailureKind::Pool, "finished", 2),
        (Verdict::CloseCrawl("stop".into()), FailureKind::Closed, "stop", 2),
    ] {
        let api = Api::good();
        let check =
            move |call: &carousel_core::hooks::HookCall, _: &_| Ok(if call.init { Verdict::Keep } else { verdict.clone() });
        let engine = engine_with(Settings::default(), &api, FakeSite { check: Some(Box::new(check)), ..FakeSite::default() });
        assert_eq!(engine.fetch(request(1)).await.unwrap_err().kind, kind);
        assert_eq!((engine.report()["close_reason"].as_str().unwrap(), api.log().len()), (reason, calls));
    }
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_is_told_by_url_parameters_and_pool() {
    let api = Api::good();
    let settings = Settings { crawl: CrawlSettings { dedup: true, ..CrawlSettings::default() }, ..Settings::default() };
    let engine = engine(settings, &api);
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(engine.fetch(request(1)).await.unwrap_err().kind, FailureKind::Duplicate);
    let elsewhere = request_with(1, json!({"meta": {"zyte_api_session_location": {"postalCode": "1"}}}));
    engine.fetch(elsewhere).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_peers_queue_gives_up_after_its_attempts() {
    let api = Api::new(|_, params| (Duration::from_secs(100), Ok(page(params))));
    let mut settings = peer();
    settings.session.queue_max_attempts = Some(3);
    settings.session.queue_wait_time = Seconds::new(2);
    let engine = engine(settings, &api);
    let started = tokio::time::Instant::now();
    let first = tokio::spawn({
        let engine = engine.clone();
        async move { engine.fetch(request(1)).await.is_ok() }
    });
    tokio::task::yield_now().await;
    assert_eq!(engine.fetch(request(2)).await.unwrap_err().kind, FailureKind::NoSession);
    assert_eq!(started.elapsed().as_secs(), 4);
    assert!(first.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn an_idle_session_ends_before_the_api_ends_it() {
    let api = Api::good();
    let engine = engine(Settings::default(), &api);
    engine.fetch(request(1)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(115)).await;
    engine.fetch(request(2)).await.unwrap();
    assert_eq!(api.log(), ["init a", "use a", "init b", "use b"]);
    assert_eq!(engine.report()["ended"], json!({"expired-idle": 1}));
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_counters() {
    let run = || async {
        let api = Api::new(|n, params| {
            let time = Duration::from_millis(500 + (n as u64 * 7919) % 3000);
            let result = match n % 9 {
                4 => Err(problem(520, "/download/temporary-error")),
                7 => Err(problem(429, "/limits/over-user-limit")),
                _ => Ok(page(params)),
            };
            (time, result)
        });
        let engine = engine(Settings::default(), &api);
        fetch_all(&engine, 200).await;
        engine.report()
    };
    let (first, second) = (run().await, run().await);
    assert_eq!(first, second);
    assert!(first["requests"]["retries"]["count"].as_u64().unwrap() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_retry_policy_of_the_request_holds_for_its_pages_and_not_for_the_initialisation() {
    let banned = |n, params: &_| (n <= 2 || (is_use(params) && n < 5)).then(|| problem(520, "/download/temporary-error"));
    let api = Api::failing(banned);
    let engine = engine(peer(), &api);
    engine.fetch(request_with(1, json!({"meta": {"zyte_api_retry_policy": "custom-download-x3"}}))).await.unwrap();
    assert_eq!(api.log(), ["init a", "init b", "init c", "use c", "use c"], "the calls up to the fourth were banned");
}

#[tokio::test(start_paused = true)]
async fn a_request_with_an_unknown_retry_policy_fails_before_anything_is_sent() {
    let api = Api::good();
    let engine = engine(Settings::default(), &api);
    let failed = engine.fetch(request_with(1, json!({"meta": {"zyte_api_retry_policy": "never"}}))).await.unwrap_err();
    assert_eq!((failed.kind, api.log().len()), (FailureKind::BadRequest, 0));
    assert!(failed.message.starts_with("zyte_api_retry_policy: retry policy \"never\" is unknown"), "{}", failed.message);
}

#[tokio::test(start_paused = true)]
async fn in_the_peers_profile_the_replacement_goes_before_the_session_that_a_retry_opens() {
    let api = Api::failing(|n, _| (n == 2).then(|| problem(422, "/problem/session-expired")));
    let mut settings = peer();
    settings.session.pool_size = 2;
    let engine = engine(settings, &api);
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init a", "use a", "init b", "init c", "use c"]);
}
