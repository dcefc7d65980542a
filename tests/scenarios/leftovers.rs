//! What an early end leaves: each line of the input has one result, in the output or in the file for leftovers, whoever ends the crawl.

use std::fs::File;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::api::{Api, Kind};
use crate::harness::gate::{Gate, gate};
use crate::harness::process::{Ended, Running, carousel_in_shell, command};
use crate::harness::reply::Reply;

/// A folder with an input of so many pages.
fn folder(pages: usize) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("urls.txt"), urls(1, pages)).unwrap();
    dir
}

fn urls(first: usize, last: usize) -> String {
    (first..=last).map(|n| format!("https://shop.example/{n}\n")).collect()
}

fn text(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap_or_default()
}

/// The URLs of an output, answers and errors alike, as lines.
fn told(dir: &Path, name: &str) -> String {
    let url = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let url = line.get("url").unwrap_or(&line["request"]["url"]).as_str().unwrap().to_owned();
        url + "\n"
    };
    text(dir, name).lines().map(url).collect()
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

fn crawl(dir: &Path, api: &Api, args: &[&str]) -> Running {
    let mut crawl = command(dir);
    crawl.args(["crawl", "urls.txt", "--api-url", &api.url, "--api-key", "k", "--leftovers", "left.txt", "-o", "out.jsonl"]);
    crawl.args(args);
    Running::start(crawl)
}

/// An API that holds the answer to the second page until the gate is opened.
fn api_that_holds_the_second_page() -> (Gate, Api) {
    let (gate, held) = gate();
    let api = Api::start(move |call| {
        if call.kind == Kind::Use && call.url() == "https://shop.example/2" {
            held.pass();
        }
        Reply::ok()
    });
    (gate, api)
}

fn run(dir: &Path, args: &[&str]) -> Ended {
    let mut crawl = command(dir);
    crawl.args(args);
    Running::start(crawl).end()
}

#[test]
fn what_has_no_result_survives_whoever_does_not_wait_for_the_end() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let dir = folder(40);
        let (gate, api) = api_that_holds_the_second_page();
        let mut running = crawl(dir.path(), &api, &["--n-conn", "1"]);
        gate.wait_for_arrival();
        running.signal(signal);
        running.wait_until_said("what has no result yet is in the leftovers");
        running.signal("-KILL");
        assert_eq!(running.end().code, None);
        assert_eq!(text(dir.path(), "left.txt"), urls(2, 40), "{signal}");
        assert_eq!(told(dir.path(), "out.jsonl"), urls(1, 1), "{signal}");
    }
}

#[test]
fn what_is_settled_after_a_signal_is_taken_out_again() {
    for signal in ["-TERM", "-HUP"] {
        let dir = folder(40);
        let (mut gate, api) = api_that_holds_the_second_page();
        let mut running = crawl(dir.path(), &api, &["--n-conn", "1"]);
        gate.wait_for_arrival();
        running.signal(signal);
        running.wait_until_said("what has no result yet is in the leftovers");
        gate.open();
        let ended = running.end();
        assert_eq!(ended.code, Some(130), "{}", ended.stderr);
        ended.says(&["38 lines are without a result in left.txt: crawl left.txt to go on, with --append"]);
        assert_eq!(text(dir.path(), "left.txt"), urls(3, 40), "{signal}");
        let files = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(files, 3, "urls.txt, out.jsonl, left.txt and nothing beside them");
    }
}

#[test]
fn a_line_that_is_left_over_is_no_error_too() {
    for args in [&["--n-conn", "4"][..], &["--n-conn", "4", "--ordered"]] {
        let dir = folder(40);
        std::fs::write(dir.path().join("carousel.toml"), "[budget]\nbilled = 8\n").unwrap();
        let api =
            Api::start(
                |call| if call.url().ends_with("/3") { Reply::Problem(422, "/request/unprocessable") } else { Reply::ok() },
            );
        let ended = crawl(dir.path(), &api, &[args, &["--store-errors"]].concat()).end();
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        let results = told(dir.path(), "out.jsonl") + &text(dir.path(), "left.txt");
        assert_eq!(sorted(&results), sorted(&urls(1, 40)), "each line once: {}", ended.stderr);
    }
}

