//! What has ended: domains, whose requests fail at once, those that wait included, and pools that were closed.

use std::sync::{Arc, PoisonError};

use carousel_core::exchange::CallError;
use carousel_core::id::PoolId;
use carousel_core::pool::Refusal;

use crate::engine::Shared;
use crate::ports::{Sites, Transport};

impl<T: Transport, S: Sites> Shared<T, S> {
    /// Why requests for this URL have ended, if they have.
    pub(crate) fn ended(&self, url: &str) -> Option<String> {
        self.domains.lock().unwrap_or_else(PoisonError::into_inner).reason(url).map(str::to_owned)
    }

    /// Ends the domain that an error of a call on this URL is about, if it is about one. The peer fails the one page only.
    pub(crate) fn end_domain(self: &Arc<Self>, url: &str, error: &CallError) {
        let Some(problem) = error.problem().filter(|_| !self.profile().is_peer()) else { return };
        if self.domains.lock().unwrap_or_else(PoisonError::into_inner).handle_problem(problem, url) {
            tracing::error!(url, "a domain has ended, its requests fail from now on: {problem}");
            self.refuse_ended();
            self.something_ended.notify_waiters();
        }
    }

    /// Ends a pool: its requests fail with this reason, those that wait included. The crawl goes on.
    pub(crate) fn end_pool(self: &Arc<Self>, pool: &PoolId, why: Refusal) {
        self.apply(|state, _| state.pools.handle_close_pool(pool, why));
        self.something_ended.notify_waiters();
    }

    /// Resolves when no request for this URL, or of this pool, will be sent any more: the crawl, the domain or the pool has ended.
    pub(crate) async fn over(&self, url: &str, pool: Option<&PoolId>) {
        let is_closed = || pool.is_some_and(|pool| self.state().pools.is_closed(pool));
        self.ended_otherwise(|| self.ended(url).is_none() && !is_closed()).await;
    }

    /// Resolves when the crawl is closed, or when this does not hold any more because something has ended.
    pub(crate) async fn ended_otherwise(&self, holds: impl Fn() -> bool) {
        loop {
            let ended = self.something_ended.notified();
            if !holds() {
                return;
            }
            tokio::select! {
                () = ended => {}
                _ = self.closed() => return,
            }
        }
    }

    /// Refuses those who wait for a session for a domain that has ended.
    pub(crate) fn refuse_ended(self: &Arc<Self>) {
        let refused = self.apply(|state, _| {
            let reason = |url: &str| self.ended(url);
            let mut ended: Vec<_> = state
                .waiting
                .iter()
                .filter_map(|(ticket, waiter)| Some((*ticket, reason(waiter.trigger.request.url())?)))
                .collect();
            ended.sort_unstable_by_key(|(ticket, _)| *ticket);
            let mut refused = Vec::new();
            for (ticket, why) in ended {
                let pool = state.waiting.get(&ticket).map(|waiter| waiter.trigger.pool.clone());
                let waiter = pool.and_then(|pool| state.leave(&pool, ticket));
                refused.extend(waiter.map(|waiter| (waiter, why)));
            }
            refused
        });
        for (waiter, why) in refused {
            drop(waiter.answer.send(Err(Refusal::Domain(why.into()))));
        }
    }
}
