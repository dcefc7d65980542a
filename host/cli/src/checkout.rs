//! Where the source of this program is: the demo and new plugins need parts of it.

use std::path::{Path, PathBuf};

/// The checkout that this program was built from, if it is still there.
pub(crate) fn built_from() -> Option<PathBuf> {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = crate_dir.parent()?.parent()?;
    is_checkout(root).then(|| root.to_path_buf())
}

/// The checkout around a directory, else the one that this program was built from.
pub(crate) fn around(dir: &Path) -> Option<PathBuf> {
    dir.ancestors().find(|dir| is_checkout(dir)).map(Path::to_path_buf).or_else(built_from)
}

fn is_checkout(dir: &Path) -> bool {
    dir.join("guest-sdk/Cargo.toml").is_file() && dir.join("wit").is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkout_is_found_from_within_and_from_anywhere_else() {
        let root = built_from().unwrap();
        assert_eq!(around(&root.join("host/cli/src")), Some(root.clone()));
        assert_eq!(around(Path::new("/")), Some(root));
    }
}
