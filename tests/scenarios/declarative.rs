//! Sites without code: tables for the plugin `declarative` do what the example plugins do, and wrong ones are refused at the start.

use std::path::Path;

use carousel_simulator::demo_requests;
use serde_json::Value;

use crate::harness::crawl::{Crawl, Crawled};
use crate::harness::plugins::built;
use crate::harness::root;
use crate::plugins::PATIENT;

/// Requests of the demo that both crawl: enough that every site is visited again after its sessions were worn.
const REQUESTS: usize = 1_200;

/// The example plugins that the tables stand in for.
const EXAMPLES: [&str; 4] = ["market", "tickets", "club", "storefront"];

fn requests() -> String {
    demo_requests().take(REQUESTS).map(|request| Value::Object(request).to_string() + "\n").collect()
}

/// Crawls the demo's requests, one after the other so that nothing depends on timing.
fn crawl(settings: &Path, plugins: &[&str]) -> Crawled {
    let text = std::fs::read_to_string(settings).unwrap();
    let crawl = Crawl::simulated().settings(&format!("{PATIENT}{text}")).args(["--n-conn", "1", "--seed", "7"]);
    plugins.iter().fold(crawl, |crawl, plugin| crawl.component(&built(plugin))).run(&requests())
}

/// The counters that do not tell who answered, and how long it took.
fn counters(crawled: &Crawled) -> Value {
    let mut stats = crawled.stats.clone();
    let members = stats.as_object_mut().unwrap();
    members.remove("sites");
    members.remove("seconds");
    stats
}

#[test]
fn tables_end_with_the_counters_of_the_plugins_that_they_stand_in_for() {
    let by_code = crawl(&root().join("plugins/demo.toml"), &EXAMPLES);
    let by_tables = crawl(&root().join("plugins/declarative/demo.toml"), &["declarative"]);
    by_code.exits(0);
    by_tables.exits(0);
    assert_eq!(by_code.answers_and_errors(), (REQUESTS, 0));
    assert_eq!(counters(&by_code), counters(&by_tables));
    let sites = by_tables.stats["sites"].as_object().unwrap();
    for (site, hooks) in [
        ("market", ["params", "check"].as_slice()),
        ("tickets", &["params", "check", "process-request"]),
        ("club", &["init-session", "check"]),
        ("pharmacy", &["params", "check"]),
    ] {
        let mut asked: Vec<&str> = sites[site]["hooks"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = hooks.to_vec();
        asked.sort_unstable();
        expected.sort_unstable();
        assert_eq!(asked, expected, "{site}: only what its table needs is asked");
    }
}

#[test]
fn a_table_with_a_mistake_is_refused_before_anything_is_sent() {
    for (config, said) in [
        ("{ chek = [] }", r#"config: unknown key "chek"; did you mean "check"?"#),
        ("{ check = [{ require = { css = \"p[\" } }] }", r#"check[0].require.css: css "p[""#),
        ("{ check = [{ require = { xpath = \"//p[\" } }] }", r#"check[0].require.xpath: xpath "//p[""#),
        ("{ save = { a = { jmespath = \"a[\" } } }", r#"save.a.jmespath: jmespath "a[""#),
        ("{ save = { a = { regex = \"(\" } } }", r#"save.a.regex: regex "(""#),
        ("{ params = { url = \"{hots}\" } }", r#"params.url: unknown placeholder {hots}; did you mean "host"?"#),
    ] {
        let settings = format!(
            "{PATIENT}[[site]]\nname = \"shop\"\nplugin = \"declarative\"\ninclude = [\"shop.example\"]\nconfig = {config}\n"
        );
        let crawled = Crawl::simulated().settings(&settings).component(&built("declarative")).run("https://shop.example/\n");
        crawled.exits(2).process.says(&[&format!("[[site]] \"shop\" is left out: its plugin refuses the config: {said}")]);
        assert!(crawled.lines.is_empty());
    }
}
