//! What a machine can judge of the house: who imports whom, under which licences, and whether the doors are where the README says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::{root, skipped};

/// Which rooms a room may import. `core ← engine ← {sandbox, zyte, gateway, simulator} ← cli`; those in braces do not know each
/// other; the sandbox also uses document.
const DIRECTIONS: [(&str, &[&str]); 7] = [
    ("carousel-core", &[]),
    ("carousel-document", &["carousel-core"]),
    ("carousel-engine", &["carousel-core"]),
    ("carousel-sandbox", &["carousel-core", "carousel-engine", "carousel-document"]),
    ("carousel-zyte", &["carousel-core", "carousel-engine"]),
    ("carousel-simulator", &["carousel-core", "carousel-engine"]),
    ("carousel-cli", &["carousel-core", "carousel-engine", "carousel-sandbox", "carousel-zyte", "carousel-simulator"]),
];

/// Crates that live in some rooms and nowhere else.
const ONLY_IN: [(&str, &[&str]); 6] = [
    ("wasmtime", &["carousel-sandbox"]),
    ("wasmtime-wasi", &["carousel-sandbox"]),
    ("reqwest", &["carousel-zyte"]),
    ("rustls", &["carousel-zyte"]),
    ("html5ever", &["carousel-document"]),
    ("html5gum", &["carousel-document"]),
];

/// What `core` must not know: clocks, sockets, runtimes.
const NOT_IN_CORE: [&str; 5] = ["tokio", "wasmtime", "reqwest", "getrandom", "tracing"];

/// Licences that a dependency may be used under.
const LICENCES: [&str; 13] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "MPL-2.0",
    "Unicode-3.0",
    "0BSD",
    "Unlicense",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
];

/// What cargo knows without asking anybody; an error where it has not downloaded all that this is about.
fn metadata(arguments: &[&str]) -> Result<Value, String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline"])
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")),
        false => Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// The platform of this machine as cargo calls it.
fn platform() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let text = String::from_utf8(output.stdout).expect("rustc says text");
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host").to_owned()
}

/// Per package of the workspace, what it depends on when it is built (development dependencies left out).
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata(&["--no-deps"]).unwrap();
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let of = |package: &Value| {
        let all = package["dependencies"].as_array().expect("dependencies");
        all.iter().filter(|dependency| dependency["kind"] != "dev").map(name).collect()
    };
    packages.iter().map(|package| (name(package), of(package))).collect()
}

#[test]
fn rooms_import_in_one_direction() {
    let dependencies = dependencies();
    for (room, allowed) in DIRECTIONS {
        let imported = dependencies.get(room).unwrap_or_else(|| panic!("there is no room {room}"));
        for name in imported.iter().filter(|name| name.starts_with("carousel-")) {
            assert!(allowed.contains(&name.as_str()), "{room} must not import {name}");
        }
    }
    let rooms: BTreeSet<&str> = DIRECTIONS.iter().map(|(room, _)| *room).collect();
    for name in std::fs::read_dir(root().join("host")).expect("the host folder").map(|entry| entry.expect("an entry").file_name())
    {
        let room = format!("carousel-{}", name.to_string_lossy());
        assert!(rooms.contains(room.as_str()), "{room} has no direction yet: say in tests/scenarios/tidy.rs what it may import");
    }
}

#[test]
fn each_engine_underneath_lives_in_one_room() {
    let dependencies = dependencies();
    for (engine, rooms) in ONLY_IN {
        for (package, imported) in dependencies.iter().filter(|(package, _)| package.starts_with("carousel-")) {
            assert!(!imported.contains(engine) || rooms.contains(&package.as_str()), "{package} must not import {engine}");
        }
    }
    for forbidden in NOT_IN_CORE {
        assert!(!dependencies["carousel-core"].contains(forbidden), "carousel-core must not know {forbidden}");
    }
}

#[test]
fn guests_share_no_rust_code_with_the_host() {
    let guests = guests();
    assert!(guests.contains("market") && guests.contains("guest-good"), "{guests:?}");
    for (package, imported) in dependencies() {
        let is_guest = guests.contains(&package);
        for name in imported.iter().filter(|name| name.starts_with("carousel-")) {
            assert!(!is_guest || name.starts_with("carousel-guest"), "{package} must not import {name}");
            assert!(is_guest || !name.starts_with("carousel-guest"), "{package} must not import {name}");
        }
    }
}

