//! Nothing is decided on what was true before a wait: what has ended meanwhile is not used, and what nobody waits for any more is not
//! paid for.

use std::sync::Mutex;

use carousel_core::exchange::{Answer, CallError, Problem, Request};
use carousel_core::hooks::HookCall;
use carousel_core::settings::{Growth, Throttling};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::*;

fn error(status: u16, kind: &str, retry_after: Option<u64>) -> CallError {
    let retry_after = retry_after.map(Duration::from_secs);
    CallError::Api(Box::new(Problem { status, kind: kind.to_owned(), retry_after, ..Problem::default() }))
}

/// The numbers of the pages that a call is for; 0 for an initialisation.
fn page_number(params: &Value) -> u64 {
    params["echoData"].as_u64().unwrap_or_default()
}

/// A site whose check says this of page 2 and keeps all others.
fn second_page(verdict: Verdict) -> FakeSite {
    let check = move |call: &HookCall, _: &Answer| {
        let is_second = !call.init && call.request.url().ends_with("/2");
        Ok(if is_second { verdict.clone() } else { Verdict::Keep })
    };
    FakeSite { check: Some(Box::new(check)), ..FakeSite::default() }
}

type Outcome = (Option<FailureKind>, u64);

/// Fetches a request; how it ended, and after how many seconds.
fn start(engine: &Engine<Api, fake::OneSite>, request: Request) -> JoinHandle<Outcome> {
    let engine = engine.clone();
    tokio::spawn(async move {
        let started = Instant::now();
        let kind = engine.fetch(request).await.err().map(|failure| failure.kind);
        (kind, started.elapsed().as_secs())
    })
}

/// Page 1 meets an error that asks for a pause; page 2 takes a second.
fn first_page_pauses(status: u16, retry_after: u64) -> Api {
    let failed = Mutex::new(false);
    Api::failing(move |_, params| {
        let is_first = page_number(params) == 1 && !std::mem::replace(&mut *failed.lock().unwrap(), page_number(params) == 1);
        is_first.then(|| error(status, "/server/internal", Some(retry_after)))
    })
}

