//! Fixtures: recorded from a crawl, run again offline, broken on purpose, and searched for what must not be in them.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::api::{Api, Kind};
use crate::harness::reply::Reply;
use crate::harness::tool::Workshop;

/// Some pages of each family of the demo's sites.
fn requests() -> String {
    let place = json!({"zyte_api_session_location": {"addressCountry": "US", "postalCode": "10001"}});
    let mut lines = String::new();
    for (family, path, meta) in [
        ("market", "p", &place),
        ("tickets", "p", &json!({})),
        ("club", "members", &json!({})),
        ("pharmacy", "p", &place),
        ("bakery", "p", &place),
    ] {
        for page in 1..=5 {
            let url = format!("https://s001.{family}.example/{path}/{page}");
            lines += &format!("{}\n", json!({"url": url, "httpResponseBody": true, "meta": meta}));
        }
    }
    lines
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The first file of a site whose name ends so, and that has this text in it.
fn find(workshop: &Workshop, site: &str, end: &str, part: &str) -> PathBuf {
    let all = files(&workshop.path("fixtures").join(site));
    let is_it = |path: &&PathBuf| path.to_string_lossy().ends_with(end) && fs::read_to_string(path).unwrap().contains(part);
    all.iter().find(is_it).unwrap_or_else(|| panic!("no {end} with {part} among {all:?}")).clone()
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn what_a_crawl_records_passes_until_a_check_is_broken() {
    let workshop = Workshop::of_the_demo().file("requests.jsonl", requests());
    let crawled = workshop.run("crawl requests.jsonl --simulate --plugins plugins --record fixtures --seed 1").exits(0);
    crawled.says(&["recorded", "calls of 5 sites in fixtures", "plugin test fixtures"]);
    assert!(workshop.path("fixtures/README.md").is_file());
    for (site, hooks) in [
        ("market", &["params", "check"][..]),
        ("tickets", &["params", "check", "process-request"]),
        ("club", &["init-session", "check"]),
        ("pharmacy", &["params", "check"]),
    ] {
        let names: Vec<String> =
            files(&workshop.path("fixtures").join(site)).iter().map(|path| path.display().to_string()).collect();
        for hook in hooks {
            let count = names.iter().filter(|name| name.ends_with(&format!("-{hook}.json"))).count();
            // A check is asked for initialisations and for pages, three of each.
            assert!((1..=6).contains(&count), "{hook} of {site}: {count} in {names:?}");
        }
    }
    let passed = workshop.run("plugin test fixtures --plugins plugins").exits(0);
    assert!(passed.stdout[0].ends_with(" as expected, 0 not") && passed.stdout[0].contains("5 sites"), "{:?}", passed.stdout);

    // A page for another place: the check is right to discard it, so what is expected is wrong now.
    let page = find(&workshop, "market", "check.body.html", "10001");
    edit(&page, "<span class=\"zip\">10001</span>", "<span class=\"zip\">10002</span>");
    let failed = workshop.run("plugin test fixtures --plugins plugins").exits(1);
    failed.shows(&[
        "FAILED market/session-1/",
        "expected  keep",
        "got       discard: the page is for 10002",
        "css \".zip::text\" → \"10002\"",
        "Prices for<span class=\"zip\">10002</span></p>",
        ", 1 not",
    ]);
    workshop.run("plugin test fixtures/market --plugins plugins").exits(1).shows(&["of 1 sites"]);
    workshop.run("plugin test fixtures/tickets/session-1 --plugins plugins").exits(0);
}

#[test]
fn other_parameters_other_edits_and_other_data_fail_too() {
    let workshop = Workshop::of_the_demo().file("requests.jsonl", requests());
    workshop.run("crawl requests.jsonl --simulate --plugins plugins --record fixtures --record-limit 1 --seed 1").exits(0);
    edit(&find(&workshop, "tickets", "process-request.json", "X-CSRF-Token"), "\"X-CSRF-Token\"", "\"X-Other\"");
    edit(&find(&workshop, "pharmacy", "params.json", "postal=10001"), "postal=10001", "postal=10002");
    edit(&find(&workshop, "club", "init-session.json", "user=guest"), "user=guest", "user=ann");
    edit(&find(&workshop, "tickets", "check.json", "session_data"), "\"token\"", "\"ticket\"");
    let failed = workshop.run("plugin test fixtures --plugins plugins").exits(1);
    failed.shows(&[
        "X-Other",
        "postal=10002",
        "download 2, httpRequestText",
        "user=guest&password=open%2Dsesame",
        "session_data",
        "4 not",
    ]);
    // What is left out may be anything.
    let lax = find(&workshop, "pharmacy", "params.json", "postal=10002");
    let mut fixture: Value = serde_json::from_str(&fs::read_to_string(&lax).unwrap()).unwrap();
    fixture["expect"] = json!({});
    fs::write(&lax, fixture.to_string()).unwrap();
    workshop.run("plugin test fixtures/pharmacy --plugins plugins").exits(0);
    fixture["expext"] = json!({});
    fs::write(&lax, fixture.to_string()).unwrap();
    workshop.run("plugin test fixtures/pharmacy --plugins plugins").exits(2).says(&["params.json", "unknown field `expext`"]);
}

#[test]
fn a_plugin_that_is_gone_or_broken_fails_the_fixtures_of_its_sites() {
    let workshop = Workshop::of_the_demo().file("requests.jsonl", requests());
    workshop.run("crawl requests.jsonl --simulate --plugins plugins --record fixtures --seed 1").exits(0);
    workshop.run("crawl requests.jsonl --simulate --plugins plugins --record fixtures").exits(2).says(&["not empty"]);
    fs::write(workshop.path("plugins/market.wasm"), "broken").unwrap();
    fs::remove_file(workshop.path("plugins/club.wasm")).unwrap();
    let failed = workshop.run("plugin test fixtures --plugins plugins").exits(1);
    failed.shows(&["market: the site cannot be served: its plugin \"market\" is left out", "there is no plugin \"club\""]);
    workshop.run("plugin test nowhere --plugins plugins").exits(2).says(&["crawl --record"]);
    workshop.run("plugin test plugins --plugins plugins").exits(2).says(&["no fixtures in plugins"]);
}

/// What must not be in a fixture. The short one is a cookie that is no secret by its looks.
const SECRETS: [&str; 16] = [
    "key-0123456789abcdef",
    "c00kie-of-the-page",
    "c00kie-of-the-request",
    "c00kie-in-a-header",
    "bearer.t0ken",
    "p4ssword-of-the-site",
    "csrf-t0ken-in-the-page",
    "query-t0ken",
    "stored-by-the-plugin",
    "jwt-in-the-answer",
    "client-s3cret",
    "fragment-t0ken",
    "location-t0ken",
    "pin-of-the-config",
    "sig-of-the-url",
    "pwd-in-base64",
];

#[test]
fn no_key_no_cookie_and_no_authorisation_gets_into_a_fixture() {
    let [
        key,
        cookie,
        own_cookie,
        header_cookie,
        bearer,
        password,
        csrf,
        query,
        stored,
        jwt,
        client,
        fragment,
        location,
        pin,
        sig,
        body,
    ] = SECRETS;
    let page = format!(
        "<p class=ok data-sid='{cookie}'>fine</p><meta content={csrf}><a href='/x?access_token={query}'>{stored}</a><i>{key} {password}</i>"
    );
    let members = json!({
        "responseCookies": [{"name": "sid", "value": cookie, "domain": "shop.example"}, {"name": "n", "value": "7q"}],
        "httpResponseHeaders": [
            {"name": "Set-Cookie", "value": format!("other={header_cookie}; Path=/")},
            {"name": "X-Csrf-Token", "value": csrf},
            {"name": "Location", "value": format!("/next?token={location}#access_token={fragment}")},
        ],
        "httpResponseBody": STANDARD.encode(json!({"refreshJwt": jwt, "client_secret": client, "sent": body}).to_string()),
        "token": stored,
    });
    let api = Api::start(move |_| Reply::Page { html: page.clone(), members: members.clone() });
    let config = json!({"password": password, "pin": pin, "hooks": {
        "check": {"store": {"kept": {"$response": "token"}}, "return": true},
        "init_session": {
            "chain": [{
                "url": format!("https://{{host}}/login?access_token={query}"),
                "params": {"httpResponseBody": true, "httpRequestMethod": "POST", "httpRequestText": format!("user=a&password={password}")},
            }, {
                "url": format!("https://{{host}}/again?sig={sig}"),
                "params": {
                    "httpResponseBody": true,
                    "httpRequestMethod": "POST",
                    "httpRequestBody": STANDARD.encode(json!({"login": {"pwd": body, "pin": pin}}).to_string()),
                },
            }],
            "return": true,
        },
        "process_request": {
            "edit": {"params": {"customHttpRequestHeaders": [{"name": "Authorization", "value": format!("Bearer {bearer}")}]}},
        },
    }});
    let settings =
        "[[site]]\nname = \"shop\"\nplugin = \"guest-scripted\"\ninclude = [\"shop.example\"]\nconfig = \"shop.json\"\n";
    let line = json!({
        "url": "https://shop.example/a", "browserHtml": true, "echoData": format!("told {key}"), "responseCookies": true,
        "requestCookies": [{"name": "own", "value": own_cookie, "domain": "shop.example"}],
    });
    let workshop = Workshop::new()
        .settings(settings)
        .guest("guest-scripted")
        .file("shop.json", config.to_string())
        .file("requests.jsonl", format!("{line}\n"));
    let args =
        ["crawl", "requests.jsonl", "--plugins", "plugins", "--record", "fixtures", "--api-key", key, "--api-url", &api.url];
    workshop.run_with(&args).exits(0);
    assert!(!api.calls_of(Kind::Use).is_empty());
    let all = files(&workshop.path("fixtures"));
    assert!(all.len() > 6, "{all:?}");
    for path in &all {
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret} is in {}:\n{text}", path.display());
            assert!(!text.contains(&STANDARD.encode(secret)), "{secret} is in {} in base64:\n{text}", path.display());
        }
        assert!(!text.contains("7q"), "a short cookie is in {}:\n{text}", path.display());
    }
    find(&workshop, "shop", "init-session.json", "httpRequestBody");
    let shown = fs::read_to_string(find(&workshop, "shop", "check.html", "class=ok")).unwrap();
    assert!(shown.contains("data-sid='COOKIE") && shown.contains("access_token=SECRET"), "{shown}");
    // What was equal is equal still, so that the plugin comes to the same results.
    workshop.run("plugin test fixtures --plugins plugins").exits(0);
}

