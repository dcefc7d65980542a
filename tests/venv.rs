//! A Python environment of the tests' own, made once.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The interpreter of a virtual environment with these packages. One that was made for them before is taken as it is; who comes while it
/// is made waits. An error says why there is none.
pub(crate) fn interpreter(folder: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    let cannot = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(cannot)?;
    let lock = File::create(folder.join("lock")).map_err(cannot)?;
    lock.lock().map_err(cannot)?;
    let (venv, stamp, wanted) = (folder.join("venv"), folder.join("installed"), packages.join(" "));
    let python = venv.join("bin/python");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == wanted) {
        return Ok(python);
    }
    done(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    done(Command::new(&python).args(pip).args(packages)).map_err(|why| format!("{wanted} cannot be installed: {why}"))?;
    fs::write(&stamp, wanted).map_err(cannot)?;
    Ok(python)
}

fn done(command: &mut Command) -> Result<(), String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(format!("{command:?} does not start: {error}")),
    }
}
