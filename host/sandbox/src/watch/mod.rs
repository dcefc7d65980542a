//! Watches the plugin directory: what changes in it counts without a restart.
//!
//! The system tells of changes; every now and then the directory is looked at anyway, because not every file system tells. A look
//! at a directory in which nothing changed costs one question to the system for each file. What the system watches is a directory,
//! not its name: where another one comes in its place (made again, or a link that is turned), that one is watched.

mod debounce;

use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::reload::{Reloaded, Reloader};
use debounce::Debounce;

/// Between looks where the system tells of changes.
const LOOK_ANYWAY: Duration = Duration::from_secs(30);

/// Between looks where it does not, and between questions whether the directory is still the one that is watched.
const POLL: Duration = Duration::from_secs(2);

/// Until the second look at a file that may still be growing.
const SETTLE: Duration = Duration::from_secs(1);

/// Watches as long as it lives. Dropping it does not wait: a look that is under way ends by itself, and is the last one.
pub struct Watch {
    messages: Sender<Message>,
}

enum Message {
    /// Something changed in the directory.
    Changed,
    /// The system cannot tell of changes any more.
    Blind(notify::Error),
    Stop,
}

struct Watchman {
    reloader: Reloader,
    messages: Receiver<Message>,
    /// Kept, because the system tells only as long as it lives; none where it cannot tell.
    watcher: Option<RecommendedWatcher>,
    /// The directory that is watched; none where it is missing.
    watched: Option<Identity>,
    sender: Sender<Message>,
}

impl Reloader {
    /// Looks at the directory whenever something changes in it, on a thread of its own; what does not load is logged.
    pub fn watch(self) -> std::io::Result<Watch> {
        let (sender, messages) = mpsc::channel();
        let mut watchman = Watchman { reloader: self, messages, watcher: None, watched: None, sender: sender.clone() };
        thread::Builder::new().name("plugin-watch".to_owned()).spawn(move || watchman.run())?;
        Ok(Watch { messages: sender })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // An error means that the thread has ended already.
        let _ = self.messages.send(Message::Stop);
    }
}

impl Watchman {
    fn run(&mut self) {
        self.open_eyes();
        let mut debounce = Debounce::default();
        // What changed before the eyes were open.
        debounce.handle_event(Instant::now());
        let mut last_look = Instant::now();
        loop {
            let idle = if self.watcher.is_some() { LOOK_ANYWAY } else { POLL };
            let due = debounce.poll_timeout().unwrap_or(last_look + idle);
            match self.messages.recv_timeout(due.saturating_duration_since(Instant::now()).min(POLL)) {
                Ok(Message::Changed) => debounce.handle_event(Instant::now()),
                Ok(Message::Blind(error)) => self.close_eyes(&error),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) if Instant::now() < due && !self.has_moved() => {}
                Err(RecvTimeoutError::Timeout) => {
                    debounce.handle_timeout();
                    last_look = Instant::now();
                    if self.look() {
                        debounce.handle_later(Instant::now() + SETTLE);
                    }
                }
            }
        }
    }

    /// Looks at the directory. Returns whether another look is wanted soon.
    fn look(&mut self) -> bool {
        if self.has_moved() {
            // Before the look, so that what changes after it is told.
            self.open_eyes();
        }
        let Reloaded { errors, is_unsettled, .. } = self.reloader.refresh();
        for error in errors {
            tracing::warn!("{error}; if something was at work in its place, it stays");
        }
        if self.watcher.is_none() {
            self.open_eyes();
        }
        is_unsettled
    }

    fn open_eyes(&mut self) {
        let Some(directory) = self.reloader.directory() else { return };
        // Asked first: if another one comes meanwhile, it is seen to have moved.
        self.watched = identity(directory);
        match watcher(directory, self.sender.clone()) {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(error) => {
                tracing::debug!("the plugin directory is looked at every {} s: {error}", POLL.as_secs());
                self.watcher = None;
            }
        }
    }

    /// Whether the name of the directory leads to another one than is watched.
    fn has_moved(&self) -> bool {
        self.reloader.directory().is_some_and(|directory| identity(directory) != self.watched)
    }

    fn close_eyes(&mut self, error: &notify::Error) {
        tracing::debug!("the plugin directory is not watched any more: {error}");
        self.watcher = None;
    }
}

/// What tells a directory from another of the same name.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(directory: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(directory).ok()?;
    Some((found.dev(), found.ino()))
}

/// Elsewhere all that can be told is whether there is one.
#[cfg(not(unix))]
fn identity(directory: &Path) -> Option<Identity> {
    std::fs::metadata(directory).ok().map(|_| (0, 0))
}

fn watcher(directory: &Path, messages: Sender<Message>) -> notify::Result<RecommendedWatcher> {
    let tell = move |event: notify::Result<notify::Event>| {
        let message = match event {
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => return,
            Ok(_) => Message::Changed,
            Err(error) => Message::Blind(error),
        };
        // An error means that nobody watches any more.
        let _ = messages.send(message);
    };
    let mut watcher = notify::recommended_watcher(tell)?;
    watcher.watch(directory, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use carousel_core::settings::PluginSettings;

    use super::*;
    use crate::load::Sandbox;

    /// With eyes open on a directory.
    fn watchman(directory: &Path) -> Watchman {
        let settings = PluginSettings {
            dir: Some(directory.to_owned()),
            cache: Some("".into()),
            concurrency: 1,
            kept_instances: 1,
            ..PluginSettings::default()
        };
        let reloader = Sandbox::new(&settings).unwrap().load(&[]).reloader;
        let (sender, messages) = mpsc::channel();
        let mut watchman = Watchman { reloader, messages, watcher: None, watched: None, sender };
        watchman.open_eyes();
        watchman
    }

    /// Whether a file that is written where the link leads comes to the watchman's ears, who waits for it as long as it takes.
    fn hears_of(watchman: &Watchman, file: &Path) -> bool {
        assert!(watchman.watcher.is_some(), "the system tells of changes");
        while watchman.messages.try_recv().is_ok() {}
        std::fs::write(file, "no plugin").unwrap();
        watchman.messages.recv().is_ok()
    }

    #[test]
    fn the_directory_that_a_link_leads_to_is_watched_after_the_link_was_turned() {
        let root = tempfile::tempdir().unwrap();
        let [one, two, link, new] = ["one", "two", "plugins", "new"].map(|name| root.path().join(name));
        std::fs::create_dir(&one).unwrap();
        std::fs::create_dir(&two).unwrap();
        symlink(&one, &link).unwrap();
        let mut watchman = watchman(&link);
        assert!(!watchman.has_moved() && hears_of(&watchman, &one.join("a")));
        symlink(&two, &new).unwrap();
        std::fs::rename(&new, &link).unwrap();
        assert!(watchman.has_moved());
        watchman.look();
        assert!(!watchman.has_moved() && hears_of(&watchman, &two.join("a")));
        std::fs::remove_dir_all(&two).unwrap();
        assert!(watchman.has_moved());
        watchman.look();
        assert!(!watchman.has_moved() && watchman.watcher.is_none(), "it is looked for every now and then");
        std::fs::create_dir(&two).unwrap();
        assert!(watchman.has_moved());
        watchman.look();
        assert!(!watchman.has_moved() && hears_of(&watchman, &two.join("b")));
    }
}
