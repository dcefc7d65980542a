//! One pool, one place on earth: `geolocation` and `ipType` are fixed by the first call of a session.

use super::sites::{Hooks, Served, engine_of, fetch, page};
use super::*;

const URL: &str = "https://s.example/a";

fn of_place(geolocation: &str) -> Value {
    json!({"geolocation": geolocation})
}

/// What each call said of its place, and whether it was one for a page.
fn places(api: &Api) -> Vec<(bool, Value, Value)> {
    let calls = api.calls.lock().unwrap();
    calls.iter().map(|params| (is_use(params), params["geolocation"].clone(), params["ipType"].clone())).collect()
}

fn with_hooks(hooks: Hooks) -> super::sites::Rules {
    vec![("https://s.example/", Some(Served::new("shop", hooks)))]
}

#[tokio::test(start_paused = true)]
async fn pages_of_four_places_have_four_pools_and_sessions_that_were_made_there() {
    let api = Api::good();
    let engine = engine_of(Settings::default(), &api, Vec::new());
    let mut sessions = Vec::new();
    for round in 0..2 {
        for (n, place) in ["DE", "US", "FR", "JP"].into_iter().enumerate() {
            let expected = (format!("s.example;geolocation={place}"), n);
            assert_eq!(fetch(&engine, URL, of_place(place), &mut sessions).await, expected, "round {round}");
        }
    }
    assert_eq!(fetch(&engine, URL, json!({"geolocation": null}), &mut sessions).await, ("s.example".to_owned(), 4));
    let inits: Vec<_> = places(&api).into_iter().filter(|(is_use, ..)| !is_use).map(|(_, place, _)| place).collect();
    assert_eq!(inits, [json!("DE"), json!("US"), json!("FR"), json!("JP"), json!(null)]);
}

#[tokio::test(start_paused = true)]
async fn the_kind_of_the_address_is_part_of_the_place() {
    let api = Api::good();
    let engine = engine_of(Settings::default(), &api, Vec::new());
    let mut sessions = Vec::new();
    for (more, pool, session) in [
        (json!({"ipType": "residential"}), "s.example;ipType=residential", 0),
        (json!({"ipType": "datacenter"}), "s.example;ipType=datacenter", 1),
        (json!({"ipType": "residential", "geolocation": "DE"}), "s.example;geolocation=DE;ipType=residential", 2),
        (json!({"ipType": "residential"}), "s.example;ipType=residential", 0),
    ] {
        assert_eq!(fetch(&engine, URL, more, &mut sessions).await, (pool.to_owned(), session));
    }
    assert_eq!(places(&api)[0], (false, json!(null), json!("residential")));
}

#[tokio::test(start_paused = true)]
async fn pools_that_are_named_alike_and_lie_elsewhere_are_others() {
    let api = Api::good();
    let engine = engine_of(Settings::default(), &api, Vec::new());
    let mut sessions = Vec::new();
    let name = json!("mine");
    for (more, pool, session) in [
        (json!({"geolocation": "DE", "meta": {"zyte_api_session_pool": name}}), "mine;geolocation=DE", 0),
        (json!({"geolocation": "US", "meta": {"zyte_api_session_pool": {"id": name, "size": 1}}}), "mine;geolocation=US", 1),
        (json!({"meta": {"zyte_api_session_pool": name}}), "mine", 2),
        (
            json!({"meta": {"zyte_api_session_pool": name, "zyte_api_session_params": {"browserHtml": true, "geolocation": "US"}}}),
            "mine;geolocation=US",
            1,
        ),
    ] {
        assert_eq!(fetch(&engine, URL, more, &mut sessions).await, (pool.to_owned(), session));
    }
}

