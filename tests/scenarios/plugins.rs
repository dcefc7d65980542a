//! Site plugins at work in a crawl: picked up from a directory, configured by tables, reported where they are broken.

use serde_json::{Value, json};

use crate::crawl::NO_PAUSES;
use crate::harness::api::{Api, Call, Kind};
use crate::harness::crawl::Crawl;
use crate::harness::reply::Reply;

/// Time enough for a hook on a machine that is busy with other tests.
pub(crate) const PATIENT: &str = "[plugins]\ndeadline = 20\n";

/// The calls for a part of a URL.
fn about<'c>(calls: &'c [Call], part: &str) -> Vec<&'c Call> {
    calls.iter().filter(|call| call.url().contains(part)).collect()
}

#[test]
fn a_component_dropped_into_the_directory_decides_about_its_site() {
    // The first page on each session is wrong, until the third session.
    let api = Api::start(|call| match (call.kind, call.nth) {
        (Kind::Use, 1 | 2) => Reply::page("<p class=no>"),
        _ => Reply::ok(),
    });
    let lines = "https://www.good.example/a\n";
    let crawled = Crawl::through(&api).settings(&format!("{NO_PAUSES}{PATIENT}")).plugin("guest-good").run(lines);
    crawled.exits(0).process.says(&["guest-good"]);
    assert!(crawled.lines[0]["browserHtml"].as_str().unwrap().contains("class=ok"));
    let sessions = &crawled.stats["sessions"];
    assert_eq!(
        json!([sessions["init/check-passed"], sessions["use/check-failed"], sessions["use/check-passed"]]),
        json!([3, 2, 1])
    );
    let used: Vec<String> = api.calls_of(Kind::Use).iter().map(|call| call.session().to_owned()).collect();
    assert!(used[0] != used[1] && used[1] != used[2] && used[0] != used[2], "each failed check costs its session: {used:?}");
    let hooks = &crawled.stats["sites"].as_object().unwrap().values().next().unwrap()["hooks"];
    assert_eq!(json!([hooks["check"]["calls"], hooks["check"]["traps"]]), json!([6, 0]), "{hooks}");
}

#[test]
fn a_site_that_no_plugin_names_keeps_the_default_check() {
    let api = Api::start(|_| Reply::page("<p class=no>"));
    let crawled = Crawl::through(&api).settings(PATIENT).plugin("guest-good").run("https://other.example/a\n");
    crawled.exits(0);
    assert_eq!(crawled.stats["sessions"], json!({"init/check-passed": 1, "use/check-passed": 1}));
}

#[test]
fn a_page_that_never_passes_its_check_is_given_up() {
    let api = Api::start(|call| if call.kind == Kind::Use { Reply::page("<p class=no>") } else { Reply::ok() });
    let crawl = Crawl::through(&api).settings(&format!("{NO_PAUSES}{PATIENT}")).plugin("guest-good");
    let crawled = crawl.args(["--store-errors"]).run("https://good.example/a\n");
    crawled.exits(1);
    assert_eq!(crawled.lines[0]["error"]["kind"], "check-failed", "{}", crawled.lines[0]);
}

/// A crawl with one plugin that works and a directory full of files that do not.
fn with_broken_files(api: &Api, settings: &str) -> Crawl {
    let core_module = b"\0asm\x01\0\0\0";
    let empty_component = b"\0asm\x0d\0\x01\0";
    let cut_short = b"\0asm\x0d\0\x01\0\x07\xff";
    Crawl::through(api)
        .settings(&format!("{PATIENT}{settings}"))
        .plugin("guest-good")
        .file("plugins/text.wasm", "not a plugin")
        .file("plugins/empty.wasm", "")
        .file("plugins/core.wasm", core_module)
        .file("plugins/cut.wasm", cut_short)
        .file("plugins/other.wasm", empty_component)
        .file("plugins/folder.wasm/file", "")
        .file("plugins/README.md", "no plugin, and not meant to be one")
}

/// What is said of those files.
const BROKEN: [&str; 6] = [
    "text.wasm\" is left out: it is not WebAssembly, it begins with \"not a plugin\"; build it as a component",
    "empty.wasm\" is left out: it is damaged or cut short: it is empty; copy or build it again",
    "other.wasm\" is left out: it is a component but no site plugin: it does not export carousel:session/hooks@",
    "core.wasm\" is left out: it is a core module, not a component; build it as a component",
    "cut.wasm\" is left out: it is damaged or cut short",
    "folder.wasm\" is left out: it is not a file",
];

#[test]
fn broken_files_are_all_named_and_nothing_is_sent() {
    let api = Api::start(|_| Reply::ok());
    let crawled = with_broken_files(&api, "").run("https://good.example/a\nhttps://other.example/a\n");
    crawled.exits(2).process.says(&BROKEN);
    crawled.process.says(&["6 plugins or [[site]] tables cannot be used; on_bad = \"skip\" in [plugins] crawls without it"]);
    assert!(api.calls().is_empty() && crawled.lines.is_empty());
}

