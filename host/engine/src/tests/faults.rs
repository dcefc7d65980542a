//! Faults, busy APIs, budgets: each stays where it is and costs no more than it must. Scripted API, virtual time.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use carousel_core::exchange::{Answer, CallError, NetworkError, Problem, Request};
use carousel_core::hooks::HookCall;
use carousel_core::id::{PoolId, PoolOwner, SiteId};
use carousel_core::settings::PoolTable;
use tokio::time::Instant;

use super::*;

fn on(host: &str, n: usize) -> Request {
    Request::from_json(json!({"url": format!("https://{host}/{n}"), "httpResponseBody": true, "echoData": n})).unwrap()
}

fn busy(status: u16, kind: &str, retry_after: Option<u64>) -> CallError {
    let retry_after = retry_after.map(Duration::from_secs);
    CallError::Api(Box::new(Problem { status, kind: kind.to_owned(), retry_after, ..Problem::default() }))
}

fn is_on(params: &Value, host: &str) -> bool {
    params["url"].as_str().is_some_and(|url| url.contains(host))
}

fn spawn<T: Transport, S: Sites>(
    engine: &Engine<T, S>,
    request: Request,
) -> tokio::task::JoinHandle<(Result<Vec<String>, FailureKind>, u64)> {
    let engine = engine.clone();
    tokio::spawn(async move {
        let started = Instant::now();
        let result = engine.fetch(request).await;
        let outcomes = |trace: crate::Trace| trace.attempts.into_iter().map(|attempt| attempt.outcome).collect();
        (result.map(|fetched| outcomes(fetched.trace)).map_err(|failure| failure.kind), started.elapsed().as_secs())
    })
}

