//! An interrupt throws nothing away that is paid, and every session that was opened has an end.

use super::*;

/// What became of requests that wait when the crawl winds down at this time: `ok` or the kind of failure.
async fn wound_down(engine: &Engine<Api, fake::OneSite>, n: usize, after: Duration) -> Vec<String> {
    let fetch = |n| {
        let engine = engine.clone();
        tokio::spawn(
            async move { engine.fetch(request(n)).await.map_or_else(|failure| failure.kind.word(), |_| "ok").to_owned() },
        )
    };
    let tasks: Vec<_> = (0..n).map(fetch).collect();
    tokio::time::sleep(after).await;
    engine.wind_down("interrupted");
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    engine.finish().await;
    engine.shutdown();
    results
}

fn ended(report: &Value) -> u64 {
    report["ended"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

#[tokio::test(start_paused = true)]
async fn requests_whose_initialisation_is_paid_are_finished() {
    let chain = vec![json!({"url": "https://shop.example/1"}), json!({"url": "https://shop.example/2"})];
    for (site, calls) in [(FakeSite::default(), 1), (FakeSite { chain: Some(chain), ..FakeSite::default() }, 2)] {
        let api = Api::good();
        let engine = engine_with(Settings::default(), &api, site);
        let results = wound_down(&engine, 6, Duration::from_secs(1)).await;
        assert_eq!(results, ["ok", "ok", "ok", "ok", "closed", "closed"], "as many as a session serves at once");
        let report = engine.report();
        assert_eq!(report["billed"], json!({"init": calls, "use": 4, "discarded": 0}), "{report}");
        assert_eq!((count(&report, "init/check-passed"), ended(&report)), (1, 1), "{report}");
        assert_eq!(report["close_reason"], "interrupted");
    }
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_that_fails_then_is_not_repeated() {
    for status in [520, 503, 429, 422] {
        let kind = if status == 503 { "/problem/session-creation-error" } else { "about:blank" };
        let api = Api::failing(move |_, params| (!is_use(params)).then(|| problem(status, kind)));
        let engine = engine(Settings::default(), &api);
        let results = tokio::time::timeout(Duration::from_secs(60), wound_down(&engine, 6, Duration::from_secs(1)));
        let results = results.await.expect("nobody waits for ever");
        assert!(results.iter().all(|result| result != "ok"), "{results:?}");
        assert_eq!(api.log(), ["init a"], "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_paid_is_not_begun() {
    let session = SessionSettings { pool_size: 1, max_in_flight: Some(1), ..SessionSettings::default() };
    let api = Api::good();
    let engine = engine(with_session(session), &api);
    // By then the first request is under way on the only session.
    let results = wound_down(&engine, 3, Duration::from_secs(9)).await;
    assert_eq!(results, ["ok", "closed", "closed"]);
    assert_eq!(api.log(), ["init a", "use a"]);
    assert_eq!(engine.fetch(request(4)).await.unwrap_err().kind, FailureKind::Closed);
    assert_eq!(ended(&engine.report()), 1);
}

#[tokio::test(start_paused = true)]
async fn the_peer_closes_at_once() {
    let api = Api::good();
    let engine = engine(peer(), &api);
    let results = wound_down(&engine, 3, Duration::from_secs(1)).await;
    assert_eq!(results, ["closed", "closed", "closed"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_ready_after_the_crawl_was_closed_has_an_end_too() {
    let engine = engine(Settings::default(), &Api::good());
    let waits = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.fetch(request(1)).await.map(drop) })
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    engine.close("zyte_api_bad_key");
    assert_eq!(waits.await.unwrap().unwrap_err().kind, FailureKind::Closed);
    engine.finish().await;
    let report = engine.report();
    assert_eq!((count(&report, "init/check-passed"), &report["ended"]), (1, &json!({"closed": 1})), "{report}");
}
