//! Programs of Python in virtual environments of the tests' own: the official client, and what tests an API by its description.

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
    MADE.get_or_init(|| programs_of("official-client", PACKAGE)).as_deref()
}

/// The folder of the programs of a package, in an environment of this name; nothing, after a line that says so, where pip cannot install.
pub(crate) fn programs_of(name: &str, package: &str) -> Option<PathBuf> {
    match venv::interpreter(&kept(name), &[package]) {
        Ok(python) => python.parent().map(Path::to_path_buf),
        Err(why) => {
            skipped(why);
            None
        }
    }
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