#[test]
fn cookie_sessions_are_recorded_without_their_cookies() {
    let workshop = Workshop::of_the_demo().file("requests.jsonl", requests());
    let settings = fs::read_to_string(workshop.path("carousel.toml")).unwrap();
    let workshop = workshop.file("carousel.toml", format!("{settings}\n[session]\ncookie_mode = true\n"));
    workshop.run("crawl requests.jsonl --simulate --plugins plugins --record fixtures --seed 1");
    workshop.run("plugin test fixtures/tickets --plugins plugins").exits(0);
    let tickets = files(&workshop.path("fixtures/tickets"));
    let values: Vec<String> = tickets
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .flat_map(|path| cookies(&serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()))
        .collect();
    assert!(!values.is_empty() && values.iter().all(|value| value.starts_with("COOKIE")), "{values:?}");
}

/// The values of all cookies in a fixture.
fn cookies(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match name.as_str() {
                "requestCookies" | "responseCookies" if value.is_array() => {
                    value.as_array().unwrap().iter().map(|cookie| cookie["value"].as_str().unwrap().to_owned()).collect()
                }
                _ => cookies(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(cookies).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[test]
fn a_site_without_code_is_tested_by_the_table_of_today_which_is_told_where_it_is_another() {
    let table = |condition: &str| {
        format!(
            "[[site]]\nname = \"shop\"\nplugin = \"declarative\"\ninclude = [\"plain.example\"]\n[site.config]\n\
             params = {{ url = \"https://{{host}}/\", httpResponseBody = true, customHttpRequestHeaders = [{{ name = \"Authorization\", \
             value = \"Bearer s3cret-t0ken\" }}] }}\ncheck = [{{ require = {condition} }}]\n"
        )
    };
    let good = "{ css = \"body\" }";
    let workshop = Workshop::new().plugin("declarative").settings(&table(good));
    let workshop = workshop.file("requests.jsonl", "{\"url\": \"https://plain.example/a\", \"httpResponseBody\": true}\n");
    workshop.run("crawl requests.jsonl --simulate --no-check --plugins plugins --record fixtures --seed 1").exits(0);
    let passed = workshop.run("plugin test fixtures --plugins plugins").exits(0);
    assert!(passed.stdout.len() == 1, "{:?}", passed.stdout);
    let workshop = workshop.settings(&table("{ css = \".nowhere\" }"));
    let failed = workshop.run("plugin test fixtures --plugins plugins").exits(1);
    failed.shows(&[
        "NOTE fixtures/shop: not as it was recorded: config.check[0].require.css was \"body\", is \".nowhere\"",
        "got       discard: check failed",
    ]);
    assert!(!failed.stdout.join(" ").contains("s3cret"), "{:?}", failed.stdout);
    let workshop = workshop.settings(&table("{ css = \"p[\" }"));
    workshop
        .run("plugin test fixtures --plugins plugins")
        .exits(1)
        .shows(&["its plugin refuses the config", "check[0].require.css"]);
    let workshop = workshop.settings("");
    workshop
        .run("plugin test fixtures --plugins plugins")
        .exits(0)
        .shows(&["the settings have no [[site]] with the name \"shop\""]);
}
