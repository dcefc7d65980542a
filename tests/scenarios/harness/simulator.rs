//! `carousel simulate` as a process of its own.

use tempfile::TempDir;

use super::process::{Running, command};

/// A simulator. It is killed when it is dropped.
pub(crate) struct Simulated {
    /// The base address, with the final slash.
    pub(crate) url: String,
    _process: Running,
    _dir: TempDir,
}

impl Simulated {
    /// Starts on a free port, with fault rules.
    pub(crate) fn start(faults: &serde_json::Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("faults.json"), faults.to_string()).unwrap();
        let mut command = command(dir.path());
        command.args(["simulate", "--port", "0", "--faults", "faults.json"]);
        let process = Running::start(command);
        let url = process.next_line();
        assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/v1/"), "{url}");
        Self { url, _process: process, _dir: dir }
    }
}
