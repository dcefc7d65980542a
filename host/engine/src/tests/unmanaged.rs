//! Requests that are left alone or refused before they cost anything.

use std::sync::Arc;

use carousel_core::exchange::{CallError, Request};

use super::sites::{Hooks, Served, engine_of, page};
use super::*;
use crate::EngineOptions;

const URL: &str = "https://s.example/a";

#[tokio::test(start_paused = true)]
async fn a_request_with_a_session_of_its_own_is_sent_as_it_is() {
    let context = json!([{"name": "visitor", "value": "1"}]);
    for (more, site) in [
        (json!({"session": {"id": "mine"}}), Hooks::default()),
        (json!({"sessionContext": context, "sessionContextParameters": {"actions": []}}), Hooks::default()),
        (json!({"session": {"id": "mine"}, "geolocation": "DE"}), Hooks { edit: Some(json!({"x": 1})), ..Hooks::default() }),
    ] {
        let api = Api::good();
        let engine = engine_of(Settings::default(), &api, vec![("https://s.example/", Some(Served::new("shop", site)))]);
        let line = page(URL, more);
        let trace = engine.fetch(line.clone()).await.unwrap().trace;
        assert_eq!((trace.pool, trace.session), (None, None));
        assert_eq!(*api.calls.lock().unwrap(), [Value::Object(line.params().clone())]);
        assert_eq!(engine.report()["sessions"], json!({"use/own-session": 1}));
        assert_eq!(engine.report()["billed"], json!({"init": 0, "use": 1, "discarded": 0}));
    }
}

#[tokio::test(start_paused = true)]
async fn null_is_the_word_for_no_session_and_is_not_sent() {
    let api = Api::good();
    let engine = engine_of(Settings::default(), &api, Vec::new());
    engine.fetch(page(URL, json!({"session": null}))).await.unwrap();
    assert_eq!(*api.calls.lock().unwrap(), [json!({"url": URL, "httpResponseBody": true, "echoData": URL})]);
    assert_eq!(engine.report()["sessions"], json!({"use/disabled": 1}));
}

#[tokio::test(start_paused = true)]
async fn what_can_have_no_session_gets_none_and_nothing_else_that_it_may_not_have() {
    let own_html = json!({"url": URL, "article": true, "articleOptions": {"extractFrom": "userHtml", "userHtml": "<p>"}});
    for line in [json!({"url": URL, "serp": true, "serpOptions": {"keyword": "a"}}), own_html] {
        let api = Api::good();
        let engine = engine_of(Settings::default(), &api, Vec::new());
        engine.fetch(Request::from_json(line.clone()).unwrap()).await.unwrap();
        assert_eq!(*api.calls.lock().unwrap(), [line]);
        assert_eq!(engine.report()["sessions"], json!({"use/disabled": 1}));
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_api_would_refuse_fails_at_once_in_its_words() {
    for (more, title) in [
        (json!({"httpResponseBody": false}), "No data requested"),
        (json!({"browserHtml": true}), "Unprocessable Request"),
        (json!({"product": true, "article": true}), "Unprocessable Request"),
        (json!({"serp": true}), "Unprocessable Request"),
        (json!({"httpResponseBody": false, "session": {"id": "mine"}}), "No data requested"),
        (json!({"httpResponseBody": false, "meta": {"zyte_api_session_enabled": false}}), "No data requested"),
    ] {
        let api = Api::good();
        let engine = engine_of(Settings::default(), &api, Vec::new());
        let failure = engine.fetch(page(URL, more.clone())).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::BadRequest, "{more}");
        let Some(CallError::Api(problem)) = &failure.error else { panic!("{failure}") };
        let told = (problem.status, problem.kind.as_str(), problem.title.as_str());
        assert_eq!(told, (422, "/request/unprocessable", title), "{more}");
        assert!(failure.message.contains(title) && failure.message.contains("--no-check"), "{}", failure.message);
        assert_eq!(api.log().len(), 0, "{more}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_plugin_may_put_right_is_not_refused() {
    let api = Api::good();
    let shop = Served::new("shop", Hooks { edit: Some(json!({"browserHtml": true})), ..Hooks::default() });
    let engine = engine_of(Settings::default(), &api, vec![("https://s.example/", Some(shop))]);
    engine.fetch(page(URL, json!({"httpResponseBody": false}))).await.unwrap();
    assert_eq!(api.log(), ["init a", "use a"]);
}

#[tokio::test(start_paused = true)]
async fn unchecked_and_in_the_peers_profile_everything_is_sent() {
    let api = Api::good();
    let options = EngineOptions { send_unchecked: true, ..EngineOptions::default() };
    let engine = Engine::new(Arc::default(), api.clone(), Arc::new(crate::NoSites), options).unwrap();
    engine.fetch(page(URL, json!({"httpResponseBody": false}))).await.unwrap();
    assert_eq!(api.log(), ["init a", "use a"]);
    let api = Api::good();
    engine_of(peer(), &api, Vec::new()).fetch(page(URL, json!({"httpResponseBody": false, "serp": true}))).await.unwrap();
    assert_eq!(api.log(), ["init a", "use a"]);
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_of_the_users_goes_to_any_page_of_the_web_and_nowhere_else() {
    let params = |url: &str| json!({"meta": {"zyte_api_session_params": {"url": url, "browserHtml": true}}});
    let api = Api::good();
    let engine = engine_of(Settings::default(), &api, Vec::new());
    engine.fetch(page(URL, params("https://elsewhere.example/"))).await.unwrap();
    let failure = engine.fetch(page(URL, params("file:///etc/passwd"))).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::BadRequest);
    assert!(failure.message.contains("zyte_api_session_params: the url \"file:///etc/passwd\""), "{}", failure.message);
    assert_eq!(api.log(), ["init a", "use a"]);
}

/// The job goes with every call: initialisations, uses, requests without a session.
#[tokio::test(start_paused = true)]
async fn each_call_says_of_which_job_it_is() {
    let job = |settings, line: Request| async move {
        let api = Api::good();
        let options = EngineOptions { job_id: Some("1/2/3".to_owned()), ..EngineOptions::default() };
        let engine = Engine::new(Arc::new(settings), api.clone(), Arc::new(crate::NoSites), options).unwrap();
        engine.fetch(line).await.unwrap();
        let calls = api.calls.lock().unwrap();
        calls.iter().map(|call| call["jobId"].clone()).collect::<Vec<_>>()
    };
    let serp = Request::from_json(json!({"url": URL, "serp": true})).unwrap();
    let off = json!({"meta": {"zyte_api_session_enabled": false}});
    for (settings, line, expected) in [
        (Settings::default(), page(URL, json!({})), vec![json!("1/2/3"), json!("1/2/3")]),
        (Settings::default(), page(URL, json!({"jobId": "mine"})), vec![json!("1/2/3"), json!("mine")]),
        (Settings::default(), page(URL, off), vec![json!("1/2/3")]),
        (Settings::default(), serp.clone(), vec![Value::Null]),
        (peer(), page(URL, json!({"jobId": "mine"})), vec![json!("1/2/3"), json!("1/2/3")]),
    ] {
        assert_eq!(job(settings, line.clone()).await, expected, "{line:?}");
    }
}
