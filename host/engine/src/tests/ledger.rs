//! The ledger: each answer with status 200 is entered once, whatever becomes of the request that it is for.

use carousel_core::exchange::{Answer, CallError};

use super::*;

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_is_billed_with_a_session_and_without() {
    for enabled in [true, false] {
        let api = Api::failing(|_, params| is_use(params).then(|| CallError::BadAnswer("no JSON".to_owned())));
        let engine = engine(Settings::default(), &api);
        let line = request_with(1, json!({"meta": {"zyte_api_session_enabled": enabled}}));
        assert_eq!(engine.fetch(line).await.unwrap_err().kind, FailureKind::BadAnswer);
        assert_eq!(engine.report()["billed"], json!({"init": u8::from(enabled), "use": 0, "discarded": 1}));
    }
}

#[tokio::test]
async fn an_answer_whose_request_is_cut_while_it_is_judged_is_billed() {
    let api = Api::new(|_, params| (Duration::ZERO, Ok(page(params))));
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let (end, may_end) = std::sync::mpsc::channel::<()>();
    let may_end = std::sync::Mutex::new(may_end);
    let check = move |call: &carousel_core::hooks::HookCall, _: &Answer| {
        if !call.init {
            begun.send(()).unwrap();
            let _ = may_end.lock().unwrap().recv();
        }
        Ok(Verdict::Keep)
    };
    let site = FakeSite { check: Some(Box::new(check)), ..FakeSite::default() };
    let engine = fake::engine_on(crate::HookPlaces::Threads, Settings::default(), &api, site);
    tokio::select! {
        _ = engine.fetch(request(1)) => panic!("it was not cut"),
        begun = has_begun.recv() => begun.unwrap(),
    }
    drop(end);
    assert_eq!(engine.report()["billed"], json!({"init": 1, "use": 0, "discarded": 1}));
}