#[test]
fn two_interrupts_end_a_crawl_whose_reader_stalls() {
    let dir = folder(4000);
    let (sender, enough) = std::sync::mpsc::channel();
    let api = Api::start(move |call| {
        if call.kind == Kind::Use && call.nth == 9 {
            sender.send(()).unwrap();
        }
        Reply::page(&"x".repeat(8000))
    });
    let mut crawl = command(dir.path());
    crawl.args([
        "crawl",
        "urls.txt",
        "--api-url",
        &api.url,
        "--api-key",
        "k",
        "--leftovers",
        "left.txt",
        "--stats",
        "stats.json",
    ]);
    crawl.args(["--n-conn", "1000"]);
    let (mut running, reader) = Running::start_with_stalled_reader(crawl);
    // More than the pipe holds: it is full now, or will be by what is under way.
    enough.recv_timeout(crate::harness::gate::GIVE_UP).unwrap();
    running.signal("-TERM");
    running.wait_until_said("what has no result yet is in the leftovers");
    running.signal("-TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    ended.says(&["the reader of the output has stalled"]);
    let stats: Value = serde_json::from_str(&text(dir.path(), "stats.json")).unwrap();
    let whole = std::io::read_to_string(reader).unwrap().matches('\n').count();
    assert_eq!(stats["requests"]["ok"], whole, "{}", ended.stderr);
    assert_eq!(text(dir.path(), "left.txt").lines().count() + whole, 4000, "{}", ended.stderr);
}

/// A limit on the size of files stands for a disk that is full.
#[cfg(unix)]
#[test]
fn leftovers_that_do_not_fit_are_whole_lines_and_what_is_said_of_them_is_true() {
    let dir = folder(20_000);
    std::fs::write(dir.path().join("carousel.toml"), "[budget]\nbilled = 8\n[crawl]\nwindow = 10\n").unwrap();
    let mut crawl = carousel_in_shell(dir.path(), "trap '' XFSZ; ulimit -f 100");
    crawl.args(["crawl", "urls.txt", "--simulate", "--leftovers", "left.txt"]);
    let ended = Running::start(crawl).end();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let left = text(dir.path(), "left.txt");
    assert!(left.ends_with('\n') && left.lines().all(|line| line.starts_with("https://shop.example/")), "{left}");
    let (there, written) = (left.lines().count(), ended.stdout.len());
    let missing = 20_000 - there - written;
    assert!(there < 1000 && missing > 18_000, "{there} there, {written} written");
    ended.says(&[&format!("{there} lines are without a result in left.txt; {missing} more are missing there: File too large")]);
}

#[test]
fn leftovers_that_are_empty_leave_nothing_to_do() {
    let dir = folder(3);
    let ended = run(dir.path(), &["crawl", "urls.txt", "--simulate", "--leftovers", "left.txt"]);
    assert_eq!((ended.code, text(dir.path(), "left.txt").as_str()), (Some(0), ""), "{}", ended.stderr);
    assert!(dir.path().join("left.txt").is_file());
    std::fs::write(dir.path().join("blank.txt"), "\n \r\n").unwrap();
    for input in ["left.txt", "blank.txt"] {
        let again = run(dir.path(), &["crawl", input, "--simulate", "--stats", "stats.json"]);
        assert_eq!((again.code, again.stdout.len()), (Some(0), 0), "{}", again.stderr);
        again.says(&[&format!("nothing to do: no requests in {input}")]);
        assert!(text(dir.path(), "stats.json").contains("finished"));
    }
}

#[test]
fn the_input_is_never_emptied_by_whatever_name() {
    let dir = folder(3);
    std::fs::hard_link(dir.path().join("urls.txt"), dir.path().join("linked.txt")).unwrap();
    std::fs::write(dir.path().join("mine.toml"), "# settings\n").unwrap();
    for (input, args, says) in [
        ("-", &["-o", "urls.txt"][..], "the output file urls.txt is the input file"),
        ("-", &["-o", "linked.txt"], "the output file linked.txt is the input file"),
        ("-", &["-o", "urls.txt", "--append"], "the output file urls.txt is the input file"),
        ("urls.txt", &["-o", "linked.txt"], "the output file linked.txt is the input file"),
        ("urls.txt", &["--leftovers", "linked.txt"], "the file for leftovers linked.txt is the input file"),
        ("-", &["--stats", "linked.txt"], "the stats file linked.txt is the input file"),
        ("-", &["--config", "mine.toml", "-o", "mine.toml"], "the output file mine.toml is the settings file"),
    ] {
        let mut crawl = command(dir.path());
        crawl.args(["crawl", input, "--simulate"]).args(args).stdin(File::open(dir.path().join("urls.txt")).unwrap());
        let output = crawl.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
        assert!(said.contains(says), "{said}");
        assert_eq!(text(dir.path(), "urls.txt"), urls(1, 3), "{args:?}");
        assert_eq!(text(dir.path(), "mine.toml"), "# settings\n");
    }
}

#[test]
fn standard_output_that_is_added_to_the_input_is_refused() {
    let dir = folder(3);
    let added = || File::options().append(true).open(dir.path().join("urls.txt")).unwrap();
    for (stdout, stderr, says) in [(Some(added()), None, "standard output is the input file"), (None, Some(added()), "")] {
        let mut crawl = command(dir.path());
        crawl.args(["crawl", "urls.txt", "--simulate"]);
        stdout.map(|file| crawl.stdout(file));
        let is_log = stderr.is_some();
        stderr.map(|file| crawl.stderr(file));
        let output = crawl.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(says));
        let lines = text(dir.path(), "urls.txt");
        assert!(lines.starts_with(&urls(1, 3)));
        assert_eq!(lines.contains("log on standard error is the input file"), is_log, "{lines}");
    }
}

