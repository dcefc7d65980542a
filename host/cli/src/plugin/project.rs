//! What stands in a directory: a plugin project in one of the languages.

use std::path::{Path, PathBuf};

use anyhow::bail;

use super::cargo;
use super::script::{self, Language};
use crate::checkout;

/// A plugin project.
pub(crate) enum Project {
    /// A crate.
    Rust(cargo::Project),
    /// A script with the interpreter of its language.
    Script(script::Project),
}

/// Finds the project in a directory. A name without one that is a plugin of the checkout (`declarative`) is that plugin.
pub(crate) fn find(path: &Path) -> anyhow::Result<Project> {
    let dir = of_checkout(path).unwrap_or_else(|| path.to_path_buf());
    if dir.join("Cargo.toml").is_file() {
        return cargo::project(&dir).map(Project::Rust);
    }
    for language in Language::ALL {
        if dir.join(language.source()).is_file() {
            return script::Project::read(&dir, language).map(Project::Script);
        }
    }
    bail!("no plugin project in {}: no Cargo.toml, plugin.py or plugin.js", path.display())
}

fn of_checkout(path: &Path) -> Option<PathBuf> {
    if path.exists() || path.components().count() != 1 {
        return None;
    }
    let here = std::env::current_dir().ok()?;
    let dir = checkout::around(&here)?.join("plugins").join(path);
    dir.is_dir().then_some(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_known_by_its_main_file() {
        let dir = tempfile::tempdir().unwrap();
        for (file, manifest, text) in [
            ("plugin.py", "pyproject.toml", "[project]\nname = \"shop\"\nversion = \"1.2\"\n"),
            ("plugin.js", "package.json", "{\"name\": \"shop\", \"version\": \"1.2\"}"),
        ] {
            let project = dir.path().join(file);
            std::fs::create_dir(&project).unwrap();
            assert!(find(&project).is_err(), "{file}");
            std::fs::write(project.join(file), "").unwrap();
            assert!(find(&project).is_err(), "{file} without {manifest}");
            std::fs::write(project.join(manifest), text).unwrap();
            let Project::Script(found) = find(&project).unwrap() else { panic!("{file}") };
            assert_eq!((found.name.as_str(), found.version.as_str()), ("shop", "1.2"));
        }
    }

    #[test]
    fn a_plugin_of_the_checkout_is_found_by_name_and_what_is_nothing_is_told() {
        assert!(matches!(find(Path::new("declarative")), Ok(Project::Rust(project)) if project.package == "declarative"));
        let message = find(Path::new("no-such-thing")).err().unwrap().to_string();
        assert!(message.contains("no Cargo.toml, plugin.py or plugin.js"), "{message}");
    }
}
