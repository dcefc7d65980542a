//! Peak memory of `carousel crawl` for 10,000 and for 1,000,000 lines, the ratio of the two, and what a pool takes.
//!
//! Run by hand: `cargo bench -p carousel-cli --bench memory`. Other numbers of lines: append `-- 1000 100000`.
//!
//! Measured on two cores: 13.8 MiB and 20.7 MiB, ratio 1.50 (the window of 30,000 lines is full in the second); 2,700 bytes for a pool with
//! its session and its counters.
//!
//! The crawl reads from a pipe that stays open until its last answer is there, so that its memory is read (`VmHWM`, as Linux
//! keeps it) when all the work is done and the process still lives.

#![allow(clippy::print_stdout, reason = "it prints its result")]

use std::fs;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Lines of the two crawls unless the command line says otherwise.
const LINES: [u64; 2] = [10_000, 1_000_000];

/// Sites that the lines are spread over.
const SITES: u64 = 100;

/// Lines, and sites, of the crawl that shows what a pool takes: each site has a session that has been used once.
const POOLS: u64 = 10_000;

fn main() -> io::Result<()> {
    let given: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let mut peaks = Vec::new();
    for lines in if given.is_empty() { LINES.to_vec() } else { given } {
        let start = Instant::now();
        let peak = peak_kib(lines, SITES, &["--simulate"])?;
        println!("{lines:>9} lines: peak {:.1} MiB, {:.0} s", peak as f64 / 1024.0, start.elapsed().as_secs_f64());
        peaks.push(peak as f64);
    }
    if let [first, .., last] = peaks[..] {
        println!("ratio {:.2}", last / first);
    }
    print_pools()
}

/// A simulator in a process of its own keeps what it knows of sessions out of the measure.
fn print_pools() -> io::Result<()> {
    let mut simulator = carousel(&["simulate", "--port", "0"]).spawn()?;
    let mut url = String::new();
    if let Some(stdout) = simulator.stdout.take() {
        BufReader::new(stdout).read_line(&mut url)?;
    }
    let api = ["--api-url", url.trim(), "--api-key", "any"];
    let peaks = peak_kib(POOLS, SITES, &api).and_then(|few| Ok((few, peak_kib(POOLS, POOLS, &api)?)));
    simulator.kill()?;
    simulator.wait()?;
    let (few, many) = peaks?;
    let each = many.saturating_sub(few) * 1024 / (POOLS - SITES);
    println!("{POOLS:>9} pools: peak {:.1} MiB, {each} bytes for each beyond {SITES}", many as f64 / 1024.0);
    Ok(())
}

fn carousel(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carousel"));
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Crawls so many lines of so many sites; the peak of its resident memory in KiB.
fn peak_kib(lines: u64, sites: u64, api: &[&str]) -> io::Result<u64> {
    let mut child = carousel(&["crawl", "-", "--intype", "txt", "-L", "ERROR"]).args(api).spawn()?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (Some(stdin), Some(stdout)) = (stdin, stdout) else { return Err(io::Error::other("the crawl has no pipes")) };
    let writer = std::thread::spawn(move || feed(BufWriter::new(stdin), lines, sites));
    let mut answers = BufReader::with_capacity(1 << 20, stdout);
    let mut line = Vec::new();
    for answered in 0..lines {
        line.clear();
        if answers.read_until(b'\n', &mut line)? == 0 {
            return Err(io::Error::other(format!("the crawl ended after {answered} answers")));
        }
    }
    let peak = high_water_mark(child.id())?;
    // The pipe comes back from its thread and closes here.
    drop(writer.join());
    child.wait()?;
    Ok(peak)
}

fn feed<W: Write>(mut crawl: W, lines: u64, sites: u64) -> io::Result<W> {
    for n in 0..lines {
        writeln!(crawl, "https://s{:03}.plain.example/p/{}", n % sites, n / sites)?;
    }
    crawl.flush()?;
    Ok(crawl)
}

fn high_water_mark(process: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| io::Error::other("the system does not tell VmHWM"))
}
