//! `carousel simulate` as a process of its own.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;
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
    pub(crate) fn start(faults: &Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("faults.json"), faults.to_string()).unwrap();
        Self::run(dir, &["--faults", "faults.json"])
    }

    /// Starts on a free port, with flags.
    pub(crate) fn start_with(flags: &[&str]) -> Self {
        Self::run(tempfile::tempdir().unwrap(), flags)
    }

    fn run(dir: TempDir, flags: &[&str]) -> Self {
        let mut command = command(dir.path());
        command.args(["simulate", "--port", "0"]).args(flags);
        let process = Running::start(command);
        let url = process.next_line();
        assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/v1/"), "{url}");
        Self { url, _process: process, _dir: dir }
    }

    /// What it has counted.
    pub(crate) fn report(&self) -> Value {
        let address = self.url.strip_prefix("http://").unwrap().strip_suffix("/v1/").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /simulator/report HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}
