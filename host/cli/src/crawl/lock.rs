//! Who may write a file: one process at a time.

use std::fmt;
use std::fs::{File, TryLockError};

/// Another process that writes a file.
#[derive(Debug)]
pub(crate) struct Holder {
    process: Option<u32>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.process {
            Some(process) => write!(f, "another crawl (process {process}): wait for its end, or name another file"),
            None => f.write_str("another crawl: wait for its end, or name another file"),
        }
    }
}

/// Locks a file for as long as it is open. What cannot be locked, a device or a file of some network, is taken as it is.
pub(crate) fn acquire(file: &File) -> Result<(), Holder> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) if file.metadata().is_ok_and(|metadata| metadata.is_file()) => {
            Err(Holder { process: holder(file) })
        }
        Err(error) => {
            tracing::debug!(%error, "a file cannot be locked");
            Ok(())
        }
    }
}

/// The process that holds the lock, where the system tells it.
#[cfg(target_os = "linux")]
fn holder(file: &File) -> Option<u32> {
    use std::os::linux::fs::MetadataExt as _;
    let inode = file.metadata().ok()?.st_ino().to_string();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|lock| {
        let mut words = lock.split_whitespace();
        let is_lock = words.nth(1)? == "FLOCK";
        let process = words.nth(2)?.parse().ok()?;
        (is_lock && words.next()?.rsplit(':').next()? == inode).then_some(process)
    })
}

#[cfg(not(target_os = "linux"))]
fn holder(_file: &File) -> Option<u32> {
    None
}
