//! Answers in which something cannot be read.

use carousel_core::exchange::{Answer, Unreadable};
use carousel_core::hooks::{HookCall, HookError};
use carousel_core::settings::{CrawlSettings, Profile, SessionSettings, Settings};
use carousel_core::verdict::Verdict;
use serde_json::{Value, json};

use super::fake::{Api, FakeSite, engine, engine_with, is_use, page, request, request_with, usual_time};
use super::{count, with_session};
use crate::FailureKind;

/// A check that cannot read the first pages.
fn blind_for(pages: usize) -> FakeSite {
    let seen = std::sync::atomic::AtomicUsize::new(0);
    let check = move |call: &HookCall, _: &Answer| {
        let is_blind = !call.init && seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < pages;
        if is_blind { Err(HookError::Unreadable(Unreadable::new("no JSON"))) } else { Ok(Verdict::Keep) }
    };
    FakeSite { check: Some(Box::new(check)), ..FakeSite::default() }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_cannot_be_read_is_fetched_again_on_the_same_session() {
    let api = Api::good();
    let engine = engine_with(Settings::default(), &api, blind_for(2));
    let trace = engine.fetch(request(1)).await.unwrap().trace;
    assert_eq!(
        trace.attempts.iter().map(|attempt| attempt.outcome.as_str()).collect::<Vec<_>>(),
        ["bad-answer", "bad-answer", "ok"]
    );
    assert_eq!(api.log(), ["init a", "use a", "use a", "use a"]);
    assert_eq!(engine.report()["ended"], json!({}));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_can_never_be_read_fails_as_a_bad_answer_and_costs_no_session() {
    let api = Api::good();
    let crawl = CrawlSettings { retry_times: 1, ..CrawlSettings::default() };
    let engine = engine_with(Settings { crawl, ..Settings::default() }, &api, blind_for(usize::MAX));
    let failed = engine.fetch(request(1)).await.unwrap_err();
    assert_eq!((failed.kind, failed.message.as_str()), (FailureKind::BadAnswer, "the answer cannot be read: no JSON"));
    assert_eq!(api.log(), ["init a", "use a", "use a"]);
    assert_eq!(engine.report()["billed"], json!({"init": 1, "use": 0, "discarded": 2}));
}

#[tokio::test(start_paused = true)]
async fn in_the_peers_profile_it_is_an_error_of_the_check() {
    let api = Api::good();
    let session = SessionSettings { enabled: Some(true), ..SessionSettings::default() };
    let settings = Settings { profile: Profile::ScrapyZyteApi, ..with_session(session) };
    let engine = engine_with(settings, &api, blind_for(1));
    engine.fetch(request(1)).await.unwrap();
    assert_eq!(count(&engine.report(), "use/check-error"), 1);
}

#[tokio::test(start_paused = true)]
async fn results_of_actions_that_cannot_be_read_fail_an_initialisation() {
    for actions in [json!({}), json!("done"), json!([1])] {
        let api = Api::new(move |_, params| {
            let mut page = page(params);
            page["actions"] = if is_use(params) { Value::Null } else { actions.clone() };
            (usual_time(params), Ok(page))
        });
        let session = SessionSettings { max_bad_inits: 1, ..SessionSettings::default() };
        let engine = engine(with_session(session), &api);
        let failed = engine.fetch(request(1)).await.unwrap_err();
        assert_eq!(failed.kind, FailureKind::BadInits);
        assert!(failed.message.contains("the answer cannot be read: \"actions\" should be a list"), "{}", failed.message);
        assert_eq!(count(&engine.report(), "init/check-error"), 1);
    }
}

/// The cookies that the session's first request brings along.
async fn cookies_after(profile: Profile, answered: Value) -> Result<Value, String> {
    let api = Api::new(move |_, params| {
        let mut page = page(params);
        page["url"] = json!("https://www.shop.example:8443/start");
        page["responseCookies"] = answered.clone();
        (usual_time(params), Ok(page))
    });
    let session = SessionSettings { enabled: Some(true), cookie_mode: true, max_bad_inits: 1, ..SessionSettings::default() };
    let engine = engine(Settings { profile, ..with_session(session) }, &api);
    engine.fetch(request_with(1, json!({"url": "https://shop.example/1"}))).await.map_err(|failure| failure.message)?;
    let cookies = api.calls.lock().unwrap()[1]["requestCookies"].clone();
    Ok(cookies)
}

#[tokio::test(start_paused = true)]
async fn a_cookie_without_a_domain_goes_back_to_the_host_that_set_it() {
    let cookies = json!([3, {"name": "a", "value": "1"}, {"name": "b"}, {"name": "c", "value": "2", "domain": ".shop.example"}]);
    let expected = json!([
        {"name": "c", "value": "2", "domain": ".shop.example"},
        {"name": "a", "value": "1", "domain": "www.shop.example"},
    ]);
    let mut sent = cookies_after(Profile::Default, cookies.clone()).await.unwrap();
    sent.as_array_mut().unwrap().sort_by_key(|cookie| std::cmp::Reverse(cookie["name"].to_string()));
    assert_eq!(sent, expected);
    let as_it_came = json!([{"name": "a", "value": "1"}, {"name": "c", "value": "2", "domain": ".shop.example"}]);
    assert_eq!(cookies_after(Profile::ScrapyZyteApi, cookies).await.unwrap(), as_it_came);
}

#[tokio::test(start_paused = true)]
async fn cookies_that_are_no_list_fail_the_initialisation_of_a_cookie_session() {
    let why = cookies_after(Profile::Default, json!({"a": 1})).await.unwrap_err();
    assert!(why.contains("\"responseCookies\" should be a list and is an object"), "{why}");
}
