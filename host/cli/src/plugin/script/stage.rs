//! The folder that a component is made of: a copy of the project, the SDK, the interface, and the code that ties them together.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::json;
use tempfile::TempDir;

use super::{Language, Project, sdk};

/// Folders of a project that are not part of the plugin.
const LEFT_OUT: [&str; 3] = ["node_modules", "__pycache__", "plugins-built"];

/// The name of the module that ties plugin and interface together.
pub(super) const ENTRY: &str = "carousel_plugin";

/// A staged project; gone when it is dropped.
pub(super) struct Stage {
    dir: TempDir,
}

impl Stage {
    pub(super) fn of(project: &Project) -> anyhow::Result<Self> {
        let stage = Self { dir: tempfile::tempdir().context("cannot make a temporary directory")? };
        copy(&project.dir, &stage.source()).with_context(|| format!("cannot copy {}", project.dir.display()))?;
        for (path, text) in sdk::files(project.language) {
            let file = stage.source().join(path);
            if !file.exists() {
                write(&file, text)?;
            }
        }
        write(&stage.wit().join("session.wit"), sdk::WIT)?;
        let (file, text) = entry(project);
        write(&stage.source().join(file), &text)?;
        Ok(stage)
    }

    /// The project's files.
    pub(super) fn source(&self) -> PathBuf {
        self.dir.path().join("source")
    }

    /// The folder of the interface.
    pub(super) fn wit(&self) -> PathBuf {
        self.dir.path().join("wit")
    }
}

fn entry(project: &Project) -> (String, String) {
    // Text in quotes of JSON is text in quotes of both languages.
    let (name, version) = (json!(project.name), json!(project.version));
    match project.language {
        Language::Python => {
            let text = format!("import plugin\nfrom carousel_guest.component import Hooks, serve\n\nserve({name}, {version})\n");
            (format!("{ENTRY}.py"), text)
        }
        Language::JavaScript => {
            let imports = "import plugin from \"./plugin.js\";\nimport { hooksOf } from \"./carousel-guest/component.js\";\n";
            let text = format!("{imports}\nexport const hooks = hooksOf(plugin, {{ name: {name}, version: {version} }});\n");
            (format!("{ENTRY}.js"), text)
        }
    }
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make the directory {}", parent.display()))?;
    }
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Copies what may belong to the plugin: no hidden files, no installed packages, no components.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let text = name.to_string_lossy();
        if text.starts_with('.') || LEFT_OUT.contains(&&*text) || text.ends_with(".wasm") || path.join("pyvenv.cfg").exists() {
            continue;
        }
        let target = to.join(&name);
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
