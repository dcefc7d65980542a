//! `plugin explain` against what a crawl then does: the same pool, and the same call that initialises the session.

use serde_json::{Value, json};

use crate::harness::api::{Api, Kind};
use crate::harness::process::Ended;
use crate::harness::reply::Reply;
use crate::harness::tool::Workshop;

/// Sites that compete: by specificity, by priority, by order, with an exclude, and one in place of another.
const SETTINGS: &str = r#"
[session]
location = { postalCode = "10001" }

[session.pools."the sale"]
size = 2
delay = 0.5

[[site]]
name = "shop"
plugin = "guest-scripted"
include = ["shop.example"]
exclude = ["/help", "shop.example?preview=1"]
config = { hooks = { pool = { return = "{host} of the shop" } } }

[[site]]
name = "sale"
plugin = "guest-scripted"
include = ["shop.example/sale"]
config = { hooks = { pool = { return = { id = "the sale", size = 5 } }, params = { return = { httpResponseBody = true } } } }

[[site]]
name = "first"
plugin = "guest-scripted"
priority = 600
include = ["shop.example/sale/first"]
config = { hooks = { location = { return = { postalCode = "60601" } } } }

[[site]]
name = "instead"
plugin = "guest-scripted"
instead_of = "sale"
include = ["shop.example/sale/late"]
config = { hooks = { enabled = [{ when = { url_contains = "off" }, do = { return = false } }, { when = {}, do = { super = true } }] } }

[[site]]
name = "twin one"
plugin = "guest-scripted"
include = ["twin.example"]
config = { hooks = { pool = { return = "one" } } }

[[site]]
name = "twin two"
plugin = "guest-scripted"
include = ["twin.example"]
config = { hooks = { pool = { super = true } } }

[[site]]
name = "everything"
plugin = "guest-scripted"
include = [""]
config = { hooks = { init_session = { chain = [{ url = "https://{host}/begin", params = { browserHtml = true } }], return = true } } }
"#;

/// A URL, its metadata, the site that serves it, and words of the explanation.
type Case = (&'static str, Value, &'static str, &'static [&'static str]);

fn cases() -> Vec<Case> {
    let place = json!({"zyte_api_session_location": {"postalCode": "94105", "addressCountry": "US"}});
    let params = json!({"zyte_api_session_params": {"screenshot": true, "url": "https://shop.example/begin"}});
    let pool = json!({"zyte_api_session_pool": {"id": "mine", "size": 3}});
    vec![
        ("https://shop.example/a", json!({}), "shop", &["everything", "matches every URL", "setting: session.location"]),
        ("https://www.shop.example/a", place.clone(), "shop", &["metadata: zyte_api_session_location"]),
        ("https://shop.example/help/me", json!({}), "everything", &["is excluded", "by its exclude /help"]),
        ("https://shop.example/?preview=1", json!({}), "everything", &["shop.example?preview=1"]),
        ("https://shop.example/sale/shoes", json!({}), "sale", &["is outranked", "more specific"]),
        ("https://shop.example/sale/first/shoes", json!({}), "first", &["higher priority", "{\"postalCode\":\"60601\"}"]),
        ("https://shop.example/sale/late/shoes", json!({}), "instead", &["is replaced", "stands in for sale"]),
        ("https://shop.example/sale/late/off", json!({}), "instead", &[]),
        ("https://user:pw@shop.example/a", json!({}), "shop", &["shop.example of the shop"]),
        (
            "https://shop.example/help/me",
            json!({}),
            "everything",
            &["shop.example;site=everything", "told apart by site=everything"],
        ),
        ("https://shop.example/sale/shoes", params.clone(), "sale", &["metadata: zyte_api_session_params"]),
        ("https://twin.example/a", json!({}), "twin two", &["registered later", "as without it: default: named after the host"]),
        ("https://twin.example/a", place, "twin two", &[]),
        ("https://other.example/a", json!({}), "everything", &["plugin: its first call"]),
        ("https://other.example/a", pool, "everything", &["metadata: zyte_api_session_pool"]),
        ("https://other.example/a", json!({"zyte_api_session_cookie_mode": true}), "everything", &["other.example;cookies"]),
        ("https://shop.example/a", json!({"zyte_api_session_enabled": false}), "shop", &["enabled", "plugin"]),
    ]
}

/// What a crawl of one request does: the pool that it names, and the first call that the API sees of a session.
struct Crawled {
    pool: Value,
    initialisation: Option<Value>,
}

fn crawl(workshop: &Workshop, url: &str, meta: &Value) -> Crawled {
    let api = Api::start(|_| Reply::ok());
    let line = json!({"url": url, "browserHtml": true, "meta": meta, "echoData": url}).to_string();
    std::fs::write(workshop.path("request.jsonl"), line).unwrap();
    let args = ["crawl", "request.jsonl", "--plugins", "plugins", "--annotate", "--api-key", "k", "--api-url", &api.url];
    let ended = workshop.run_with(&args).exits(0);
    let initialisation = api.calls_of(Kind::Init).first().map(|call| without_session(&call.body));
    Crawled { pool: ended.json()[0]["carousel"]["pool"].clone(), initialisation }
}

