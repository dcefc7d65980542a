//! The one door to the pools: lock, change, take the actions, unlock, act. Nobody can forget an action, and nothing is done while
//! the lock is held.

use std::collections::VecDeque;
use std::sync::Arc;

use carousel_core::id::{PoolId, SessionId, Ticket};
use carousel_core::pool::{Action, EndReason, Lease, Refusal, Start};
use carousel_core::time::Instant;

use crate::engine::{Shared, State, Waiter};
use crate::lease::SessionLease;
use crate::opening::{self, LiveSession, Trigger};
use crate::ports::{Sites, Transport};

/// What the pools ask for, to be done without the lock.
#[must_use = "what the pools ask for must be done"]
pub(crate) struct Deeds<T: Transport, S: Sites>(Vec<(PoolId, Deed<T, S>)>);

/// An action with all that belongs to it, looked up while the lock was held.
enum Deed<T: Transport, S: Sites> {
    Open { session: SessionId, trigger: Arc<Trigger<S>> },
    Cancel { session: SessionId },
    Grant { lease: Lease, session: Arc<LiveSession>, waiter: Waiter<T, S> },
    Refuse { waiter: Waiter<T, S>, why: Refusal },
    End { session: SessionId, reason: EndReason, lived: bool },
    Forget,
    CloseCrawl,
}

impl<T: Transport, S: Sites> State<T, S> {
    /// A request leaves the queue of its pool, if it stands there; under one lock, so that no session is granted to nobody.
    pub(crate) fn leave(&mut self, pool: &PoolId, ticket: Ticket) -> Option<Waiter<T, S>> {
        let waiter = self.waiting.remove(&ticket)?;
        self.pools.handle_cancel(pool, ticket);
        Some(waiter)
    }

    fn deed(&mut self, pool: &PoolId, action: Action<Arc<Trigger<S>>>, now: Instant) -> Option<Deed<T, S>> {
        Some(match action {
            Action::Open { session, trigger } => Deed::Open { session, trigger },
            Action::Begin { session, trigger } => {
                let context = self.generations.context(session, &trigger.pool, &trigger.kind);
                let live = LiveSession::new(session, trigger.pool.clone(), &trigger, Start::ByUse, context);
                self.sessions.insert(session, Arc::new(live));
                return None;
            }
            Action::Cancel { session } => Deed::Cancel { session },
            Action::Grant { ticket, lease } => {
                let session = self.sessions.get(&lease.session).cloned();
                debug_assert!(session.is_some(), "a grant on a session that does not live");
                match (self.waiting.remove(&ticket), session) {
                    (Some(waiter), Some(session)) => Deed::Grant { lease, session, waiter },
                    _ => {
                        self.pools.handle_unused(pool, lease, now);
                        return None;
                    }
                }
            }
            Action::Refuse { ticket, why } => Deed::Refuse { waiter: self.waiting.remove(&ticket)?, why },
            Action::Retire { session, reason } => Deed::End { session, reason, lived: self.sessions.remove(&session).is_some() },
            Action::Forget => Deed::Forget,
            Action::CloseCrawl => Deed::CloseCrawl,
        })
    }
}

impl<T: Transport, S: Sites> Shared<T, S> {
    /// Changes the pools and does what they ask for.
    pub(crate) fn apply<R>(self: &Arc<Self>, change: impl FnOnce(&mut State<T, S>, Instant) -> R) -> R {
        let (result, deeds) = self.decide(change);
        self.carry_out(deeds);
        result
    }

    /// Changes the pools. What they ask for is left to [`Self::carry_out`].
    pub(crate) fn decide<R>(&self, change: impl FnOnce(&mut State<T, S>, Instant) -> R) -> (R, Deeds<T, S>) {
        let now = self.now();
        let (result, mut deeds, sooner) = {
            let mut state = self.state();
            let before = state.pools.poll_timeout();
            let result = change(&mut state, now);
            let mut deeds = Vec::new();
            while let Some((pool, action)) = state.pools.poll_action() {
                let deed = state.deed(&pool, action, now);
                deeds.extend(deed.map(|deed| (pool, deed)));
            }
            while let Some(pool) = state.pools.poll_changed() {
                // A listener that has gone wants to know nothing more.
                let _ = state.listener.as_ref().map(|listener| listener.send(Some(pool)));
            }
            let after = state.pools.poll_timeout();
            (result, deeds, after.is_some_and(|after| before.is_none_or(|before| after < before)))
        };
        if sooner {
            self.wake.notify_one();
        }
        // Whoever hears of a refusal must find the crawl closed already.
        deeds.sort_by_key(|(_, deed)| !matches!(deed, Deed::CloseCrawl));
        (result, Deeds(deeds))
    }

    /// What follows of it, where a session comes back at once, is done here as well: one after the other, not one within the other.
    pub(crate) fn carry_out(self: &Arc<Self>, deeds: Deeds<T, S>) {
        let mut deeds = VecDeque::from(deeds.0);
        while let Some((pool, deed)) = deeds.pop_front() {
            if let Some(untaken) = self.act(pool, deed) {
                deeds.extend(untaken.take_back().0);
            }
        }
    }

    /// Refuses everybody from now on and gives all sessions up.
    pub(crate) fn end(self: &Arc<Self>, why: Refusal) {
        self.apply(|state, _| state.pools.handle_close(why));
    }

    /// Nobody needs this initialisation any more. The peer cancels it; we let the call under way end, since it will be billed.
    fn give_up_opening(&self, session: SessionId) {
        if self.profile().is_peer() {
            self.openings.abort(session);
        }
    }

    /// Returns the lease that was granted if nobody listens for it any more.
    fn act(self: &Arc<Self>, pool: PoolId, deed: Deed<T, S>) -> Option<SessionLease<T, S>> {
        match deed {
            Deed::Open { session, trigger } => opening::start(self, pool, session, trigger),
            Deed::Cancel { session } => self.openings.abort(session),
            Deed::Grant { lease, session, waiter } => {
                let lease = SessionLease::new(Arc::clone(self), pool, lease, session, waiter.trigger);
                return waiter.answer.send(Ok(lease)).err().and_then(Result::ok);
            }
            Deed::Refuse { waiter, why } => drop(waiter.answer.send(Err(why))),
            Deed::End { session, reason, lived: true } => self.log_end(&pool, session, reason),
            Deed::End { session, lived: false, .. } => self.give_up_opening(session),
            Deed::Forget => self.forget_bad_init(&pool),
            Deed::CloseCrawl => {
                tracing::error!(%pool, "too many initialisations in a row failed; closing the crawl");
                self.close("bad_session_inits");
            }
        }
        None
    }
}
