//! A folder with plugins and files, in which commands of the binary are run.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::process::{Ended, Running, command};
use super::{guests, plugins, root, write_file};

/// Time enough for a hook on a machine that is busy with other tests.
const PATIENT: &str = "[plugins]\ndeadline = 20\n";

/// A folder where commands run.
pub(crate) struct Workshop(TempDir);

impl Workshop {
    /// A folder with a directory `plugins` and settings that are patient with slow machines.
    pub(crate) fn new() -> Self {
        let workshop = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(workshop.path("plugins")).unwrap();
        workshop.settings("")
    }

    /// With the plugins and the settings of the demo.
    pub(crate) fn of_the_demo() -> Self {
        let settings = std::fs::read_to_string(root().join("plugins/demo.toml")).unwrap();
        let workshop = Self::new().settings(&settings);
        ["club", "market", "storefront", "tickets"]
            .iter()
            .fold(workshop, |workshop, name| workshop.component(&plugins::built(name)))
    }

    /// Writes the settings file.
    pub(crate) fn settings(self, toml: &str) -> Self {
        self.file("carousel.toml", format!("{PATIENT}{toml}"))
    }

    /// Adds a guest of the tests.
    pub(crate) fn guest(self, name: &str) -> Self {
        self.component(&guests::component(name))
    }

    /// Adds one of the plugins of this project.
    pub(crate) fn plugin(self, name: &str) -> Self {
        self.component(&plugins::built(name))
    }

    fn component(self, file: &Path) -> Self {
        std::fs::copy(file, self.path("plugins").join(file.file_name().unwrap())).unwrap();
        self
    }

    /// Writes a file.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        write_file(self.0.path(), name, content);
        self
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a command of words without blanks.
    pub(crate) fn run(&self, words: &str) -> Ended {
        self.run_with(&words.split(' ').collect::<Vec<_>>())
    }

    /// Runs a command with these arguments.
    pub(crate) fn run_with(&self, args: &[&str]) -> Ended {
        let mut command = command(self.0.path());
        command.args(args);
        Running::start(command).end()
    }
}

impl Ended {
    /// Fails unless the exit code is this.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout.join("\n"), self.stderr);
        self
    }

    /// Fails unless each part is on standard output.
    #[track_caller]
    pub(crate) fn shows(&self, parts: &[&str]) {
        let text = self.stdout.join("\n");
        for part in parts {
            assert!(text.contains(part), "{part:?} is not shown:\n{text}\n{}", self.stderr);
        }
    }

    /// The lines of standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<Value> {
        self.stdout.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"))).collect()
    }
}