#[test]
fn an_output_that_another_crawl_writes_is_left_to_it() {
    let dir = folder(3);
    let (mut gate, api) = api_that_holds_the_second_page();
    let running = crawl(dir.path(), &api, &["--append", "--n-conn", "1"]);
    gate.wait_for_arrival();
    for append in [&["--append"][..], &[]] {
        let ended = run(dir.path(), &[&["crawl", "urls.txt", "--simulate", "-o", "./out.jsonl"][..], append].concat());
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        ended.says(&["the output file ./out.jsonl is being written by another crawl"]);
        if cfg!(target_os = "linux") {
            ended.says(&[&format!("(process {})", running.id())]);
        }
    }
    gate.open();
    assert_eq!(running.end().code, Some(0));
    assert_eq!(sorted(&told(dir.path(), "out.jsonl")), sorted(&urls(1, 3)));
}

#[test]
fn an_interrupt_finishes_the_pages_whose_initialisation_is_paid() {
    for signal in ["-INT", "-TERM"] {
        let dir = folder(40);
        std::fs::write(dir.path().join("carousel.toml"), "[session]\ninit = \"always\"\n").unwrap();
        let (mut gate, held) = gate();
        let api = Api::start(move |call| {
            if call.kind == Kind::Init {
                held.pass();
            }
            Reply::ok()
        });
        let mut running = crawl(dir.path(), &api, &["--n-conn", "20", "--store-errors", "--stats", "stats.json"]);
        gate.wait_for_arrival();
        running.signal(signal);
        running.wait_until_said("what has no result yet is in the leftovers");
        gate.open();
        let ended = running.end();
        assert_eq!(ended.code, Some(130), "{}", ended.stderr);
        let answers = told(dir.path(), "out.jsonl").lines().count();
        assert!(answers >= 1 && answers == api.calls_of(Kind::Use).len(), "{answers}: {}", ended.stderr);
        assert_eq!(api.calls_of(Kind::Init).len(), 1, "nothing new is begun");
        let results = told(dir.path(), "out.jsonl") + &text(dir.path(), "left.txt");
        assert_eq!(sorted(&results), sorted(&urls(1, 40)), "each line once");
        let stats: Value = serde_json::from_str(&text(dir.path(), "stats.json")).unwrap();
        assert_eq!((&stats["sessions"]["init/check-passed"], &stats["ended"]["closed"]), (&1.into(), &1.into()), "{stats}");
    }
}