#[tokio::test(start_paused = true)]
async fn a_busy_answer_slows_what_it_is_about_and_burns_no_session_and_no_retry() {
    for (status, kind, others_wait) in [
        (429, "/limits/over-domain-limit", false),
        (429, "/limits/over-org-domain-limit", false),
        (429, "/limits/over-user-limit", true),
        (503, "/limits/over-global-limit", true),
        (503, "/extractor/over-global-limit", true),
        (503, "about:blank", true),
    ] {
        let refused = Mutex::new(0);
        let api = Api::failing(move |_, params| {
            let is_slow = is_use(params) && is_on(params, "slow.example");
            let mut refused = refused.lock().unwrap();
            *refused += u32::from(is_slow);
            (is_slow && *refused <= 2).then(|| busy(status, kind, Some(50)))
        });
        let engine =
            engine(Settings { crawl: CrawlSettings { retry_times: 0, ..CrawlSettings::default() }, ..Settings::default() }, &api);
        let slow = [1, 2].map(|n| spawn(&engine, on("slow.example", n)));
        tokio::time::sleep(Duration::from_secs(12)).await;
        let (again, other) = (spawn(&engine, on("www.slow.example", 2)), spawn(&engine, on("other.example", 1)));
        for slow in slow {
            let (outcomes, _) = slow.await.unwrap();
            assert_eq!(outcomes.unwrap(), [format!("{status} {kind}"), "ok".to_owned()]);
        }
        // Its initialisation waits for a turn of its own after that.
        assert!((47..=62).contains(&again.await.unwrap().1), "{kind}: the same site waits");
        let took = other.await.unwrap().1;
        assert_eq!(took > 40, others_wait, "{kind}: another site took {took} s");
        let report = engine.report();
        assert_eq!((&report["ended"], &report["requests"]["retries"]["count"]), (&json!({}), &json!(0)), "{kind}");
        assert_eq!(count(&report, "init/check-passed"), 3, "{kind}");
        let counted = if others_wait { "everything" } else { "site" };
        assert_eq!(report["api"]["busy"][counted], 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_would_lapse_while_the_api_is_busy_is_given_back_and_never_used_again() {
    let api = Api::failing(|n, _| (n == 2).then(|| busy(429, "/limits/over-user-limit", Some(300))));
    let engine = engine(Settings::default(), &api);
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init a", "use a", "init b", "use b"]);
    assert_eq!(engine.report()["ended"], json!({"expired-idle": 1}));
}

#[tokio::test(start_paused = true)]
async fn a_call_is_not_repeated_on_a_session_that_has_lapsed_meanwhile() {
    let api = Api::new(|n, params| match n {
        2 => (Duration::from_secs(115), Err(CallError::Network(NetworkError::Timeout(Duration::from_secs(115))))),
        _ => (Duration::from_secs(1), Ok(page(params))),
    });
    let engine = engine(Settings::default(), &api);
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init a", "use a", "init b", "use b"]);
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_waits_for_a_busy_api_and_is_not_bad() {
    let session = SessionSettings { max_bad_inits: 1, ..SessionSettings::default() };
    let api = Api::failing(|n, _| (n <= 3).then(|| busy(503, "about:blank", None)));
    let engine = engine(with_session(session), &api);
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init a", "init a", "init a", "init a", "use a"]);
    assert_eq!(count(&engine.report(), "init/failed"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_a_busy_api_interrupts_for_too_long_starts_anew_under_another_id() {
    let session = SessionSettings { max_bad_inits: 1, ..SessionSettings::default() };
    let api = Api::failing(|n, _| (n == 2).then(|| busy(429, "/limits/over-domain-limit", Some(200))));
    let chain = vec![json!({"url": "https://shop.example/login"}), json!({"url": "https://shop.example/in"})];
    let engine = engine_with(with_session(session), &api, FakeSite { chain: Some(chain), ..FakeSite::default() });
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init a", "init a", "init b", "init b", "use b"]);
}

#[tokio::test(start_paused = true)]
async fn a_ban_with_retry_after_is_tried_again_after_it() {
    let api = Api::failing(|n, _| (n == 2).then(|| busy(520, "/download/temporary-error", Some(60))));
    let (outcomes, took) = spawn(&engine(Settings::default(), &api), request(1)).await.unwrap();
    assert_eq!(outcomes.unwrap(), ["banned", "ok"], "on the same session");
    assert!((69..=72).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_ban_at_an_initialisation_with_retry_after_is_tried_again_after_it_and_counts() {
    let failing = |times| Api::failing(move |n, _| (n <= times).then(|| busy(520, "/download/temporary-error", Some(60))));
    let engine =
        |times| engine(with_session(SessionSettings { max_bad_inits: 3, ..SessionSettings::default() }), &failing(times));
    for (times, expected) in [(2, Ok(vec!["ok".to_owned()])), (3, Err(FailureKind::BadInits))] {
        let engine = engine(times);
        let (outcomes, took) = spawn(&engine, request(1)).await.unwrap();
        assert_eq!(outcomes, expected);
        assert!((120..=150).contains(&took), "{took}");
        assert_eq!(count(&engine.report(), "init/failed"), u64::try_from(times).unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_domain_that_the_api_refuses_ends_and_no_other() {
    for (status, kind) in [(451, "/download/domain-forbidden"), (421, "/website/domain-unreachable")] {
        for at_init in [true, false] {
            let api = Api::failing(move |_, params| {
                (is_on(params, "gone.example") && is_use(params) != at_init).then(|| problem(status, kind))
            });
            let engine = engine(Settings::default(), &api);
            let waiting: Vec<_> = (0..3).map(|n| spawn(&engine, on("gone.example", n))).collect();
            let other = spawn(&engine, on("other.example", 1));
            for task in waiting {
                assert!(matches!(task.await.unwrap().0, Err(FailureKind::Domain | FailureKind::Api)), "{status}");
            }
            assert!(other.await.unwrap().0.is_ok());
            let before = api.log().len();
            let failure = engine.fetch(on("gone.example", 9)).await.unwrap_err();
            assert_eq!((failure.kind, api.log().len()), (FailureKind::Domain, before), "no call is sent");
            assert!(failure.message.contains(kind), "{}", failure.message);
            assert!(engine.close_reason().is_none() && engine.report()["ended"] == json!({}));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_website_that_could_not_be_connected_to_is_asked_again() {
    let api = Api::failing(|n, _| (n == 2).then(|| problem(421, "/website/connection-error")));
    engine(Settings::default(), &api).fetch(request(1)).await.unwrap();
    assert_eq!(api.log(), ["init a", "use a", "use a"]);
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_spent_to_the_last_answer_and_not_overdrawn() {
    for (limit, size, ban_every) in [(10, 8, 0), (10, 1, 3), (1, 8, 0), (2, 8, 0), (25, 3, 4)] {
        let api = Api::failing(move |n, params| {
            let banned = is_use(params) && ban_every > 0 && n.is_multiple_of(ban_every);
            banned.then(|| problem(520, "/download/temporary-error"))
        });
        let session = SessionSettings { pool_size: size, max_errors: Some(9), ..SessionSettings::default() };
        let budget = BudgetSettings { billed: Some(limit), ..BudgetSettings::default() };
        let engine = engine(Settings { budget, session, ..Settings::default() }, &api);
        let results = fetch_all(&engine, 40).await;
        let report = engine.report();
        let billed: u64 = ["init", "use", "discarded"].iter().map(|key| report["billed"][key].as_u64().unwrap()).sum();
        assert!(billed == limit || (limit == 1 && billed == 0), "{limit}: {}", report["billed"]);
        let left = results.iter().filter(|result| matches!(result, Err(FailureKind::Closed | FailureKind::Budget))).count();
        assert_eq!(left + results.iter().filter(|result| result.is_ok()).count(), 40, "{limit}: {results:?}");
        assert_eq!(report["close_reason"], "budget", "{limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pools_budget_ends_the_pool_and_the_crawl_goes_on() {
    let api = Api::good();
    let pools = [("shop.example".to_owned(), PoolTable { budget: Some(4), ..PoolTable::default() })].into();
    let engine = engine(with_session(SessionSettings { pools, ..SessionSettings::default() }), &api);
    let results = fetch_all(&engine, 10).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3);
    assert_eq!(results.iter().filter(|result| **result == Err(FailureKind::Budget)).count(), 7);
    engine.fetch(on("other.example", 1)).await.unwrap();
    assert_eq!(engine.fetch(request(1)).await.unwrap_err().kind, FailureKind::Budget);
    assert_eq!(engine.report()["pools"]["shop.example"]["billed"], json!({"init": 1, "use": 3, "discarded": 0}));
}

fn throttling(times: usize, init: bool) -> FakeSite {
    let left = Mutex::new(times);
    let check = move |call: &HookCall, _: &Answer| {
        let mut left = left.lock().unwrap();
        if call.init != init || *left == 0 {
            return Ok(Verdict::Keep);
        }
        *left -= 1;
        Ok(Verdict::Throttled(Duration::from_secs(30)))
    };
    FakeSite { check: Some(Box::new(check)), ..FakeSite::default() }
}

#[tokio::test(start_paused = true)]
async fn a_site_that_asks_for_time_gets_it_on_the_same_session_and_not_for_ever() {
    for (times, expected) in [(2, Ok(())), (11, Err(FailureKind::CheckFailed))] {
        let api = Api::good();
        let engine = engine_with(Settings::default(), &api, throttling(times, false));
        let (result, took) = spawn(&engine, request(1)).await.unwrap();
        assert_eq!(result.map(drop), expected);
        assert!(took >= 30 * times.min(10) as u64, "{took}");
        let sessions: BTreeSet<String> = api.log().into_iter().map(|call| call.replace("init", "use")).collect();
        assert_eq!(sessions.into_iter().collect::<Vec<_>>(), ["use a"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_site_that_asks_for_more_time_than_there_is_keeps_nobody_else_waiting() {
    let slow = |call: &HookCall, _: &Answer| match (call.init, call.request.host() == "slow.example") {
        (true, _) => Ok(Verdict::Keep),
        (false, true) => Ok(Verdict::Throttled(Duration::MAX)),
        (false, false) => Ok(Verdict::Throttled(Duration::from_secs(30))),
    };
    let delay = Seconds::new(5);
    let session = SessionSettings { cookie_mode: true, pool_size: 1, delay, max_throttled: 1, ..SessionSettings::default() };
    let site = FakeSite { check: Some(Box::new(slow)), ..FakeSite::default() };
    let engine = engine_with(with_session(session), &Api::good(), site);
    let waits = spawn(&engine, on("slow.example", 1));
    // By then it waits for its session, which rests for ever.
    tokio::time::sleep(Duration::from_secs(2 * 3600)).await;
    let other = tokio::time::timeout(Duration::from_secs(3600), spawn(&engine, on("other.example", 1)));
    assert_eq!(other.await.expect("the timer goes on").unwrap().0.unwrap_err(), FailureKind::CheckFailed);
    waits.abort();
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_that_the_end_of_the_crawl_cuts_short_is_not_bad() {
    let down = |_: usize, _: &Value| Some(CallError::Network(NetworkError::Connect("refused".to_owned())));
    let engine = engine(Settings::default(), &Api::failing(down));
    let waits = spawn(&engine, request(1));
    tokio::time::sleep(Duration::from_secs(1)).await;
    // The moment in which a call may hear of the end before the pools do.
    engine.0.close.send_replace(Some("enough".into()));
    assert_eq!(waits.await.unwrap().0.unwrap_err(), FailureKind::Closed);
    assert_eq!(count(&engine.report(), "init/failed"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_would_be_repeated_when_the_crawl_closes_is_left_over() {
    for enabled in [true, false] {
        let down = |_: usize, params: &Value| is_use(params).then(|| CallError::Network(NetworkError::Broken("down".to_owned())));
        let session = SessionSettings { enabled: Some(enabled), ..SessionSettings::default() };
        let engine = engine(with_session(session), &Api::failing(down));
        let fetch = engine.clone();
        let waits = tokio::spawn(async move { fetch.fetch(request(1)).await.map(drop) });
        tokio::time::sleep(Duration::from_secs(60)).await;
        engine.close("enough");
        let failure = waits.await.unwrap().unwrap_err();
        assert!(failure.is_left_over() && failure.kind == FailureKind::Closed, "{failure}");
        assert!(failure.message.contains("down"), "{failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_whose_check_asks_for_time_is_tried_again_later_and_is_not_bad() {
    let api = Api::good();
    let session = SessionSettings { max_bad_inits: 1, ..SessionSettings::default() };
    let engine = engine_with(with_session(session), &api, throttling(2, true));
    let (result, took) = spawn(&engine, request(1)).await.unwrap();
    assert!(result.is_ok() && (84..=90).contains(&took), "{result:?} after {took} s");
    assert_eq!(count(&engine.report(), "init/throttled"), 2);
}

#[tokio::test(start_paused = true)]
async fn pools_leave_memory_and_so_does_all_that_is_kept_for_them() {
    let api = Api::failing(|_, params| is_on(params, "bad").then(|| problem(521, "/download/internal-error")));
    let session = SessionSettings { max_bad_inits: 1, max_cool_down: Seconds::new(60), ..SessionSettings::default() };
    let engine = engine(with_session(session), &api);
    for n in 0..100 {
        let word = if n % 2 == 0 { "bad" } else { "good" };
        let _ = engine.fetch(on(&format!("{word}{n}.example"), 1)).await;
    }
    let bad = PoolId::owned("bad98.example", &[], PoolOwner::Site(SiteId::new("fake", "")));
    assert!(engine.0.last_bad_init(&bad).is_some());
    tokio::time::sleep(Duration::from_secs(300)).await;
    let state = engine.0.state();
    assert_eq!((state.pools.len(), state.sessions.len(), state.waiting.len()), (0, 0, 0));
    assert!((0..100).all(|n| engine.0.last_bad_init(&carousel_core::id::PoolId::new(format!("bad{n}.example"))).is_none()));
}

#[tokio::test(start_paused = true)]
async fn cookie_sessions_leave_memory_where_a_limit_is_set() {
    for (max_idle, left) in [(None, 20), (Some(Seconds::new(600)), 0)] {
        let session = SessionSettings { cookie_mode: true, max_idle, ..SessionSettings::default() };
        let engine = engine(with_session(session), &Api::good());
        for n in 0..20 {
            engine.fetch(on(&format!("shop{n}.example"), 1)).await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(1000)).await;
        assert_eq!((engine.census().pools, engine.census().sessions), (left, left));
    }
}

#[tokio::test(start_paused = true)]
async fn the_reason_of_a_closed_pool_is_told_to_those_who_come_later() {
    let api = Api::good();
    let check = |call: &HookCall, _: &Answer| Ok(if call.init { Verdict::Keep } else { Verdict::ClosePool("sold out".into()) });
    let engine = engine_with(Settings::default(), &api, FakeSite { check: Some(Box::new(check)), ..FakeSite::default() });
    assert_eq!(engine.fetch(request(1)).await.unwrap_err().kind, FailureKind::Pool);
    let later = engine.fetch(request(2)).await.unwrap_err();
    assert_eq!((later.kind, later.message.as_str()), (FailureKind::Pool, "the pool was closed: sold out"));
    assert_eq!(engine.report()["ended"], json!({"pool-closed": 1}));
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_counted_for_what_it_was_and_in_the_peers_profile_by_the_peers_name() {
    type Outcome = fn() -> Result<Verdict, HookError>;
    let outcomes: [(Outcome, &str); 2] = [
        (|| Ok(Verdict::Discard("wrong zip".to_owned())), "reason_count/check_failed"),
        (|| Err(HookError::Raised("no selector".to_owned())), "reason_count/check_error"),
    ];
    for (outcome, own) in outcomes {
        for (settings, name) in [(Settings::default(), own), (peer(), "reason_count/session_expired")] {
            let checked = AtomicUsize::new(0);
            let check = move |call: &HookCall, _: &Answer| {
                let is_first = !call.init && checked.fetch_add(1, Ordering::Relaxed) == 0;
                if is_first { outcome() } else { Ok(Verdict::Keep) }
            };
            let engine = engine_with(settings, &Api::good(), FakeSite { check: Some(Box::new(check)), ..FakeSite::default() });
            engine.fetch(request(1)).await.unwrap();
            let report = engine.report();
            assert_eq!(report["requests"]["retries"], json!({"count": 1, "max_reached": 0, name: 1}), "{report}");
        }
    }
}
