//! What an error answer is about: its own request, a domain, requests of one kind, or all.

use carousel_core::exchange::{CallError, Problem, Request};

use super::*;

fn on(host: &str, n: usize) -> Request {
    request_with(n, json!({"url": format!("https://{host}/{n}")}))
}

fn is_on(params: &Value, host: &str) -> bool {
    params["url"].as_str().is_some_and(|url| url.contains(host))
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_one_request_fails_that_request_and_no_other() {
    for (status, kind) in [(403, "/auth/not-allowed"), (403, "about:blank"), (401, "/website/x"), (404, "/website/x")] {
        for at_init in [true, false] {
            let api = Api::failing(move |_, params| {
                (is_on(params, "shop.example/1") && is_use(params) != at_init).then(|| problem(status, kind))
            });
            let engine = engine(Settings::default(), &api);
            let failure = engine.fetch(request(1)).await.unwrap_err();
            assert!(failure.message.contains(kind) || kind == "about:blank", "{failure}");
            assert!(failure.message.contains(&status.to_string()) && !failure.is_left_over(), "{failure}");
            engine.fetch(request(2)).await.unwrap();
            assert!(engine.close_reason().is_none());
            let refused = engine.report()["api"]["status_codes"][status.to_string()].clone();
            assert_eq!(refused, 1, "{status} {kind} is not tried again, at an initialisation: {at_init}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_address_costs_each_site_one_call_at_most_and_is_no_verdict_on_pages() {
    let api = Api::failing(|_, _| Some(problem(404, "/request/invalid")));
    let engine = engine(Settings::default(), &api);
    let fetch = |n: usize| {
        let engine = engine.clone();
        tokio::spawn(async move { engine.fetch(on(&format!("s{}.example", n % 10), n)).await.unwrap_err() })
    };
    for task in (0..50).map(fetch).collect::<Vec<_>>() {
        let failure = task.await.unwrap();
        assert!(failure.is_left_over(), "{failure}");
    }
    assert!(api.log().len() <= 10, "{:?}", api.log());
}

#[tokio::test(start_paused = true)]
async fn a_domain_that_a_page_leads_to_ends_and_the_pages_own_goes_on() {
    let blocked = |domain: &str| {
        let body = json!({"blockedDomain": domain}).to_string();
        let kind = "/download/domain-forbidden".to_owned();
        CallError::Api(Box::new(Problem { status: 451, kind, body, ..Problem::default() }))
    };
    for at_init in [true, false] {
        let api = Api::failing(move |_, params| {
            (is_on(params, "shop.example/1") && is_use(params) != at_init).then(|| blocked("gone.example"))
        });
        let engine = engine(Settings::default(), &api);
        let failure = engine.fetch(request(1)).await.unwrap_err();
        assert!(failure.message.contains("/download/domain-forbidden"), "{failure}");
        engine.fetch(request(2)).await.unwrap();
        let calls = api.log().len();
        for host in ["gone.example", "www.gone.example"] {
            assert_eq!(engine.fetch(on(host, 3)).await.unwrap_err().kind, FailureKind::Domain);
        }
        assert_eq!(api.log().len(), calls);
    }
}

fn extraction(host: &str, n: usize) -> Request {
    Request::from_json(json!({"url": format!("https://{host}/{n}"), "product": true, "echoData": n})).unwrap()
}

/// Starts a fetch; its result tells after how many seconds it came.
fn start<T: Transport, S: Sites>(engine: &Engine<T, S>, request: Request) -> tokio::task::JoinHandle<u64> {
    let engine = engine.clone();
    tokio::spawn(async move {
        let started = tokio::time::Instant::now();
        engine.fetch(request).await.unwrap();
        started.elapsed().as_secs()
    })
}

#[tokio::test(start_paused = true)]
async fn a_busy_extractor_holds_requests_for_extraction_and_no_others() {
    for status in [503, 429] {
        let api = Api::failing(move |n, params| {
            let retry_after = Some(Duration::from_secs(60));
            let kind = "/extractor/over-global-limit".to_owned();
            let busy = Problem { status, kind, retry_after, ..Problem::default() };
            (params.get("product").is_some() && n < 10).then(|| CallError::Api(Box::new(busy)))
        });
        let engine = engine(Settings::default(), &api);
        let first: Vec<_> = (0..4).map(|n| start(&engine, extraction("shop.example", n))).collect();
        tokio::time::sleep(Duration::from_secs(12)).await;
        let other_extraction = start(&engine, extraction("other.example", 1));
        let plain: Vec<_> = ["shop.example", "other.example"].map(|host| start(&engine, on(host, 9))).into();
        for task in plain {
            assert!(task.await.unwrap() < 15);
        }
        let pool = carousel_core::id::PoolId::owned("shop.example", &[], carousel_core::id::PoolOwner::Defaults);
        assert!(engine.outlook(&Some(pool), 5).room > 0, "the pool goes on with what is not extracted");
        for task in first.into_iter().chain([other_extraction]) {
            assert!(task.await.unwrap() > 40);
        }
        let busy = engine.report()["api"]["busy"].clone();
        assert!(busy["extraction"].as_u64() > Some(0) && busy["everything"] == 0 && busy["site"] == 0, "{busy}");
    }
}
