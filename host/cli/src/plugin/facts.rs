//! What can be said of a component's file, whether it loads or not.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use carousel_core::settings::Settings;
use carousel_sandbox::{PluginInfo, Port, Ports, Standing};
use serde_json::{Value, json};

use super::report;
use super::workbench;

/// A component's file.
pub(crate) struct Facts {
    /// Where it is.
    pub(crate) file: PathBuf,
    /// Its size.
    pub(crate) bytes: u64,
    /// What it imports and exports.
    pub(crate) ports: Ports,
    /// What it says of itself, or why it cannot be used.
    pub(crate) plugin: Result<PluginInfo, String>,
}

impl Facts {
    /// Looks at a file, and loads it as a crawl would.
    pub(crate) fn of(file: &Path, settings: &Settings) -> anyhow::Result<Self> {
        let plugin = workbench::describe(file, settings)?;
        Ok(Self::with(file, plugin))
    }

    /// Looks at a file that was loaded already. Of what is no file, or is gone, there is nothing to say but why it cannot be used.
    pub(crate) fn with(file: &Path, plugin: Result<PluginInfo, String>) -> Self {
        let wasm = if file.is_file() { std::fs::read(file).unwrap_or_default() } else { Vec::new() };
        let bytes = u64::try_from(wasm.len()).unwrap_or(u64::MAX);
        Self { file: file.to_path_buf(), bytes, ports: Ports::read(&wasm), plugin }
    }

    /// The versions of the interface that it was built for.
    pub(crate) fn interface(&self) -> String {
        match self.ports.versions().as_slice() {
            [] => "none".to_owned(),
            versions => versions.iter().map(|version| format!("carousel:session@{version}")).collect::<Vec<_>>().join(", "),
        }
    }

    /// The imports beyond the interface: those of WASI, and those that plugins are not given.
    pub(crate) fn foreign_imports(&self) -> impl Iterator<Item = &Port> {
        self.ports.imports.iter().filter(|port| matches!(port.standing, Standing::Allowed | Standing::Denied))
    }

    /// The foreign imports of one standing in words: `wasi:io@0.2.6 (poll, streams), wasi:cli@0.2.6 (stderr)`.
    pub(crate) fn foreign_words(&self, standing: Standing) -> String {
        let mut packages: Vec<(String, Vec<&str>)> = Vec::new();
        for port in self.foreign_imports().filter(|port| port.standing == standing) {
            let (path, version) = port.name.split_once('@').unwrap_or((&port.name, ""));
            let (package, interface) = path.split_once('/').unwrap_or((path, ""));
            let package = if version.is_empty() { package.to_owned() } else { format!("{package}@{version}") };
            match packages.iter_mut().find(|(known, _)| *known == package) {
                Some((_, interfaces)) => interfaces.push(interface),
                None => packages.push((package, vec![interface])),
            }
        }
        let words = packages.into_iter().map(|(package, interfaces)| match interfaces.as_slice() {
            [""] => package,
            interfaces => format!("{package} ({})", interfaces.join(", ")),
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// All of it for machines.
    pub(crate) fn to_json(&self) -> Value {
        let imports: Vec<Value> = self
            .foreign_imports()
            .map(|port| json!({"name": port.name, "allowed": port.standing == Standing::Allowed}))
            .collect();
        let plugin = self.plugin.as_ref().ok();
        json!({
            "file": self.file,
            "bytes": self.bytes,
            "interface": self.ports.versions(),
            "imports": imports,
            "name": plugin.map(|it| &it.name),
            "version": plugin.map(|it| &it.version),
            "hooks": plugin.map(|it| &it.hooks),
            "rules": plugin.map(|it| it.rules.iter().map(report::rule_to_json).collect::<Vec<_>>()),
            "error": self.plugin.as_ref().err(),
        })
    }
}

/// Loads one component as a crawl would and says what it is, in a line.
pub(crate) fn describe(file: &Path) -> anyhow::Result<String> {
    let plugin = workbench::describe(file, &Settings::default())?;
    let plugin = plugin.map_err(|why| anyhow!("{} cannot be used: {why}", file.display()))?;
    let PluginInfo { file, name, version, .. } = &plugin;
    let patterns: Vec<&str> = plugin.rules.iter().flat_map(|rule| &rule.include).map(String::as_str).collect();
    let urls = match patterns.as_slice() {
        [] => "no URL rules, so it needs a [[site]] table".to_owned(),
        patterns => format!("for {}", patterns.join(", ")),
    };
    let name = if name == file { String::new() } else { format!(" ({name})") };
    Ok(format!("{file}{name} {version}, hooks: {}; {urls}", hooks(&plugin)))
}

/// The hooks by name.
pub(crate) fn hooks(plugin: &PluginInfo) -> String {
    if plugin.hooks.is_empty() { "none".to_owned() } else { plugin.hooks.join(", ") }
}
