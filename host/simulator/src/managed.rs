//! Zyte-managed sessions: one at a time for each `sessionContext`, kept by the service.
//!
//! The service says neither how many sessions it keeps for a context nor how to end one; who wants another changes the context.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::chance::Chance;
use crate::cookies::Jar;
use crate::meters::Tally;
use crate::options::ManagedRules;
use crate::sessions::Visits;

/// Contexts that are kept at most; the one whose name comes first makes way.
const MAX_CONTEXTS: usize = 10_000;

/// A session that the service keeps for a context.
#[derive(Debug)]
pub(crate) struct ManagedSession {
    pub(crate) jar: Jar,
    pub(crate) address: String,
    pub(crate) visits: Visits,
    created: Duration,
    bans: u32,
    uses: u32,
}

/// The Zyte-managed sessions by context.
#[derive(Debug)]
pub(crate) struct Managed {
    rules: ManagedRules,
    sessions: BTreeMap<String, ManagedSession>,
    created: u64,
    ended: Tally,
}

/// Names a context; the order of its pairs does not matter.
pub(crate) fn context_key(context: &[Value]) -> Option<String> {
    let text = |pair: &Value, name: &str| pair.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    let mut pairs: Vec<_> = context.iter().map(|pair| (text(pair, "name"), text(pair, "value"))).collect();
    pairs.sort();
    (!pairs.is_empty()).then(|| json!(pairs).to_string())
}

impl Managed {
    /// Starts without any session.
    pub(crate) fn new(rules: ManagedRules) -> Self {
        Self { rules, sessions: BTreeMap::new(), created: 0, ended: Tally::default() }
    }

    /// Ends a context's session if it is too old.
    fn look_at(&mut self, key: &str, now: Duration) {
        if self.sessions.get(key).is_some_and(|session| now >= session.created.saturating_add(self.rules.max_age)) {
            self.end(key, "age");
        }
    }

    fn end(&mut self, key: &str, why: &str) {
        if self.sessions.remove(key).is_some() {
            self.ended.add(why);
        }
    }

    /// Says which use of the context's session the next request would be, from 1.
    pub(crate) fn next_use(&mut self, key: &str, now: Duration) -> u32 {
        self.look_at(key, now);
        self.sessions.get(key).map_or(1, |session| session.uses + 1)
    }

    /// Enters a context's session; tells whether it had to be created.
    pub(crate) fn enter(&mut self, key: &str, now: Duration, chance: &mut Chance) -> bool {
        self.look_at(key, now);
        if let Some(session) = self.sessions.get_mut(key) {
            session.uses += 1;
            return false;
        }
        if self.sessions.len() >= MAX_CONTEXTS && self.sessions.pop_first().is_some() {
            self.ended.add("displaced");
        }
        self.created += 1;
        let session = ManagedSession {
            jar: Jar::default(),
            address: chance.address(),
            visits: Visits::default(),
            created: now,
            bans: 0,
            uses: 1,
        };
        self.sessions.insert(key.to_owned(), session);
        true
    }

    /// Gives the session of a context that was entered.
    pub(crate) fn session_mut(&mut self, key: &str) -> Option<&mut ManagedSession> {
        self.sessions.get_mut(key)
    }

    /// Notes that a fetch was banned; too many bans, in a row or not, end the session.
    pub(crate) fn banned(&mut self, key: &str) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        session.bans += 1;
        if session.bans >= self.rules.max_bans {
            self.end(key, "bans");
        }
    }

    /// Writes what happened.
    pub(crate) fn report(&self) -> Value {
        json!({"created": self.created, "kept": self.sessions.len(), "ended": self.ended.report()})
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Managed, context_key};
    use crate::chance::Chance;
    use crate::options::ManagedRules;

    #[test]
    fn a_managed_session_lives_four_hours_or_three_bans() {
        let mut managed = Managed::new(ManagedRules::default());
        let mut chance = Chance::new(1);
        let mut enter = |managed: &mut Managed, seconds| managed.enter("a", Duration::from_secs(seconds), &mut chance);
        let four_hours = 4 * 3_600;
        for (seconds, is_created) in [(0, true), (four_hours - 1, false), (four_hours, true)] {
            assert_eq!(enter(&mut managed, seconds), is_created, "{seconds}");
        }
        for (bans, is_created) in [(2, false), (1, true)] {
            (0..bans).for_each(|_| managed.banned("a"));
            assert_eq!(enter(&mut managed, four_hours), is_created, "{bans}");
        }
        assert_eq!(managed.report(), json!({"created": 3, "kept": 1, "ended": {"age": 1, "bans": 1}}));
    }

    #[test]
    fn a_context_is_its_pairs_in_any_order() {
        let pair = |name: &str, value: &str| json!({"name": name, "value": value});
        let key = |pairs: &[_]| context_key(pairs);
        assert_eq!(key(&[pair("a", "1"), pair("b", "2")]), key(&[pair("b", "2"), pair("a", "1")]));
        assert_ne!(key(&[pair("a", "1")]), key(&[pair("a", "2")]));
        assert_eq!(key(&[]), None);
    }
}