#[tokio::test(start_paused = true)]
async fn a_call_is_not_repeated_on_a_session_that_another_page_has_ended_meanwhile() {
    for pause in [5, 60] {
        let api = first_page_pauses(500, pause);
        let mut settings = Settings::default();
        settings.crawl.retry_times = 0;
        settings.session.retry_times = Some(0);
        let engine = engine_with(settings, &api, second_page(Verdict::Discard("no".into())));
        let (first, second) = (start(&engine, request(1)), start(&engine, request(2)));
        assert_eq!(second.await.unwrap().0, Some(FailureKind::CheckFailed));
        assert_eq!(first.await.unwrap().0, None);
        assert_eq!(api.log(), ["init a", "use a", "use a", "init b", "use b"], "{pause}");
        assert_eq!(engine.report()["ended"], json!({"check-failed": 1}), "{pause}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_with_its_pool_or_its_domain_and_nothing_is_sent_any_more() {
    for (verdict, expected) in
        [(Verdict::ClosePool("enough".into()), FailureKind::Pool), (Verdict::CloseCrawl("enough".into()), FailureKind::Closed)]
    {
        let api = first_page_pauses(500, 60);
        let engine = engine_with(Settings::default(), &api, second_page(verdict));
        let (first, second) = (start(&engine, request(1)), start(&engine, request(2)));
        assert_eq!(second.await.unwrap().0, Some(expected));
        assert_eq!(first.await.unwrap(), (Some(expected), 9), "it does not wait out its pause");
        assert_eq!(api.log(), ["init a", "use a", "use a"]);
    }
    for more in [json!({}), json!({"meta": {"zyte_api_session_enabled": false}})] {
        let api = Api::failing(|_, params| match page_number(params) {
            1 => Some(error(500, "/server/internal", Some(60))),
            2 => Some(error(451, "/download/domain-forbidden", None)),
            _ => None,
        });
        let engine = engine(Settings::default(), &api);
        let (first, second) = (start(&engine, request_with(1, more.clone())), start(&engine, request_with(2, more)));
        assert_eq!(second.await.unwrap().0, Some(FailureKind::Api));
        let (kind, took) = first.await.unwrap();
        assert!(kind == Some(FailureKind::Domain) && took < 10, "{kind:?} after {took} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_a_busy_api_hears_of_the_end_of_its_pool() {
    let api = Api::failing(|_, params| (page_number(params) == 1).then(|| error(429, "/limits/over-domain-limit", Some(3_000))));
    let engine = engine_with(Settings::default(), &api, second_page(Verdict::ClosePool("enough".into())));
    let (first, second) = (start(&engine, request(1)), start(&engine, request(2)));
    assert_eq!(second.await.unwrap().0, Some(FailureKind::Pool));
    assert_eq!(first.await.unwrap(), (Some(FailureKind::Pool), 9));
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_is_not_repeated_for_requests_that_have_gone() {
    let api = Api::failing(|n, _| (n == 1).then(|| error(500, "/server/internal", None)));
    let engine = engine(Settings::default(), &api);
    let gone = timeout(Duration::from_secs(9), engine.fetch(request(1))).await;
    assert!(gone.is_err());
    let ended = Instant::now();
    engine.finish().await;
    assert_eq!(ended.elapsed(), Duration::ZERO);
    assert_eq!((api.log().len(), engine.census().openings), (1, 0));
    engine.fetch(request(2)).await.unwrap();
    assert_eq!(api.log(), ["init a", "init b", "use b"]);
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_has_cost_something_goes_on_for_requests_to_come() {
    let api = Api::failing(|n, _| (n == 2).then(|| error(500, "/server/internal", None)));
    let chain = vec![json!({"url": "https://shop.example/login"}), json!({"url": "https://shop.example/in"})];
    let engine = engine_with(Settings::default(), &api, FakeSite { chain: Some(chain), ..FakeSite::default() });
    assert!(timeout(Duration::from_secs(17), engine.fetch(request(1))).await.is_err());
    engine.finish().await;
    engine.fetch(request(2)).await.unwrap();
    assert_eq!(api.log(), ["init a", "init a", "init a", "use a"]);
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_that_pauses_is_given_up_with_its_pool_or_its_domain() {
    for ends_domain in [false, true] {
        let api = Api::failing(move |n, params| match page_number(params) {
            0 if n > 1 => Some(error(500, "/server/internal", Some(60))),
            2 if ends_domain => Some(error(451, "/download/domain-forbidden", None)),
            _ => None,
        });
        let session = SessionSettings {
            growth: Some(Growth::OnDemand),
            max_in_flight: Some(1),
            pool_size: 2,
            ..SessionSettings::default()
        };
        let engine = engine_with(with_session(session), &api, second_page(Verdict::ClosePool("enough".into())));
        engine.fetch(request(1)).await.unwrap();
        let page_2 = Request::from_json(json!({"url": "https://shop.example/2", "browserHtml": true, "echoData": 2})).unwrap();
        let (second, third) = (start(&engine, page_2), start(&engine, request(3)));
        // Page 2 uses the session, and one for page 3 is begun.
        let expected = if ends_domain { FailureKind::Domain } else { FailureKind::Pool };
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(engine.census().openings, 1);
        assert!(second.await.unwrap().0.is_some());
        assert_eq!(third.await.unwrap().0, Some(expected));
        let ended = Instant::now();
        engine.finish().await;
        assert!(ended.elapsed() < Duration::from_secs(8), "only the call under way is waited for: {:?}", ended.elapsed());
        tokio::time::sleep(Duration::from_secs(1_000)).await;
        assert_eq!(api.log(), ["init a", "use a", "use a", "init b"], "{ends_domain}");
    }
}

#[tokio::test(start_paused = true)]
async fn busy_answers_between_failures_do_not_make_up_for_them() {
    for more in [json!({}), json!({"meta": {"zyte_api_session_enabled": false}})] {
        let uses = Mutex::new(0_u32);
        let api = Api::failing(move |_, params| {
            let mut uses = uses.lock().unwrap();
            *uses += u32::from(is_use(params));
            let is_busy = uses.is_multiple_of(2);
            is_use(params)
                .then(|| if is_busy { problem(429, "/limits/over-user-limit") } else { problem(500, "/server/internal") })
        });
        let engine = engine(Settings::default(), &api);
        assert_eq!(start(&engine, request_with(1, more)).await.unwrap().0, Some(FailureKind::Api));
        assert_eq!(api.log().iter().filter(|call| call.starts_with("use")).count(), 3, "500, 429, 500");
    }
}

#[tokio::test(start_paused = true)]
async fn busy_answers_between_failures_do_not_make_up_for_those_of_an_initialisation() {
    // After each busy answer the session that was begun has lapsed.
    let api = Api::failing(|n, params| match (is_use(params), n % 2) {
        (true, _) => None,
        (false, 1) => Some(problem(500, "/server/internal")),
        (false, _) => Some(error(429, "/limits/over-user-limit", Some(300))),
    });
    let session = SessionSettings { max_bad_inits: 2, ..SessionSettings::default() };
    let engine = engine(with_session(session), &api);
    assert_eq!(start(&engine, request(1)).await.unwrap().0, Some(FailureKind::BadInits));
    assert!(api.log().len() <= 8, "{:?}", api.log());
}

#[tokio::test(start_paused = true)]
async fn a_session_rests_after_a_call_and_not_after_a_grant_of_which_nothing_came() {
    let process = |call: &HookCall| match call.request.url().ends_with("/1") {
        true => Err(HookError::Raised("no".into())),
        false => Ok(Edit::default()),
    };
    let session = SessionSettings { delay: Seconds::new(30), randomize_delay: false, ..SessionSettings::default() };
    let api = Api::good();
    let engine = engine_with(with_session(session), &api, FakeSite { process: Some(Box::new(process)), ..FakeSite::default() });
    let (first, second) = (start(&engine, request(1)), start(&engine, request(2)));
    assert_eq!(first.await.unwrap(), (Some(FailureKind::Plugin), 38));
    assert_eq!(second.await.unwrap(), (None, 39), "8 s for the initialisation, 30 s of rest after it");
    assert_eq!(start(&engine, request(3)).await.unwrap(), (None, 30), "the page before was sent");
}

#[tokio::test(start_paused = true)]
async fn one_who_comes_again_is_served_before_those_who_came_after() {
    let busy = Mutex::new(true);
    let api = Api::failing(move |_, params| {
        let is_refused = page_number(params) == 1 && std::mem::replace(&mut *busy.lock().unwrap(), false);
        is_refused.then(|| problem(422, "/problem/session-expired"))
    });
    let session = SessionSettings { max_in_flight: Some(1), pool_size: 1, ..SessionSettings::default() };
    let engine = engine(with_session(session), &api);
    let fetches = [1, 2, 3].map(|n| start(&engine, request(n)));
    for fetch in fetches {
        assert_eq!(fetch.await.unwrap().0, None);
    }
    let pages: Vec<u64> = api.calls.lock().unwrap().iter().map(page_number).collect();
    assert_eq!(pages, [0, 1, 0, 1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn no_check_puts_a_session_to_rest_for_longer_than_an_hour() {
    for cookie_mode in [false, true] {
        let told = Mutex::new(false);
        let check = move |call: &HookCall, _: &Answer| {
            let first = !call.init && !std::mem::replace(&mut *told.lock().unwrap(), !call.init);
            Ok(if first { Verdict::Throttled(Duration::from_secs(1_000_000_000)) } else { Verdict::Keep })
        };
        let session = SessionSettings { cookie_mode, pool_size: 1, ..SessionSettings::default() };
        let engine =
            engine_with(with_session(session), &Api::good(), FakeSite { check: Some(Box::new(check)), ..FakeSite::default() });
        let (first, second) = (start(&engine, request(1)), start(&engine, request(2)));
        for end in [first.await.unwrap(), second.await.unwrap()] {
            assert!(end.0.is_none() && end.1 < 3_700, "{cookie_mode}: {end:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_check_puts_an_initialisation_off_for_longer_than_an_hour() {
    let told = Mutex::new(false);
    let check = move |_: &HookCall, _: &Answer| {
        let first = !std::mem::replace(&mut *told.lock().unwrap(), true);
        Ok(if first { Verdict::Throttled(Duration::MAX) } else { Verdict::Keep })
    };
    let engine = engine_with(Settings::default(), &Api::good(), FakeSite { check: Some(Box::new(check)), ..FakeSite::default() });
    let (kind, took) = start(&engine, request(1)).await.unwrap();
    assert!(kind.is_none() && took < 3_700, "{kind:?} after {took} s");
}

#[tokio::test(start_paused = true)]
async fn the_last_answer_of_a_budget_is_for_the_session_that_is_still_being_made() {
    let api = Api::good();
    let settings = Settings { budget: BudgetSettings { billed: Some(2), ..BudgetSettings::default() }, ..Settings::default() };
    let chain = Some(vec![json!({"browserHtml": true})]);
    let engine = engine_with(settings, &api, FakeSite { chain, dawdles: Duration::from_secs(30), ..FakeSite::default() });
    let first = start(&engine, request(1));
    tokio::time::sleep(Duration::from_secs(20)).await;
    let other = Request::from_json(json!({"url": "https://other.example/", "httpResponseBody": true, "echoData": 2})).unwrap();
    assert_eq!(start(&engine, other).await.unwrap().0, Some(FailureKind::Budget));
    assert_eq!(first.await.unwrap().0, None);
    assert_eq!((api.log(), &engine.report()["close_reason"]), (vec!["init a".to_owned(), "use a".to_owned()], &json!("budget")));
}

#[tokio::test(start_paused = true)]
async fn a_crawl_ends_where_its_budget_allows_no_initialisation_and_none_is_under_way() {
    let api = Api::good();
    let settings = Settings { budget: BudgetSettings { billed: Some(1), ..BudgetSettings::default() }, ..Settings::default() };
    let engine = engine(settings, &api);
    let (first, second) = (start(&engine, request(1)), start(&engine, request(2)));
    assert!(first.await.unwrap().0.is_some() && second.await.unwrap().0.is_some());
    assert_eq!((api.log().len(), &engine.report()["close_reason"]), (0, &json!("budget")));
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_was_forgotten_while_its_page_was_judged_stays_closed() {
    let api = Api::good();
    let engine = engine(Settings::default(), &api);
    let fetched = engine.fetch(request(1)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(4_000)).await;
    assert_eq!(engine.census().pools, 0);
    engine.0.close_pool(&fetched.trace.pool.unwrap(), "enough");
    assert_eq!(start(&engine, request(2)).await.unwrap(), (Some(FailureKind::Pool), 0));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_the_api_has_no_room_for_any_more_costs_a_retry_like_one_that_has_expired() {
    for kind in ["/problem/over-session-limit", "/problem/session-creation-error"] {
        let status = if kind.contains("limit") { 422 } else { 503 };
        let api = Api::failing(move |_, params| is_use(params).then(|| problem(status, kind)));
        let engine = engine(Settings::default(), &api);
        assert_eq!(start(&engine, request(1)).await.unwrap().0, Some(FailureKind::Api));
        assert_eq!(api.log().len(), 12, "the first try and five more, each with an initialisation");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plugins_edit_does_not_lead_to_a_domain_that_has_ended() {
    let process = |call: &HookCall| {
        let is_moved = call.request.url().ends_with("/2");
        Ok(Edit { url: is_moved.then(|| "https://elsewhere.example/".to_owned()), ..Edit::default() })
    };
    let api = Api::failing(|_, params| {
        params["url"].as_str()?.contains("elsewhere").then(|| error(451, "/download/domain-forbidden", None))
    });
    let engine = engine_with(Settings::default(), &api, FakeSite { process: Some(Box::new(process)), ..FakeSite::default() });
    assert_eq!(start(&engine, request(2)).await.unwrap().0, Some(FailureKind::Api));
    assert_eq!(start(&engine, request(2)).await.unwrap(), (Some(FailureKind::Domain), 0));
    assert_eq!(start(&engine, request(1)).await.unwrap().0, None);
    assert_eq!(api.log(), ["init a", "use a", "use a"]);
}

/// Pages without a session on a budget of two answers: page 1 takes long, page 2 ends the crawl or the domain after 10 s, page 3 takes
/// the answer that this one has left, and page 4 still waits for one.
#[tokio::test(start_paused = true)]
async fn what_waits_for_the_budget_when_crawl_or_domain_ends_waits_no_longer() {
    let closed = Some(FailureKind::Closed);
    for (status, kind, ends) in [
        (451, "/download/domain-forbidden", Some(FailureKind::Domain)),
        (401, "/auth/key-not-found", closed),
        (403, "/auth/account-suspended", closed),
        (200, "", closed),
    ] {
        for throttling in [Throttling::Scoped, Throttling::PerCall] {
            let api = Api::new(move |_, params| match page_number(params) {
                2 if status != 200 => (Duration::from_secs(10), Err(problem(status, kind))),
                _ => (Duration::from_secs(100), Ok(page(params))),
            });
            let budget = BudgetSettings { billed: Some(2), ..BudgetSettings::default() };
            let mut settings = Settings { budget, ..Settings::default() };
            settings.api.throttling = Some(throttling);
            let engine = engine(settings, &api);
            let plain = |host: &str, n: u64| {
                let meta = json!({"zyte_api_session_enabled": false});
                let url = format!("https://{host}.example/{n}");
                Request::from_json(json!({"url": url, "httpResponseBody": true, "echoData": n, "meta": meta})).unwrap()
            };
            let first = start(&engine, plain("long", 1));
            let _second = start(&engine, plain("shop", 2));
            let _third = start(&engine, plain("other", 3));
            let fourth = start(&engine, plain("shop", 4));
            tokio::time::sleep(Duration::from_secs(10)).await;
            if status == 200 {
                engine.close("enough");
            }
            assert_eq!(fourth.await.unwrap(), (ends, 10), "{status} {throttling:?}");
            assert_eq!(first.await.unwrap(), (None, 100), "{status} {throttling:?}");
        }
    }
}
