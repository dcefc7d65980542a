//! Domains that have ended: their requests fail at once, those that wait for a session included.

use std::sync::{Arc, PoisonError};

use carousel_core::exchange::CallError;
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
                let Some(waiter) = state.waiting.remove(&ticket) else { continue };
                state.pools.handle_cancel(&waiter.trigger.pool, ticket);
                refused.push((waiter, why));
            }
            refused
        });
        for (waiter, why) in refused {
            drop(waiter.answer.send(Err(Refusal::Domain(why.into()))));
        }
    }
}
