//! The README's plugin chapter, taken at its word: its projects are built, its tables are loaded.

use std::path::Path;
use std::process::Command;

use crate::harness::crawl::Crawl;
use crate::harness::plugins::{built, or_skip};
use crate::harness::process::command;
use crate::harness::skipped::skipped;
use crate::harness::{carousel, kept, root};
use crate::plugins::PATIENT;

/// A code block: the words behind its fence, and its text.
struct Block {
    words: Vec<String>,
    text: String,
}

fn blocks() -> Vec<Block> {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let fenced = readme.split("\n```").skip(1).step_by(2);
    fenced
        .map(|block| {
            let (words, text) = block.split_once('\n').unwrap_or((block, ""));
            Block { words: words.split_whitespace().map(str::to_owned).collect(), text: format!("{text}\n") }
        })
        .collect()
}

/// The blocks of a language that are files: `rust src/lib.rs`.
fn files(language: &str) -> Vec<Block> {
    blocks().into_iter().filter(|block| block.words.len() == 2 && block.words[0] == language).collect()
}

/// Runs a command of the README in a shell that finds the binary under test.
fn shell(dir: &Path, line: &str) -> Result<String, String> {
    let path = format!("{}:{}", carousel().parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    // The environment that processes of the binary get here.
    let clean = command(dir);
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(dir).env("PATH", path).env("PYTHONDONTWRITEBYTECODE", "1");
    for (name, value) in clean.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.env("CARGO_TARGET_DIR", kept("new-plugin")).env("CARGO_NET_OFFLINE", "true");
    let output = shell.output().unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    if output.status.success() { Ok(said) } else { Err(format!("{line}: {said}")) }
}

/// Follows the README: makes the project, writes its code into it, and runs the other commands.
fn follow(language: &str, code: &str, program: &str) {
    let commands = blocks().into_iter().find(|block| block.words == ["sh", language]).expect("the commands of the language");
    let mut lines = commands.text.lines();
    if let Err(why) = shell(root(), &format!("{program} --version")) {
        return skipped(why);
    }
    let dir = tempfile::tempdir().unwrap();
    shell(dir.path(), lines.next().unwrap()).unwrap();
    assert_eq!(lines.next(), Some("cd my-shop"));
    let project = dir.path().join("my-shop");
    let files = files(code);
    assert!(!files.is_empty(), "the README has no file in {code}");
    for file in files {
        let path = project.join(&file.words[1]);
        assert!(path.exists(), "{} is not part of a new project", file.words[1]);
        std::fs::write(path, file.text).unwrap();
    }
    for line in lines {
        let Some(said) = or_skip(shell(&project, line)) else { return };
        assert!(!line.contains("build") || said.contains("hooks: check; for shop.example"), "{said}");
    }
    assert!(dir.path().join("my-plugins/my-shop.wasm").is_file());
}

#[test]
fn the_readmes_plugin_in_rust_passes_its_test_and_is_built() {
    follow("rust", "rust", "cargo");
}

#[test]
fn the_readmes_plugin_in_python_passes_its_test_and_is_built() {
    follow("python", "python", "python3");
}

#[test]
fn the_readmes_plugin_in_javascript_passes_its_test_and_is_built() {
    follow("js", "js", "node");
}

#[test]
fn the_readmes_tables_are_taken_by_the_declarative_plugin() {
    let tables: Vec<Block> = blocks().into_iter().filter(|block| block.words == ["toml", "site"]).collect();
    assert!(tables.len() >= 4, "only {} tables", tables.len());
    for table in tables {
        let settings = format!("{PATIENT}{}", table.text);
        let crawl = Crawl::simulated().settings(&settings).component(&built("declarative"));
        crawl.run("https://elsewhere.example/\n").exits(0).process.says(&["plugin=\"declarative\""]);
    }
}

/// Every key, condition and comparison of the tables has an example.
#[test]
fn the_readme_has_an_example_of_everything_that_a_table_can_say() {
    let examples: String =
        blocks().iter().filter(|block| block.words == ["toml", "site"]).map(|block| block.text.as_str()).collect();
    let code = |file: &str| std::fs::read_to_string(root().join("plugins/declarative/src").join(file)).unwrap();
    let asked: String =
        ["config.rs", "rule.rs", "save.rs", "edit.rs", "init.rs", "outgoing.rs", "condition.rs"].map(code).concat();
    let keys = asked
        .split("table.get(\"")
        .skip(1)
        .chain(asked.split("table.items(\"").skip(1))
        .filter_map(|rest| rest.split('"').next());
    let words = ["css", "xpath", "jmespath", "regex", "pointer", "header", "cookie", "param", "meta", "equals", "one_of"]
        .into_iter()
        .chain(["contains", "matches", "at_least", "discard", "reject", "throttled", "close_pool", "close_crawl"]);
    for word in keys.chain(words) {
        let shown = examples.contains(&format!("{word} =")) || examples.contains(&format!("\"{word}\""));
        assert!(shown, "the README has no example of {word}");
    }
}
