//! Python projects become components by componentize-py.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::environment::{Tool, run};
use super::stage::{ENTRY, Stage};
use crate::logging::Screen;

const COMPILER: Tool = Tool {
    name: "componentize-py",
    version: "0.25.1",
    needs: "Python 3.10 or later with pip and venv (on Debian and Ubuntu: apt install python3-venv), and a way to PyPI",
    install,
};

/// Compiles a staged project. What it imports of WASI is clock, chance and the log; behind files and sockets the host has nothing.
pub(super) fn build(stage: &Stage, component: &Path, screen: &Screen) -> anyhow::Result<()> {
    let programs = programs(&COMPILER.folder(screen)?);
    let mut command = Command::new(programs.join("componentize-py"));
    command.arg("--wit-path").arg(stage.wit()).args(["--world", "site", "componentize", ENTRY]);
    command.arg("--python-path").arg(stage.source()).arg("--output").arg(component);
    // What another Python environment has is none of the plugin's business.
    run(command.env_remove("VIRTUAL_ENV").env_remove("PYTHONPATH").current_dir(stage.source())).map(drop)
}

fn install(folder: &Path) -> anyhow::Result<()> {
    let environment = folder.join("venv");
    run(Command::new(python()).args(["-m", "venv", "--clear"]).arg(&environment))?;
    let package = format!("{}=={}", COMPILER.name, COMPILER.version);
    run(Command::new(programs(folder).join("python")).args(["-m", "pip", "install", "--quiet", &package])).map(drop)
}

fn programs(folder: &Path) -> PathBuf {
    folder.join("venv").join(if cfg!(windows) { "Scripts" } else { "bin" })
}

fn python() -> &'static str {
    if cfg!(windows) { "python" } else { "python3" }
}
