//! What sessions consist of: ids of ours, contexts of which Zyte keeps the sessions, or cookies.

use carousel_core::settings::{InitRule, KindRule, PoolTable};

use super::*;

const URL: &str = "https://shop.example/a";

fn of_kind(kind: KindRule) -> SessionSettings {
    SessionSettings { kind: Some(kind), ..SessionSettings::default() }
}

fn address() -> Value {
    json!({"addressCountry": "US", "postalCode": "10001"})
}

fn set_location() -> Value {
    json!({"actions": [{"action": "setLocation", "address": address()}]})
}

fn in_new_york(mut session: SessionSettings) -> SessionSettings {
    session.location = address().as_object().unwrap().clone();
    session
}

/// The value of this name in the context of each call.
fn in_contexts(api: &Api, name: &str) -> Vec<Value> {
    let calls = api.calls.lock().unwrap();
    let value = |call: &Value| {
        let pair = call["sessionContext"].as_array().into_iter().flatten().find(|pair| pair["name"] == name);
        pair.map_or(Value::Null, |pair| pair["value"].clone())
    };
    calls.iter().map(value).collect()
}

/// How a call says on which session it is.
fn said_kind(call: &Value) -> &'static str {
    match [call.get("session"), call.get("sessionContext"), call.get("responseCookies")].map(|field| field.is_some()) {
        [true, false, false] => "user",
        [false, true, false] => "zyte",
        [false, false, true] => "cookies",
        _ => "mixed",
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_that_zyte_keeps_are_named_by_a_context_and_set_up_by_its_parameters_without_an_initialisation() {
    let api = Api::good();
    let engine = engine(with_session(in_new_york(of_kind(KindRule::Zyte))), &api);
    for n in 1..=3 {
        engine.fetch(request(n)).await.unwrap();
    }
    let calls = api.calls.lock().unwrap().clone();
    assert_eq!(calls.len(), 3, "no initialisation");
    for call in &calls {
        assert_eq!((said_kind(call), &call["sessionContextParameters"]), ("zyte", &set_location()));
        assert_eq!(call["sessionContext"], calls[0]["sessionContext"], "one session");
    }
    assert_eq!(in_contexts(&api, "carousel-pool"), ["shop.example"; 3]);
    assert_eq!(in_contexts(&api, "carousel-generation"), ["1"; 3]);
    assert_eq!(engine.report()["billed"], json!({"init": 0, "use": 3, "discarded": 0}));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_discarded_is_never_named_again() {
    let check = |_: &_, answer: &carousel_core::exchange::Answer| Ok(Verdict::keep_if(answer.status_code() == Ok(Some(200))));
    let forgets = |n: usize| n == 2 || n == 4;
    let api = Api::new(move |n, params| {
        let status = if forgets(n) { 404 } else { 200 };
        (Duration::from_secs(1), Ok(json!({"url": params["url"], "statusCode": status})))
    });
    let site = FakeSite { check: Some(Box::new(check)), ..FakeSite::default() };
    let engine = engine_with(with_session(of_kind(KindRule::Zyte)), &api, site);
    for n in 1..=3 {
        engine.fetch(request(n)).await.unwrap();
    }
    assert_eq!(in_contexts(&api, "carousel-generation"), ["1", "1", "2", "2", "3"]);
    assert!(in_contexts(&api, "carousel-crawl").windows(2).all(|two| two[0] == two[1] && two[0].is_string()));
    assert_eq!(engine.report()["ended"], json!({"check-failed": 2}));
}

#[tokio::test(start_paused = true)]
async fn sessions_that_zyte_keeps_outlive_those_of_ours_and_end_after_four_hours() {
    for (kind, pauses, sessions) in [(KindRule::User, 3, 4), (KindRule::Zyte, 3, 1), (KindRule::Zyte, 5, 2)] {
        let api = Api::good();
        let engine = engine(with_session(of_kind(kind)), &api);
        engine.fetch(request(0)).await.unwrap();
        for n in 1..=pauses {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            engine.fetch(request(n)).await.unwrap();
        }
        let mut named: Vec<String> = api.calls.lock().unwrap().iter().map(|call| call["session"].to_string()).collect();
        if kind == KindRule::Zyte {
            named = in_contexts(&api, "carousel-generation").iter().map(Value::to_string).collect();
        }
        named.dedup();
        assert_eq!(named.len(), sessions, "{kind:?} {pauses}: {named:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn three_bans_in_a_row_or_not_end_a_session_that_zyte_keeps() {
    let api = Api::failing(|n, _| (n % 2 == 0 && n < 7).then(|| problem(520, "/download/temporary-error")));
    let engine = engine(with_session(of_kind(KindRule::Zyte)), &api);
    for n in 1..=4 {
        engine.fetch(request(n)).await.unwrap();
    }
    let generations = in_contexts(&api, "carousel-generation");
    assert_eq!(generations, ["1", "1", "1", "1", "1", "1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn auto_lets_zyte_keep_what_actions_or_a_location_alone_set_up_and_nobody_checks() {
    let meta = |meta: Value| json!({"meta": meta});
    let actions = json!([{"action": "click", "selector": {"type": "css", "value": "#yes"}}]);
    let params = |params: Value| meta(json!({"zyte_api_session_params": params}));
    let always = SessionSettings { init: Some(InitRule::Always), ..of_kind(KindRule::Auto) };
    let cookies = meta(json!({"zyte_api_session_cookie_mode": true, "zyte_api_session_location": address()}));
    let checked = || FakeSite { check: Some(Box::new(|_, _| Ok(Verdict::Keep))), ..FakeSite::default() };
    for (what, session, site, more, kind, pool) in [
        ("nothing to set up", of_kind(KindRule::Auto), FakeSite::default(), json!({}), "user", "shop.example"),
        ("a location", in_new_york(of_kind(KindRule::Auto)), FakeSite::default(), json!({}), "zyte", "shop.example;zyte"),
        (
            "actions",
            of_kind(KindRule::Auto),
            FakeSite::default(),
            params(json!({"browserHtml": true, "actions": actions})),
            "zyte",
            "",
        ),
        (
            "another page",
            of_kind(KindRule::Auto),
            FakeSite::default(),
            params(json!({"url": URL, "actions": actions})),
            "user",
            "",
        ),
        ("a check", in_new_york(of_kind(KindRule::Auto)), checked(), json!({}), "user", ""),
        ("initialisations", in_new_york(always), FakeSite::default(), json!({}), "user", "shop.example"),
        ("cookies", of_kind(KindRule::Auto), FakeSite::default(), cookies, "cookies", ""),
        ("off", in_new_york(SessionSettings::default()), FakeSite::default(), json!({}), "user", "shop.example"),
    ] {
        let api = Api::good();
        let engine = engine_with(with_session(session), &api, site);
        let fetched = engine.fetch(request_with(1, more)).await.unwrap();
        assert_eq!(said_kind(api.calls.lock().unwrap().last().unwrap()), kind, "{what}");
        let named = fetched.trace.pool.unwrap().to_string();
        assert!(pool.is_empty() || named == pool, "{what}: {named}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pool_may_be_of_another_kind_and_a_requests_own_word_goes_before_it() {
    let table = |kind| PoolTable { kind: Some(kind), ..PoolTable::default() };
    let pools = [("z", KindRule::Zyte), ("c", KindRule::Cookies), ("u", KindRule::User)];
    let pools = pools.map(|(name, kind)| (name.to_owned(), table(kind))).into();
    let settings = with_session(SessionSettings { pools, ..SessionSettings::default() });
    for (meta, kind, pool) in [
        (json!({"zyte_api_session_pool": "z"}), "zyte", "z"),
        (json!({"zyte_api_session_pool": "c"}), "cookies", "c"),
        (json!({"zyte_api_session_pool": "u"}), "user", "u"),
        (json!({"zyte_api_session_pool": "other"}), "user", "other"),
        (json!({"zyte_api_session_pool": "z", "zyte_api_session_cookie_mode": true}), "cookies", "z;cookies"),
    ] {
        let api = Api::good();
        let fetched = engine(settings.clone(), &api).fetch(request_with(1, json!({"meta": meta}))).await.unwrap();
        assert_eq!(said_kind(api.calls.lock().unwrap().last().unwrap()), kind, "{meta}");
        assert_eq!(fetched.trace.pool.unwrap().as_str(), pool, "{meta}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_on_earth_is_said_with_each_page_as_zyte_may_begin_the_session_anew_with_any() {
    let api = Api::good();
    let params = json!({"browserHtml": true, "geolocation": "DE"});
    let session = SessionSettings { params: params.as_object().unwrap().clone(), ..of_kind(KindRule::Zyte) };
    let engine = engine(with_session(session), &api);
    for n in 1..=2 {
        engine.fetch(request(n)).await.unwrap();
    }
    let calls = api.calls.lock().unwrap();
    assert!(calls.iter().all(|call| call["geolocation"] == "DE" && call.get("sessionContextParameters").is_none()), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn what_zyte_cannot_set_up_is_refused_in_words_before_anything_is_sent() {
    let chain = || FakeSite { chain: Some(vec![json!({})]), ..FakeSite::default() };
    let params = |params: Value| json!({"meta": {"zyte_api_session_params": params}});
    for (site, more, part) in [
        (chain(), json!({}), "the init_session of fake"),
        (FakeSite::default(), params(json!({"url": URL, "browserHtml": true})), "say url, too"),
        (FakeSite::default(), params(json!({"httpResponseBody": true})), "say httpResponseBody, too"),
    ] {
        let api = Api::good();
        let engine = engine_with(with_session(of_kind(KindRule::Zyte)), &api, site);
        let failure = engine.fetch(request_with(1, more)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::BadRequest, "{failure}");
        assert!(failure.message.contains("kind = \"zyte\"") && failure.message.contains(part), "{failure}");
        assert!(api.log().is_empty());
    }
}