#[test]
fn a_site_whose_plugin_does_not_load_is_closed_where_broken_files_are_skipped() {
    let api = Api::start(|_| Reply::ok());
    let table = "on_bad = \"skip\"\n[[site]]\nname = \"mine\"\nplugin = \"cut\"\ninclude = [\"mine.example\"]\n";
    let crawled = with_broken_files(&api, table)
        .args(["--store-errors", "--annotate"])
        .run("https://good.example/a\nhttps://mine.example/a\nhttps://user:pw@www.mine.example/b\nhttps://other.example/a\n");
    crawled.exits(1).process.says(&["its requests fail, because the site cannot be served: its plugin \"cut\" is left out"]);
    for (line, kind) in [(1, Value::Null), (2, json!("plugin")), (3, json!("plugin")), (4, Value::Null)] {
        assert_eq!(crawled.about(line)["error"]["kind"], kind, "{}", crawled.about(line));
    }
    let detail = crawled.about(2)["error"]["detail"].as_str().unwrap();
    assert_eq!(detail, "the site \"mine\" is closed: its plugin \"cut\" is left out");
    assert!(api.calls().iter().all(|call| !call.url().contains("mine.example")), "it costs nothing");
}

#[test]
fn a_settings_mistake_is_refused_also_where_broken_files_are_skipped() {
    let api = Api::start(|_| Reply::ok());
    let table = "on_bad = \"skip\"\n[[site]]\nname = \"mine\"\nplugin = \"god\"\ninclude = [\"mine.example\"]\n";
    let crawled = with_broken_files(&api, table).run("https://good.example/a\n");
    crawled.exits(2).process.says(&["[[site]] \"mine\" is left out: there is no plugin \"god\""]);
    assert!(api.calls().is_empty());
}

#[test]
fn what_is_there_and_never_asked_is_warned_of() {
    let api = Api::start(|_| Reply::ok());
    let empty = Crawl::through(&api).file("plugins/shop.py", "").args(["--plugins", "plugins"]).run("https://a.example/\n");
    empty.exits(0).process.says(&["no file in the plugin directory plugins ends in .wasm"]);
    let table = "[[site]]\nname = \"mine\"\nplugin = \"guest-scripted\"\n";
    let idle = Crawl::through(&api).settings(&format!("{PATIENT}{table}")).plugin("guest-scripted").run("https://a.example/\n");
    idle.exits(0).process.says(&["no URL leads to this plugin", "site=\"mine\"", "give it include in its [[site]] table"]);
    for meant in ["include = []\n", "[session]\nchecker = \"mine\"\n"] {
        let crawl = Crawl::through(&api).settings(&format!("{PATIENT}{table}{meant}")).plugin("guest-scripted");
        let crawled = crawl.run("https://a.example/\n");
        assert!(!crawled.process.stderr.contains("no URL leads"), "{}", crawled.process.stderr);
    }
}

#[test]
fn broken_files_are_reported_with_cause_and_remedy_and_the_rest_works() {
    let api = Api::start(|_| Reply::ok());
    let crawled = with_broken_files(&api, "on_bad = \"skip\"\n").run("https://good.example/a\nhttps://other.example/a\n");
    crawled.exits(0).process.says(&BROKEN);
    assert!(!crawled.process.stderr.contains("README.md"), "{}", crawled.process.stderr);
    assert_eq!(crawled.answers_and_errors(), (2, 0));
    let sites = crawled.stats["sites"].as_object().unwrap();
    assert_eq!(sites.values().map(|site| &site["hooks"]["check"]["calls"]).collect::<Vec<_>>(), [2]);
}

/// A hook language plugin that logs in: a token from a page of its own, sent with every page of the session.
fn login(secret: &str) -> Value {
    json!({"hooks": {
        "init_session": {
            "chain": [{
                "url": "https://{host}/login",
                "params": {"browserHtml": true, "customHttpRequestHeaders": [{"name": "secret", "value": secret}]},
                "store": {"token": {"$response": "token"}},
            }],
            "return": true,
        },
        "process_request": {
            "edit": {"params": {"customHttpRequestHeaders": [{"name": "token", "value": "{session.token}"}]}},
        },
        "check": [{"when": {"init": true}, "do": {"return": true}}, {"when": {}, "do": {"super": true}}],
    }})
}

