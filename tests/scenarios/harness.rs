//! Runs the real binary, and what the scenarios need around it.

pub(crate) mod api;
pub(crate) mod crawl;
pub(crate) mod gate;
pub(crate) mod guests;
pub(crate) mod plugins;
pub(crate) mod process;
pub(crate) mod python;
pub(crate) mod reply;
pub(crate) mod simulator;
#[path = "../skipped.rs"]
pub(crate) mod skipped;
pub(crate) mod tool;

use std::path::{Path, PathBuf};

/// The folder of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The binary under test.
pub(crate) fn carousel() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_carousel"))
}

/// A folder below the target folder, for what is worth keeping from one run of the tests to the next.
pub(crate) fn kept(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes a file into a folder; `name` may name folders on the way.
pub(crate) fn write_file(dir: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}
