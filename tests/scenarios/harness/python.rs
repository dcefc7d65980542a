//! The official Python client in a virtual environment of the tests' own.

#[path = "../../venv.rs"]
mod venv;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::skipped::skipped;
use super::{kept, root};

/// The client; the environment is rebuilt when this changes.
const PACKAGE: &str = "zyte-api==0.11.0";

/// The folder of the environment's programs; nothing, after a line that says so, where pip cannot install.
pub(crate) fn programs() -> Option<&'static Path> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    MADE.get_or_init(make).as_deref()
}

/// A program of the environment in a folder, without keys and proxies of whoever runs the tests.
pub(crate) fn program(programs: &Path, name: &str, dir: &Path) -> Command {
    let mut command = Command::new(programs.join(name));
    command.current_dir(dir).env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONWARNINGS", "ignore").env_remove("ZYTE_API_KEY");
    command
}

/// A script of this project.
pub(crate) fn script(name: &str) -> PathBuf {
    root().join("tests/scenarios/python").join(name)
}

fn make() -> Option<PathBuf> {
    match venv::interpreter(&kept("official-client"), &[PACKAGE]) {
        Ok(python) => python.parent().map(Path::to_path_buf),
        Err(why) => {
            skipped(why);
            None
        }
    }
}
