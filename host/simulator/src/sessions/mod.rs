//! User-managed sessions: a state machine over virtual time.
//!
//! ```text
//! absent ──enter──▶ active ──age, idle, bans in a row, script──▶ tombstone ──300 to 600 s──▶ absent
//!                     │ ▲                                          │
//!                     └─┘ use: clock of idle time restarts          └ enter: 422 session-expired
//! ```
//!
//! The clock of a session's idle time restarts at the start of a use, also of one that ends in a ban; a refused use leaves
//! it alone. A fault of the connection counts as a use. (The service does not say.)
//! Call [`Sessions::advance`] with the time before anything else; it ends what is due.

mod life;
#[cfg(test)]
mod tests;

pub(crate) use life::{End, Session, Visits};

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use crate::ask::Mode;
use crate::chance::Chance;
use crate::meters::SessionCounts;
use crate::options::SessionRules;
use crate::problem::Problem;

/// Ids of long gone sessions that are remembered to notice their re-use; the oldest are forgotten first.
const REMEMBERED_IDS: usize = 65_536;

/// All sessions that the simulator knows.
#[derive(Debug)]
pub(crate) struct Sessions {
    rules: SessionRules,
    known: HashMap<u128, State>,
    /// When to look at a session next; one entry for each known session.
    due: BinaryHeap<Reverse<(Duration, u128)>>,
    active: usize,
    gone: HashSet<u128>,
    gone_order: VecDeque<u128>,
    /// What happened, for the report.
    pub(crate) counts: SessionCounts,
}

#[derive(Debug)]
enum State {
    Active(Box<Session>),
    Tombstone { until: Duration },
}

/// What a request finds when it enters a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It is the first request of the session.
    First,
    /// The session was there.
    Later,
}

impl Sessions {
    /// Starts without any session.
    pub(crate) fn new(rules: SessionRules) -> Self {
        Self {
            rules,
            known: HashMap::new(),
            due: BinaryHeap::new(),
            active: 0,
            gone: HashSet::new(),
            gone_order: VecDeque::new(),
            counts: SessionCounts::default(),
        }
    }

    /// Counts the sessions alive.
    pub(crate) const fn active(&self) -> usize {
        self.active
    }

    /// Ends what is due until `now`: sessions become tombstones, tombstones are forgotten.
    pub(crate) fn advance(&mut self, now: Duration, chance: &mut Chance) {
        while let Some(Reverse((at, id))) = self.due.peek().copied() {
            if at > now {
                return;
            }
            self.due.pop();
            self.look_at(id, now, chance);
        }
    }

    fn look_at(&mut self, id: u128, now: Duration, chance: &mut Chance) {
        let next = match self.known.get(&id) {
            None => return,
            Some(State::Tombstone { until }) if *until <= now => {
                self.known.remove(&id);
                self.remember(id);
                return;
            }
            Some(State::Tombstone { until }) => *until,
            Some(State::Active(session)) => {
                let (deadline, end) = session.deadline(&self.rules);
                if deadline <= now { self.bury(id, deadline, end, chance) } else { deadline }
            }
        };
        if next <= now {
            // The tombstone's own time is over as well: the caller's clock made a long step.
            self.known.remove(&id);
            self.remember(id);
        } else {
            self.due.push(Reverse((next, id)));
        }
    }

    /// Turns a session into a tombstone and gives the end of it.
    fn bury(&mut self, id: u128, at: Duration, end: End, chance: &mut Chance) -> Duration {
        let range = self.rules.tombstone_max.saturating_sub(self.rules.tombstone_min);
        let length = self.rules.tombstone_min.saturating_add(share(range, chance.fraction()));
        let until = at.saturating_add(length);
        if let Some(State::Active(_)) = self.known.insert(id, State::Tombstone { until }) {
            self.active = self.active.saturating_sub(1);
        }
        self.counts.ended(end);
        until
    }

