//! The one door to the pools: lock, change, take the actions, unlock, act. Nobody can forget an action, and nothing is done while
//! the lock is held.

use std::sync::Arc;

use carousel_core::id::PoolId;
use carousel_core::pool::{Action, Refusal};
use carousel_core::time::Instant;

use crate::engine::{Shared, State};
use crate::lease::SessionLease;
use crate::opening::{self, Trigger};
use crate::ports::{Sites, Transport};

impl<T: Transport, S: Sites> Shared<T, S> {
    /// Changes the pools and does what they ask for.
    pub(crate) fn apply<R>(self: &Arc<Self>, change: impl FnOnce(&mut State<T, S>, Instant) -> R) -> R {
        let now = self.now();
        let (result, actions, moved) = {
            let mut state = self.state();
            let before = state.pools.poll_timeout();
            let result = change(&mut state, now);
            let actions: Vec<_> = std::iter::from_fn(|| state.pools.poll_action()).collect();
            let after = state.pools.poll_timeout();
            (result, actions, after.is_some_and(|after| before.is_none_or(|before| after < before)))
        };
        if moved {
            self.wake.notify_one();
        }
        for (pool, action) in actions {
            self.act(pool, action);
        }
        result
    }

    /// Refuses everybody from now on and gives all sessions up.
    pub(crate) fn end(self: &Arc<Self>, why: Refusal) {
        self.apply(|state, _| state.pools.handle_close(why));
    }

    fn act(self: &Arc<Self>, pool: PoolId, action: Action<Arc<Trigger<S>>>) {
        match action {
            Action::Open { session, trigger } => opening::start(self, pool, session, trigger),
            Action::Grant { ticket, lease } => {
                let (waiter, session) = {
                    let mut state = self.state();
                    (state.waiting.remove(&ticket), state.sessions.get(&lease.session).cloned())
                };
                let (Some(waiter), Some(session)) = (waiter, session) else {
                    debug_assert!(false, "a grant without a request or a session");
                    return;
                };
                // If nobody listens any more the lease comes back in the error, and dropping it gives the session back.
                drop(waiter.answer.send(Ok(SessionLease::new(Arc::clone(self), pool, lease, session, waiter.trigger))));
            }
            Action::Refuse { ticket, why } => {
                let waiter = self.state().waiting.remove(&ticket);
                if let Some(waiter) = waiter {
                    drop(waiter.answer.send(Err(why)));
                }
            }
            Action::Retire { session, reason } => {
                self.openings.abort(session);
                let lived = self.state().sessions.remove(&session).is_some();
                if lived {
                    self.log_end(&pool, session, reason);
                }
            }
            Action::CloseCrawl => {
                tracing::error!(%pool, "too many initialisations in a row failed; closing the crawl");
                self.close("bad_session_inits");
            }
        }
    }
}
