//! The components of `tests/guests`, built once in each run of the tests, by the command that people build theirs with.

use std::fs::File;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::process::Running;
use super::{kept, process, root};

/// All guests.
const GUESTS: [&str; 4] = ["good", "misbehaving", "scripted", "slow"];

/// The file of a guest's component, by the name of its package.
pub(crate) fn component(package: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build).join(format!("{package}.wasm"))
}

fn build() -> PathBuf {
    let folder = kept("guests");
    // Another process of the same tests may be building, too.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let mut command = process::command(root());
    command.args(["plugin", "build"]).args(GUESTS.map(|guest| root().join("tests/guests").join(guest)));
    command.arg("--out").arg(&folder);
    let built = Running::start(command).end();
    assert_eq!(built.code, Some(0), "the guests cannot be built:\n{}", built.stderr);
    folder
}
