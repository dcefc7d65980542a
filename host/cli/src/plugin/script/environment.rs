//! Compilers of the script languages, each installed once into a folder of its own in the user's cache.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, anyhow, bail};

use crate::api_key::VARIABLE;
use crate::logging::{Listed, Screen};

/// A compiler that comes as a package of its language.
pub(super) struct Tool {
    /// The package's name, for people.
    pub(super) name: &'static str,
    /// The version that is installed; another one gets another folder.
    pub(super) version: &'static str,
    /// What must be there to install it, and where to get it.
    pub(super) needs: &'static str,
    /// Installs it into a folder.
    pub(super) install: fn(&Path) -> anyhow::Result<()>,
}

impl Tool {
    /// The folder of the compiler, which is installed now if it is not there.
    pub(super) fn folder(&self, screen: &Screen) -> anyhow::Result<PathBuf> {
        let caches = dirs::cache_dir().ok_or_else(|| anyhow!("there is no cache folder to install {} into", self.name))?;
        let folder = caches.join("carousel-tools").join(format!("{}-{}", self.name, self.version));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make the directory {}", folder.display()))?;
        // Another process may be installing it; the stamp is written when all of it is there.
        let lock = File::create(folder.join("lock")).with_context(|| format!("cannot write to {}", folder.display()))?;
        lock.lock().with_context(|| format!("cannot lock {}", folder.display()))?;
        let stamp = folder.join("installed");
        if !stamp.exists() {
            screen.say(format!("installing {} {} into {}", self.name, self.version, folder.display()));
            (self.install)(&folder)
                .with_context(|| format!("{} {} cannot be installed; it needs {}", self.name, self.version, self.needs))?;
            fs::write(&stamp, "").with_context(|| format!("cannot write {}", stamp.display()))?;
        }
        Ok(folder)
    }
}

/// Runs a command to its end; where it fails, what it said is the error.
pub(super) fn run(command: &mut Command) -> anyhow::Result<Output> {
    // Whatever is built or installed has no use for the key.
    command.env_remove(VARIABLE);
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let said = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
        bail!(Listed::lines_of(format!("{program} failed"), &said.join("\n")));
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_fails_is_told_with_what_it_said() {
        let missing = run(&mut Command::new("no-such-program-of-carousel")).unwrap_err();
        assert!(format!("{missing:#}").contains("cannot run no-such-program-of-carousel"), "{missing:#}");
        run(Command::new("sh").args(["-c", "test -z \"$ZYTE_API_KEY\""]).env(VARIABLE, "0123456789abcdef")).unwrap();
        let cargo = run(Command::new(env!("CARGO")).arg("--no-such-flag")).unwrap_err().to_string();
        assert!(cargo.contains("failed: ") && cargo.contains("--no-such-flag"), "{cargo}");
    }
}