/// The packages that become components, told by where they live.
fn guests() -> BTreeSet<String> {
    let metadata = metadata(&["--no-deps"]).unwrap();
    let packages = metadata["packages"].as_array().expect("packages");
    let top = Path::new(metadata["workspace_root"].as_str().expect("a root"));
    let lives_in = |package: &Value, folder: &str| {
        Path::new(package["manifest_path"].as_str().expect("a manifest")).starts_with(top.join(folder))
    };
    let is_guest = |package: &&Value| ["guest-sdk", "plugins", "tests/guests"].iter().any(|folder| lives_in(package, folder));
    packages.iter().filter(is_guest).map(|package| package["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn every_dependency_has_a_licence_that_is_allowed() {
    // Whoever only ran the tests has the packages of one platform; the checks of the main branch fetch all.
    let metadata = metadata(&["--locked"]).or_else(|_| metadata(&["--locked", "--filter-platform", &platform()])).unwrap();
    for package in metadata["packages"].as_array().expect("packages") {
        let expression = package["license"].as_str().unwrap_or_default();
        assert!(is_allowed(expression), "{} {} has the licence {expression:?}", package["name"], package["version"]);
    }
}

/// Understands the expressions that crates really have: alternatives of conjunctions of names, some in brackets.
fn is_allowed(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    let conjunction = |part: &str| part.split(" AND ").all(|name| LICENCES.contains(&name.trim()));
    if expression.contains('(') {
        // "(A OR B) AND C": every name in it must be allowed, or one of each bracket; demand at least one of every conjunct.
        return plain.split(" AND ").all(|part| part.split(" OR ").any(|name| LICENCES.contains(&name.trim())));
    }
    plain.split(" OR ").any(conjunction)
}

#[test]
fn licence_expressions_are_read_right() {
    for (expression, allowed) in [
        ("MIT OR Apache-2.0", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0", false),
        ("Apache-2.0 AND ISC", true),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression), allowed, "{expression}");
    }
}

#[test]
fn the_top_level_is_as_the_readme_says() {
    let fixed = ["Cargo.toml", "README.md", "guest-sdk", "host", "plugins", "tests", "wit"];
    let beside = ["Cargo.lock", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "deny.toml", "rustfmt.toml", "target"];
    let entries = std::fs::read_dir(root()).expect("the checkout").map(|entry| entry.expect("an entry").file_name());
    for name in entries.map(|name| name.to_string_lossy().into_owned()).filter(|name| !name.starts_with('.')) {
        assert!(fixed.contains(&name.as_str()) || beside.contains(&name.as_str()), "{name} has no place at the top level");
    }
    for name in fixed {
        assert!(root().join(name).exists(), "{name} is missing");
    }
}

/// `tests/PARITY.md` names a test for each row of the peer's features; each must be there.
#[test]
fn every_test_that_the_parity_table_names_exists() {
    let table = std::fs::read_to_string(root().join("tests/PARITY.md")).expect("the table");
    let sources: String = rust_files(root()).iter().map(|path| std::fs::read_to_string(path).expect("a source file")).collect();
    let mut named = 0;
    for tests in table.lines().filter_map(|line| line.split('|').nth(3)) {
        for test in tests.split('`').skip(1).step_by(2).filter(|word| !word.contains('/')) {
            assert!(sources.contains(&format!("fn {test}(")), "tests/PARITY.md names the test {test}, which does not exist");
            named += 1;
        }
    }
    assert!(named > 60, "only {named} tests are named");
}

#[test]
fn every_room_says_in_its_first_line_what_it_is_for() {
    for path in rust_files(root()) {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//!") || is_test(&path), "{} begins with {first:?}", path.display());
    }
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests") || path.file_name().is_some_and(|name| name == "tests.rs")
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Comparisons with real clients and libraries are what parity rests on; the main branch is not checked without them.
#[test]
fn nothing_is_skipped_where_the_main_branch_is_checked() {
    assert_eq!(skipped::told(false, "no network"), Ok("SKIPPED: no network".to_owned()));
    assert!(skipped::told(true, "no network").unwrap_err().contains("no network"));
    let script = std::fs::read_to_string(root().join(".ci/run")).expect("the checks of the main branch");
    assert!(script.contains(&format!("export {}=1", skipped::REQUIRED)));
    for path in rust_files(root()) {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let says_so_itself = text.contains(concat!("println!(\"SKIP", "PED"));
        assert!(!says_so_itself, "{} skips a test on its own: call skipped::skipped of tests/skipped.rs", path.display());
    }
}
