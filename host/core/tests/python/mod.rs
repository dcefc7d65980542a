//! The real Python libraries, in a virtual environment of the tests' own, answering JSON with JSON.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, dead_code, reason = "tests")]

#[path = "../../../../tests/venv.rs"]
mod venv;

#[path = "../../../../tests/skipped.rs"]
mod skipped;

use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the comparisons are made with; the environment is rebuilt when this changes.
const PACKAGES: [&str; 3] = ["url-matcher==0.6.0", "zyte-api==0.11.0", "scrapy-zyte-api==0.36.0"];

/// Sends `input` to a script of this folder and returns its answer; nothing, after a line that says so, where pip cannot install.
pub(crate) fn ask(script: &str, input: &Value) -> Option<Value> {
    let python = environment()?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(script);
    let mut child = Command::new(python)
        .arg(&path)
        // The public suffix list comes from the package, not from the network.
        .env("TLDEXTRACT_PUBLIC_SUFFIX_LIST_URLS", "")
        .env("PYTHONWARNINGS", "ignore")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = serde_json::to_vec(input).unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&text));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{script} failed: {}", output.status);
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// The interpreter of the environment.
fn environment() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peer-python");
    venv::interpreter(&folder, &PACKAGES).map_err(skipped::skipped).ok()
}
