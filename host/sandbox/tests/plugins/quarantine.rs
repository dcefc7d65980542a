//! Plugins that keep being stopped are left alone for a while.

use std::time::Duration;

use carousel_core::hooks::{Hook, HookError};
use carousel_core::settings::{OnFault, PluginSettings, Seconds};
use carousel_core::verdict::Verdict;
use carousel_engine::Site;
use carousel_sandbox::PluginSite;
use serde_json::json;

use crate::record::logged;
use crate::stage::{Directory, call, page, site_with};

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
