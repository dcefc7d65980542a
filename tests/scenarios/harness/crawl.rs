//! `carousel crawl` as a scenario tells it: settings, plugins, input, and what came of it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::api::Api;
use super::process::{Ended, Running, command};
use super::{guests, write_file};

/// A crawl that is being prepared, with a folder of its own.
pub(crate) struct Crawl {
    dir: TempDir,
    command: Command,
}

/// A crawl that has ended.
pub(crate) struct Crawled {
    pub(crate) process: Ended,
    /// The lines of the output.
    pub(crate) lines: Vec<Value>,
    /// The stats file; null if none was written.
    pub(crate) stats: Value,
    _dir: TempDir,
}

impl Crawl {
    /// A crawl of standard input through an API.
    pub(crate) fn through(api: &Api) -> Self {
        Self::of("-").args(["--api-url", &api.url, "--api-key", "scripted"])
    }

    /// A crawl of standard input through the simulator inside the process.
    pub(crate) fn simulated() -> Self {
        Self::of("-").args(["--simulate"])
    }

    /// A crawl of a file of its folder.
    pub(crate) fn of(input: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut command = command(dir.path());
        command.args(["crawl", input, "--stats"]).arg(dir.path().join("stats.json"));
        Self { dir, command }
    }

    /// Adds arguments.
    pub(crate) fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, args: I) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Writes a file into the folder where the crawl runs.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        write_file(self.dir.path(), name, content);
        self
    }

    /// Writes the settings file.
    pub(crate) fn settings(self, toml: &str) -> Self {
        self.file("carousel.toml", toml)
    }

    /// Drops a guest's component into the directory of plugins and names that directory.
    pub(crate) fn plugin(self, guest: &str) -> Self {
        self.component(&guests::component(guest))
    }

    /// Does so with a component of any origin.
    pub(crate) fn component(mut self, file: &Path) -> Self {
        let plugins = self.path("plugins");
        if !plugins.exists() {
            std::fs::create_dir(&plugins).unwrap();
            self.command.arg("--plugins").arg(&plugins);
        }
        std::fs::copy(file, plugins.join(file.file_name().unwrap())).unwrap();
        self
    }

    /// A path in the folder where the crawl runs.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts with this much of standard input, which stays open.
    pub(crate) fn start(self, input: &str) -> (Running, TempDir) {
        let mut running = Running::start(self.command);
        running.write(input);
        (running, self.dir)
    }

    /// Crawls while nobody reads standard output.
    pub(crate) fn run_without_reader(self) -> Crawled {
        Crawled::new(Running::start_without_reader(self.command).end(), self.dir)
    }

    /// Crawls this input to the end.
    pub(crate) fn run(self, input: &str) -> Crawled {
        let (running, dir) = self.start(input);
        Crawled::new(running.end(), dir)
    }
}

impl Crawled {
    /// Reads what a process left behind.
    pub(crate) fn new(process: Ended, dir: TempDir) -> Self {
        let lines = process.stdout.iter().map(|line| parse(line)).collect();
        let stats = read_json(&dir.path().join("stats.json"));
        Self { process, lines, stats, _dir: dir }
    }

    /// The line about an input line, where lines are annotated.
    pub(crate) fn about(&self, line: usize) -> &Value {
        let found = self.lines.iter().find(|value| value["carousel"]["line"] == line);
        found.unwrap_or_else(|| panic!("no output line about input line {line}:\n{}", self.process.stderr))
    }

    /// Fails unless the exit code is this.
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.process.code, Some(code), "{}", self.process.stderr);
        self
    }

    /// How many lines are answers, and how many are errors.
    pub(crate) fn answers_and_errors(&self) -> (usize, usize) {
        let errors = self.lines.iter().filter(|line| line.get("error").is_some()).count();
        (self.lines.len() - errors, errors)
    }
}

/// The JSON of a file, null where there is none.
pub(crate) fn read_json(path: &Path) -> Value {
    std::fs::read_to_string(path).map(|text| parse(&text)).unwrap_or_default()
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}