fn without_session(params: &Value) -> Value {
    let mut params = params.clone();
    params.as_object_mut().unwrap().remove("session");
    params
}

fn explain(workshop: &Workshop, url: &str, meta: &Value, more: &[&str]) -> Ended {
    let meta = meta.to_string();
    let args = [&["plugin", "explain", url, "--plugins", "plugins", "--meta", &meta], more].concat();
    workshop.run_with(&args).exits(0)
}

#[test]
fn what_explain_says_is_what_the_crawl_does() {
    let workshop = Workshop::new().settings(SETTINGS).guest("guest-scripted");
    for (url, meta, site, words) in cases() {
        let told = explain(&workshop, url, &meta, &["--json"]).json().remove(0);
        let crawled = crawl(&workshop, url, &meta);
        assert_eq!(told["site"], site, "{url} {meta}: {told}");
        let rules = told["rules"].as_array().unwrap();
        let serving: Vec<&Value> = rules.iter().filter(|rule| rule["standing"] == "serves").map(|rule| &rule["site"]).collect();
        assert_eq!(serving, [site], "{url}");
        let hooks = &told["hooks"];
        let pool = hooks["pool"]["value"].get("id").unwrap_or(&hooks["pool"]["value"]);
        assert_eq!(*pool, crawled.pool, "{url} {meta}: {told}");
        let chain = &hooks["init_session"]["value"];
        let sent = if chain.is_null() { hooks["params"]["value"].clone() } else { chain.clone() };
        assert_eq!((!sent.is_null()).then_some(sent), crawled.initialisation, "{url} {meta}: {told}");
        explain(&workshop, url, &meta, &[]).shows(words);
    }
}

#[test]
fn a_pool_has_the_options_of_its_table_then_of_the_hook() {
    let workshop = Workshop::new().settings(SETTINGS).guest("guest-scripted");
    let told = explain(&workshop, "https://shop.example/sale/shoes", &json!({}), &["--json"]).json().remove(0);
    let pool = &told["pool"];
    assert_eq!(json!([pool["size"], pool["delay"], pool["max_in_flight"]]), json!([2, 0.5, 4]), "{pool}");
}

#[test]
fn a_url_without_a_plugin_is_served_by_the_defaults() {
    let workshop = Workshop::new().guest("guest-good");
    let ended = explain(&workshop, "https://other.example/a", &json!({}), &[]);
    ended.shows(&[
        "rules that match\n  none",
        "the defaults serve",
        "default: named after the host",
        "creates its session itself",
    ]);
    let by_http = workshop.file("request.json", r#"{"httpResponseBody": true}"#);
    let ended = explain(&by_http, "https://other.example/a", &json!({}), &["--request", "request.json"]);
    ended.shows(&["default: one call, judged by check", "default: a browser request"]);
}

#[test]
fn a_request_that_would_fail_before_it_is_sent_says_why() {
    let broken = r#"
        [[site]]
        name = "broken"
        plugin = "guest-scripted"
        include = ["broken.example"]
        config = { hooks = { pool = { raise = "no pool today" } } }
    "#;
    let workshop = Workshop::new().settings(broken).guest("guest-scripted").file("request.json", "[]");
    let ended = workshop.run("plugin explain https://broken.example/ --plugins plugins").exits(1);
    ended.shows(&["fails before it is sent", "no pool today"]);
    workshop.run("plugin explain https://broken.example/ --plugins plugins --meta x").exits(2).says(&["--meta is not the JSON"]);
    workshop.run("plugin explain https://a.example/ --plugins plugins --request request.json").exits(2).says(&["JSON object"]);
}

#[test]
fn the_demo_is_explained_as_it_runs() {
    let workshop = Workshop::of_the_demo();
    let place = json!({"zyte_api_session_location": {"addressCountry": "US", "postalCode": "10001"}});
    for (url, meta, plugin) in [
        ("https://s001.market.example/p/1", &place, "market"),
        ("https://s001.tickets.example/p/1", &json!({}), "tickets"),
        ("https://s001.club.example/members/1", &json!({}), "club"),
        ("https://s001.grocer.example/p/1", &place, "storefront"),
        ("https://s001.pharmacy.example/p/1", &place, "storefront"),
    ] {
        let told = explain(&workshop, url, meta, &["--json"]).json().remove(0);
        assert_eq!(told["plugin"], plugin, "{told}");
        let api = Api::start(|_| Reply::ok());
        let line = json!({"url": url, "browserHtml": true, "meta": meta, "echoData": url}).to_string();
        std::fs::write(workshop.path("request.jsonl"), line).unwrap();
        // The scripted API knows nothing of these sites, so that all but the first call may fail.
        let args = ["crawl", "request.jsonl", "--plugins", "plugins", "--api-key", "k", "--api-url", &api.url];
        workshop.run_with(&args);
        let hooks = &told["hooks"];
        let chain = &hooks["init_session"]["value"];
        let sent = if chain.is_null() { &hooks["params"]["value"] } else { chain };
        let first = without_session(&api.calls_of(Kind::Init)[0].body);
        assert_eq!(*sent, first, "{url}");
        assert_eq!(first["tags"]["carousel-pool"], hooks["pool"]["value"], "{url}");
    }
}
