//! What a crawl may still spend. A call is paid for when it is answered, so what it may cost is set aside while it is under way.

use std::collections::BTreeMap;

use crate::id::PoolId;

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To initialise a session: only worth it while a page can be paid for as well.
    Init,
    /// To fetch a page.
    Use,
}

/// The word of the budget on a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// It may be sent; its cost is set aside until [`Budget::handle_done`].
    Affordable,
    /// What is left is set aside for calls under way. Ask again when one of them is done.
    Later,
    /// The pool cannot pay for it any more.
    PoolSpent,
    /// The crawl cannot pay for it any more.
    Spent,
}

/// The budgets of a crawl and of its pools, in billed answers.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    crawl: Account,
    /// Pools that have a limit.
    pools: BTreeMap<PoolId, Account>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Account {
    limit: Option<u64>,
    spent: u64,
    set_aside: u64,
}

impl Budget {
    /// A budget for the whole crawl; none: it may cost what it likes.
    pub fn new(limit: Option<u64>) -> Self {
        Self { crawl: Account { limit, ..Account::default() }, pools: BTreeMap::new() }
    }

    /// May this call be sent? `limit` is that of its pool.
    pub fn handle_request(&mut self, pool: Option<&PoolId>, limit: Option<u64>, purpose: Purpose) -> Word {
        let account = match (pool, limit) {
            (Some(pool), Some(_)) => Some(self.pools.entry(pool.clone()).or_insert(Account { limit, ..Account::default() })),
            _ => None,
        };
        let pools_word = account.as_ref().map_or(Word::Affordable, |account| account.word(purpose));
        match (self.crawl.word(purpose), pools_word) {
            (Word::Spent, _) => Word::Spent,
            (_, Word::Spent) => Word::PoolSpent,
            (Word::Affordable, Word::Affordable) => {
                self.crawl.set_aside += 1;
                account.into_iter().for_each(|account| account.set_aside += 1);
                Word::Affordable
            }
            _ => Word::Later,
        }
    }

    /// A call that was allowed is over; `billed` says whether it cost something.
    pub fn handle_done(&mut self, pool: Option<&PoolId>, billed: bool) {
        let account = pool.and_then(|pool| self.pools.get_mut(pool));
        for account in account.into_iter().chain([&mut self.crawl]) {
            account.set_aside = account.set_aside.saturating_sub(1);
            account.spent += u64::from(billed);
        }
    }

    /// Has the crawl spent all it may?
    pub fn is_spent(&self) -> bool {
        self.crawl.word(Purpose::Use) == Word::Spent
    }

    /// Can the crawl pay for no initialisation any more, and is nothing under way that could still be cheaper than feared?
    pub fn is_nearly_spent(&self) -> bool {
        self.crawl.word(Purpose::Init) == Word::Spent && self.crawl.set_aside == 0
    }

    /// Has this pool spent all it may?
    pub fn is_pool_spent(&self, pool: &PoolId) -> bool {
        self.pools.get(pool).is_some_and(|account| account.word(Purpose::Use) == Word::Spent)
    }
}

impl Account {
    fn word(&self, purpose: Purpose) -> Word {
        let Some(limit) = self.limit else { return Word::Affordable };
        let needed = if purpose == Purpose::Init { 2 } else { 1 };
        if self.spent + needed > limit {
            Word::Spent
        } else if self.spent + self.set_aside + needed > limit {
            Word::Later
        } else {
            Word::Affordable
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_calls_under_way_may_cost_is_set_aside_so_that_nothing_is_overdrawn() {
        let mut budget = Budget::new(Some(3));
        assert_eq!(budget.handle_request(None, None, Purpose::Init), Word::Affordable);
        assert_eq!(budget.handle_request(None, None, Purpose::Use), Word::Affordable);
        assert_eq!(budget.handle_request(None, None, Purpose::Init), Word::Later);
        assert_eq!(budget.handle_request(None, None, Purpose::Use), Word::Affordable);
        assert_eq!(budget.handle_request(None, None, Purpose::Use), Word::Later);
        budget.handle_done(None, false);
        assert_eq!(budget.handle_request(None, None, Purpose::Use), Word::Affordable);
        (0..3).for_each(|_| budget.handle_done(None, true));
        assert_eq!(budget.handle_request(None, None, Purpose::Use), Word::Spent);
        assert!(budget.is_spent());
    }

    #[test]
    fn initialisations_stop_before_requests() {
        let mut budget = Budget::new(Some(2));
        budget.handle_request(None, None, Purpose::Use);
        budget.handle_done(None, true);
        assert_eq!(budget.handle_request(None, None, Purpose::Init), Word::Spent);
        assert_eq!(budget.handle_request(None, None, Purpose::Use), Word::Affordable);
    }

    #[test]
    fn a_pools_budget_is_its_own() {
        let (mut budget, a, b) = (Budget::new(None), PoolId::new("a"), PoolId::new("b"));
        assert_eq!(budget.handle_request(Some(&a), Some(1), Purpose::Use), Word::Affordable);
        budget.handle_done(Some(&a), true);
        assert_eq!(budget.handle_request(Some(&a), Some(1), Purpose::Use), Word::PoolSpent);
        assert_eq!(budget.handle_request(Some(&b), Some(1), Purpose::Use), Word::Affordable);
        assert_eq!(budget.handle_request(None, None, Purpose::Use), Word::Affordable);
        assert!(budget.is_pool_spent(&a) && !budget.is_pool_spent(&b) && !budget.is_spent());
    }
}
