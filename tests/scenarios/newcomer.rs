//! The newcomer's path in each language: a new project, its tests, a component, a crawl that uses it, and what it recorded tested.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::crawl::read_json;
use crate::harness::kept;
use crate::harness::plugins::or_skip;
use crate::harness::process::{Ended, Running, command};
use crate::harness::skipped::skipped;

/// Runs the binary in a folder.
fn carousel(dir: &Path, args: &[&str]) -> Ended {
    let mut command = command(dir);
    // What a project in Rust needs is there, for the workspace needs it, too.
    command.args(args).env("CARGO_TARGET_DIR", kept("new-plugin")).env("CARGO_NET_OFFLINE", "true");
    Running::start(command).end()
}

fn succeeds(dir: &Path, args: &[&str]) -> Ended {
    let ended = carousel(dir, args);
    assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.stderr);
    ended
}

/// Runs the tests that a new project has; false, after a line that says so, where the language is not there.
fn own_tests_pass(project: &Path, program: &str, args: &[&str], passed: &str) -> bool {
    let mut tests = Command::new(program);
    tests.args(args).current_dir(project).env("PYTHONDONTWRITEBYTECODE", "1");
    tests.env("CARGO_TARGET_DIR", kept("new-plugin")).env("CARGO_NET_OFFLINE", "true");
    match tests.output() {
        Err(error) => {
            skipped(format_args!("{program} cannot be run: {error}"));
            false
        }
        Ok(output) => {
            let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
            assert!(output.status.success() && said.contains(passed), "{said}");
            true
        }
    }
}

/// From nothing to a crawl.
fn check(lang: &str, files: &[&str], (program, args): (&str, &[&str]), passed: &str) {
    let dir = tempfile::tempdir().unwrap();
    let project = dir.path().join("first-shop");
    succeeds(dir.path(), &["plugin", "new", "first-shop", "--lang", lang]).says(&["made the plugin first-shop", "plugin build"]);
    for file in files {
        assert!(project.join(file).is_file(), "{file}");
    }
    if !own_tests_pass(&project, program, args, passed) {
        return;
    }
    let built = carousel(&project, &["plugin", "build"]);
    let built = if built.code == Some(0) { Ok(built) } else { Err(built.stderr) };
    let Some(built) = or_skip(built) else { return };
    built.says(&["first-shop.wasm (", " KiB): first-shop 0.1.0, hooks: check; for first-shop.example"]);

    let plugins = dir.path().join("plugins");
    std::fs::create_dir(&plugins).unwrap();
    std::fs::copy(project.join("plugins-built/first-shop.wasm"), plugins.join("first-shop.wasm")).unwrap();
    std::fs::write(dir.path().join("urls.txt"), "https://first-shop.example/p/1\nhttps://other.example/\n").unwrap();
    // A machine that is busy with other tests is not to fail a plugin.
    std::fs::write(dir.path().join("carousel.toml"), crate::plugins::PATIENT).unwrap();
    let crawl = ["crawl", "urls.txt", "--simulate", "--plugins", "plugins", "--stats", "stats.json", "--record", "fixtures"];
    succeeds(dir.path(), &crawl);
    let asked: Value = read_json(&dir.path().join("stats.json"))["sites"]["first-shop"]["hooks"]["check"].clone();
    assert_eq!((&asked["calls"], &asked["failures"], &asked["traps"]), (&2.into(), &0.into(), &0.into()), "{asked}");
    succeeds(dir.path(), &["plugin", "test", "fixtures", "--plugins", "plugins"]);
}

#[test]
fn a_newcomer_who_knows_rust_gets_from_nothing_to_a_crawl() {
    check("rust", &["Cargo.toml", "src/lib.rs", "README.md"], (env!("CARGO"), &["test"]), "1 passed");
}

#[test]
fn a_newcomer_who_knows_python_gets_from_nothing_to_a_crawl() {
    let files = ["pyproject.toml", "plugin.py", "test_plugin.py", "README.md", "carousel_guest/__init__.py"];
    check("python", &files, ("python3", &["-m", "unittest"]), "Ran 1 test");
}

#[test]
fn a_newcomer_who_knows_javascript_gets_from_nothing_to_a_crawl() {
    let files = ["package.json", "plugin.js", "plugin.test.js", "README.md", "carousel-guest/index.js"];
    check("js", &files, ("node", &["--test"]), "# pass 1");
}
