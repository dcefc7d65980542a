//! The README's first command.

use std::collections::BTreeSet;

use crate::harness::crawl::read_json;
use crate::harness::process::{Running, command};

/// The plugins of the demo, and a hook that each one is there to show.
const PLUGINS: [(&str, &str); 4] =
    [("market", "check"), ("tickets", "process-request"), ("club", "init-session"), ("storefront", "check")];

#[test]
fn the_demo_crawls_thousands_of_pages_of_a_hundred_sites_with_four_plugins() {
    let dir = tempfile::tempdir().unwrap();
    let mut demo = command(dir.path());
    demo.args(["demo", "--out", "shown"]);
    let ended = Running::start(demo).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.is_empty(), "the answers are in a file");

    let shown = dir.path().join("shown");
    let stats = read_json(&shown.join("stats.json"));
    assert_eq!(stats["close_reason"], "finished");
    assert!(stats["requests"]["ok"].as_u64().unwrap() >= 2_000, "{}", stats["requests"]);
    assert_eq!(stats["requests"]["failed"], 0, "{}", stats["requests"]);
    let answers = std::fs::read_to_string(shown.join("answers.jsonl")).unwrap();
    let hosts: BTreeSet<&str> = answers.split("\"url\":").skip(1).filter_map(|rest| rest.split('/').nth(2)).collect();
    assert!(hosts.len() >= 100, "{} sites", hosts.len());

    let sites: Vec<_> = stats["sites"].as_object().unwrap().values().collect();
    for (plugin, hook) in PLUGINS {
        let calls: u64 =
            sites.iter().filter(|site| site["plugin"] == plugin).filter_map(|site| site["hooks"][hook]["calls"].as_u64()).sum();
        assert!(calls > 0, "{plugin} was never asked for its {hook}: {}", stats["sites"]);
    }
    ended.says(&["answered", "sessions", "opened", "why they ended", "billed", "market", "tickets", "club", "storefront"]);
}
