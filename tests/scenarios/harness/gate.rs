//! Holds back an answer until the test lets it go, so that no test has to guess how long something takes.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long anything may take before a test that waits for it gives up. Nothing is expected to come near it; the longest is a
/// build of plugins.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(900);

/// The test's side.
pub(crate) struct Gate {
    arrivals: Receiver<()>,
    /// Opens the gate when it is dropped.
    opener: Option<Sender<()>>,
}

/// The side of whoever is held back.
#[derive(Clone)]
pub(crate) struct Held {
    arrived: Sender<()>,
    opened: Arc<Mutex<Receiver<()>>>,
}

/// A closed gate.
pub(crate) fn gate() -> (Gate, Held) {
    let (arrived, arrivals) = channel();
    let (opener, opened) = channel();
    (Gate { arrivals, opener: Some(opener) }, Held { arrived, opened: Arc::new(Mutex::new(opened)) })
}

impl Gate {
    /// Waits until somebody stands at the gate.
    pub(crate) fn wait_for_arrival(&self) {
        self.arrivals.recv_timeout(GIVE_UP).expect("nobody came to the gate");
    }

    /// Lets everybody through, now and later.
    pub(crate) fn open(&mut self) {
        self.opener = None;
    }
}

impl Held {
    /// Waits until the gate is open.
    pub(crate) fn pass(&self) {
        // A test that no longer listens has opened the gate, too.
        let _ = self.arrived.send(());
        let _ = self.opened.lock().unwrap().recv_timeout(GIVE_UP);
    }
}