    fn remember(&mut self, id: u128) {
        if self.gone.insert(id) {
            self.gone_order.push_back(id);
        }
        if self.gone_order.len() > REMEMBERED_IDS
            && let Some(oldest) = self.gone_order.pop_front()
        {
            self.gone.remove(&oldest);
        }
    }

    /// Says which use of its session the next request would be, from 1.
    pub(crate) fn next_use(&self, id: u128) -> u32 {
        match self.known.get(&id) {
            Some(State::Active(session)) => session.uses + 1,
            Some(State::Tombstone { .. }) | None => 1,
        }
    }

    /// Enters a session, creating it where the id is free.
    pub(crate) fn enter(
        &mut self,
        id: u128,
        mode: Mode,
        geolocation: Option<&str>,
        now: Duration,
        chance: &mut Chance,
    ) -> Result<Entry, Problem> {
        match self.known.get_mut(&id) {
            Some(State::Tombstone { .. }) => {
                self.counts.refused_expired += 1;
                Err(expired())
            }
            Some(State::Active(session)) => {
                if self.rules.http_born_strict && session.is_http_born() && mode == Mode::Browser {
                    self.counts.refused_http_born += 1;
                    return Err(expired());
                }
                if geolocation.is_some() && session.geolocation.as_deref() != geolocation {
                    self.counts.geolocation_changed += 1;
                }
                session.touch(now);
                Ok(Entry::Later)
            }
            None => {
                self.create(id, mode, geolocation, now, chance)?;
                Ok(Entry::First)
            }
        }
    }

    fn create(
        &mut self,
        id: u128,
        mode: Mode,
        geolocation: Option<&str>,
        now: Duration,
        chance: &mut Chance,
    ) -> Result<(), Problem> {
        if self.rules.max_active.is_some_and(|max| self.active >= max) {
            self.counts.over_limit += 1;
            return Err(Problem::new(422, "/problem/over-session-limit", "too many sessions are active"));
        }
        if self.rules.creation_fault_share > 0.0 && chance.fraction() < self.rules.creation_fault_share {
            self.counts.creation_errors += 1;
            return Err(Problem::new(503, "/problem/session-creation-error", "the session could not be created"));
        }
        if self.gone.contains(&id) {
            self.counts.reborn += 1;
        }
        let session = Session::new(mode, geolocation, chance.address(), now);
        let (deadline, _) = session.deadline(&self.rules);
        self.known.insert(id, State::Active(Box::new(session)));
        self.due.push(Reverse((deadline, id)));
        self.active += 1;
        self.counts.created += 1;
        Ok(())
    }

    /// Gives a living session.
    pub(crate) fn session_mut(&mut self, id: u128) -> Option<&mut Session> {
        match self.known.get_mut(&id) {
            Some(State::Active(session)) => Some(session),
            Some(State::Tombstone { .. }) | None => None,
        }
    }

    /// Notes that a fetch in the session was banned; too many in a row end it.
    pub(crate) fn banned(&mut self, id: u128, now: Duration, chance: &mut Chance) {
        let max = self.rules.max_bans;
        let Some(session) = self.session_mut(id) else {
            return;
        };
        session.bans_in_a_row += 1;
        if session.bans_in_a_row >= max {
            self.bury(id, now, End::Bans, chance);
        }
    }

    /// Ends a session before its time, because a script says so.
    pub(crate) fn expire(&mut self, id: u128, now: Duration, chance: &mut Chance) {
        if self.session_mut(id).is_some() {
            self.bury(id, now, End::Script, chance);
        }
        self.counts.refused_expired += 1;
    }
}

/// Takes a share from 0.0 to 1.0 of a time.
fn share(time: Duration, fraction: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() * fraction).unwrap_or(time)
}

/// The answer to the use of an expired session.
pub(crate) fn expired() -> Problem {
    Problem::new(422, "/problem/session-expired", "this session has expired, use another id")
}
