//! How long parsing a page and a first query take next to the real parsel, on the same pages in the same run; and the memory of
//! the tree of a page of 10 MB.
//!
//! Run by hand: `cargo bench -p carousel-document --bench parsel`. Needs PyPI the first time.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing, reason = "it prints its result")]

#[path = "../tests/python/mod.rs"]
mod python;

use carousel_document::{Document, Language, Limits, Query, Want};
use python::{Page, Peer};
use serde_json::json;
use std::fs;
use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;

/// Rounds, each of them all pages here and then all pages there; the median round counts.
const ROUNDS: usize = 7;

/// Classes of pages by their bytes.
const CLASSES: [(&str, std::ops::Range<usize>); 5] = [
    ("below 10 KB", 0..10_000),
    ("10 to 50 KB", 10_000..50_000),
    ("50 to 200 KB", 50_000..200_000),
    ("over 200 KB", 200_000..usize::MAX),
    ("all", 0..usize::MAX),
];

const FIRST: &str = "title::text";

const QUERIES: [(&str, &str); 10] = [
    ("css", "a::attr(href)"),
    ("css", "div.container > p::text"),
    ("css", "li:nth-child(2n+1) a::text"),
    ("css", "form input:not([type=hidden])::attr(name)"),
    ("css", "#content p ::text"),
    ("xpath", "//a/@href"),
    ("xpath", "//h1/text()"),
    ("xpath", "//*[contains(concat(' ', normalize-space(@class), ' '), ' btn ')]/@class"),
    ("xpath", "//input[@type='hidden']/@value"),
    ("xpath", "//li[last()]/a/@href"),
];

/// Says to a process that it is the one that measures memory.
const MEMORY: &str = "memory";

fn main() {
    let Some(peer) = Peer::prepare() else {
        return;
    };
    let pages: Vec<(String, Arc<str>)> = peer
        .pages()
        .iter()
        .filter(|page| page.kind == "html")
        .map(|page: &Page| (page.path.clone(), page.text().into()))
        .collect();
    if std::env::args().any(|argument| argument == MEMORY) {
        return memory(&pages);
    }
    let paths: Vec<&str> = pages.iter().map(|(path, _)| path.as_str()).collect();
    let asked = json!({"pages": paths, "first": FIRST, "queries": QUERIES});
    let rounds: Vec<[Vec<[f64; 2]>; 2]> =
        (0..ROUNDS).map(|_| [here(&pages), serde_json::from_value(peer.ask("parsel_speed.py", &asked)).unwrap()]).collect();
    println!("{:<14}{:>7}{:>9}  {:<38}ten more queries", "", "pages", "MB", "parse and first query");
    for (class, range) in CLASSES {
        let chosen: Vec<usize> = (0..pages.len()).filter(|&page| range.contains(&pages[page].1.len())).collect();
        let megabytes = chosen.iter().map(|&page| pages[page].1.len()).sum::<usize>() as f64 / 1e6;
        let columns: Vec<String> = [0, 1].map(|what| column(&rounds, &chosen, what, megabytes)).into();
        println!("{class:<14}{:>7}{megabytes:>9.1}  {}", chosen.len(), columns.join("   "));
    }
    memory_in_a_process_of_its_own();
}

/// What is freed goes back to the system at once there, so that what the process holds is what the tree holds.
fn memory_in_a_process_of_its_own() {
    let program = std::env::current_exe().unwrap();
    let measured = Command::new(program).arg(MEMORY).env("MALLOC_MMAP_THRESHOLD_", "65536").status().unwrap();
    assert!(measured.success());
}

/// Seconds of each page: parsing it and the first query, and all other queries.
fn here(pages: &[(String, Arc<str>)]) -> Vec<[f64; 2]> {
    let queries: Vec<Query> =
        QUERIES.iter().map(|(language, expression)| Query::parse(language, *expression, "all").unwrap()).collect();
    let timed = |(_, text): &(String, Arc<str>)| {
        let start = processor_seconds();
        let document = Document::new([], Some("text/html"), Some(Arc::clone(text)), "");
        black_box(document.first(Language::Css, FIRST).unwrap());
        let parsing = processor_seconds() - start;
        let start = processor_seconds();
        black_box(document.select(&queries).unwrap());
        [parsing, processor_seconds() - start]
    };
    pages.iter().map(timed).collect()
}

/// Processor time of this thread: others use the machine as well.
fn processor_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The speeds of the median rounds and their ratio.
fn column(rounds: &[[Vec<[f64; 2]>; 2]], chosen: &[usize], what: usize, megabytes: f64) -> String {
    let seconds = |round: &[Vec<[f64; 2]>; 2], side: usize| chosen.iter().map(|&page| round[side][page][what]).sum::<f64>();
    let median = |side: usize| middle(rounds.iter().map(|round| seconds(round, side)).collect());
    let ratio = middle(rounds.iter().map(|round| seconds(round, 1) / seconds(round, 0)).collect());
    format!("{:>5.0} MB/s, parsel {:>4.0} MB/s: {ratio:>5.2} times", megabytes / median(0), megabytes / median(1))
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Parses the pages put together to 10 MB and prints what that takes of memory.
fn memory(pages: &[(String, Arc<str>)]) {
    let mut text = String::new();
    for (_, page) in pages.iter().cycle() {
        text.push_str(page);
        if text.len() > 10_000_000 {
            break;
        }
    }
    let bytes = text.len() as f64;
    let document = Document::with_limits([], Some("text/html"), Some(text.into()), "", Limits::default());
    let before = status("VmRSS");
    fs::write("/proc/self/clear_refs", "5").ok();
    let answers = document.select(&[Query::new(Language::Css, FIRST, Want::Count)]);
    let (held, peak) = (status("VmRSS") - before, status("VmHWM") - before);
    println!(
        "a page of {:.1} MB ({:?} titles): {:.1} times its bytes held by the tree, {:.1} times while parsing",
        bytes / 1e6,
        answers.map(|mut answers| answers.remove(0)),
        held / bytes,
        peak / bytes
    );
}

/// A line of what Linux says of this process, in bytes.
fn status(key: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or_default() * 1024.0
}
