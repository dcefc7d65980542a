//! Compiled plugins on disk. A compiled plugin is native code that is trusted, so it is read only from a folder that belongs to
//! this user and that nobody else can open; any doubt is a miss, and the plugin is compiled again.

use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// The folder of compiled plugins, or none.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// Opens the folder that the settings name; without one, `carousel` in the user's cache directory. An empty path, or a folder
    /// that others could write to, means no cache.
    pub(crate) fn open(setting: Option<&Path>) -> Self {
        let folder = match setting {
            Some(path) if path.as_os_str().is_empty() => None,
            Some(path) => Some(path.to_owned()),
            None => dirs::cache_dir().map(|caches| caches.join("carousel")),
        };
        let folder = folder.filter(|folder| match prepare(folder) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!("compiled plugins are not kept in \"{}\": {error}", folder.display());
                false
            }
        });
        Self { folder }
    }

    /// The component of these bytes, from the cache or compiled now. The error is the compiler's.
    pub(crate) fn component(&self, engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Component> {
        let Some(folder) = &self.folder else { return Component::from_binary(engine, wasm) };
        let path = folder.join(file_name(engine, wasm));
        if let Some(component) = read(engine, &path) {
            return Ok(component);
        }
        let component = Component::from_binary(engine, wasm)?;
        if let Err(error) = write(&component, &path) {
            tracing::warn!("the compiled plugin is not kept in \"{}\": {error:#}", path.display());
        }
        Ok(component)
    }
}

#[expect(unsafe_code, reason = "wasmtime cannot verify native code; see the comment on safety")]
fn read(engine: &Engine, path: &Path) -> Option<Component> {
    if !is_ours(path) {
        return None;
    }
    // SAFETY: the file is code that wasmtime made: it lies in a folder that belongs to this user and that only this user can open
    // (`prepare`), and the file itself belongs to this user (`is_ours`), so whoever could tamper with it could as well run code
    // as this user. It is complete, because it got its name when it was (`write`), and is never changed under that name. Its name
    // holds the hash of the plugin and of the engine, and wasmtime refuses files of other engines.
    match unsafe { Component::deserialize_file(engine, path) } {
        Ok(component) => Some(component),
        Err(error) => {
            tracing::debug!("the compiled plugin \"{}\" is not usable: {error:#}", path.display());
            None
        }
    }
}

/// Writes under another name first, so that nobody ever reads half a file.
fn write(component: &Component, path: &Path) -> wasmtime::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let temporary = path.with_extension(format!("{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, Relaxed)));
    std::fs::write(&temporary, component.serialize()?)?;
    let renamed = std::fs::rename(&temporary, path);
    if renamed.is_err() {
        std::fs::remove_file(&temporary)?;
    }
    Ok(renamed?)
}

/// The hash of the plugin and of everything in the engine that decides whether its code fits.
fn file_name(engine: &Engine, wasm: &[u8]) -> String {
    let mut compatibility = Sha(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut compatibility);
    format!("{}-{}.cwasm", hex(&Sha256::digest(wasm)), hex(compatibility.0.finalize().get(..8).unwrap_or_default()))
}

/// Feeds what is hashed into SHA-256, which is the same in every build of this program.
struct Sha(Sha256);

impl Hasher for Sha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not used: the digest is longer than 64 bits.
    fn finish(&self) -> u64 {
        0
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes the folder where it is missing, for this user alone, and checks the one that is there.
#[cfg(unix)]
fn prepare(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let found = std::fs::symlink_metadata(folder)?;
    let why = if !found.is_dir() {
        "it is not a directory"
    } else if found.uid() != user() {
        "it belongs to another user"
    } else if found.mode() & 0o077 != 0 {
        "others may open it; remove it or set its mode to 700"
    } else {
        return Ok(());
    };
    Err(io::Error::other(why))
}

/// Without owners and modes there is no telling whose code it is.
#[cfg(not(unix))]
fn prepare(_folder: &Path) -> io::Result<()> {
    Err(io::Error::other("this system does not say who else may write there"))
}

#[cfg(unix)]
fn is_ours(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::symlink_metadata(file).is_ok_and(|found| found.is_file() && found.uid() == user())
}

#[cfg(not(unix))]
fn is_ours(_file: &Path) -> bool {
    false
}

#[cfg(unix)]
fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}
