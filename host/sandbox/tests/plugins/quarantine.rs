//! Plugins that keep being stopped are left alone for a while.

use std::time::Duration;

use carousel_core::hooks::{Hook, HookCall, HookError};
use carousel_core::settings::{OnFault, PluginSettings, Seconds};
use carousel_core::verdict::Verdict;
use carousel_engine::{Site, Sites};
use carousel_sandbox::PluginSite;
use serde_json::json;

use crate::record::logged;
use crate::stage::{Directory, call, load, page, site_with, table};

const BAD: &str = "https://misbehaving.example/check/panic";
const GOOD: &str = "https://misbehaving.example/";

fn settings(on_fault: OnFault) -> PluginSettings {
    PluginSettings { on_fault, fault_limit: 3, fault_pause: Seconds::new(10), ..Directory::new().settings() }
}

fn check(site: &PluginSite, url: &str) -> Result<Verdict, HookError> {
    site.check(call(url), page(""))
}

fn trap_three_times(site: &PluginSite) -> Vec<String> {
    let (_, lines) = logged(|| {
        for _ in 0..3 {
            let result = check(site, BAD);
            assert!(matches!(&result, Err(HookError::Trapped(why)) if why.contains("on purpose")), "{result:?}");
        }
    });
    lines
}

#[tokio::test(start_paused = true)]
async fn a_closed_site_fails_at_once_with_the_reason_until_a_trial_succeeds() {
    let site = site_with("misbehaving", json!({}), settings(OnFault::Closed));
    let lines = trap_three_times(&site);
    assert!(
        lines.iter().any(|line| line.starts_with("WARN") && line.contains("for 10 s requests of the site fail")),
        "{lines:?}"
    );
    let calls = site.report().calls();
    for result in [check(&site, GOOD).map(drop), site.plan(call(GOOD)).map(drop)] {
        let Err(HookError::Trapped(why)) = result else { panic!("{result:?}") };
        assert!(why.contains("left alone for 10 s") && why.contains("on purpose"), "{why}");
    }
    assert!(site.overrides(Hook::Enabled), "new requests hear of it where they ask first");
    assert_eq!(site.report().calls(), calls, "the plugin is not asked");

    tokio::time::advance(Duration::from_secs(10)).await;
    assert!(site.plan(call(GOOD)).is_ok(), "one request tries");
    assert!(site.plan(call(GOOD)).is_err(), "the next ones wait for what comes of it");
    let (verdict, lines) = logged(|| check(&site, GOOD));
    assert_eq!(verdict, Ok(Verdict::Keep));
    assert!(lines.iter().any(|line| line.contains("the plugin works again")), "{lines:?}");
    assert!(site.plan(call(GOOD)).is_ok() && site.plan(call(GOOD)).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_fails_doubles_the_pause() {
    let site = site_with("misbehaving", json!({}), settings(OnFault::Closed));
    trap_three_times(&site);
    tokio::time::advance(Duration::from_secs(10)).await;
    assert!(matches!(check(&site, BAD), Err(HookError::Trapped(why)) if why.contains("on purpose")));
    tokio::time::advance(Duration::from_secs(19)).await;
    assert!(matches!(check(&site, GOOD), Err(HookError::Trapped(why)) if why.contains("left alone for 1 s")));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(check(&site, GOOD), Ok(Verdict::Keep));
}

#[tokio::test(start_paused = true)]
async fn the_default_config_serves_meanwhile_where_the_settings_say_so() {
    let site = site_with("misbehaving", json!({}), settings(OnFault::DefaultConfig));
    trap_three_times(&site);
    let calls = site.report().calls();
    assert_eq!(check(&site, GOOD), Ok(Verdict::Reject("the default".into())));
    let plan = site.plan(call(GOOD)).unwrap();
    assert!(plan.enabled && plan.pool.unwrap().id.starts_with("default "));
    assert_eq!(site.report().calls(), calls, "the plugin is not asked");
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(check(&site, GOOD), Ok(Verdict::Keep), "it is tried again");
}

/// A check that raises is asked about the page of an initialisation.
fn check_init(site: &PluginSite) -> Result<Verdict, HookError> {
    site.check(HookCall { init: true, ..call("https://shop.example/") }, page(""))
}

fn raising(hook: &str) -> serde_json::Value {
    json!({"hooks": {hook: {"raise": "no price"}}})
}

#[tokio::test(start_paused = true)]
async fn errors_that_a_check_raises_count_as_faults_and_those_of_hooks_that_cost_nothing_do_not() {
    let site = site_with("scripted", raising("check"), settings(OnFault::Closed));
    for _ in 0..3 {
        assert_eq!(check_init(&site), Err(HookError::Raised("no price".into())));
    }
    let left_alone = site.left_alone();
    assert!(matches!(&left_alone, Some(HookError::Trapped(why)) if why.contains("no price")), "{left_alone:?}");
    assert!(site.leave_to_initialise().await.is_err() && check_init(&site).is_err());
    for hook in ["pool", "enabled"] {
        let site = site_with("scripted", raising(hook), settings(OnFault::Closed));
        (0..10).for_each(|_| drop(site.plan(call("https://shop.example/"))));
        assert_eq!(site.left_alone(), None, "{hook}");
    }
    let lenient = PluginSettings { raised_is_fault: Some(false), ..settings(OnFault::Closed) };
    let site = site_with("scripted", raising("check"), lenient);
    (0..10).for_each(|_| assert!(check_init(&site).is_err()));
    assert!(site.left_alone().is_none() && site.leave_to_initialise().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn faults_of_one_plugin_at_several_sites_are_added_up_and_those_at_one_site_are_its_own() {
    let directory = Directory::with(&["scripted"]);
    let settings = PluginSettings { dir: Some(directory.0.clone()), ..settings(OnFault::Closed) };
    let tables = ["a", "b", "c", "d"].map(|name| table(name, "scripted", raising("check")));
    let sites = load(&settings, &tables).sites;
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| sites.named(name).unwrap());
    (0..3).for_each(|_| assert!(check_init(&a).is_err()));
    assert!(a.left_alone().is_some() && d.left_alone().is_none(), "one site of four");
    assert!(check_init(&b).is_err() && check_init(&c).is_err());
    assert!(d.left_alone().is_some(), "all of them");
    assert!(d.overrides(Hook::Enabled) && d.plan(call("https://shop.example/")).is_err());
    tokio::time::advance(Duration::from_secs(10)).await;
    assert!(d.plan(call("https://shop.example/")).is_ok(), "one request tries");
    assert!(c.plan(call("https://shop.example/")).is_err(), "one for all sites");
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_has_not_shown_that_it_works_has_few_initialisations_at_once() {
    let site = site_with("scripted", json!({"hooks": {"check": {"return": true}}}), settings(OnFault::Closed));
    let leave = || async { tokio::time::timeout(Duration::from_secs(1), site.leave_to_initialise()).await };
    let (first, second) = (leave().await.unwrap().unwrap(), leave().await.unwrap().unwrap());
    assert!(leave().await.is_err(), "a third waits");
    drop(first);
    let third = leave().await.unwrap().unwrap();
    assert_eq!(check_init(&site), Ok(Verdict::Keep));
    for _ in 0..10 {
        std::mem::forget(leave().await.unwrap().unwrap());
    }
    drop((second, third));
}
