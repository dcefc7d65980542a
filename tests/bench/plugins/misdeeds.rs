//! What becomes of plugins that misbehave: what the request gets, what the log says, and how long it takes to stop them.
//!
//! Times are processor time of the calling thread, as the deadline is. A row without a deadline of its own is about memory or words.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use carousel_core::exchange::Answer;
use carousel_core::text::shorten;
use carousel_core::verdict::Verdict;
use carousel_engine::Site;
use carousel_sandbox::Loaded;
use serde_json::json;

use crate::calls::thread_time;
use crate::loading::status_kib;
use crate::packed;
use crate::record::logged;
use crate::stage::{Counting, Directory, call, page, site};
use crate::table::Table;

/// What a plugin may compute beyond its deadline before it is stopped.
const SLACK: Duration = Duration::from_millis(20);

/// Seconds that one page of 1 MB may take to be read.
const PAGE_SECONDS: f64 = 0.5;

/// MiB of memory that an answer may take before it is refused: twice what an answer may have.
const MOST_MIB: f64 = 128.0;

/// Stops each of them.
pub(crate) fn rows(table: &mut Table, _count: usize) {
    let deadline = Directory::new().settings().deadline.duration();
    let large = page(&format!("<body>{}", "<div><p>some words and <b>more 12345</b></p></div>".repeat(20_000)));
    // It is parsed beforehand: reading a page is not the plugin's own time.
    let _ = site("good", json!({})).check(call("https://good.example/"), large.clone());
    for (what, deed) in [
        ("endless loop", "loop"),
        ("loop of host calls", "host-calls"),
        ("costly XPath on 1 MB, for ever", "queries"),
        ("costly regular expression on 1 MB, for ever", "patterns"),
        ("10 GB wanted", "allocate"),
        ("recursion without end", "recurse"),
        ("panic", "panic"),
        ("result of 300 MB", "return-huge"),
        ("log flood", "log-flood"),
        ("lines of 16 MB", "long-lines"),
        ("session data without end", "session-data"),
        ("shared data without end", "shared-data"),
        ("sleep of a century", "sleep"),
        ("downloads where none are allowed", "downloads"),
    ] {
        misdeed(table, what, deed, &large, deadline);
    }
    downloads(table, deadline);
    broken_files(table);
    bombs(table);
    packed_bombs(table);
}

fn misdeed(table: &mut Table, what: &str, deed: &str, answer: &Answer, deadline: Duration) {
    let site = site("misbehaving", json!({}));
    let url = format!("https://misbehaving.example/check/{deed}");
    let began = thread_time();
    let (result, lines) = logged(|| site.check(call(&url), answer.clone()));
    let time = thread_time() - began;
    let stopped = result.as_ref().err().map(ToString::to_string);
    tell(table, what, time, deadline, stopped.as_deref(), &lines);
    assert_eq!(site.check(call("https://misbehaving.example/"), answer.clone()), Ok(Verdict::Keep), "after {deed}");
}

fn tell(table: &mut Table, what: &str, time: Duration, deadline: Duration, stopped: Option<&str>, lines: &[String]) {
    let most = deadline + SLACK;
    let holds = time <= most && stopped.is_some();
    table.check(what, milliseconds(time), format!("stopped in ≤ {}", milliseconds(most)), holds);
    table.note(format!("  the request: {}", first_line(stopped.unwrap_or("goes on"))));
    let flood = lines.iter().filter(|line| line.starts_with("INFO plugin")).count();
    let warning = lines.iter().find(|line| line.starts_with("WARN") && !line.starts_with("WARN plugin"));
    let more = if flood > 0 { format!(" (besides {flood} lines of the plugin's)") } else { String::new() };
    table.note(format!("  the log: {}{more}", first_line(warning.map_or("nothing", String::as_str))));
}

