//! `carousel plugin new`: a small project that builds, with a test, in the language that its author knows.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};

use super::script::{self, Language};
use crate::args::{Lang, NewPlugin};
use crate::checkout;
use crate::logging::Screen;
use crate::text_file;

/// The files of a new project; `{name}` and `{sdk}` are filled in.
type Files = &'static [(&'static str, &'static str)];

const RUST: Files = &[
    ("Cargo.toml", include_str!("../../templates/rust/Cargo.toml.txt")),
    ("src/lib.rs", include_str!("../../templates/rust/lib.rs.txt")),
    ("README.md", include_str!("../../templates/rust/README.md.txt")),
    (".gitignore", "target/\nplugins-built/\n"),
];

const PYTHON: Files = &[
    ("pyproject.toml", include_str!("../../templates/python/pyproject.toml.txt")),
    ("plugin.py", include_str!("../../templates/python/plugin.py.txt")),
    ("test_plugin.py", include_str!("../../templates/python/test_plugin.py.txt")),
    ("README.md", include_str!("../../templates/python/README.md.txt")),
    (".gitignore", "__pycache__/\nplugins-built/\n"),
];

const JAVASCRIPT: Files = &[
    ("package.json", include_str!("../../templates/js/package.json.txt")),
    ("plugin.js", include_str!("../../templates/js/plugin.js.txt")),
    ("plugin.test.js", include_str!("../../templates/js/plugin.test.js.txt")),
    ("README.md", include_str!("../../templates/js/README.md.txt")),
    (".gitignore", "node_modules/\nplugins-built/\n"),
];

/// Makes the project.
pub(crate) fn new(args: &NewPlugin, screen: &Screen) -> anyhow::Result<ExitCode> {
    let name = name(&args.path)?;
    let (files, test): (Vec<_>, _) = match args.lang {
        Lang::Rust => (filled(RUST, name, &sdk(args.sdk.as_deref())?), "cargo test"),
        Lang::Python => (with_sdk(PYTHON, name, Language::Python), "python3 -m unittest"),
        Lang::Js => (with_sdk(JAVASCRIPT, name, Language::JavaScript), "node --test"),
    };
    make(&args.path, &files)?;
    let path = args.path.display();
    screen.say(format!("made the plugin {name} in {path}; next: cd {path}, {test}, carousel plugin build"));
    Ok(ExitCode::SUCCESS)
}

fn filled(files: Files, name: &str, sdk: &Path) -> Vec<(&'static str, String)> {
    // Text in quotes of JSON is text in quotes of TOML.
    let sdk = serde_json::Value::from(sdk.to_string_lossy()).to_string();
    files.iter().map(|(file, text)| (*file, text.replace("{name}", name).replace("{sdk}", &sdk))).collect()
}

/// The SDK of a script language is part of the project.
fn with_sdk(files: Files, name: &str, language: Language) -> Vec<(&'static str, String)> {
    let sdk = script::sdk_files(language).iter().map(|(file, text)| (*file, (*text).to_owned()));
    files.iter().map(|(file, text)| (*file, text.replace("{name}", name))).chain(sdk).collect()
}

/// A crate and a file are named after the plugin, and the sample site is a host of this name.
fn name(path: &Path) -> anyhow::Result<&str> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_good = name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-') && name.chars().all(allowed);
    if !is_good {
        bail!("\"{name}\" cannot name a plugin: use lower-case letters, digits and -, a letter first");
    }
    Ok(name)
}

/// The SDK is used as source: it is not in a registry.
fn sdk(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let found = match given {
        Some(dir) => dir.to_path_buf(),
        None => {
            let here = std::env::current_dir().context("cannot tell the current directory")?;
            let checkout = checkout::around(&here);
            checkout.map(|dir| dir.join("guest-sdk")).ok_or_else(|| {
                anyhow!(
                    "cannot find the guest SDK: the checkout that this program was built from is gone; name it with --sdk DIR"
                )
            })?
        }
    };
    let manifest = found.join("Cargo.toml");
    let text = text_file::read(&manifest, "").with_context(|| format!("no guest SDK in {}", found.display()))?;
    if !text.contains("name = \"carousel-guest\"") {
        bail!("no guest SDK in {}: its Cargo.toml names another package", found.display());
    }
    found.canonicalize().with_context(|| format!("cannot find {}", found.display()))
}

fn make(dir: &Path, files: &[(&str, String)]) -> anyhow::Result<()> {
    if dir.exists() {
        bail!("{} exists already", dir.display());
    }
    for (file, text) in files {
        let file = dir.join(file);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).with_context(|| format!("cannot make the directory {}", parent.display()))?;
        }
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_crates_files_and_hosts_can_have() {
        for (path, expected) in [
            ("my-shop", Some("my-shop")),
            ("plugins/shop2/", Some("shop2")),
            ("Shop", None),
            ("2shop", None),
            ("my shop", None),
            ("shop-", None),
            ("..", None),
            ("", None),
        ] {
            assert_eq!(name(Path::new(path)).ok(), expected, "{path}");
        }
    }

    #[test]
    fn a_new_project_is_complete_and_never_overwrites() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("my-shop");
        let sdk = dir.path().join("s\"dk");
        let files = filled(RUST, "my-shop", &sdk);
        make(&project, &files).unwrap();
        let manifest: toml::Table = std::fs::read_to_string(project.join("Cargo.toml")).unwrap().parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some("my-shop"));
        assert_eq!(manifest["dependencies"]["carousel-guest"]["path"].as_str(), sdk.to_str());
        let code = std::fs::read_to_string(project.join("src/lib.rs")).unwrap();
        assert!(code.contains("include = [\"my-shop.example\"]") && !code.contains("{name}"));
        assert!(make(&project, &files).is_err());
    }

    #[test]
    fn a_script_project_brings_its_sdk() {
        for (files, main, sdk) in [
            (with_sdk(PYTHON, "my-shop", Language::Python), "plugin.py", "carousel_guest/testing.py"),
            (with_sdk(JAVASCRIPT, "my-shop", Language::JavaScript), "plugin.js", "carousel-guest/testing.js"),
        ] {
            let text = |name: &str| files.iter().find(|(file, _)| *file == name).map(|(_, text)| text.as_str());
            assert!(text(main).is_some_and(|text| text.contains("my-shop.example") && !text.contains("{name}")), "{main}");
            assert!(text(sdk).is_some(), "{sdk}");
        }
    }

    #[test]
    fn an_sdk_that_is_none_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(sdk(Some(dir.path())).is_err());
        std::fs::write(dir.path().join("Cargo.toml"), "[package]\nname = \"other\"\n").unwrap();
        assert!(sdk(Some(dir.path())).unwrap_err().to_string().contains("another package"));
    }
}
