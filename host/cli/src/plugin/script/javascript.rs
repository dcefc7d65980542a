//! JavaScript projects become components by componentize-js.

use std::path::Path;
use std::process::Command;

use super::environment::{Tool, run};
use super::stage::{ENTRY, Stage};
use crate::logging::Screen;

const COMPILER: Tool = Tool {
    name: "componentize-js",
    version: "0.23.0",
    needs: "Node.js 20 or later with npm (https://nodejs.org), and a way to the npm registry",
    install,
};

/// The package on npm.
const PACKAGE: &str = "@bytecodealliance/componentize-js";

/// Compiles a staged project. Of WASI clock, chance and the log are kept; the host has no HTTP.
pub(super) fn build(stage: &Stage, component: &Path, screen: &Screen) -> anyhow::Result<()> {
    let program = COMPILER.folder(screen)?.join("node_modules").join(PACKAGE).join("src/cli.js");
    let mut command = Command::new("node");
    command.arg(program).arg(format!("{ENTRY}.js")).arg("--wit").arg(stage.wit()).args(["--world-name", "site"]);
    command.args(["--disable", "http", "fetch-event", "--out"]).arg(component);
    run(command.current_dir(stage.source())).map(drop)
}

fn install(folder: &Path) -> anyhow::Result<()> {
    let package = format!("{PACKAGE}@{}", COMPILER.version);
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut command = Command::new(npm);
    command.args(["install", "--no-audit", "--no-fund", "--loglevel", "error", "--prefix"]).arg(folder).arg(package);
    run(command.current_dir(folder)).map(drop)
}