/// A chain of downloads that never ends.
fn downloads(table: &mut Table, deadline: Duration) {
    let site = site("misbehaving", json!({}));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let downloader = Arc::new(Counting::default());
    let began = thread_time();
    let work = site.init_session(call("https://misbehaving.example/init-session/downloads"), downloader.clone());
    let (result, lines) = logged(|| runtime.block_on(work));
    let time = thread_time() - began;
    let stopped = result.err().map(|error| error.to_string());
    tell(table, "downloads without end in init-session", time, deadline, stopped.as_deref(), &lines);
    let count = downloader.0.load(Relaxed);
    table.check("  downloads made", count.to_string(), "≤ 20", count <= 20);
}

/// Files that are no plugins: what the log says. The URLs of such a site are served without a plugin.
fn broken_files(table: &mut Table) {
    let good = std::fs::read(crate::guests::component("good")).expect("the guest");
    let directory = Directory::new();
    directory.write("wrong-world.wasm", b"\0asm\x0d\0\x01\0");
    directory.write("core-module.wasm", b"\0asm\x01\0\0\0");
    directory.write("truncated.wasm", &good[..good.len() / 2]);
    directory.write("text.wasm", "hello");
    let began = thread_time();
    let Loaded { errors, .. } = directory.load(&[]);
    let time = thread_time() - began;
    table.check("four files that are no plugins", milliseconds(time), "reported, 4 of 4", errors.len() == 4);
    for error in errors {
        let told = error.to_string();
        let (_, told) = told.split_once(&format!("{}/", directory.0.display())).unwrap_or(("", &told));
        table.note(format!("  the log: {}", first_line(told)));
    }
}

/// Pages that grow when they are read. Reading is bounded by the page, and is not the plugin's own time.
fn bombs(table: &mut Table) {
    let site = site("good", json!({}));
    let megabyte = |piece: &str| piece.repeat((1 << 20) / piece.len());
    for (what, html) in [
        ("page of 1 MB: nested elements", megabyte("<div>")),
        ("page of 1 MB: formatting that is repeated", megabyte("<b><a><i><font><p>")),
        ("page of 1 MB: tables in tables", megabyte("<table><tr><td>x<b>")),
        ("page of 1 MB: one element of many attributes", format!("<p {}>", megabyte("a1=b "))),
        ("page of 64 MB", "<p>x</p>".repeat(8 << 20)),
    ] {
        let began = thread_time();
        let (result, _) = logged(|| site.check(call("https://good.example/"), page(&html)));
        let time = (thread_time() - began).as_secs_f64();
        table.check(what, format!("{time:.3} s"), format!("≤ {PAGE_SECONDS} s"), time <= PAGE_SECONDS);
        let told = result.map_or_else(|error| error.to_string(), |verdict| format!("{verdict:?}"));
        table.note(format!("  the request: {}", first_line(&told)));
    }
}

/// Answers that grow when they are unpacked, on their way from the API over HTTP to the plugin.
fn packed_bombs(table: &mut Table) {
    for (encoding, bomb) in packed::bombs() {
        let size = bomb.len() as f64 / 1024.0;
        let before = restart_peak();
        let fetched = packed::fetch(encoding, &bomb);
        let grown = (peak_kib() - before) / 1024.0;
        table.check(
            format!("page of {} MiB in {size:.0} KiB of {encoding}", packed::UNPACKED_BYTES >> 20),
            format!("{grown:.0} MiB of memory"),
            format!("refused, ≤ {MOST_MIB} MiB"),
            fetched.is_err() && grown <= MOST_MIB,
        );
        table.note(format!("  the request: {}", first_line(fetched.err().as_deref().unwrap_or("goes on"))));
    }
}

/// Begins a new peak of this process's memory, at what it has now, in KiB.
fn restart_peak() -> f64 {
    std::fs::write("/proc/self/clear_refs", "5").expect("Linux");
    peak_kib()
}

fn peak_kib() -> f64 {
    status_kib("VmHWM:")
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

/// The first line of a text, cut where it gets long.
fn first_line(text: &str) -> String {
    shorten(text.lines().next().unwrap_or_default(), 150)
}
