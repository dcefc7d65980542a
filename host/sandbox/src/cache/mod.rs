//! Compiled plugins on disk. A compiled plugin is native code that is trusted, so it is read only from a folder that belongs to
//! this user and that nobody else can open; any doubt is a miss, and the plugin is compiled again.

mod folder;
mod key;
mod note;
mod sweep;

use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::description::Description;
use folder::Folder;
pub(crate) use key::Key;
use note::Note;

/// The folder of compiled plugins, or none.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: Option<Folder>,
}

/// A plugin as it was kept.
pub(crate) struct Kept {
    pub(crate) component: Component,
    pub(crate) description: Description,
}

impl Cache {
    /// Opens the folder that the settings name; without one, `carousel` in the user's cache directory. An empty path, or a folder
    /// that others could write to, means no cache.
    pub(crate) fn open(setting: Option<&Path>) -> Self {
        let path = match setting {
            Some(path) if path.as_os_str().is_empty() => None,
            Some(path) => Some(path.to_owned()),
            None => dirs::cache_dir().map(|caches| caches.join("carousel")),
        };
        let folder = path.and_then(|path| match Folder::open(&path) {
            Ok(folder) => Some(folder),
            Err(error) => {
                tracing::warn!("compiled plugins are not kept in \"{}\": {error}", path.display());
                None
            }
        });
        Self { folder }
    }

    /// The plugin of this content, if it was compiled before for an engine like this one.
    pub(crate) fn find(&self, engine: &Engine, key: &Key) -> Option<Kept> {
        let folder = self.folder.as_ref()?;
        let code = key.code_file(engine);
        let kept = read(folder, engine, &code, &key.note_file(engine));
        kept.inspect_err(|error| {
            if error.kind() != std::io::ErrorKind::NotFound {
                tracing::warn!("the compiled plugin \"{code}\" is not used but made again: {error}");
            }
        })
        .ok()
    }

    /// Keeps code that was compiled for an engine like this one; what is kept of the same plugin is replaced. Returns whether it
    /// can be found from now on.
    pub(crate) fn keep(&self, engine: &Engine, key: &Key, code: &[u8], description: &Description) -> bool {
        let Some(folder) = &self.folder else { return false };
        let note = Note::new(code, description);
        // The note comes last, so code without one is never looked at.
        let kept = folder
            .write(&key.code_file(engine), code)
            .and_then(|()| folder.write(&key.note_file(engine), note.to_json().as_bytes()));
        if let Err(error) = &kept {
            tracing::warn!("a compiled plugin is not kept in \"{}\": {error}", folder.path().display());
        }
        kept.is_ok()
    }

    /// Removes what nobody has used for long.
    pub(crate) fn sweep(&self, engine: &Engine) {
        if let Some(folder) = &self.folder
            && let Err(error) = sweep::sweep(folder.path(), &Key::engine(engine), std::time::SystemTime::now())
        {
            tracing::debug!("old compiled plugins in \"{}\" stay: {error}", folder.path().display());
        }
    }
}

fn read(folder: &Folder, engine: &Engine, code: &str, note: &str) -> std::io::Result<Kept> {
    folder.check()?;
    let note = folder.file(note)?;
    folder::touch(&note);
    let note = Note::read(note)?;
    let mut file = folder.file(code)?;
    note.check(&mut file)?;
    folder::touch(&file);
    let component = map(engine, &folder.path().join(code))?;
    Ok(Kept { component, description: note.description })
}

#[expect(unsafe_code, reason = "wasmtime cannot verify native code; see the comment on safety")]
fn map(engine: &Engine, path: &PathBuf) -> std::io::Result<Component> {
    // SAFETY: the file is code that wasmtime made: it lies in a folder that belongs to this user and that only this user can open
    // (`Folder::check`), and the file itself belongs to this user and nobody else may write to it (`Folder::file`), so whoever
    // could tamper with it could as well run code as this user. It is whole (`Note::check`), it got its name when it was complete
    // and is never changed under that name (`Folder::write`). Its name holds the hash of the plugin and of the engine, and
    // wasmtime refuses files of other engines.
    unsafe { Component::deserialize_file(engine, path) }.map_err(|error| std::io::Error::other(format!("{error:#}")))
}
