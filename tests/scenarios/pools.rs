//! Whose sessions pages travel on, seen from outside: by what the API is asked and what the output tells.

use serde_json::{Value, json};

use crate::harness::api::{Api, Kind};
use crate::harness::crawl::{Crawl, Crawled};
use crate::harness::reply::Reply;
use crate::harness::tool::Workshop;
use crate::plugins::PATIENT;

/// A site that initialises its sessions itself and leaves the help pages to the defaults, by these rules.
fn shop(rules: &str) -> String {
    let hooks = "params = { return = { url = \"https://s.example/begin\", browserHtml = true } }";
    format!(
        "crawl.concurrency = 1\n{PATIENT}[[site]]\nname = \"shop\"\nplugin = \"guest-scripted\"\n{rules}\nconfig = {{ hooks = {{ {hooks} }} }}\n"
    )
}

fn crawl(api: &Api, settings: &str, urls: &[&str]) -> Crawled {
    let lines: String = urls.iter().map(|url| format!("{url}\n")).collect();
    let crawl = Crawl::through(api).settings(settings).plugin("guest-scripted").args(["--annotate", "--store-errors"]);
    crawl.run(&lines)
}

/// The URL of the first call on each line's session.
fn begun_at(api: &Api, crawled: &Crawled, lines: usize) -> Vec<String> {
    let calls = api.calls();
    let url = |line: usize| {
        let session = crawled.about(line)["carousel"]["session"].as_str().unwrap();
        calls.iter().find(|call| call.session() == session).unwrap().url().to_owned()
    };
    (1..=lines).map(url).collect()
}

#[test]
fn pages_of_a_plugin_are_served_by_sessions_that_it_initialised_whatever_came_before() {
    const BEGIN: &str = "https://s.example/begin";
    let exclude = "include = [\"s.example\"]\nexclude = [\"s.example/help\"]";
    let two_hosts = "include = [\"s.example/a\", \"s.example/begin\"]";
    for (rules, first, mine) in [
        (exclude, "https://s.example/help/1", false),
        (two_hosts, "https://s.example/other", false),
        (exclude, "https://user:pw@s.example/x", true),
        (exclude, "https://S.EXAMPLE/x", true),
    ] {
        let api = Api::start(|_| Reply::ok());
        let crawled = crawl(&api, &shop(rules), &[first, "https://s.example/a", first]);
        crawled.exits(0);
        let other = if mine { BEGIN } else { first };
        assert_eq!(begun_at(&api, &crawled, 3), [other, BEGIN, other], "{rules} {first}");
        let pools: Vec<&Value> = (1..=3).map(|line| &crawled.about(line)["carousel"]["pool"]).collect();
        assert_eq!(pools[0] == pools[1], mine, "{pools:?}");
    }
}

#[test]
fn a_plugin_that_initialises_sessions_is_refused_at_the_start_where_zyte_is_to_keep_them() {
    let rules = "include = [\"s.example\"]";
    let zyte = |more: &str| format!("{}[session]\nkind = \"zyte\"\n{more}", shop(rules));
    let api = Api::start(|_| Reply::ok());
    let crawled = crawl(&api, &zyte(""), &["https://s.example/a"]);
    crawled.exits(2).process.says(&["session.kind = \"zyte\": the ", "site \"shop\" initialises sessions", "use auto"]);
    assert!(api.calls().is_empty());
    let theirs = "[session.pools.\"s.example\"]\nkind = \"user\"\n";
    let crawled = crawl(&api, &zyte(theirs), &["https://s.example/a", "https://other.example/a"]);
    crawled.exits(0);
    let pairs = |call: &crate::harness::api::Call| call.body["sessionContext"].as_array().map(Vec::len);
    assert_eq!(api.calls().iter().map(pairs).collect::<Vec<_>>().len(), 3, "an initialisation and two pages");
    assert_eq!(api.calls().iter().filter_map(pairs).collect::<Vec<_>>(), [3], "the other site's sessions are Zyte's");
}

