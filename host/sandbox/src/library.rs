//! The plugin directory, file by file: what was read, what came of it, and what changed since the last look.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::cache::Key;
use crate::description::Description;
use crate::errors::{LoadError, Problem, Subject};
use crate::plugin::Plugin;
use crate::stamp::{self, Stamp};
use crate::workshop::{self, Workshop};

/// The files of a directory.
#[derive(Default)]
pub(crate) struct Library {
    directory: Option<PathBuf>,
    files: BTreeMap<PathBuf, Entry>,
    /// What plugins said of themselves whose files are gone, by the names of the files; [`FORMER`] at most.
    former: BTreeMap<String, Description>,
    is_unreadable: bool,
}

/// The plugins whose files are gone that are remembered.
const FORMER: usize = 10_000;

/// A file as it was at the last look.
#[derive(Default)]
struct Entry {
    stamp: Option<Stamp>,
    /// It was read so soon after it was written that its stamp may not tell whether it was written again.
    is_young: bool,
    /// The content that was judged last.
    key: Option<Key>,
    /// The last version that works.
    plugin: Option<Arc<Plugin>>,
    /// The one before it, until the look is settled.
    replaced: Option<Arc<Plugin>>,
    /// A newer version that works but did not go with the other plugins. It may when one of them has changed.
    held_back: Option<Arc<Plugin>>,
    /// Its content does not work but may still be growing: it is judged when it has rested.
    is_unsettled: bool,
}

/// What a look found.
#[derive(Default)]
pub(crate) struct Look {
    /// Whether plugins came, changed or went.
    pub(crate) is_news: bool,
    /// Whether another look is wanted soon, because a file may still be growing.
    pub(crate) is_unsettled: bool,
    /// What does not work, each content once.
    pub(crate) errors: Vec<LoadError>,
}

/// How a file that does not work is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// It is reported.
    None,
    /// It is reported if it is still the same at the next look.
    OneLook,
}

/// A file that was read.
struct Reading<'f> {
    path: &'f Path,
    stamp: Option<Stamp>,
    is_young: bool,
    key: Option<Key>,
    /// None: it is the content that was judged already.
    plugin: Option<Result<Arc<Plugin>, Problem>>,
}

impl Library {
    pub(crate) fn new(directory: Option<PathBuf>) -> Self {
        Self { directory, ..Self::default() }
    }

    pub(crate) fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// The plugins that work, by the names of their files.
    pub(crate) fn plugins(&self) -> BTreeMap<String, Arc<Plugin>> {
        self.files.values().filter_map(|entry| entry.plugin.clone()).map(|plugin| (plugin.file.to_string(), plugin)).collect()
    }

    /// The names of the files that are there and do not work, with what the last version said of itself that did.
    pub(crate) fn broken(&self) -> BTreeMap<String, Option<Description>> {
        let broken = self.files.iter().filter(|(_, entry)| entry.plugin.is_none()).map(|(path, _)| stamp::stem(path));
        broken.map(|file| (file.clone(), self.former.get(&file).cloned())).collect()
    }

    /// Looks at the directory. A file that is gone keeps its plugin if it `is_needed`, by the name of the file.
    pub(crate) fn look(&mut self, workshop: &Workshop, patience: Patience, is_needed: impl Fn(&str) -> bool) -> Look {
        let mut look = Look::default();
        let Some(found) = self.list(&mut look) else { return look };
        self.forget_missing(&found, &is_needed, &mut look);
        let changed: Vec<PathBuf> = found.into_iter().filter(|path| self.is_changed(path)).collect();
        for reading in self.read(workshop, &changed) {
            self.judge(reading, patience, &mut look);
        }
        if look.is_news {
            self.try_again();
        }
        look
    }

    /// Puts the versions that were held back in the place of those at work.
    fn try_again(&mut self) {
        for entry in self.files.values_mut() {
            if let Some(plugin) = entry.held_back.take() {
                entry.replaced = entry.plugin.replace(plugin);
            }
        }
    }

    /// Puts the versions back that were replaced in the last look, of the files that `is_meant`, and holds back the new ones.
    pub(crate) fn take_back(&mut self, is_meant: impl Fn(&str) -> bool) {
        for (path, entry) in &mut self.files {
            if entry.replaced.is_some() && is_meant(&stamp::stem(path)) {
                entry.held_back = std::mem::replace(&mut entry.plugin, entry.replaced.take());
            }
        }
    }

    /// Forgets the versions that were replaced: there is no way back from here.
    pub(crate) fn settle(&mut self) {
        for entry in self.files.values_mut() {
            entry.replaced = None;
        }
    }

