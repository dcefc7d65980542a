//! A folder for this user alone: what lies in it is read only if nobody else can have written it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

/// How old the time of last use may get before it is written anew.
const TOUCH_AFTER: Duration = Duration::from_secs(24 * 3600);

/// A folder that was checked when it was opened.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder where it is missing, for this user alone, and checks the one that is there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        make(path)?;
        let folder = Self(path.to_owned());
        folder.check()?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes under another name first, so that nobody ever reads half a file. What is mapped or read under the same name stays as
    /// it was for whoever does so.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let temporary = self.0.join(format!("{name}.{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, Relaxed)));
        let renamed = create(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, self.0.join(name)));
        if renamed.is_err() {
            // It may not be there at all.
            let _ = std::fs::remove_file(&temporary);
        }
        renamed
    }
}

/// Notes that a file was used.
pub(super) fn touch(file: &File) {
    let now = SystemTime::now();
    let modified = file.metadata().and_then(|found| found.modified());
    if modified.is_ok_and(|then| now.duration_since(then).is_ok_and(|age| age > TOUCH_AFTER)) {
        // If it cannot be noted, the plugin is compiled again one day.
        let _ = file.set_modified(now);
    }
}

#[cfg(unix)]
mod unix {
    use super::Folder;
    use std::fs::{DirBuilder, File, Metadata, OpenOptions};
    use std::io::{self, Write};
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
    use std::path::Path;

    pub(super) fn make(path: &Path) -> io::Result<()> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    pub(super) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
    }

    impl Folder {
        /// Fails where somebody else may have written what is in the folder.
        pub(in super::super) fn check(&self) -> io::Result<()> {
            let found = std::fs::symlink_metadata(self.path())?;
            if !found.is_dir() {
                return Err(io::Error::other("it is not a directory"));
            }
            check_owner(&found)?;
            match found.mode() & 0o077 {
                0 => Ok(()),
                _ => Err(io::Error::other("others may open it; remove it or set its mode to 700")),
            }
        }

        /// Opens a file that nobody else can have written.
        pub(in super::super) fn file(&self, name: &str) -> io::Result<File> {
            let path = self.path().join(name);
            if !std::fs::symlink_metadata(&path)?.is_file() {
                return Err(io::Error::other("it is not a file but a link or something else"));
            }
            let file = File::open(&path)?;
            let found = file.metadata()?;
            check_owner(&found)?;
            match found.mode() & 0o022 {
                0 => Ok(file),
                _ => Err(io::Error::other("others may write to it")),
            }
        }
    }

    fn check_owner(found: &Metadata) -> io::Result<()> {
        match found.uid() == rustix::process::geteuid().as_raw() {
            true => Ok(()),
            false => Err(io::Error::other("it belongs to another user")),
        }
    }
}

/// Without owners and modes there is no telling whose code it is, so nothing is kept.
#[cfg(not(unix))]
mod elsewhere {
    use super::Folder;
    use std::fs::File;
    use std::io;
    use std::path::Path;

    const WHY: &str = "this system does not say who else may write there";

    pub(super) fn make(_path: &Path) -> io::Result<()> {
        Err(io::Error::other(WHY))
    }

    pub(super) fn create(_path: &Path, _bytes: &[u8]) -> io::Result<()> {
        Err(io::Error::other(WHY))
    }

    impl Folder {
        pub(in super::super) fn check(&self) -> io::Result<()> {
            Err(io::Error::other(WHY))
        }

        pub(in super::super) fn file(&self, _name: &str) -> io::Result<File> {
            Err(io::Error::other(WHY))
        }
    }
}

#[cfg(not(unix))]
use elsewhere::{create, make};
#[cfg(unix)]
use unix::{create, make};
