//! Crawls that do not come to their end: closed by the API, interrupted by a person, left by their reader.

use serde_json::json;
use tempfile::TempDir;

use crate::harness::api::{Api, Kind};
use crate::harness::crawl::{Crawl, Crawled};
use crate::harness::gate::{Gate, gate};
use crate::harness::process::{Running, command};
use crate::harness::reply::{BAD_KEY, Reply, SUSPENDED};
use crate::harness::simulator::Simulated;

fn urls(number: usize) -> String {
    (1..=number).map(|n| format!("https://shop.example/{n}\n")).collect()
}

#[test]
fn a_key_that_is_refused_closes_the_crawl_with_exit_code_three() {
    for (reply, reason) in [((|| BAD_KEY) as fn() -> Reply, "zyte_api_bad_key"), (|| SUSPENDED, "zyte_api_suspended_account")] {
        let api = Api::start(move |_| reply());
        let crawl =
            Crawl::of("urls.txt").file("urls.txt", urls(50)).args(["--api-url", &api.url, "--api-key", "k", "--n-conn", "1"]);
        let crawled = crawl.run("");
        crawled.exits(3).process.says(&[&format!("closed early: {reason}")]);
        assert_eq!(crawled.stats["close_reason"], reason);
        let requests = &crawled.stats["requests"];
        assert_eq!(requests["total"].as_u64().unwrap() + requests["not_started"].as_u64().unwrap(), 50, "{requests}");
        assert_eq!(api.calls().len(), 1, "nothing is asked after the refusal");
    }
}

#[test]
fn a_wrong_base_address_closes_the_crawl_once_and_names_the_setting() {
    let lines: String = (0..40).map(|n| format!("https://s{}.example/{n}\n", n % 20)).collect();
    let api = Api::start(|_| Reply::Problem(307, "about:blank"));
    let simulated = Simulated::start(&json!([]));
    let elsewhere = simulated.url.replace("/v1/", "/v2/");
    for url in [&elsewhere, &api.url] {
        let crawl = Crawl::of("urls.txt").file("urls.txt", &lines).args(["--api-url", url, "--api-key", "k", "--n-conn", "4"]);
        let crawled = crawl.run("");
        crawled.exits(3).process.says(&["api.url is wrong", url, "closed early: zyte_api_wrong_url"]);
        assert_eq!(crawled.process.stderr.matches("api.url is wrong").count(), 1, "{}", crawled.process.stderr);
        let calls = crawled.stats["api"]["attempts"].as_u64().unwrap();
        assert!((1..=4).contains(&calls), "those under way at once, and no more: {calls}");
    }
}

/// A crawl of forty pages, one at a time, that was interrupted while the API holds the answer to its second page.
fn interrupted_on_its_second_page() -> (Gate, Api, Running, TempDir) {
    let (gate, held) = gate();
    let api = Api::start(move |call| {
        if call.kind == Kind::Use && call.nth == 2 {
            held.pass();
        }
        Reply::ok()
    });
    let (mut running, dir) = Crawl::of("urls.txt")
        .file("urls.txt", urls(40))
        .args(["--api-url", &api.url, "--api-key", "k", "--n-conn", "1"])
        .start("");
    gate.wait_for_arrival();
    running.signal("-INT");
    running.wait_until_said("interrupted");
    (gate, api, running, dir)
}

#[test]
fn the_first_interrupt_finishes_what_is_under_way() {
    let (mut gate, api, running, dir) = interrupted_on_its_second_page();
    gate.open();
    let crawled = Crawled::new(running.end(), dir);
    crawled.exits(130);
    assert_eq!(crawled.lines.len(), 2, "the page that was under way is written");
    let requests = &crawled.stats["requests"];
    assert_eq!(crawled.stats["close_reason"], "interrupted");
    assert_eq!(json!([requests["ok"], requests["aborted"], requests["not_started"]]), json!([2, 0, 38]), "{requests}");
    assert_eq!(api.calls_of(Kind::Use).len(), 2);
}

#[test]
fn the_second_interrupt_stops_at_once_and_accounts_for_what_it_cut() {
    let (gate, _api, running, dir) = interrupted_on_its_second_page();
    running.signal("-INT");
    let crawled = Crawled::new(running.end(), dir);
    crawled.exits(130);
    let requests = &crawled.stats["requests"];
    assert_eq!(json!([requests["ok"], requests["aborted"], requests["not_started"]]), json!([1, 1, 38]), "{requests}");
    drop(gate);
}

#[test]
fn what_a_spent_budget_leaves_undone_is_crawled_from_its_file() {
    let api = Api::start(|_| Reply::ok());
    let crawl = Crawl::of("urls.txt").file("urls.txt", urls(20)).settings("[budget]\nbilled = 8\n");
    let left = crawl.path("left.txt");
    let crawl = crawl.args(["--api-url", &api.url, "--api-key", "k", "--leftovers"]).args([&left]);
    let first = crawl.run("");
    first.exits(3).process.says(&["closed early: budget"]);
    assert_eq!(api.calls().len(), 8, "nothing is asked beyond the budget");
    let rest = Crawl::of("rest.txt").file("rest.txt", std::fs::read(left).unwrap());
    let second = rest.args(["--api-url", &api.url, "--api-key", "k"]).run("");
    second.exits(0);
    let mut answered: Vec<String> =
        first.lines.iter().chain(&second.lines).map(|line| format!("{}\n", line["url"].as_str().unwrap())).collect();
    let mut expected: Vec<String> = urls(20).lines().map(|url| format!("{url}\n")).collect();
    answered.sort_unstable();
    expected.sort_unstable();
    assert_eq!(answered, expected, "each page once");
}

