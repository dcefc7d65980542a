//! The hosts that a plugin may send calls to, whichever of its hooks names them.

use std::sync::Arc;

use carousel_core::exchange::Object;
use carousel_core::hooks::{Edit, HookError};
use carousel_core::settings::{PluginSettings, SiteTable};
use carousel_engine::{Site, Sites};
use carousel_sandbox::PluginSite;
use serde_json::{Value, json};

use crate::stage::{Counting, Directory, call, load, object, table};

const PAGE: &str = "https://asked.example/page";

/// A site of the scripted guest with these hooks, which serves `shop.example`.
fn site(hooks: Value, of_table: Option<&str>, of_plugins: Option<&str>) -> Arc<PluginSite> {
    let list = |host: Option<&str>| host.map(|host| vec![host.to_owned()]);
    let directory = Directory::with(&["scripted"]);
    let table = SiteTable {
        include: Some(vec!["shop.example".to_owned()]),
        download_hosts: list(of_table),
        ..table("site", "scripted", json!({"hooks": hooks}))
    };
    let settings = PluginSettings { download_hosts: list(of_plugins), ..directory.settings() };
    let loaded = load(&settings, &[table]);
    assert!(loaded.errors.is_empty(), "{}", loaded.errors[0]);
    loaded.sites.named("site").unwrap()
}

fn goto(url: &str) -> Value {
    json!([{"action": "goto", "url": url}])
}

/// The ways in which a plugin leads a call to a URL.
fn ways(url: &str) -> [(&'static str, Value); 6] {
    let visit = || goto(url);
    [
        ("init_session", json!({"chain": [{"url": url, "params": {"browserHtml": true}}], "return": true})),
        ("init_session", json!({"chain": [{"params": {"browserHtml": true, "actions": visit()}}], "return": true})),
        ("params", json!({"return": {"url": url, "browserHtml": true}})),
        ("params", json!({"return": {"browserHtml": true, "actions": visit()}})),
        ("process_request", json!({"edit": {"url": url}})),
        ("process_request", json!({"edit": {"params": {"url": url, "actions": visit()}}})),
    ]
}

async fn ask(site: &PluginSite, hook: &str) -> Result<(), HookError> {
    let downloader = Arc::new(Counting::default());
    match hook {
        "init_session" => site.init_session(call(PAGE), downloader).await.map(drop),
        "params" => site.params(call(PAGE), downloader).await.map(drop),
        _ => site.process_request(call(PAGE)).map(drop),
    }
}

#[tokio::test]
async fn a_plugin_leads_calls_to_the_hosts_of_its_site_and_of_the_request_and_nowhere_else() {
    for (url, allowed) in [
        ("https://asked.example/other", true),
        ("http://www.shop.example/", true),
        ("https://api.shop.example/token", true),
        ("https://other.example/", false),
        ("http://169.254.169.254/latest/meta-data", false),
        ("https://shop.example@other.example/", false),
        ("file:///etc/passwd", false),
        ("ftp://shop.example/", false),
        ("shop.example", false),
    ] {
        for (hook, action) in ways(url) {
            let told = format!("{hook} {action}");
            let result = ask(&site(json!({hook: action}), None, None), hook).await;
            assert_eq!(result.is_ok(), allowed, "{told}: {result:?}");
            if let Err(error) = result {
                let message = error.to_string();
                let expected =
                    if url.contains("://") && url.starts_with("http") { "download_hosts" } else { "is no http or https URL" };
                assert!(message.contains(expected), "{told}: {message}");
            }
        }
    }
}

#[tokio::test]
async fn the_settings_may_name_more_hosts_and_no_other_schemes() {
    for (of_table, of_plugins) in
        [(Some("other.example"), None), (None, Some("other.example")), (None, Some("*")), (Some("*"), None)]
    {
        for (hook, action) in ways("https://other.example/") {
            let site = site(json!({hook: action}), of_table, of_plugins);
            assert_eq!(ask(&site, hook).await, Ok(()), "{hook} {of_table:?} {of_plugins:?}");
        }
        for (hook, action) in ways("file:///etc/passwd") {
            assert!(ask(&site(json!({hook: action}), of_table, of_plugins), hook).await.is_err(), "{hook}");
        }
    }
}

#[test]
fn an_edit_that_stays_on_its_host_is_carried_out_whole() {
    let edit = json!({"edit": {"url": "https://asked.example/x", "params": {"a": 1}, "drop_params": ["b"]}});
    let edited = site(json!({"process_request": edit}), None, None).process_request(call(PAGE));
    let expected: Object = object(json!({"a": 1}));
    assert_eq!(edited, Ok(Edit { url: Some("https://asked.example/x".into()), set: expected, remove: vec!["b".into()] }));
}

#[test]
fn a_refused_edit_names_its_hook_its_host_and_the_setting_to_widen() {
    let edit = json!({"edit": {"url": "https://other.example/x"}});
    let refused = site(json!({"process_request": edit}), None, None).process_request(call(PAGE));
    let Err(HookError::Raised(message)) = refused else { panic!("{refused:?}") };
    for part in ["process-request", "\"other.example\"", "download_hosts in the [[site]] table or in [plugins]"] {
        assert!(message.contains(part), "{message}");
    }
}
