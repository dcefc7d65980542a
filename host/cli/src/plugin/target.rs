//! The compilation target of plugins, installed where it is missing.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::logging::Screen;

/// The target whose output is a component without further tools.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Makes sure that the compiler in `dir` can build for the target; runs `rustup target add` where it cannot.
pub(crate) fn ensure(dir: &Path, screen: &Screen) -> anyhow::Result<()> {
    if is_installed(dir)? {
        return Ok(());
    }
    screen.say(format!("the Rust target {TARGET} is missing: running `rustup target add {TARGET}`"));
    let added = Command::new("rustup").args(["target", "add", TARGET]).current_dir(dir).output();
    let reason = match added {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("rustup cannot be run: {error}"),
    };
    bail!(
        "the Rust target {TARGET} is missing and could not be added: {reason}; install it by hand (`rustup target add {TARGET}`, or \
         your distribution's package of the standard library for it)"
    )
}

/// The compiler tells where the target's standard library would be; it is installed if it is there.
fn is_installed(dir: &Path) -> anyhow::Result<bool> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(dir)
        .output()
        .context("cannot run rustc: plugins are built with the Rust toolchain, see https://rustup.rs")?;
    let libraries = String::from_utf8_lossy(&output.stdout);
    Ok(output.status.success() && std::fs::read_dir(libraries.trim()).is_ok_and(|mut files| files.next().is_some()))
}
