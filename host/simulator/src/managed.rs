//! Zyte-managed sessions: one for each `sessionContext`, kept by the service.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::chance::Chance;
use crate::cookies::Jar;

const LIFE: Duration = Duration::from_secs(4 * 3_600);
const MAX_BANS: u32 = 3;

/// Contexts that are kept at most; the one whose name comes first makes way.
const MAX_CONTEXTS: usize = 10_000;

/// A session that the service keeps for a context.
#[derive(Debug)]
pub(crate) struct ManagedSession {
    pub(crate) jar: Jar,
    pub(crate) address: String,
    created: Duration,
    bans_in_a_row: u32,
}

/// The Zyte-managed sessions by context.
#[derive(Debug, Default)]
pub(crate) struct Managed(BTreeMap<String, ManagedSession>);

impl Managed {
    /// Names a context.
    pub(crate) fn key(context: &[Value]) -> String {
        Value::from(context.to_vec()).to_string()
    }

    /// Takes out the session of a context, if it is alive; whoever takes it puts it back.
    pub(crate) fn take(&mut self, key: &str, now: Duration) -> Option<ManagedSession> {
        let session = self.0.remove(key)?;
        (now < session.created + LIFE && session.bans_in_a_row < MAX_BANS).then_some(session)
    }

    /// Puts a session (back) in place, after a use that was banned or not.
    pub(crate) fn put(&mut self, key: String, mut session: ManagedSession, was_banned: bool) {
        session.bans_in_a_row = if was_banned { session.bans_in_a_row + 1 } else { 0 };
        if self.0.len() >= MAX_CONTEXTS {
            self.0.pop_first();
        }
        self.0.insert(key, session);
    }
}

impl ManagedSession {
    /// Makes a session without cookies.
    pub(crate) fn new(now: Duration, chance: &mut Chance) -> Self {
        Self { jar: Jar::default(), address: chance.address(), created: now, bans_in_a_row: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::{LIFE, Managed, ManagedSession};
    use crate::chance::Chance;
    use std::time::Duration;

    #[test]
    fn a_managed_session_lives_four_hours_or_three_bans() {
        let mut managed = Managed::default();
        let mut chance = Chance::new(1);
        let fresh = |chance: &mut Chance| ManagedSession::new(Duration::ZERO, chance);
        managed.put("a".into(), fresh(&mut chance), false);
        let session = managed.take("a", LIFE - Duration::from_secs(1)).unwrap();
        managed.put("a".into(), session, false);
        assert!(managed.take("a", LIFE).is_none());
        managed.put("b".into(), fresh(&mut chance), true);
        for _ in 0..2 {
            let session = managed.take("b", Duration::ZERO).unwrap();
            managed.put("b".into(), session, true);
        }
        assert!(managed.take("b", Duration::ZERO).is_none());
    }
}
