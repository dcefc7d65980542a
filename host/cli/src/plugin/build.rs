//! `carousel plugin build`: from a project to a checked component in the plugin directory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::project::{self, Project};
use super::{cargo, facts, script, target};
use crate::args::{BuildPlugins, Common};
use crate::logging::Screen;
use crate::settings_file;

/// Where components go if nobody says.
const DEFAULT_OUT: &str = "plugins-built";

/// Builds the projects and tells what came of each.
pub(crate) fn build(args: &BuildPlugins, common: &Common, screen: &Screen) -> anyhow::Result<ExitCode> {
    let out = out_dir(args, common, screen)?;
    for file in build_into(&args.paths, &out, screen)? {
        let description = facts::describe(&file)?;
        screen.say(format!("{} ({} KiB): {description}", file.display(), size(&file)?.div_ceil(1024)));
    }
    screen.say(format!("use them with --plugins {}", out.display()));
    Ok(ExitCode::SUCCESS)
}

/// Builds projects and copies their components to a directory under the names of their packages.
pub(crate) fn build_into(paths: &[PathBuf], out: &Path, screen: &Screen) -> anyhow::Result<Vec<PathBuf>> {
    let (mut crates, mut scripts) = (Vec::new(), Vec::new());
    for path in paths {
        match project::find(path)? {
            Project::Rust(project) => crates.push(project),
            Project::Script(project) => scripts.push(project),
        }
    }
    refuse_twins(crates.iter().map(|project| &project.package).chain(scripts.iter().map(|project| &project.name)))?;
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the directory {}", out.display()))?;
    let mut installed = build_crates(&crates, out, screen)?;
    for project in scripts {
        installed.push(build_script(&project, out, screen)?);
    }
    Ok(installed)
}

/// Two projects of one name would become one file.
fn refuse_twins<'n>(names: impl Iterator<Item = &'n String>) -> anyhow::Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            bail!("two of the projects are named {name}: build them one by one, with an --out for each");
        }
    }
    Ok(())
}

fn build_crates(projects: &[cargo::Project], out: &Path, screen: &Screen) -> anyhow::Result<Vec<PathBuf>> {
    if let Some(project) = projects.first() {
        target::ensure(&project.workspace, screen)?;
    }
    let built = cargo::build(projects)?;
    built.into_iter().map(|(project, component)| install(&component, &out.join(format!("{}.wasm", project.package)))).collect()
}

fn build_script(project: &script::Project, out: &Path, screen: &Screen) -> anyhow::Result<PathBuf> {
    screen.say(format!("building {} ({:?}), which takes a minute", project.name, project.language));
    let folder = tempfile::tempdir().context("cannot make a temporary directory")?;
    let component = folder.path().join("plugin.wasm");
    project.build(&component, screen)?;
    install(&component, &out.join(format!("{}.wasm", project.name)))
}

/// Copies under another name first, so that a crawl that watches the directory never sees half a component.
fn install(component: &Path, file: &Path) -> anyhow::Result<PathBuf> {
    let partial = file.with_extension("partial");
    std::fs::copy(component, &partial)
        .and_then(|_| std::fs::rename(&partial, file))
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file.to_path_buf())
}

fn out_dir(args: &BuildPlugins, common: &Common, screen: &Screen) -> anyhow::Result<PathBuf> {
    if let Some(out) = args.out.as_ref().or(common.plugins.as_ref()) {
        return Ok(out.clone());
    }
    let settings = settings_file::load(common.config.as_deref(), screen)?;
    Ok(settings.plugins.dir.unwrap_or_else(|| PathBuf::from(DEFAULT_OUT)))
}

fn size(file: &Path) -> anyhow::Result<u64> {
    Ok(std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_projects_of_one_name_are_refused() {
        let names = |names: [&str; 2]| refuse_twins(names.map(str::to_owned).iter());
        assert!(names(["a", "b"]).is_ok());
        assert!(names(["a", "a"]).unwrap_err().to_string().contains("named a"));
    }

    #[test]
    fn components_go_where_out_says_then_the_plugin_flag_then_the_settings() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("c.toml");
        std::fs::write(&config, "[plugins]\ndir = \"p\"\n").unwrap();
        let empty = dir.path().join("empty.toml");
        std::fs::write(&empty, "").unwrap();
        let path = |text: &str| Some(PathBuf::from(text));
        for (out, plugins, config, expected) in [
            (path("o"), path("f"), &config, PathBuf::from("o")),
            (None, path("f"), &config, PathBuf::from("f")),
            (None, None, &config, dir.path().join("p")),
            (None, None, &empty, PathBuf::from(DEFAULT_OUT)),
        ] {
            let args = BuildPlugins { paths: vec![], out };
            let common = Common { plugins, config: Some(config.clone()), ..Common::default() };
            assert_eq!(out_dir(&args, &common, &Screen::default()).unwrap(), expected);
        }
    }
}
