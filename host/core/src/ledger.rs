//! What was billed for what. Zyte API bills answers with status 200 and nothing else.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::id::PoolId;

/// What a billed answer was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Billed {
    /// It initialised a session, or tried to.
    Init,
    /// A page that was kept.
    Use,
    /// A page that its check did not keep.
    Discarded,
}

/// Billed answers of a pool or of a crawl.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// For initialisations.
    pub init: u64,
    /// For pages that were kept.
    pub kept: u64,
    /// For pages that were not kept.
    pub discarded: u64,
}

impl Account {
    fn add(&mut self, what: Billed) {
        match what {
            Billed::Init => self.init += 1,
            Billed::Use => self.kept += 1,
            Billed::Discarded => self.discarded += 1,
        }
    }

    fn add_all(&mut self, other: Self) {
        self.init += other.init;
        self.kept += other.kept;
        self.discarded += other.discarded;
    }

    /// All billed answers.
    pub fn total(&self) -> u64 {
        self.init + self.kept + self.discarded
    }

    /// What a kept page costs, as in the stats file: billed answers for each, and the share of initialisations in all that is billed.
    /// Null where there is nothing to divide by.
    pub fn cost_to_json(&self) -> Value {
        let ratio = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        json!({"billed_per_kept_page": ratio(self.total(), self.kept), "init_share": ratio(self.init, self.total())})
    }

    /// As in the stats file.
    pub fn to_json(&self) -> Value {
        json!({"init": self.init, "use": self.kept, "discarded": self.discarded})
    }
}

/// The accounts of a crawl.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    total: Account,
    pools: BTreeMap<PoolId, Account>,
}

impl Ledger {
    /// Enters a billed answer; without a pool it was a request without a session.
    pub fn enter(&mut self, what: Billed, pool: Option<&PoolId>) {
        self.total.add(what);
        if let Some(pool) = pool {
            self.pools.entry(pool.clone()).or_default().add(what);
        }
    }

    /// The account of the crawl.
    pub fn total(&self) -> Account {
        self.total
    }

    /// The accounts of the pools by their names, as in the stats file. Pools of one name, which followed each other as plugins were
    /// swapped, are told of together.
    pub fn pools_to_json(&self) -> Value {
        let mut by_name: BTreeMap<&str, Account> = BTreeMap::new();
        for (id, account) in &self.pools {
            by_name.entry(id.as_str()).or_default().add_all(*account);
        }
        let pool = |(name, account): (&str, Account)| {
            (name.to_owned(), json!({"billed": account.to_json(), "requests": account.kept + account.discarded}))
        };
        Value::Object(by_name.into_iter().map(pool).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_of_a_page_is_all_that_was_billed_for_it() {
        let account = Account { init: 2, kept: 6, discarded: 2 };
        assert_eq!(account.cost_to_json(), json!({"billed_per_kept_page": 10.0 / 6.0, "init_share": 0.2}));
        assert_eq!(Account::default().cost_to_json(), json!({"billed_per_kept_page": null, "init_share": null}));
    }
}
