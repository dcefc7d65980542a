//! The use of a session by one request. It reports what became of it, at the latest when it is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use carousel_core::id::{PoolId, Ticket};
use carousel_core::pool::{Lease, Refusal, Used};
use carousel_core::time::Instant;
use tokio::sync::oneshot;

use crate::door::Deeds;
use crate::engine::{Shared, Waiter};
use crate::opening::{Initialiser, LiveSession, Trigger};
use crate::ports::{Sites, Transport};

/// A session that is lent to one request. Dropping it without a report gives the session back without blame, so a cancelled
/// request never burns a session and never leaks a place; where no call was sent, as if it had not been lent.
pub(crate) struct SessionLease<T: Transport, S: Sites> {
    shared: Arc<Shared<T, S>>,
    pool: PoolId,
    lease: Lease,
    session: Arc<LiveSession>,
    trigger: Arc<Trigger<S>>,
    /// The API may have heard of this use.
    is_sent: AtomicBool,
    reported: bool,
}

impl<T: Transport, S: Sites> SessionLease<T, S> {
    pub(crate) fn new(
        shared: Arc<Shared<T, S>>,
        pool: PoolId,
        lease: Lease,
        session: Arc<LiveSession>,
        trigger: Arc<Trigger<S>>,
    ) -> Self {
        // The peer's sessions rest after each hand-out.
        let is_sent = AtomicBool::new(shared.profile().is_peer());
        Self { shared, pool, lease, session, trigger, is_sent, reported: false }
    }

    pub(crate) fn session(&self) -> &Arc<LiveSession> {
        &self.session
    }

    pub(crate) fn pool(&self) -> &PoolId {
        &self.pool
    }

    pub(crate) fn trigger(&self) -> &Arc<Trigger<S>> {
        &self.trigger
    }

    /// Will the session still be good at this time, as far as uses that were answered go?
    pub(crate) fn lives(&self, at: Instant) -> bool {
        self.shared.state().pools.outlives(&self.pool, self.lease.session, at)
    }

    /// Has the site begun to initialise sessions otherwise than this one was, as its plugin was replaced or came back?
    pub(crate) fn is_superseded(&self) -> bool {
        let now = || Initialiser::of(self.trigger.site.as_ref());
        !self.shared.profile().is_peer() && now().supersedes(&self.session.initialiser)
    }

    /// A replacement would be initialised for this request from now on.
    pub(crate) fn set_trigger(&mut self, trigger: Arc<Trigger<S>>) {
        self.trigger = trigger;
    }

    /// A call is about to be sent: may it, or has the session ended or lapsed since it was lent?
    pub(crate) fn takes_call(&self) -> bool {
        let takes = self.lives(self.shared.now());
        self.is_sent.fetch_or(takes, Ordering::Relaxed);
        takes
    }

    /// Gives the session back that nobody has taken.
    pub(crate) fn take_back(mut self) -> Deeds<T, S> {
        self.reported = true;
        self.shared.decide(|state, now| state.pools.handle_unused(&self.pool, self.lease, now)).1
    }

    /// Gives the session back and says what became of the use.
    pub(crate) fn report(mut self, outcome: Used) {
        self.give_back(outcome);
    }

    fn give_back(&mut self, outcome: Used) {
        if std::mem::replace(&mut self.reported, true) {
            return;
        }
        let trigger = Arc::clone(&self.trigger);
        self.shared.apply(|state, now| state.pools.handle_used(&self.pool, self.lease, outcome, trigger, now));
    }
}

impl<T: Transport, S: Sites> Drop for SessionLease<T, S> {
    fn drop(&mut self) {
        if *self.is_sent.get_mut() {
            return self.give_back(Used::Neutral);
        }
        if !std::mem::replace(&mut self.reported, true) {
            self.shared.apply(|state, now| state.pools.handle_unused(&self.pool, self.lease, now));
        }
    }
}

/// A place in a pool's queue, given up on drop.
pub(crate) struct InPool<T: Transport, S: Sites> {
    queued: Queued<T, S>,
    granted: oneshot::Receiver<Result<SessionLease<T, S>, Refusal>>,
}

struct Queued<T: Transport, S: Sites> {
    shared: Arc<Shared<T, S>>,
    pool: PoolId,
    ticket: Ticket,
}

impl<T: Transport, S: Sites> InPool<T, S> {
    /// Takes the next place in the queue of the trigger's pool.
    pub(crate) fn new(shared: &Arc<Shared<T, S>>, trigger: Arc<Trigger<S>>) -> Self {
        let (answer, granted) = oneshot::channel();
        // In the peer one who comes again queues anew.
        let ticket = if shared.profile().is_peer() { shared.ticket() } else { trigger.ticket };
        let queued = Queued { shared: Arc::clone(shared), pool: trigger.pool.clone(), ticket };
        let start = shared.start(&trigger);
        let ((), deeds) = shared.decide(|state, now| {
            let options = || shared.pool_options(&trigger);
            state.waiting.insert(queued.ticket, Waiter { trigger: Arc::clone(&trigger), answer });
            state.pools.handle_request(&queued.pool, options, queued.ticket, Arc::clone(&trigger), start, now);
        });
        // Told before the session that it waits for can be there.
        if shared.state().waiting.contains_key(&queued.ticket) {
            tracing::debug!(pool = %queued.pool, "waiting for a session");
        }
        shared.carry_out(deeds);
        Self { queued, granted }
    }

    /// Waits for a session of the pool. Dropping the future leaves the queue.
    pub(crate) async fn lease(self) -> Result<SessionLease<T, S>, Refusal> {
        let Self { queued: _queued, granted } = self;
        granted.await.unwrap_or(Err(Refusal::Closed("the engine is gone".into())))
    }
}

impl<T: Transport, S: Sites> Drop for Queued<T, S> {
    fn drop(&mut self) {
        drop(self.shared.apply(|state, _| state.leave(&self.pool, self.ticket)));
    }
}
