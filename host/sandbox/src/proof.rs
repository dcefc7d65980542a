//! A plugin shows that it works before many sessions are initialised with it: one whose check always fails costs a few billed answers,
//! and not some at each of its sites.
//!
//! ```text
//!   unproven, two at once ──────────── an initialisation ends well ───────────▶ proven, any number at once
//!        ▲   │ a hook fails                                                              │
//!        │   ▼                                                                           │
//!     one at a time ◀─────────────────────── a hook fails ───────────────────────────────┘
//! ```

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Initialisations at once while nothing is known of a plugin.
const FEW: usize = 2;

/// What a version of a plugin has shown so far.
#[derive(Debug)]
pub(crate) struct Proof {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    /// Initialisations at once.
    most: usize,
    under_way: usize,
}

/// Leave for one initialisation; given back on drop.
pub(crate) struct Leave(Arc<Proof>);

impl Proof {
    /// Of a plugin that has yet to show that it works, or one that is trusted.
    pub(crate) fn new(is_trusted: bool) -> Arc<Self> {
        let most = if is_trusted { usize::MAX } else { FEW };
        Arc::new(Self { state: Mutex::new(State { most, under_way: 0 }), changed: Notify::new() })
    }

    /// Waits until another initialisation may begin. Cancel-safe.
    pub(crate) async fn leave(self: &Arc<Self>) -> Leave {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                if state.under_way < state.most {
                    state.under_way += 1;
                    return Leave(Arc::clone(self));
                }
            }
            changed.await;
        }
    }

    /// An initialisation has ended well, as far as the plugin goes.
    pub(crate) fn handle_works(&self) {
        self.set(usize::MAX);
    }

    /// A hook of an initialisation has failed.
    pub(crate) fn handle_fails(&self) {
        self.set(1);
    }

    fn set(&self, most: usize) {
        let before = std::mem::replace(&mut self.state().most, most);
        if most > before {
            self.changed.notify_waiters();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Leaves that may be had at once, of ten.
    fn had(proof: &Arc<Proof>, held: &mut Vec<Leave>) -> usize {
        let before = held.len();
        for _ in 0..10 {
            if let Poll::Ready(leave) = pin!(proof.leave()).poll(&mut Context::from_waker(Waker::noop())) {
                held.push(leave);
            }
        }
        held.len() - before
    }

    #[test]
    fn few_begin_at_once_until_one_has_ended_well_and_one_at_a_time_after_a_fault() {
        let (proof, mut held) = (Proof::new(false), Vec::new());
        assert_eq!((had(&proof, &mut held), had(&proof, &mut held)), (FEW, 0));
        proof.handle_fails();
        held.pop();
        assert_eq!(had(&proof, &mut held), 0, "one is under way still");
        held.clear();
        assert_eq!(had(&proof, &mut held), 1);
        proof.handle_works();
        assert_eq!(had(&proof, &mut held), 10);
        proof.handle_fails();
        assert_eq!(had(&proof, &mut held), 0);
    }

    #[tokio::test]
    async fn those_who_wait_go_on_when_it_works_or_one_is_done() {
        let proof = Proof::new(false);
        let held = [proof.leave().await, proof.leave().await];
        let waits = || {
            tokio::spawn({
                let proof = Arc::clone(&proof);
                async move { proof.leave().await }
            })
        };
        let (first, second) = (waits(), waits());
        tokio::task::yield_now().await;
        assert!(!first.is_finished() && !second.is_finished());
        proof.handle_works();
        let _more = (first.await.unwrap(), second.await.unwrap());
        drop(held);
        assert_eq!(had(&Proof::new(true), &mut Vec::new()), 10, "one that is trusted has nothing to show");
    }
}
