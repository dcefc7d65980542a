//! Runs cargo so that a plugin becomes a small component.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow, bail};
use serde_json::Value;

use crate::api_key::VARIABLE;
use crate::logging::Listed;

use super::release::ENVIRONMENT;
use super::target::TARGET;

/// A plugin project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Project {
    /// The package's name.
    pub(crate) package: String,
    /// Its `Cargo.toml`.
    pub(crate) manifest: PathBuf,
    /// The root of its workspace.
    pub(crate) workspace: PathBuf,
}

/// Asks cargo what stands in a directory.
pub(crate) fn project(dir: &Path) -> anyhow::Result<Project> {
    let manifest = dir.join("Cargo.toml");
    let manifest = manifest.canonicalize().with_context(|| format!("no plugin project in {}: no Cargo.toml", dir.display()))?;
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(&manifest)
        .output()
        .context("cannot run cargo: plugins are built with the Rust toolchain, see https://rustup.rs")?;
    if !output.status.success() {
        bail!(Listed::lines_of(manifest.display().to_string(), &String::from_utf8_lossy(&output.stderr)));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata gave no JSON")?;
    read_metadata(&metadata, &manifest)
}

fn read_metadata(metadata: &Value, manifest: &Path) -> anyhow::Result<Project> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let package = packages
        .iter()
        .find(|package| package["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest))
        .ok_or_else(|| {
            anyhow!("{} is a workspace without a package of its own: name the plugin's directory", manifest.display())
        })?;
    let name = package["name"].as_str().unwrap_or_default().to_owned();
    if !makes_components(package) {
        bail!("{}: a plugin needs `crate-type = [\"cdylib\"]` in [lib] (add \"rlib\" for tests in tests/)", manifest.display());
    }
    let workspace = metadata["workspace_root"].as_str().context("cargo metadata names no workspace")?;
    Ok(Project { package: name, manifest: manifest.to_path_buf(), workspace: PathBuf::from(workspace) })
}

fn makes_components(package: &Value) -> bool {
    let targets = package["targets"].as_array().into_iter().flatten();
    let kinds = targets.flat_map(|target| target["crate_types"].as_array().into_iter().flatten());
    kinds.filter_map(Value::as_str).any(|kind| kind == "cdylib")
}

/// Builds projects, all those of one workspace in one run of cargo; the answer is the file of each.
pub(crate) fn build(projects: &[Project]) -> anyhow::Result<Vec<(Project, PathBuf)>> {
    let mut workspaces: BTreeMap<&Path, Vec<&Project>> = BTreeMap::new();
    for project in projects {
        workspaces.entry(&project.workspace).or_default().push(project);
    }
    let mut built = Vec::new();
    for (workspace, projects) in workspaces {
        built.extend(build_workspace(workspace, &projects)?);
    }
    Ok(built)
}

fn build_workspace(workspace: &Path, projects: &[&Project]) -> anyhow::Result<Vec<(Project, PathBuf)>> {
    let mut command = cargo();
    command.args(["build", "--release", "--lib", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    command.args(projects.iter().flat_map(|project| ["-p", project.package.as_str()]));
    command.current_dir(workspace).envs(ENVIRONMENT.iter().copied()).stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot run cargo")?;
    let messages = child.stdout.take().context("cargo has no output")?;
    let mut files = BTreeMap::new();
    for line in BufReader::new(messages).lines() {
        let message: Value = serde_json::from_str(&line.context("cannot read cargo's output")?).unwrap_or_default();
        files.extend(component(&message));
    }
    if !child.wait().context("cannot wait for cargo")?.success() {
        let names: Vec<_> = projects.iter().map(|project| project.package.as_str()).collect();
        bail!("building {} failed, see above", names.join(", "));
    }
    projects
        .iter()
        .map(|project| {
            let file = files.remove(&project.manifest);
            let file = file.ok_or_else(|| anyhow!("cargo built no component of {}", project.package))?;
            Ok(((*project).clone(), file))
        })
        .collect()
}

/// The component that one of cargo's messages tells of, under the path of its package's manifest.
fn component(message: &Value) -> Option<(PathBuf, PathBuf)> {
    if message["reason"] != "compiler-artifact" {
        return None;
    }
    let manifest = message["manifest_path"].as_str()?;
    let files = message["filenames"].as_array()?.iter().filter_map(Value::as_str);
    let file = files.into_iter().find(|file| file.ends_with(".wasm"))?;
    Some((PathBuf::from(manifest), PathBuf::from(file)))
}

/// The cargo that runs us, if one does: it is of the right toolchain. What it runs has no use for the API key.
fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.env_remove(VARIABLE);
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn metadata(crate_type: &str) -> Value {
        json!({
            "workspace_root": "/w",
            "packages": [
                {"name": "other", "manifest_path": "/w/o/Cargo.toml", "targets": []},
                {"name": "shop", "manifest_path": "/w/p/Cargo.toml", "targets": [{"crate_types": [crate_type]}]},
            ],
        })
    }

    #[test]
    fn a_project_is_the_package_of_its_directory() {
        let manifest = Path::new("/w/p/Cargo.toml");
        let project = read_metadata(&metadata("cdylib"), manifest).unwrap();
        assert_eq!((project.package.as_str(), project.workspace.as_path()), ("shop", Path::new("/w")));
    }

    #[test]
    fn what_cannot_become_a_component_is_refused_with_the_remedy() {
        for (metadata, manifest, part) in [
            (metadata("lib"), "/w/p/Cargo.toml", "crate-type = [\"cdylib\"]"),
            (metadata("cdylib"), "/w/Cargo.toml", "name the plugin's directory"),
        ] {
            let message = read_metadata(&metadata, Path::new(manifest)).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn components_are_found_in_cargos_messages() {
        let message = json!({
            "reason": "compiler-artifact", "manifest_path": "/w/p/Cargo.toml", "filenames": ["/t/libshop.rlib", "/t/shop.wasm"],
        });
        assert_eq!(component(&message), Some((PathBuf::from("/w/p/Cargo.toml"), PathBuf::from("/t/shop.wasm"))));
        assert_eq!(component(&json!({"reason": "build-finished", "success": true})), None);
    }
}
