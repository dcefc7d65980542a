//! Whose sessions a page may travel on: those of the pool that it names, else those of the site that serves it.

use std::sync::Arc;

use carousel_core::settings::PoolTable;

use super::sites::{Hooks, Rules, Served, engine_of, fetch, page};
use super::*;

const FRONT: &str = "https://s.example/";
const HELP: &str = "https://s.example/help/1";
const PAGE: &str = "https://s.example/a";

/// Serves its pages without a hook but `params`, with which it initialises sessions itself.
fn site(name: &'static str) -> Arc<Served> {
    Served::new(name, initialising(name))
}

fn initialising(name: &str) -> Hooks {
    Hooks { params: Some(json!({"browserHtml": true, "tags": {"by": name}})), ..Hooks::default() }
}

/// The shop serves its host but for the help pages, as with an exclude.
fn shop_without_help() -> Rules {
    vec![("https://s.example/help", None), (FRONT, Some(site("shop")))]
}

fn named(pool: &'static str) -> Hooks {
    Hooks { pool: Some(pool), ..Hooks::default() }
}

/// By whom each session was initialised.
fn makers(api: &Api) -> Vec<Value> {
    let calls = api.calls.lock().unwrap();
    calls.iter().filter(|params| !is_use(params)).map(|params| params["tags"]["by"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_page_never_travels_on_a_session_of_whoever_serves_the_rest_of_its_host() {
    for (urls, expected) in [([HELP, PAGE], [json!(null), json!("shop")]), ([PAGE, HELP], [json!("shop"), json!(null)])] {
        let api = Api::good();
        let engine = engine_of(Settings::default(), &api, shop_without_help());
        let mut sessions = Vec::new();
        for (n, url) in urls.into_iter().chain(urls).enumerate() {
            let (pool, session) = fetch(&engine, url, json!({}), &mut sessions).await;
            assert_eq!(session, n % 2, "{url}");
            assert_eq!(pool, if url == PAGE { "s.example" } else { "s.example;defaults" }, "whoever comes first");
        }
        assert_eq!(makers(&api), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn two_sites_of_a_host_have_a_pool_each_and_the_one_of_the_front_page_has_the_hosts_name() {
    let api = Api::good();
    let rules = vec![("https://s.example/b", Some(site("b"))), (FRONT, Some(site("a")))];
    let engine = engine_of(Settings::default(), &api, rules);
    let mut sessions = Vec::new();
    for (url, expected) in [
        ("https://s.example/b/1", ("s.example;site=b", 0)),
        ("https://s.example/a", ("s.example", 1)),
        ("https://s.example/b/2", ("s.example;site=b", 0)),
        ("https://other.example/", ("other.example", 2)),
    ] {
        assert_eq!(fetch(&engine, url, json!({}), &mut sessions).await, (expected.0.to_owned(), expected.1));
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_in_a_url_do_not_change_who_serves_it() {
    let api = Api::good();
    let engine = engine_of(Settings::default(), &api, vec![(FRONT, Some(site("shop")))]);
    let mut sessions = Vec::new();
    for url in ["https://user:pw@s.example/a", PAGE, "https://@s.example/b"] {
        assert_eq!(fetch(&engine, url, json!({}), &mut sessions).await, ("s.example".to_owned(), 0));
    }
    assert_eq!(makers(&api), ["shop"]);
    assert_eq!(api.calls.lock().unwrap()[1]["url"], "https://user:pw@s.example/a", "what is sent stays as it is");
}

#[tokio::test(start_paused = true)]
async fn two_sites_share_a_pool_only_where_both_name_it() {
    let meta = json!({"meta": {"zyte_api_session_pool": "both"}});
    for (a, b, more, shared) in [
        (named("both"), named("both"), json!({}), true),
        (initialising("a"), initialising("b"), meta.clone(), true),
        (named("both"), initialising("b"), meta, true),
        (named("b.example"), Hooks::default(), json!({}), false),
        (named("both"), Hooks::default(), json!({}), false),
        // "As usual, but" names nothing.
        (named(""), named(""), json!({}), false),
    ] {
        let api = Api::good();
        let told = format!("{a:?} {b:?} {more}");
        let rules = vec![("https://a.example/", Some(Served::new("a", a))), ("https://b.example/", Some(Served::new("b", b)))];
        let engine = engine_of(Settings::default(), &api, rules);
        let mut sessions = Vec::new();
        fetch(&engine, "https://a.example/", more.clone(), &mut sessions).await;
        let (_, session) = fetch(&engine, "https://b.example/", more, &mut sessions).await;
        assert_eq!(session == 0, shared, "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_defaults_share_with_a_site_only_what_both_name() {
    let api = Api::good();
    let rules = vec![("https://s.example/help", None), (FRONT, Some(Served::new("shop", named("s.example"))))];
    let engine = engine_of(Settings::default(), &api, rules);
    let mut sessions = Vec::new();
    assert_eq!(fetch(&engine, PAGE, json!({}), &mut sessions).await.1, 0);
    assert_eq!(fetch(&engine, HELP, json!({}), &mut sessions).await.1, 1, "an automatic name is nobody's word");
    let meta = json!({"meta": {"zyte_api_session_pool": "s.example"}});
    assert_eq!(fetch(&engine, HELP, meta, &mut sessions).await, ("s.example".to_owned(), 0));
}

#[tokio::test(start_paused = true)]
async fn in_the_peers_profile_pools_are_told_apart_by_their_names_alone() {
    let api = Api::good();
    let engine = engine_of(peer(), &api, shop_without_help());
    let mut sessions = Vec::new();
    for url in [HELP, PAGE, "https://user:pw@s.example/a"] {
        assert_eq!(fetch(&engine, url, json!({}), &mut sessions).await, ("s.example".to_owned(), 0));
    }
    assert_eq!(makers(&api), [json!(null)]);
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_location_cannot_be_told_fails_alone_and_for_the_peer_costs_an_initialisation() {
    for (settings, kind, bad_inits) in [
        (Settings::default(), FailureKind::Plugin, 0),
        (Settings { session: SessionSettings { max_bad_inits: 2, ..peer().session }, ..peer() }, FailureKind::BadInits, 2),
    ] {
        let api = Api::good();
        let shop = Served::new("shop", Hooks { unlocated: Some("/lost"), ..Hooks::default() });
        let engine = engine_of(settings, &api, vec![(FRONT, Some(shop))]);
        let failure = engine.fetch(page("https://s.example/lost", json!({}))).await.unwrap_err();
        assert!(failure.kind == kind && failure.message.contains("lost"), "{failure}");
        assert_eq!(count(&engine.report(), "init/param-error"), bad_inits);
        assert_eq!(engine.fetch(page(PAGE, json!({}))).await.is_ok(), bad_inits == 0);
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_peers_profile_a_use_is_counted_for_the_host_that_process_request_moved_it_to() {
    for (profile, counted_for) in [(Profile::ScrapyZyteApi, "t.example"), (Profile::Default, "s.example")] {
        let api = Api::failing(|n, params| (is_use(params) && n == 2).then(|| problem(520, "/download/temporary-error")));
        let moved = Hooks { edit: Some(json!({"url": "https://t.example/x"})), ..Hooks::default() };
        let mut settings = Settings { profile, ..peer() };
        settings.session.stats_per_pool = true;
        let engine = engine_of(settings, &api, vec![(FRONT, Some(Served::new("shop", moved)))]);
        engine.fetch(page(PAGE, json!({}))).await.unwrap();
        let expected = json!({
            "pools/s.example/init/check-passed": if profile == Profile::Default { 1 } else { 2 },
            format!("pools/{counted_for}/use/failed"): 1,
            format!("pools/{counted_for}/use/check-passed"): 1,
        });
        assert_eq!(engine.report()["sessions"], expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_swap_that_initialises_as_before_loses_no_session_and_one_that_does_not_uses_none_of_before() {
    let chain = || Hooks { chain: Some(vec![json!({"url": FRONT, "browserHtml": true})]), ..Hooks::default() };
    let changed_edit = || Hooks { edit: Some(json!({})), ..initialising("shop") };
    for (before, after, kept) in [
        (Hooks::default(), Hooks::default(), true),
        (initialising("shop"), changed_edit(), true),
        (Hooks::default(), initialising("shop"), false),
        (initialising("shop"), chain(), false),
        // What the plugin leaves to the host from now on it has done better before.
        (initialising("shop"), Hooks::default(), true),
    ] {
        let api = Api::good();
        let told = format!("{before:?} {after:?}");
        let shop = Served::new("shop", before);
        let engine = engine_of(Settings::default(), &api, vec![(FRONT, Some(Arc::clone(&shop)))]);
        let mut sessions = Vec::new();
        assert_eq!(fetch(&engine, PAGE, json!({}), &mut sessions).await.1, 0);
        shop.swap(after);
        for url in [PAGE, "https://s.example/b"] {
            assert_eq!(
                fetch(&engine, url, json!({}), &mut sessions).await,
                ("s.example".to_owned(), usize::from(!kept)),
                "{told}"
            );
        }
        assert_eq!(engine.report()["ended"], if kept { json!({}) } else { json!({"superseded": 1}) }, "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_config_has_sessions_of_its_own() {
    let api = Api::good();
    let shop = Served::new("shop", Hooks { config: "1", ..Hooks::default() });
    let engine = engine_of(Settings::default(), &api, vec![(FRONT, Some(Arc::clone(&shop)))]);
    let mut sessions = Vec::new();
    for (config, session) in [("1", 0), ("2", 1), ("1", 0)] {
        shop.swap(Hooks { config, ..Hooks::default() });
        assert_eq!(fetch(&engine, PAGE, json!({}), &mut sessions).await, ("s.example".to_owned(), session));
    }
    assert_eq!(engine.report()["pools"]["s.example"]["billed"], json!({"init": 2, "use": 3, "discarded": 0}));
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_comes_during_a_crawl_uses_none_of_the_sessions_of_the_defaults() {
    let api = Api::good();
    let engine = engine_of(Settings::default(), &api, Vec::new());
    let mut sessions = Vec::new();
    assert_eq!(fetch(&engine, PAGE, json!({}), &mut sessions).await.1, 0);
    *engine.0.sites.0.lock().unwrap() = vec![(FRONT, Some(site("shop")))];
    assert_eq!(fetch(&engine, PAGE, json!({}), &mut sessions).await, ("s.example".to_owned(), 1));
    assert_eq!(makers(&api), [json!(null), json!("shop")]);
}

#[tokio::test(start_paused = true)]
async fn a_table_of_a_pools_name_holds_for_whoever_serves_it_and_its_budget_is_one() {
    let api = Api::good();
    let table = PoolTable { budget: Some(4), ..PoolTable::default() };
    let session = SessionSettings { pools: [("s.example".to_owned(), table)].into(), ..SessionSettings::default() };
    let engine = engine_of(with_session(session), &api, shop_without_help());
    for url in [PAGE, HELP] {
        engine.fetch(page(url, json!({}))).await.unwrap();
    }
    for url in [PAGE, HELP] {
        assert_eq!(engine.fetch(page(url, json!({}))).await.unwrap_err().kind, FailureKind::Budget, "{url}");
    }
    engine.fetch(page("https://t.example/", json!({}))).await.unwrap();
}