#[test]
fn an_open_input_does_not_keep_an_interrupted_crawl() {
    for signal in ["-INT", "-TERM"] {
        let (mut running, dir) = Crawl::simulated().start("https://shop.example/a\n");
        assert!(running.next_line().contains("https://shop.example/a"));
        running.write("https://shop.example/b\n");
        assert!(running.next_line().contains("https://shop.example/b"));
        running.signal(signal);
        let crawled = Crawled::new(running.end_with_open_input(), dir);
        crawled.exits(130);
        assert_eq!((&crawled.stats["close_reason"], &crawled.stats["requests"]["ok"]), (&json!("interrupted"), &json!(2)));
    }
}

#[test]
fn who_keeps_leftovers_of_an_open_input_is_told_that_it_is_still_read() {
    let crawl = Crawl::simulated().args(["--leftovers", "left.txt"]);
    let (mut running, dir) = crawl.start("https://shop.example/a\n");
    assert!(running.next_line().contains("https://shop.example/a"));
    running.signal("-TERM");
    running.wait_until_said("reading the rest of the input into the leftovers");
    running.write("https://shop.example/c\n");
    let left = dir.path().join("left.txt");
    let crawled = Crawled::new(running.end(), dir);
    crawled.exits(130);
    assert_eq!(std::fs::read_to_string(left).unwrap(), "https://shop.example/c\n");
    assert_eq!(crawled.stats["requests"]["not_started"], 1, "{}", crawled.process.stderr);
}

#[test]
fn a_reader_that_goes_away_stops_the_crawl() {
    let crawl = Crawl::of("urls.txt").file("urls.txt", urls(5000)).args(["--simulate"]);
    let crawled = crawl.run_without_reader();
    crawled.exits(3);
    assert_eq!(crawled.stats["close_reason"], "output_error");
    assert!(crawled.stats["requests"]["not_started"].as_u64().unwrap() > 4000, "{}", crawled.stats);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_no_line() {
    for full in ["--output", "--stats"] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("urls.txt"), urls(40)).unwrap();
        let mut crawl = command(dir.path());
        crawl.args(["crawl", "urls.txt", "--simulate", "--leftovers", "left.txt", full, "/dev/full"]);
        let ended = Running::start(crawl).end();
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        ended.says(&["No space left on device", "answered, "]);
        let left = std::fs::read_to_string(dir.path().join("left.txt")).unwrap();
        assert_eq!(ended.stdout.len() + left.lines().count(), 40, "{}", ended.stderr);
    }
}

#[test]
fn an_added_output_goes_on_where_the_leftovers_begin() {
    let crawl = |dir: &std::path::Path, args: &[&str]| {
        let mut crawl = command(dir);
        crawl.args(["crawl", "--simulate", "--output", "out.jsonl"]).args(args);
        Running::start(crawl).end()
    };
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("urls.txt"), urls(20)).unwrap();
    std::fs::write(dir.path().join("carousel.toml"), "[budget]\nbilled = 8\n").unwrap();
    let first = crawl(dir.path(), &["urls.txt", "--leftovers", "left.txt"]);
    assert_eq!(first.code, Some(3), "{}", first.stderr);
    first.says(&["in left.txt", "--append"]);
    std::fs::remove_file(dir.path().join("carousel.toml")).unwrap();
    let second = crawl(dir.path(), &["left.txt", "--append"]);
    assert_eq!(second.code, Some(0), "{}", second.stderr);
    assert_eq!(std::fs::read_to_string(dir.path().join("out.jsonl")).unwrap().lines().count(), 20);
}

#[cfg(unix)]
#[test]
fn an_interrupt_before_anything_is_sent_ends_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let settings = dir.path().join("carousel.fifo");
    assert!(std::process::Command::new("mkfifo").arg(&settings).status().unwrap().success());
    let mut crawl = command(dir.path());
    crawl.args(["crawl", "-", "--simulate", "--config", "carousel.fifo"]);
    let running = Running::start(crawl);
    // Opens when the other end is opened, which then waits for the settings.
    let writer = std::fs::File::options().write(true).open(&settings).unwrap();
    // Ctrl-C does nothing where the tests run in the background of a shell.
    running.signal("-TERM");
    let ended = running.end();
    assert_eq!(ended.code, None, "{}", ended.stderr);
    drop(writer);
}

#[test]
fn a_tool_whose_reader_has_seen_enough_does_not_complain() {
    let dir = tempfile::tempdir().unwrap();
    let mut explain = command(dir.path());
    explain.args(["plugin", "explain", "https://shop.example/"]);
    let ended = Running::start_without_reader(explain).end();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_simulator_ends_with_its_meters_when_it_is_interrupted() {
    let dir = tempfile::tempdir().unwrap();
    let mut simulate = command(dir.path());
    simulate.args(["simulate", "--port", "0"]);
    let simulator = Running::start(simulate);
    let url = simulator.next_line();
    for (key, code) in [("unknown-key", 3), ("any-other-key", 0)] {
        Crawl::of("-").args(["--api-url", &url, "--api-key", key]).run("https://shop.example/a\n").exits(code);
    }
    simulator.signal("-INT");
    let ended = simulator.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.says(&["the simulator saw"]);
}