#[tokio::test(start_paused = true)]
async fn the_place_of_the_settings_is_the_usual_one_and_a_request_goes_before_it() {
    let api = Api::good();
    let params = json!({"browserHtml": true, "geolocation": "US", "ipType": "datacenter"});
    let session = SessionSettings { params: params.as_object().unwrap().clone(), ..SessionSettings::default() };
    let engine = engine_of(with_session(session), &api, Vec::new());
    let mut sessions = Vec::new();
    for (more, pool, session) in [
        (json!({}), "s.example", 0),
        (of_place("US"), "s.example", 0),
        (of_place("DE"), "s.example;geolocation=DE", 1),
        (json!({"meta": {"zyte_api_session_params": {"browserHtml": true, "geolocation": "US"}}}), "s.example[", 2),
    ] {
        let (found, at) = fetch(&engine, URL, more.clone(), &mut sessions).await;
        assert!(at == session && found.starts_with(pool) && (found.len() == pool.len() || session == 2), "{more}: {found} {at}");
    }
    let inits: Vec<_> = places(&api).into_iter().filter(|(is_use, ..)| !is_use).collect();
    let expected = [("US", json!("datacenter")), ("DE", json!("datacenter")), ("US", json!(null))];
    assert_eq!(inits, expected.map(|(place, kind)| (false, json!(place), kind)));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_contradicts_itself_fails_before_anything_is_sent() {
    let api = Api::good();
    let engine = engine_of(Settings::default(), &api, Vec::new());
    for own in [of_place("DE"), json!({"ipType": "datacenter"})] {
        let params = json!({"browserHtml": true, "geolocation": "US", "ipType": "residential"});
        let mut more = own;
        more["meta"] = json!({"zyte_api_session_params": params});
        let failure = engine.fetch(page(URL, more)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::BadRequest);
        assert!(failure.message.contains("a session has one place: the request says"), "{}", failure.message);
    }
    assert_eq!(api.log().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_plugins_initialisation_takes_place_where_the_pool_lies() {
    let chain = vec![
        json!({"url": "https://s.example/login", "browserHtml": true}),
        json!({"url": "https://s.example/token", "httpResponseBody": true, "session": null}),
        json!({"url": "https://s.example/", "browserHtml": true, "geolocation": "DE"}),
    ];
    for (hooks, expected) in [
        (Hooks { params: Some(json!({"browserHtml": true})), ..Hooks::default() }, vec![json!("DE")]),
        (Hooks { params: Some(json!({"browserHtml": true, "geolocation": null})), ..Hooks::default() }, vec![json!("DE")]),
        (Hooks { chain: Some(chain), ..Hooks::default() }, vec![json!("DE"), json!(null), json!("DE")]),
    ] {
        let api = Api::good();
        let engine = engine_of(Settings::default(), &api, with_hooks(hooks));
        fetch(&engine, URL, of_place("DE"), &mut Vec::new()).await;
        let inits: Vec<_> = places(&api).into_iter().filter(|(is_use, ..)| !is_use).map(|(_, place, _)| place).collect();
        assert_eq!(inits, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_plugins_initialisation_elsewhere_fails_its_request_and_says_why() {
    let elsewhere = json!({"url": "https://s.example/", "browserHtml": true, "geolocation": "US"});
    for hooks in [
        Hooks { params: Some(elsewhere.clone()), ..Hooks::default() },
        Hooks { chain: Some(vec![elsewhere]), ..Hooks::default() },
    ] {
        let api = Api::good();
        let engine = engine_of(Settings::default(), &api, with_hooks(hooks));
        let failure = engine.fetch(page(URL, of_place("DE"))).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::BadInits);
        for part in ["the requests of the pool says geolocation \"DE\"", "its initialisation \"US\""] {
            assert!(failure.message.contains(part), "{}", failure.message);
        }
        assert_eq!((api.log().len(), count(&engine.report(), "init/param-error")), (0, 1));
        // Elsewhere the site works.
        fetch(&engine, URL, of_place("US"), &mut Vec::new()).await;
        fetch(&engine, URL, json!({}), &mut Vec::new()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_chain_stays_where_its_first_call_was() {
    let chain = vec![json!({"browserHtml": true}), json!({"browserHtml": true, "geolocation": "US"})];
    let api = Api::good();
    let engine = engine_of(Settings::default(), &api, with_hooks(Hooks { chain: Some(chain), ..Hooks::default() }));
    let failure = engine.fetch(page(URL, json!({}))).await.unwrap_err();
    assert!(failure.message.contains("that of its first call, which did not say geolocation=US"), "{}", failure.message);
    assert_eq!(api.log(), ["init a"]);
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_leaves_the_place_of_the_session_fails_the_page_and_not_the_session() {
    let edit = |edit| Hooks { edit: Some(edit), ..Hooks::default() };
    for (more, hooks, part) in [
        (of_place("DE"), edit(of_place("US")), "the pool says geolocation \"DE\" and the edited request \"US\""),
        (json!({}), edit(json!({"ipType": "residential"})), "which did not say ipType=residential"),
    ] {
        let api = Api::good();
        let engine = engine_of(Settings::default(), &api, with_hooks(hooks));
        let failure = engine.fetch(page(URL, more)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Plugin);
        assert!(failure.message.starts_with("process_request: ") && failure.message.contains(part), "{}", failure.message);
        assert_eq!((api.log(), engine.report()["ended"].clone()), (vec!["init a".to_owned()], json!({})));
    }
    // A plugin that says it in both is right.
    let api = Api::good();
    let both = Hooks { params: Some(json!({"browserHtml": true, "geolocation": "US"})), ..edit(of_place("US")) };
    fetch(&engine_of(Settings::default(), &api, with_hooks(both)), URL, json!({}), &mut Vec::new()).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_begins_with_a_page_begins_in_the_place_of_its_pool() {
    let api = Api::good();
    let engine = engine_of(Settings::default(), &api, with_hooks(Hooks { chain: Some(Vec::new()), ..Hooks::default() }));
    let params = json!({"browserHtml": true, "geolocation": "DE"});
    let meta = json!({"zyte_api_session_pool": "mine", "zyte_api_session_params": params});
    let mut sessions = Vec::new();
    assert_eq!(fetch(&engine, URL, json!({"meta": meta}), &mut sessions).await.1, 0);
    let from_there = json!({"geolocation": "DE", "meta": {"zyte_api_session_pool": "mine"}});
    assert_eq!(fetch(&engine, URL, from_there, &mut sessions).await.1, 0);
    assert_eq!(places(&api), [(true, json!("DE"), json!(null)), (true, json!("DE"), json!(null))]);
}

#[tokio::test(start_paused = true)]
async fn cookies_of_one_place_are_not_used_from_another() {
    let api = Api::good();
    let session = SessionSettings { cookie_mode: true, ..SessionSettings::default() };
    let engine = engine_of(with_session(session), &api, Vec::new());
    let mut sessions = Vec::new();
    for (n, place) in ["DE", "US"].into_iter().enumerate() {
        let expected = (format!("s.example;geolocation={place}"), n);
        assert_eq!(fetch(&engine, URL, of_place(place), &mut sessions).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_peers_profile_places_share_a_pool_and_the_initialisation_says_none() {
    let api = Api::good();
    let engine = engine_of(peer(), &api, Vec::new());
    let mut sessions = Vec::new();
    for place in ["DE", "US"] {
        assert_eq!(fetch(&engine, URL, of_place(place), &mut sessions).await, ("s.example".to_owned(), 0));
    }
    assert_eq!(places(&api)[0], (false, json!(null), json!(null)));
    let told = engine.0.told_of_place.load(std::sync::atomic::Ordering::Relaxed);
    assert!(told, "it is warned of");
}
