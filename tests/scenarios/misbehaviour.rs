//! Plugins that loop, eat memory, panic, recurse or return too much: each harms one request, and it is said which and why.

use crate::harness::api::{Api, Kind};
use crate::harness::crawl::Crawl;
use crate::harness::reply::Reply;

/// A deed, and a part of what is said about it wherever it is done.
const DEEDS: [(&str, &str); 5] = [
    ("loop", "took longer than 0.5 s"),
    ("allocate", "wanted more than 64 MiB of memory"),
    ("panic", "panicked: misbehaving on purpose"),
    ("recurse", "recursed too deep"),
    ("return-huge", "wanted more than 64 MiB of memory"),
];

/// Where a deed is done.
const HOOKS: [&str; 3] = ["check", "process-request", "init-session"];

/// The plugin is asked whatever it did before: that it is left alone after too many faults is another matter.
const SETTINGS: &str = "
[api]
retry_wait_scale = 0
[plugins]
deadline = 0.5
fault_limit = 0
[session]
retry_times = 1
pool_size = 1
max_bad_inits = 1
";

#[test]
fn a_plugin_that_misbehaves_harms_its_own_request_only() {
    let api = Api::start(|_| Reply::ok());
    for hook in HOOKS {
        let mut lines = String::new();
        for (deed, _) in DEEDS {
            // Each on a host, and so in a pool, of its own; around it the same plugin's good pages, and another site's.
            lines += &format!("https://{deed}.misbehaving.example/{hook}/{deed}\n");
            lines +=
                &format!("https://fine.misbehaving.example/{deed}\nhttps://good.example/{deed}\nhttps://plain.example/{deed}\n");
        }
        let crawl = Crawl::through(&api).settings(SETTINGS).plugin("guest-misbehaving").plugin("guest-good");
        let crawled = crawl.args(["--annotate", "--store-errors", "--n-conn", "4"]).run(&lines);
        crawled.exits(1).process.says(&["guest-misbehaving"]);
        for (index, (deed, said)) in DEEDS.iter().enumerate() {
            let harmed = crawled.about(4 * index + 1);
            assert!(harmed["error"]["kind"].is_string(), "{hook} {deed}: {harmed}");
            let told = format!("stopped: plugin \"guest-misbehaving\", {hook}: it {said}");
            let text = harmed["error"]["detail"].as_str().unwrap_or_default();
            assert!(text.contains(&told), "{told:?} is not said: {harmed}");
            assert!(crawled.process.stderr.contains(&told), "{told:?} is not said: {}", crawled.process.stderr);
            for unharmed in 2..=4 {
                let line = crawled.about(4 * index + unharmed);
                assert!(line.get("error").is_none(), "{hook} {deed}: {line}");
            }
        }
        let hooks = &crawled.stats["sites"]["misbehaving"]["hooks"];
        assert!(hooks[hook]["traps"].as_u64().unwrap() >= DEEDS.len() as u64, "{hook}: {hooks}");
    }
}

#[test]
fn a_check_that_traps_on_a_page_costs_that_page_and_neither_session_nor_neighbours() {
    let api = Api::start(|_| Reply::ok());
    for (deed, said) in DEEDS {
        let lines =
            format!("https://misbehaving.example/1\nhttps://misbehaving.example/check/{deed}\nhttps://misbehaving.example/2\n");
        let crawl = Crawl::through(&api).settings(SETTINGS).plugin("guest-misbehaving");
        let crawled = crawl.args(["--annotate", "--store-errors", "--n-conn", "1"]).run(&lines);
        crawled.exits(1).process.says(&[said]);
        assert_eq!(crawled.about(2)["error"]["kind"], "plugin", "{deed}: {}", crawled.about(2));
        assert!(
            crawled.about(1).get("error").is_none() && crawled.about(3).get("error").is_none(),
            "{deed}: {:?}",
            crawled.lines
        );
        assert_eq!(crawled.about(1)["carousel"]["session"], crawled.about(3)["carousel"]["session"], "{deed}");
        assert_eq!(crawled.stats["sessions"]["use/check-error"], 1, "{deed}: {}", crawled.stats["sessions"]);
    }
}

#[test]
fn a_plugin_that_floods_the_log_is_cut_short() {
    let api = Api::start(|_| Reply::ok());
    let settings = format!("{SETTINGS}\n[crawl]\nconcurrency = 1\n");
    let lines = "https://flood.misbehaving.example/process-request/log-flood\nhttps://long.misbehaving.example/process-request/long-lines\n\
                 https://good.example/\n";
    let crawl = Crawl::through(&api).settings(&settings).plugin("guest-misbehaving").plugin("guest-good");
    let crawled = crawl.args(["--annotate", "--store-errors"]).run(lines);
    assert!(crawled.about(1).get("error").is_some(), "a flood never ends by itself: {}", crawled.about(1));
    assert!(crawled.about(3).get("error").is_none());
    crawled.process.says(&["further lines of this call were dropped"]);
    let floods = crawled.process.stderr.lines().filter(|line| line.contains("flood") && line.contains("INFO")).count();
    assert!(floods <= 1000, "{floods} lines of flood");
    assert!(crawled.process.stderr.len() < 1 << 20, "{} bytes are said", crawled.process.stderr.len());
}

#[test]
fn downloads_of_one_initialisation_have_an_end() {
    let api = Api::start(|_| Reply::ok());
    let lines = "https://more.misbehaving.example/init-session/downloads\nhttps://good.example/\n";
    let crawl = Crawl::through(&api).settings(SETTINGS).plugin("guest-misbehaving").plugin("guest-good");
    let crawled = crawl.args(["--annotate", "--store-errors"]).run(lines);
    crawled.exits(1);
    assert!(crawled.about(1).get("error").is_some());
    assert!(crawled.about(2).get("error").is_none());
    let downloads = api.calls_of(Kind::Init).iter().filter(|call| call.url().ends_with("/again")).count();
    assert!((1..=60).contains(&downloads), "{downloads} downloads");
}

#[test]
fn a_page_whose_check_traps_is_never_delivered() {
    let api = Api::start(|_| Reply::ok());
    let settings = format!(
        "{}\n[[site]]\nname = \"mine\"\nplugin = \"guest-misbehaving\"\ninclude = [\"mine.example\"]\nconfig = {{ check = \"panic\" }}\n",
        SETTINGS
    );
    let lines: String = (1..=5).map(|n| format!("https://mine.example/{n}\n")).collect();
    let crawl = Crawl::through(&api).settings(&settings).plugin("guest-misbehaving");
    let crawled = crawl.args(["--store-errors", "--n-conn", "1"]).run(&lines);
    crawled.exits(1);
    assert_eq!(crawled.answers_and_errors(), (0, 5), "a page without its check may be a wrong page");
}
