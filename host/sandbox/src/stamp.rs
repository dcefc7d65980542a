//! What tells one state of a file from another without reading it, and what a plugin is called by its file.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a file is young.
const YOUNG: Duration = Duration::from_secs(3);

/// The state of a file. Two states that differ in content differ in this, unless somebody took pains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    /// Changes when another file is moved over this one, whatever its age.
    identity: (u64, i64, i64),
}

impl Stamp {
    /// The state of what a path leads to; none where that cannot be told.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok()?;
        Some(Self { bytes: found.len(), modified: found.modified().ok(), identity: identity(&found) })
    }

    /// Whether the file was written such a short time ago that it may be written again without getting another stamp: the times of
    /// files advance in steps, of hundredths of a second or, on some file systems, of seconds.
    pub(crate) fn is_young(&self, now: SystemTime) -> bool {
        let changed = u64::try_from(self.identity.1).ok().map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        [self.modified, changed].into_iter().flatten().any(|then| now.duration_since(then).is_ok_and(|age| age < YOUNG))
    }
}

#[cfg(unix)]
fn identity(found: &Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (found.ino(), found.ctime(), found.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_found: &Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}

/// The `.wasm` files of a directory, sorted. Hidden ones are no plugins: macOS keeps notes of its own in a `._x.wasm` beside `x.wasm`.
pub(crate) fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The name of a plugin: its file's, without `.wasm`.
pub(crate) fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