#[test]
fn pools_are_named_after_who_serves_them_and_tables_of_the_hosts_name_hold_for_all() {
    let rules = "include = [\"s.example\"]\nexclude = [\"s.example/help\"]";
    let tables = "[session.pools.\"s.example\"]\nbudget = 3\n[session.pools.\"s.example;defaults\"]\nsize = 0\n";
    let api = Api::start(|_| Reply::ok());
    let urls = ["https://s.example/help/1", "https://s.example/a", "https://s.example/b", "https://s.example/c"];
    let crawled = crawl(&api, &format!("{}{tables}", shop(rules)), &urls);
    crawled.exits(1);
    assert_eq!(crawled.about(1)["error"]["kind"], "no-session", "the help pages' pool has no room");
    assert_eq!(crawled.about(1)["carousel"]["pool"], "s.example;defaults");
    assert_eq!((crawled.about(2).get("error"), crawled.about(3).get("error")), (None, None));
    assert_eq!(crawled.about(4)["error"]["kind"], "budget");
    assert_eq!(crawled.stats["pools"]["s.example"]["billed"], json!({"init": 1, "use": 2, "discarded": 0}));
}

#[test]
fn an_edit_to_a_host_of_nobodys_fails_the_page_and_says_how_to_allow_it() {
    let table = |more: &str| {
        let hooks = "process_request = { edit = { url = \"http://169.254.169.254/latest\" } }";
        let site = "[[site]]\nname = \"shop\"\nplugin = \"guest-scripted\"\ninclude = [\"s.example\"]\n";
        format!("{PATIENT}{site}{more}config = {{ hooks = {{ {hooks} }} }}\n")
    };
    let api = Api::start(|_| Reply::ok());
    let crawled = crawl(&api, &table(""), &["https://s.example/a"]);
    crawled.exits(1);
    let error = &crawled.about(1)["error"];
    let told = error["detail"].as_str().unwrap();
    assert_eq!(error["kind"], "plugin");
    assert!(told.contains("\"169.254.169.254\"") && told.contains("download_hosts in the [[site]] table"), "{told}");
    assert_eq!(api.calls_of(Kind::Use).len(), 0);
    let allowed = table("download_hosts = [\"169.254.169.254\"]\n");
    for settings in [allowed, format!("profile = \"scrapy-zyte-api\"\nsession.enabled = true\n{}", table(""))] {
        let api = Api::start(|_| Reply::ok());
        crawl(&api, &settings, &["https://s.example/a"]).exits(0);
        let urls: Vec<String> = api.calls().iter().map(|call| call.url().to_owned()).collect();
        assert_eq!(urls, ["https://s.example/a", "http://169.254.169.254/latest"]);
    }
}

#[test]
fn a_hook_that_is_tried_alone_is_held_to_the_hosts_of_its_table() {
    let site = |host: &str| {
        let edit = format!("config = {{ hooks = {{ process_request = {{ edit = {{ url = \"https://{host}/\" }} }} }} }}");
        let rules = "include = [\"s.example\"]\ndownload_hosts = [\"t.example\"]";
        format!("[[site]]\nname = \"{host}\"\nplugin = \"guest-scripted\"\n{rules}\n{edit}\n")
    };
    let hosts = ["www.s.example", "t.example", "asked.example", "u.example"];
    let tables: String = hosts.iter().map(|host| site(host)).collect();
    let request = r#"{"url": "https://asked.example/", "browserHtml": true}"#;
    let workshop = Workshop::new().settings(&tables).guest("guest-scripted").file("request.json", request);
    for host in hosts {
        let words = format!("plugin run plugins/guest-scripted.wasm process_request --site {host} --request request.json");
        let ended = workshop.run(&words).exits(i32::from(host == "u.example"));
        ended.shows(&[if host == "u.example" { "download_hosts in the [[site]] table" } else { host }]);
    }
}
