//! Watches the plugin directory: what changes in it counts without a restart.
//!
//! The system tells of changes; every now and then the directory is looked at anyway, because not every file system tells. A look
//! at a directory in which nothing changed costs one question to the system for each file.

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

/// Between looks where it does not.
const POLL: Duration = Duration::from_secs(2);

/// Until the second look at a file that may still be growing.
const SETTLE: Duration = Duration::from_secs(1);

/// Watches as long as it lives. Dropping it does not wait for a plugin that is being compiled; it takes no effect any more.
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
    sender: Sender<Message>,
}

impl Reloader {
    /// Looks at the directory whenever something changes in it, on a thread of its own; what does not load is logged.
    pub fn watch(self) -> std::io::Result<Watch> {
        let (sender, messages) = mpsc::channel();
        let mut watchman = Watchman { reloader: self, messages, watcher: None, sender: sender.clone() };
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
        loop {
            let now = Instant::now();
            let idle = if self.watcher.is_some() { LOOK_ANYWAY } else { POLL };
            let wait = debounce.poll_timeout().map_or(idle, |at| at.saturating_duration_since(now));
            match self.messages.recv_timeout(wait) {
                Ok(Message::Changed) => debounce.handle_event(Instant::now()),
                Ok(Message::Blind(error)) => self.close_eyes(&error),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    debounce.handle_timeout();
                    if self.look() {
                        debounce.handle_later(Instant::now() + SETTLE);
                    }
                }
            }
        }
    }

    /// Looks at the directory. Returns whether another look is wanted soon.
    fn look(&mut self) -> bool {
        let Reloaded { errors, is_unsettled, .. } = self.reloader.refresh();
        for error in errors {
            tracing::warn!("{error}; what was at work before stays");
        }
        if self.watcher.is_none() {
            self.open_eyes();
        }
        is_unsettled
    }

    fn open_eyes(&mut self) {
        let Some(directory) = self.reloader.directory() else { return };
        match watcher(directory, self.sender.clone()) {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(error) => tracing::debug!("the plugin directory is looked at every {} s: {error}", POLL.as_secs()),
        }
    }

    fn close_eyes(&mut self, error: &notify::Error) {
        tracing::debug!("the plugin directory is not watched any more: {error}");
        self.watcher = None;
    }
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
