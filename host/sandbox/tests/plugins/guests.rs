//! Builds the guests of `tests/guests` once, with the cargo that runs the tests, as `carousel plugin build` does.

#[path = "../../../cli/src/plugin/release.rs"]
mod release;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The guests, by the names of their files.
pub(crate) const GUESTS: [&str; 4] = ["good", "misbehaving", "scripted", "slow"];

/// The compiled component of a guest.
pub(crate) fn component(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(build).join(format!("guest_{name}.wasm"))
}

fn build() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["build", "--release", "--target", "wasm32-wasip2", "--target-dir"]).arg(&target);
    for name in GUESTS {
        cargo.args(["-p", &format!("guest-{name}")]);
    }
    cargo.envs(release::ENVIRONMENT.iter().copied());
    // What is set for the host's own code (coverage, a linker) does not fit the guests.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    add_target();
    assert!(cargo.status().expect("cargo runs").success(), "the guests do not build; see above");
    target.join("wasm32-wasip2/release")
}

/// Adds the compilation target where rustup is there and the target is not; a toolchain without rustup may have it anyway.
fn add_target() {
    let listed = Command::new("rustup").args(["target", "list", "--installed"]).output();
    let Ok(listed) = listed else { return };
    if String::from_utf8_lossy(&listed.stdout).lines().any(|target| target == "wasm32-wasip2") {
        return;
    }
    let added = Command::new("rustup").args(["target", "add", "wasm32-wasip2"]).status().expect("rustup runs");
    assert!(added.success(), "the target wasm32-wasip2 is missing and `rustup target add wasm32-wasip2` failed; see above");
}
