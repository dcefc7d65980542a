//! `carousel plugin new`: a small Rust project that builds, with a test.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};

use crate::args::NewPlugin;
use crate::checkout;
use crate::logging::Screen;

/// The files of a new project; `{name}` and `{sdk}` are filled in.
const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../../templates/plugin/Cargo.toml.txt")),
    ("src/lib.rs", include_str!("../../templates/plugin/lib.rs.txt")),
    ("README.md", include_str!("../../templates/plugin/README.md.txt")),
    (".gitignore", "target/\nplugins-built/\n"),
];

/// Makes the project.
pub(crate) fn new(args: &NewPlugin, screen: &Screen) -> anyhow::Result<ExitCode> {
    let name = name(&args.path)?;
    let sdk = sdk(args.sdk.as_deref())?;
    make(&args.path, name, &sdk)?;
    let path = args.path.display();
    screen.say(&format!("made the plugin {name} in {path}; next: cd {path}, cargo test, carousel plugin build"));
    Ok(ExitCode::SUCCESS)
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
    let text = std::fs::read_to_string(&manifest).with_context(|| format!("no guest SDK in {}", found.display()))?;
    if !text.contains("name = \"carousel-guest\"") {
        bail!("no guest SDK in {}: its Cargo.toml names another package", found.display());
    }
    found.canonicalize().with_context(|| format!("cannot find {}", found.display()))
}

fn make(dir: &Path, name: &str, sdk: &Path) -> anyhow::Result<()> {
    if dir.exists() {
        bail!("{} exists already", dir.display());
    }
    // Text in quotes of JSON is text in quotes of TOML.
    let sdk = serde_json::Value::from(sdk.to_string_lossy()).to_string();
    for (file, template) in FILES {
        let file = dir.join(file);
        let text = template.replace("{name}", name).replace("{sdk}", &sdk);
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
        make(&project, "my-shop", &sdk).unwrap();
        let manifest: toml::Table = std::fs::read_to_string(project.join("Cargo.toml")).unwrap().parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some("my-shop"));
        assert_eq!(manifest["dependencies"]["carousel-guest"]["path"].as_str(), sdk.to_str());
        let code = std::fs::read_to_string(project.join("src/lib.rs")).unwrap();
        assert!(code.contains("include = [\"my-shop.example\"]") && !code.contains("{name}"));
        assert!(make(&project, "my-shop", &sdk).is_err());
    }

    #[test]
    fn an_sdk_that_is_none_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(sdk(Some(dir.path())).is_err());
        std::fs::write(dir.path().join("Cargo.toml"), "[package]\nname = \"other\"\n").unwrap();
        assert!(sdk(Some(dir.path())).unwrap_err().to_string().contains("another package"));
    }
}
