//! What plugins decide, and what it costs.

use std::sync::Arc;

use carousel_core::exchange::{Answer, Object};
use carousel_core::hooks::{Edit, Hook, HookCall, HookError, PoolChoice};
use carousel_core::settings::PluginSettings;
use carousel_core::verdict::Verdict;
use carousel_engine::{Site, Sites};
use serde_json::{Value, json};

use crate::record::logged;
use crate::stage::{Checker, Directory, call, object, page, site, site_with, table};

#[test]
fn a_plugin_in_the_directory_serves_the_urls_that_it_names_and_its_check_decides() {
    let loaded = Directory::with(&["good"]).load(&[]);
    assert!(loaded.sites.site("https://elsewhere.example/").is_none());
    let site = loaded.sites.site("https://good.example/a").unwrap();
    let check = |html| site.check(call("https://good.example/a"), page(html));
    assert_eq!(check("<p class=ok>yes</p>"), Ok(Verdict::Keep));
    assert!(matches!(check("<p>no</p>"), Ok(Verdict::Discard(_))));
    let plugin = &loaded.plugins[0];
    assert_eq!(
        (plugin.file.as_str(), &plugin.hooks, &plugin.rules[0].include),
        ("good", &vec!["check".into()], &vec!["good.example".into()])
    );
    let report = &loaded.sites.report()[0];
    assert_eq!((report.instances, report.calls(), report.traps()), (2, 2, 0));
}

#[test]
fn a_hook_that_is_not_overridden_costs_no_guest_call() {
    let loaded = Directory::with(&["good"]).load(&[]);
    let site = loaded.sites.site("https://good.example/").unwrap();
    let plan = site.plan(call("https://good.example/")).unwrap();
    assert_eq!((plan.enabled, plan.cookie_mode, plan.location), (true, true, Ok(Object::new())));
    assert_eq!(plan.pool, Ok(PoolChoice::automatic("default good.example 0")));
    assert!(!site.plan(call("https://good.example/disabled")).unwrap().enabled);
    assert_eq!(site.process_request(call("https://good.example/")), Ok(Edit::default()));
    assert_eq!(site.report().instances, 0);
    let overridden: Vec<Hook> = Hook::ALL.into_iter().filter(|hook| site.overrides(*hook)).collect();
    assert_eq!(overridden, [Hook::Check]);
}

#[test]
fn a_plan_asks_all_its_hooks_in_one_instance() {
    let script = json!({"hooks": {
        "enabled": {"return": true},
        "cookie_mode": {"return": false},
        "location": {"return": {"postalCode": 10001}},
        "pool": {"return": {"id": "{host}-{location.postalCode}", "size": 2}},
    }});
    let site = site("scripted", script);
    let plan = site.plan(call("https://shop.example/a")).unwrap();
    assert_eq!((plan.enabled, plan.cookie_mode), (true, false));
    assert_eq!(plan.location.map(Value::Object), Ok(json!({"postalCode": "10001"})));
    assert_eq!(plan.pool, Ok(PoolChoice { size: Some(2), ..PoolChoice::named("shop.example-10001") }));
    let report = site.report();
    assert_eq!((report.instances, report.calls()), (1, 4));
}

#[test]
fn where_enabled_says_no_the_other_hooks_are_not_asked() {
    let script = json!({"hooks": {
        "enabled": [{"when": {"url_contains": "off"}, "do": {"return": false}}],
        "location": {"raise": "asked for nothing"},
    }});
    let site = site("scripted", script);
    assert!(!site.plan(call("https://shop.example/off")).unwrap().enabled);
    let asked: Vec<Hook> = site.report().hooks.iter().map(|hook| hook.hook).collect();
    assert_eq!(asked, [Hook::Enabled]);
}

#[test]
fn a_location_hook_has_the_last_word_and_may_take_the_default_one() {
    for (hook, place) in [(json!({"return": {"postalCode": "2"}}), "2"), (json!({"super_or": {"postalCode": "2"}}), "1")] {
        let site = site("scripted", json!({"hooks": {"location": hook}}));
        let plan = site.plan(call("https://shop.example/set-place")).unwrap();
        assert_eq!(plan.location.map(Value::Object), Ok(json!({"postalCode": place})));
        assert_eq!(plan.pool, Ok(PoolChoice::automatic("default shop.example 1")), "the pool's default is told of the location");
    }
}

#[test]
fn an_error_of_location_or_pool_stands_in_the_plan_and_one_of_enabled_ends_it() {
    let script = json!({"hooks": {
        "enabled": [{"when": {"url_contains": "enabled"}, "do": {"raise": "e"}}],
        "location": {"raise": "l"},
        "pool": {"close": "p"},
    }});
    let site = site("scripted", script);
    let plan = site.plan(call("https://shop.example/")).unwrap();
    assert_eq!(plan.location, Err(HookError::Raised("l".into())));
    assert_eq!(plan.pool, Err(HookError::CloseCrawl("p".into())));
    assert_eq!(site.plan(call("https://shop.example/enabled")), Err(HookError::Raised("e".into())));
}

