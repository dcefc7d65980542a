//! Runs the real binary, and what the scenarios need around it.

use std::path::{Path, PathBuf};

/// The folder of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The binary under test.
#[allow(dead_code, reason = "used from the scenarios on")]
pub(crate) fn carousel() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_carousel"))
}
