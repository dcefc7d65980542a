//! Whose pools a site's requests have, and who initialises their sessions.

use carousel_core::hooks::{Hook, Naming};
use carousel_core::settings::{OnFault, PluginSettings, Seconds};
use carousel_engine::{Site, Sites};
use serde_json::{Value, json};

use crate::guests;
use crate::stage::{Directory, call, page, site, site_with, table};

const URL: &str = "https://shop.example/a";

#[test]
fn a_pool_is_named_by_a_plugin_only_where_it_says_a_name_of_its_own() {
    for (hook, id, naming) in [
        (json!({"return": "mine"}), "mine", Naming::Explicit),
        (json!({"return": {"id": "mine", "size": 2}}), "mine", Naming::Explicit),
        // The name of the usual pool, but as the plugin's own word.
        (json!({"return": "default {host} 0"}), "default shop.example 0", Naming::Explicit),
        (json!({"super": true}), "default shop.example 0", Naming::Automatic),
        (json!({"super_or": "mine"}), "default shop.example 0", Naming::Automatic),
    ] {
        let choice = site("scripted", json!({"hooks": {"pool": hook}})).plan(call(URL)).unwrap().pool.unwrap();
        assert_eq!((choice.id.as_str(), choice.naming), (id, naming), "{hook}");
    }
}

#[test]
fn a_site_owns_its_sessions_by_its_name_and_its_config() {
    let directory = Directory::with(&["scripted"]);
    let script = |pool| json!({"hooks": {"pool": {"return": pool}}});
    let tables = [table("a", "scripted", script("x")), table("b", "scripted", script("x")), table("c", "scripted", script("y"))];
    let loaded = directory.load(&tables);
    let id = |name| loaded.sites.named(name).unwrap().id();
    assert_ne!(id("a"), id("b"));
    let other = directory.load(&[table("a", "scripted", script("y")), table("b", "scripted", script("x"))]);
    assert_ne!(id("a"), other.sites.named("a").unwrap().id(), "another config");
    assert_eq!(id("b"), other.sites.named("b").unwrap().id(), "as before");
}

#[test]
fn a_site_stays_the_owner_of_its_sessions_through_a_swap() {
    let directory = Directory::with(&["scripted"]);
    let mut loaded = directory.load(&[table("site", "scripted", json!({}))]);
    let site = loaded.sites.named("site").unwrap();
    let of = |site: &carousel_sandbox::PluginSite| (site.id(), Hook::ALL.map(|hook| site.overrides(hook)));
    let before = of(&site);
    let plugin = std::fs::read(guests::component("scripted")).unwrap();
    directory.write("scripted.wasm", [plugin.as_slice(), &[0, 2, 1, 9]].concat());
    assert!(loaded.reloader.refresh().is_changed);
    assert_eq!(of(&loaded.sites.named("site").unwrap()), before);
}

#[tokio::test(start_paused = true)]
async fn while_the_defaults_serve_in_place_of_a_plugin_it_initialises_nothing() {
    let settings =
        |on_fault| PluginSettings { on_fault, fault_limit: 1, fault_pause: Seconds::new(10), ..Directory::new().settings() };
    for (on_fault, initialises) in [(OnFault::DefaultConfig, false), (OnFault::Closed, true)] {
        let site = site_with("misbehaving", Value::Null, settings(on_fault));
        let hooks = |site: &carousel_sandbox::PluginSite| [Hook::InitSession, Hook::Check].map(|hook| site.overrides(hook));
        assert_eq!(hooks(&site), [true, true]);
        assert!(site.check(call("https://misbehaving.example/check/panic"), page("")).is_err());
        assert_eq!(hooks(&site), [initialises; 2], "{on_fault:?}");
        tokio::time::advance(std::time::Duration::from_secs(10)).await;
        assert_eq!(hooks(&site), [true, true], "it is tried again");
    }
}
