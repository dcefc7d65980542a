//! Sites without code: tables for the plugin `declarative` do what the example plugins do, and wrong ones are refused at the start.

use std::path::Path;

use carousel_simulator::demo_requests;
use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::crawl::{Crawl, Crawled};
use crate::harness::plugins::built;
use crate::harness::reply::Reply;
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

#[test]
fn what_xpath_computes_holds_where_xpath_takes_it_for_true() {
    let cases = [
        ("{ xpath = \"count(//li) > 1\" }", true),
        ("{ xpath = \"count(//li) > 3\" }", false),
        ("{ xpath = \"boolean(//i)\" }", false),
        ("{ xpath = \"not(//li)\" }", false),
        ("{ not = { xpath = \"not(//li)\" } }", true),
        ("{ xpath = \"string(//img)\" }", false),
        ("{ xpath = \"count(//i)\" }", false),
        ("{ xpath = \"number(//p)\" }", false),
        ("{ xpath = \"//p/text()\" }", true),
        ("{ xpath = \"//li/@title\" }", true),
        ("{ xpath = \"count(//i)\", equals = 0 }", true),
        ("{ xpath = \"boolean(//i)\", at_least = 1 }", false),
        ("{ xpath = \"//li\", at_least = 2 }", true),
    ];
    let html = "<ul><li>1<li title=''>x</ul><p>false</p>";
    let api = Api::start(|_| Reply::Page { html: html.to_owned(), members: json!({}) });
    let table = |(number, (condition, _)): (usize, &(&str, bool))| {
        format!(
            "[[site]]\nname = \"s{number}\"\nplugin = \"declarative\"\ninclude = [\"s{number}.example\"]\n[site.config]\n\
             check = [{{ on = \"page\", require = {condition}, otherwise = \"reject\" }}]\n"
        )
    };
    let settings = cases.iter().enumerate().map(table).collect::<String>();
    let lines = (0..cases.len()).map(|number| format!("https://s{number}.example/\n")).collect::<String>();
    let crawl = Crawl::through(&api).settings(&format!("{PATIENT}{settings}")).component(&built("declarative"));
    let crawled = crawl.args(["--annotate", "--store-errors"]).run(&lines);
    for (number, (condition, holds)) in cases.iter().enumerate() {
        assert_eq!(crawled.about(number + 1).get("error").is_none(), *holds, "{condition}");
    }
}

#[test]
fn the_empty_text_of_an_xpath_function_is_not_saved() {
    let api = Api::start(|_| Reply::Page { html: "<p title=''>0</p>".to_owned(), members: json!({}) });
    for (save, code) in [("string(//img/@src)", 1), ("normalize-space(//b)", 1), ("count(//i)", 0), ("//p/@title", 0)] {
        let config = format!("{{ save = {{ a = {{ xpath = \"{save}\" }} }} }}");
        let settings = format!(
            "{PATIENT}[session]\nmax_bad_inits = 1\n[[site]]\nname = \"shop\"\nplugin = \"declarative\"\n\
             include = [\"shop.example\"]\nconfig = {config}\n"
        );
        let crawled = Crawl::through(&api).settings(&settings).component(&built("declarative")).run("https://shop.example/\n");
        crawled.exits(code);
    }
}
