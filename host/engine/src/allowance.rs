//! What a call may cost: set aside before it is sent, settled when it is over.

use std::sync::{Arc, PoisonError};

use carousel_core::budget::{Budget, Purpose, Word};
use carousel_core::id::PoolId;
use carousel_core::ledger::Billed;
use carousel_core::pool::Refusal;

use crate::engine::Shared;
use crate::ports::{Sites, Transport};

/// The right to send one call. On drop what it cost is known.
pub(crate) struct Allowance<T: Transport, S: Sites> {
    shared: Arc<Shared<T, S>>,
    pool: Option<PoolId>,
    /// Where the pool has a budget: the pool that stands for all that spend it together.
    payer: Option<PoolId>,
    billed: Option<Billed>,
}

impl<T: Transport, S: Sites> Allowance<T, S> {
    /// An answer came that is billed. What is said last of what it was good for is entered on drop.
    pub(crate) fn bill(&mut self, what: Billed) {
        self.billed = Some(what);
    }
}

impl<T: Transport, S: Sites> Drop for Allowance<T, S> {
    fn drop(&mut self) {
        if let Some(what) = self.billed {
            self.shared.stats().ledger.enter(what, self.pool.as_ref());
        }
        let (is_spent, is_pool_spent) = self.shared.with_budget(|budget| {
            budget.handle_done(self.payer.as_ref(), self.billed.is_some());
            let is_payer_spent = self.payer.as_ref().is_some_and(|payer| budget.is_pool_spent(payer));
            (budget.is_spent(), self.pool.as_ref().filter(|_| is_payer_spent))
        });
        if is_spent {
            self.shared.close("budget");
        } else if let Some(pool) = is_pool_spent.filter(|_| self.billed.is_some()) {
            tracing::warn!(%pool, "the budget of a pool is spent; its requests fail from now on");
            self.shared.end_pool(pool, Refusal::Budget);
        }
        self.shared.settled.notify_waiters();
    }
}

impl<T: Transport, S: Sites> Shared<T, S> {
    fn with_budget<R>(&self, change: impl FnOnce(&mut Budget) -> R) -> R {
        change(&mut self.budget.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets aside what a call may cost, or says why not.
    pub(crate) fn try_afford(self: &Arc<Self>, pool: Option<&PoolId>, purpose: Purpose) -> Result<Allowance<T, S>, Word> {
        let (payer, limit) = pool.and_then(|pool| self.settings.pool_budget(pool)).unzip();
        match self.with_budget(|budget| budget.handle_request(payer.as_ref(), limit, purpose)) {
            Word::Affordable => Ok(Allowance { shared: Arc::clone(self), pool: pool.cloned(), payer, billed: None }),
            word @ (Word::Later | Word::PoolSpent | Word::Spent) => Err(word),
        }
    }

    /// The same, but waits while calls under way decide about it. An error is for good.
    pub(crate) async fn afford(self: &Arc<Self>, url: &str, pool: &PoolId, purpose: Purpose) -> Result<Allowance<T, S>, Word> {
        loop {
            let settled = self.settled.notified();
            match self.try_afford(Some(pool), purpose) {
                Err(Word::Later) if !self.is_closed() => tokio::select! {
                    () = settled => {}
                    () = self.over(url, Some(pool)) => return Err(Word::Later),
                },
                result => return result,
            }
        }
    }

    /// An initialisation could not be paid for. Where no session lives that could still be used, nor is one on its way whose check may
    /// still run, the crawl is over.
    pub(crate) fn tell_unaffordable(self: &Arc<Self>) {
        let is_over =
            self.with_budget(|budget| budget.is_nearly_spent()) && self.openings.len() == 0 && self.state().sessions.is_empty();
        if is_over {
            self.close("budget");
        }
    }
}
