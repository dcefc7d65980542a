//! Removes compiled plugins that nobody has used for long, so that the folder does not grow over the years.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Days without use after which code for this engine is removed.
const KEEP_OURS: Duration = DAY.saturating_mul(60);

/// The same for code of other engines: a version of this program that is installed beside this one, or an old one.
const KEEP_OTHERS: Duration = DAY.saturating_mul(14);

/// The same for files that somebody was about to write.
const KEEP_UNFINISHED: Duration = DAY;

/// Looks at each file once. `engine` is what the names of this engine's files hold.
pub(super) fn sweep(folder: &Path, engine: &str, now: SystemTime) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Some(keep) = entry.file_name().to_str().and_then(|name| keep(name, engine)) else { continue };
        let modified = entry.metadata()?.modified()?;
        if now.duration_since(modified).is_ok_and(|age| age > keep) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// How long a file of this name is kept without use; none: it is not ours.
fn keep(name: &str, engine: &str) -> Option<Duration> {
    let (stem, extension) = name.rsplit_once('.')?;
    match extension {
        "tmp" => Some(KEEP_UNFINISHED),
        "cwasm" | "json" if stem.ends_with(&format!("-{engine}")) => Some(KEEP_OURS),
        "cwasm" | "json" => Some(KEEP_OTHERS),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_not_used_for_long_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        for (name, days) in [
            ("a-ours.cwasm", 59),
            ("a-ours.json", 59),
            ("b-ours.cwasm", 61),
            ("b-ours.json", 61),
            ("c-other.cwasm", 13),
            ("d-other.cwasm", 15),
            ("e-ours.cwasm.12-0.tmp", 2),
            ("f-ours.cwasm.12-1.tmp", 0),
            ("README", 1_000),
        ] {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(now - DAY * days).unwrap();
        }
        sweep(folder.path(), "ours", now).unwrap();
        let mut left: Vec<String> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, ["README", "a-ours.cwasm", "a-ours.json", "c-other.cwasm", "f-ours.cwasm.12-1.tmp"]);
    }
}