#[test]
fn defaults_answer_where_a_plugin_asks_for_them() {
    let site = site("scripted", json!({}));
    assert_eq!(site.check(call("https://a.example/"), page("")), Ok(Verdict::Reject("the default".into())));
    let closed = site.check(call("https://a.example/close"), page(""));
    assert_eq!(closed, Err(HookError::CloseCrawl("the default".into())));
    let plan = site.plan(call("https://a.example/")).unwrap();
    assert_eq!((plan.enabled, plan.cookie_mode), (true, true));
    assert_eq!(plan.pool, Ok(PoolChoice::automatic("default a.example 0")));
    assert!(site.report().calls() > 0);
}

#[test]
fn a_default_check_may_ask_another_site_even_where_one_call_fills_the_house() {
    let settings = PluginSettings { concurrency: 1, ..Directory::new().settings() };
    let deferring = site_with("scripted", json!({}), settings.clone());
    let checker = site_with("good", json!(null), settings);
    let call = HookCall { defaults: Arc::new(Checker(checker)), ..call("https://a.example/") };
    assert_eq!(deferring.check(call.clone(), page("<p class=ok>")), Ok(Verdict::Keep));
    assert!(matches!(deferring.check(call, page("")), Ok(Verdict::Discard(_))));
}

#[test]
fn sites_that_ask_each_other_in_circles_get_an_error() {
    let site = site("scripted", json!({}));
    let call = HookCall { defaults: Arc::new(Checker(site.clone())), ..call("https://a.example/") };
    let result = site.check(call, page(""));
    let Err(HookError::Raised(message)) = result else { panic!("{result:?}") };
    assert!(message.contains("in circles"), "{message}");
}

#[test]
fn a_page_that_cannot_be_read_is_the_fault_of_neither_plugin_nor_session() {
    let answer = |members: Value| Answer::parse(members.to_string(), None).unwrap();
    let site = site("good", json!(null));
    for members in [
        json!({"url": "https://good.example/a", "browserHtml": 3}),
        json!({"url": "https://good.example/a", "httpResponseBody": "%"}),
        json!({"url": [], "browserHtml": "<p class=ok>"}),
    ] {
        let result = site.check(call("https://good.example/a"), answer(members.clone()));
        assert!(matches!(result, Err(HookError::Unreadable(_))), "{members}: {result:?}");
    }
    assert_eq!((site.report().calls(), site.report().traps()), (3, 0));
    let odd = Answer::parse(r#"{"url":"u\ud83d","browserHtml":"<p class=ok>\udc00</p>","x":NaN}"#, None).unwrap();
    assert_eq!(site.check(call("https://good.example/a"), odd), Ok(Verdict::Keep));
}

#[test]
fn what_the_default_check_cannot_read_stays_unreadable_where_a_plugin_passes_it_on() {
    let (deferring, checker) = (site("scripted", json!({})), site("good", json!(null)));
    let call = HookCall { defaults: Arc::new(Checker(checker)), ..call("https://a.example/") };
    let result = deferring.check(call, Answer::parse(r#"{"browserHtml":[]}"#, None).unwrap());
    assert!(matches!(result, Err(HookError::Unreadable(_))), "{result:?}");
}

#[test]
fn what_check_stores_for_a_session_is_there_for_process_request() {
    let script = json!({"hooks": {
        "check": {"store": {"token": {"$response": "statusCode"}}, "return": true},
        "process_request": {"edit": {"params": {"token": {"$session": "token"}}, "drop_params": ["browserHtml"]}},
    }});
    let site = site("scripted", script);
    let call = call("https://a.example/");
    assert_eq!(site.check(call.clone(), page("")), Ok(Verdict::Keep));
    let edit = site.process_request(call).unwrap();
    assert_eq!((edit.set, edit.remove), (object(json!({"token": 200})), vec!["browserHtml".to_owned()]));
}

#[test]
fn shared_data_outlives_instances_and_belongs_to_one_site() {
    let script = json!({"hooks": {"pool": {"return": "{call}"}}});
    let directory = Directory::with(&["scripted"]);
    let loaded = directory.load(&[table("a", "scripted", script.clone()), table("b", "scripted", script)]);
    let pool = |name: &str| loaded.sites.named(name).unwrap().plan(call("https://x.example/")).unwrap().pool.unwrap().id;
    assert_eq!([pool("a"), pool("a"), pool("b"), pool("a")], ["1", "2", "1", "3"]);
}

#[test]
fn what_a_plugin_prints_is_logged_line_by_line() {
    let site = site("misbehaving", json!({}));
    let (result, lines) = logged(|| site.check(call("https://misbehaving.example/check/print"), page("")));
    assert_eq!(result, Ok(Verdict::Discard("Err(NotPresent)".to_owned())));
    let printed: Vec<&str> = lines.iter().filter_map(|line| line.split_once(" plugin=")).map(|(line, _)| line).collect();
    let [out, error, long, rest] = printed[..] else { panic!("{printed:?}") };
    assert_eq!(out, "INFO plugin message=1 line");
    assert_eq!(error, "WARN plugin message=one and two");
    assert!(long.starts_with("WARN plugin message=long long") && long.len() < 5_000, "{long}");
    assert_eq!(rest, "WARN plugin message=the end");
}