    /// The files of the directory; none if they cannot be listed, which is said once.
    fn list(&mut self, look: &mut Look) -> Option<BTreeSet<PathBuf>> {
        let directory = self.directory.as_ref()?;
        match stamp::list(directory) {
            Ok(files) => {
                self.is_unreadable = false;
                Some(files.into_iter().collect())
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_unreadable, true) {
                    let subject = Subject::Directory(directory.clone());
                    look.errors.push(LoadError { subject, problem: Problem::Unreadable(error) });
                }
                None
            }
        }
    }

    fn forget_missing(&mut self, found: &BTreeSet<PathBuf>, is_needed: &impl Fn(&str) -> bool, look: &mut Look) {
        self.files.retain(|path, entry| {
            let is_kept = entry.plugin.is_some() && is_needed(&stamp::stem(path));
            if found.contains(path) || (is_kept && entry.stamp.is_none()) {
                return true;
            }
            if is_kept {
                tracing::warn!(
                    plugin = stamp::stem(path),
                    "the plugin's file is gone; [[site]] tables name it, so it stays at work until this program ends"
                );
                // Whatever comes in its place is new.
                (entry.stamp, entry.key, entry.held_back) = (None, None, None);
                return true;
            }
            let file = stamp::stem(path);
            look.is_news |= entry.plugin.is_some() || self.former.contains_key(&file);
            if let Some(plugin) = &entry.plugin
                && self.former.len() < FORMER
            {
                self.former.insert(file, plugin.description.clone());
            }
            false
        });
    }

    fn is_changed(&self, path: &Path) -> bool {
        match self.files.get(path) {
            Some(entry) => entry.is_unsettled || entry.is_young || entry.stamp != Stamp::of(path),
            None => true,
        }
    }

    /// Reads the files and makes plugins of them, one on each processor at a time.
    fn read<'f>(&self, workshop: &Workshop, files: &'f [PathBuf]) -> Vec<Reading<'f>> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::with_capacity(files.len()));
        let work = || {
            while let Some(file) = files.get(next.fetch_add(1, Relaxed)) {
                let reading = self.reading(workshop, file);
                done.lock().unwrap_or_else(PoisonError::into_inner).push(reading);
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(files.len());
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|reading| reading.path);
        done
    }

    fn reading<'f>(&self, workshop: &Workshop, path: &'f Path) -> Reading<'f> {
        let known = self.files.get(path);
        // Taken before the content is read, so that what is written meanwhile counts as a change.
        let stamp = Stamp::of(path);
        let is_young = stamp.is_some_and(|stamp| stamp.is_young(SystemTime::now()));
        let wasm = match workshop::read(path) {
            Ok(wasm) => wasm,
            Err(problem) => return Reading { path, stamp, is_young, key: None, plugin: Some(Err(problem)) },
        };
        let key = Key::of(&wasm);
        let is_judged = known.is_some_and(|entry| !entry.is_unsettled && entry.key.as_ref() == Some(&key));
        let plugin = (!is_judged).then(|| workshop.plugin(path, &wasm, &key));
        Reading { path, stamp, is_young, key: Some(key), plugin }
    }

    fn judge(&mut self, reading: Reading<'_>, patience: Patience, look: &mut Look) {
        let Reading { path, stamp, is_young, key, plugin } = reading;
        let entry = self.files.entry(path.to_owned()).or_default();
        let rested = entry.is_unsettled && entry.stamp == stamp;
        // What could not be read has no content that could have changed.
        (entry.stamp, entry.is_young) = (stamp, is_young && key.is_some());
        entry.is_unsettled = false;
        match plugin {
            None => {}
            Some(Ok(plugin)) => {
                entry.key = key;
                entry.held_back = None;
                entry.replaced = entry.plugin.replace(plugin);
                self.former.remove(&stamp::stem(path));
                look.is_news = true;
            }
            Some(Err(_)) if patience == Patience::OneLook && !rested => {
                entry.is_unsettled = true;
                look.is_unsettled = true;
            }
            Some(Err(problem)) => {
                entry.key = key;
                entry.held_back = None;
                // Its site must be closed, and not be left to the defaults.
                look.is_news |= entry.plugin.is_none() && self.former.contains_key(&stamp::stem(path));
                look.errors.push(LoadError { subject: Subject::File(path.to_owned()), problem });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use carousel_core::settings::PluginSettings;

    use super::*;
    use crate::cache::Cache;
    use crate::host::Host;

    #[test]
    fn a_file_that_is_written_twice_in_one_step_of_the_clock_is_read_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        let settings = PluginSettings { concurrency: 1, kept_instances: 1, ..PluginSettings::default() };
        let workshop = Workshop::new(Arc::new(Host::new(&settings).unwrap()), Cache::open(Some(Path::new(""))));
        let mut library = Library::new(Some(folder.path().to_owned()));
        let look = |library: &mut Library| library.look(&workshop, Patience::None, |_| false).errors.len();
        std::fs::write(&path, "one").unwrap();
        assert_eq!((look(&mut library), look(&mut library)), (1, 0));
        std::fs::write(&path, "two").unwrap();
        // As if the clock of the file system had not moved.
        library.files.get_mut(&path).unwrap().stamp = Stamp::of(&path);
        assert_eq!((look(&mut library), look(&mut library)), (1, 0));
        std::fs::create_dir(folder.path().join("b.wasm")).unwrap();
        assert_eq!((look(&mut library), look(&mut library)), (1, 0), "what cannot be read is told once");
    }

    #[test]
    fn a_file_is_young_for_a_short_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let stamp = Stamp::of(file.path()).unwrap();
        let now = SystemTime::now();
        assert!(stamp.is_young(now) && !stamp.is_young(now + std::time::Duration::from_secs(60)));
    }
}
