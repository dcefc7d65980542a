//! The official Python client in a virtual environment of the tests' own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

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
    let folder = kept("official-client");
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let (venv, stamp) = (folder.join("venv"), folder.join("installed"));
    let programs = venv.join("bin");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == PACKAGE) {
        return Some(programs);
    }
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv).output();
    let install = |made: Output| match made.status.success() {
        true => Command::new(programs.join("python")).args(["-m", "pip", "install", "--quiet", PACKAGE]).output(),
        false => Ok(made),
    };
    match made.and_then(install) {
        Ok(done) if done.status.success() => {
            fs::write(&stamp, PACKAGE).unwrap();
            Some(programs)
        }
        other => {
            let why = other.map_or_else(|error| error.to_string(), |done| String::from_utf8_lossy(&done.stderr).into_owned());
            println!("SKIPPED: {PACKAGE} cannot be installed: {}", why.trim());
            None
        }
    }
}
