//! Plugins in languages that bring their interpreter along: Python and JavaScript.

mod environment;
mod javascript;
mod python;
mod sdk;
mod stage;

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use serde_json::Value;

use crate::logging::Screen;
use crate::text_file;

pub(crate) use sdk::files as sdk_files;

/// A language with a compiler of its own to components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// By componentize-py.
    Python,
    /// By componentize-js.
    JavaScript,
}

impl Language {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::Python, Self::JavaScript];

    /// The file that makes a directory a project.
    pub(crate) fn source(self) -> &'static str {
        match self {
            Self::Python => "plugin.py",
            Self::JavaScript => "plugin.js",
        }
    }

    /// The file with the project's name and version.
    fn manifest(self) -> &'static str {
        match self {
            Self::Python => "pyproject.toml",
            Self::JavaScript => "package.json",
        }
    }
}

/// A plugin project in one of these languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Project {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) language: Language,
    dir: PathBuf,
}

impl Project {
    /// Reads the project's name and version.
    pub(crate) fn read(dir: &Path, language: Language) -> anyhow::Result<Self> {
        let file = dir.join(language.manifest());
        let text = text_file::read(&file, "")
            .with_context(|| format!("{} names the plugin and its version (`carousel plugin new` makes one)", file.display()))?;
        let manifest = manifest(&text, language).with_context(|| format!("cannot read {}", file.display()))?;
        let member = |name: &str| {
            let value = manifest.get(name).and_then(Value::as_str).map(str::to_owned);
            value.ok_or_else(|| anyhow!("{}: \"{name}\" is missing", file.display()))
        };
        let (name, version) = (member("name")?, member("version")?);
        if name.is_empty() || name.contains(['/', '\\']) {
            bail!("{}: \"{name}\" cannot name a file", file.display());
        }
        Ok(Self { name, version, language, dir: dir.to_path_buf() })
    }

    /// Compiles the project to a component. What the language needs for that is installed where it is missing.
    pub(crate) fn build(&self, component: &Path, screen: &Screen) -> anyhow::Result<()> {
        let stage = stage::Stage::of(self)?;
        match self.language {
            Language::Python => python::build(&stage, component, screen),
            Language::JavaScript => javascript::build(&stage, component, screen),
        }
        .with_context(|| format!("{} cannot be built", self.dir.display()))
    }
}

fn manifest(text: &str, language: Language) -> anyhow::Result<Value> {
    match language {
        Language::Python => {
            let table: Value = toml::from_str(text)?;
            table.get("project").cloned().context("it has no table [project]")
        }
        Language::JavaScript => Ok(serde_json::from_str(text)?),
    }
}