#[test]
fn what_an_initialisation_saves_goes_with_the_pages_of_its_session() {
    let api = Api::start(|call| match call.kind {
        Kind::Init => Reply::Page { html: "<p class=ok>".into(), members: json!({"token": format!("t-{}", call.session())}) },
        Kind::Use => Reply::ok(),
    });
    let settings = format!(
        "{PATIENT}[session]\npool_size = 2\nmax_in_flight = 1\ngrowth = \"on-demand\"\n\
         [[site]]\nname = \"shop\"\nplugin = \"guest-scripted\"\ninclude = [\"shop.example\"]\nconfig = \"shop.json\"\n"
    );
    let lines: String = (1..=12).map(|n| format!("https://shop.example/p/{n}\n")).collect();
    let crawl = Crawl::through(&api).plugin("guest-scripted").settings(&settings).file("shop.json", login("s").to_string());
    crawl.run(&lines).exits(0);
    let pages = api.calls_of(Kind::Use);
    assert_eq!(pages.len(), 12);
    for call in &pages {
        let expected = json!([{"name": "token", "value": format!("t-{}", call.session())}]);
        assert_eq!(call.body["customHttpRequestHeaders"], expected, "{}", call.body);
    }
    for call in api.calls_of(Kind::Init) {
        assert_eq!(call.url(), "https://shop.example/login", "init_session stands in for the usual initialisation");
    }
}

#[test]
fn one_component_serves_several_sites_each_with_a_config_of_its_own() {
    let api = Api::start(|call| Reply::Page { html: "<p>".into(), members: json!({"token": call.url()}) });
    let table = |name: &str, config: &str| {
        format!("[[site]]\nname = \"{name}\"\nplugin = \"guest-scripted\"\ninclude = [\"{name}.example\"]\nconfig = {config}\n")
    };
    let inline = "{ hooks = { pool = { return = \"from the settings file\" } } }";
    let settings = [PATIENT.to_owned(), table("a", "\"a.json\""), table("b", "\"b.toml\""), table("c", inline)].concat();
    let crawled = Crawl::through(&api)
        .plugin("guest-scripted")
        .settings(&settings)
        .file("a.json", json!({"hooks": {"pool": {"return": "from JSON"}}}).to_string())
        .file("b.toml", "[hooks.pool]\nreturn = \"from TOML\"\n")
        .args(["--annotate", "--n-conn", "1"])
        .run("https://a.example/\nhttps://b.example/\nhttps://c.example/\nhttps://d.example/\n");
    crawled.exits(0);
    let pools: Vec<&Value> = (1..=4).map(|line| &crawled.about(line)["carousel"]["pool"]).collect();
    assert_eq!(pools, ["from JSON", "from TOML", "from the settings file", "d.example"]);
    let sites = &crawled.stats["sites"];
    for name in ["a", "b", "c"] {
        assert_eq!(sites[name]["hooks"]["pool"]["calls"], 1, "{sites}");
    }
}

#[test]
fn a_plugin_can_close_the_crawl_with_a_reason() {
    let api = Api::start(|_| Reply::ok());
    let config = json!({"hooks": {"check": [
        {"when": {"url_contains": "/sold-out"}, "do": {"close": "everything is sold"}},
        {"when": {}, "do": {"super": true}},
    ]}});
    let settings = format!(
        "{PATIENT}[[site]]\nname = \"shop\"\nplugin = \"guest-scripted\"\ninclude = [\"shop.example\"]\nconfig = \"shop.json\"\n"
    );
    let crawl = Crawl::through(&api).plugin("guest-scripted").settings(&settings).file("shop.json", config.to_string());
    let crawled =
        crawl.args(["--n-conn", "1"]).run("https://shop.example/a\nhttps://shop.example/sold-out\nhttps://shop.example/b\n");
    crawled.exits(3).process.says(&["closed early: everything is sold"]);
    assert_eq!(crawled.stats["close_reason"], "everything is sold");
    let calls = api.calls();
    assert_eq!((about(&calls, "/a").is_empty(), about(&calls, "/b").len()), (false, 0));
}

#[test]
fn a_location_is_set_before_the_pages_of_its_pool() {
    let api = Api::start(|call| match call.body.get("actions") {
        Some(_) => {
            let members = json!({"actions": [{"action": "setLocation", "status": "success"}]});
            Reply::Page { html: "<p class=ok>".into(), members }
        }
        None => Reply::ok(),
    });
    let line = |n: usize, code: &str| {
        let meta = json!({"zyte_api_session_location": {"postalCode": code}});
        json!({"url": format!("https://shop.example/{n}"), "browserHtml": true, "meta": meta}).to_string() + "\n"
    };
    let crawled = Crawl::through(&api).args(["--annotate"]).run(&(line(1, "10001") + &line(2, "60601") + &line(3, "10001")));
    crawled.exits(0);
    let pool = |line| &crawled.about(line)["carousel"]["pool"];
    assert!(pool(1) == pool(3) && pool(1) != pool(2), "{} {} {}", pool(1), pool(2), pool(3));
    for call in api.calls_of(Kind::Init) {
        assert_eq!(call.body["actions"][0]["action"], "setLocation", "{}", call.body);
    }
}
