//! The plugins of `plugins/`, built once in each run of the tests.

use std::fs::File;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::process::Running;
use super::{kept, process, root};

/// Those in Rust.
const CRATES: [&str; 4] = ["club", "market", "storefront", "tickets"];

/// The component of a plugin in Rust.
pub(crate) fn built(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build).join(format!("{name}.wasm"))
}

fn build() -> PathBuf {
    let folder = kept("plugins");
    // Another process of the same tests may be building, too.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let mut command = process::command(root());
    command.args(["plugin", "build"]).args(CRATES.map(|name| root().join("plugins").join(name)));
    command.arg("--out").arg(&folder);
    let built = Running::start(command).end();
    assert_eq!(built.code, Some(0), "the plugins cannot be built:\n{}", built.stderr);
    folder
}
