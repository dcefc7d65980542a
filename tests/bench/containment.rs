//! When the last page of five sites without plugins comes: alone, and beside a site whose hooks take their time. 2,000 lines of the
//! five, 200 of the slow one, 50 requests at once, a simulated API that answers at once, one and two worker threads.
//!
//! Run by hand: `cargo bench -p carousel-cli --bench containment`. A machine that does other work at the same time makes the ratios
//! meaningless.

#![allow(clippy::print_stdout, reason = "it prints its result")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a benchmark may panic")]

#[path = "../../host/sandbox/tests/plugins/guests.rs"]
#[allow(dead_code, reason = "shared with the sandbox's tests")]
mod guests;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Pages of the slow site; each comes with ten of the others.
const SLOW: usize = 200;
const OTHERS: usize = 10 * SLOW;

/// Rounds of the guest that take about 80 ms.
const ROUNDS: usize = 100_000;

/// How often each is measured; the best counts.
const RUNS: usize = 3;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let plugins = folder.path().join("plugins");
    std::fs::create_dir(&plugins).unwrap();
    std::fs::copy(guests::component("slow"), plugins.join("slow.wasm")).unwrap();
    for threads in [1, 2] {
        let alone = best(folder.path(), threads, None);
        println!("{threads} worker threads: the others' last page comes after {alone:.0?} alone");
        for hook in ["pool", "process_request", "check"] {
            let beside = best(folder.path(), threads, Some(hook));
            let ratio = beside.as_secs_f64() / alone.as_secs_f64();
            println!("  beside a slow {hook:<16} {beside:>8.0?}, {ratio:.2} times as long");
        }
    }
}

fn best(folder: &Path, threads: usize, slow: Option<&str>) -> Duration {
    (0..RUNS).map(|_| others_last_page(folder, threads, slow)).min().unwrap()
}

/// The time from the first page of the others to their last one.
fn others_last_page(folder: &Path, threads: usize, slow: Option<&str>) -> Duration {
    let hook = slow.unwrap_or("none");
    let settings = format!(
        "[plugins]\ndeadline = 1\n[[site]]\nname = \"slow\"\nplugin = \"slow\"\nconfig = {{ hook = \"{hook}\", rounds = {ROUNDS} }}\n"
    );
    std::fs::write(folder.join("carousel.toml"), settings).unwrap();
    let mut lines = String::new();
    for n in 0..OTHERS {
        if n % 10 == 0 && slow.is_some() {
            writeln!(lines, "https://slow.example/{n}").unwrap();
        }
        writeln!(lines, "https://other{}.example/{n}", n % 5).unwrap();
    }
    std::fs::write(folder.join("lines.txt"), lines).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_carousel"));
    command.current_dir(folder).env("TOKIO_WORKER_THREADS", threads.to_string()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.args(["crawl", "lines.txt", "--simulate", "--plugins", "plugins", "--n-conn", "50"]);
    let mut crawl = command.spawn().unwrap();
    let (mut began, mut others) = (None, 0);
    for line in BufReader::new(crawl.stdout.take().unwrap()).lines().map_while(Result::ok) {
        if !line.contains("//other") {
            continue;
        }
        began.get_or_insert_with(Instant::now);
        others += 1;
        if others == OTHERS {
            break;
        }
    }
    let took = began.expect("a page of the others").elapsed();
    crawl.kill().unwrap();
    crawl.wait().unwrap();
    assert_eq!(others, OTHERS, "pages of the others");
    took
}
