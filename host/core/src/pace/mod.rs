//! The pace of calls while the API is busy: which calls wait, and how they are let in again.
//!
//! A 429 or 503 has a scope: one site, where its type is a limit of the domain, else everything. The call itself is sent again after
//! a pause: the answer's `Retry-After`, or else what the API's documentation asks for, which grows with each slowing in a row; in the
//! second case at once when another call of the scope is answered ([`Pace::takes_calls`]), for then it has as good a chance as any.
//! And the scope is slowed:
//!
//! - A busy answer with good ones around it is normal and tells that the pace is about right: a fifth fewer calls may be under way.
//! - Where two come with no other answer in between, half as many may be under way, and none starts before the pause is over.
//! - With each round of answers one more is let in, until it is as many as before; then the scope is forgotten.
//!
//! Calls that were sent before the scope was slowed and come back busy are part of the same slowing, which is counted once.
//! Requests that wait are let in by their tickets' order; a scope that is not slowed is not held up by one that is.
//!
//! A machine without I/O, as [`Pool`](crate::pool::Pool): it is told what happened, says who may start ([`Pace::poll_admitted`]) and
//! when it wants to be woken ([`Pace::poll_timeout`]). Memory: one entry for each slowed site and for each with calls under way.

mod scope;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

pub use scope::Scope;

use crate::id::Ticket;
use crate::retry::Wait;
use crate::time::Instant;

/// The longest pause that an answer can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// So many busy answers without another in between are no reason to stop a scope.
const ALONE: u32 = 1;

/// What is left of the calls under way after a busy answer that came alone.
const GENTLE: f64 = 0.8;

/// What is left of them when everybody must stop.
const HARD: f64 = 0.5;

/// What a busy answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// The call that was answered is not to be sent again before.
    pub again: Instant,
    /// The API has asked for this pause; otherwise it ends early when the scope takes calls again.
    pub is_asked_for: bool,
    /// It slows its scope, or slows it further; otherwise it is part of a slowing that is known.
    pub is_new: bool,
}

/// Who may start a call, and who must wait.
#[derive(Debug, Default)]
pub struct Pace {
    scopes: BTreeMap<Scope, State>,
    /// The sites of those who wait.
    waiting: BTreeMap<Ticket, Scope>,
    /// The sites of those who were let in.
    under_way: BTreeMap<Ticket, Scope>,
    admitted: VecDeque<Ticket>,
    /// When it was last seen who may go.
    looked_at: Instant,
}

/// What is known of a scope that is slowed, or that has calls under way.
#[derive(Debug, Default)]
struct State {
    under_way: u32,
    slowed: Option<Slowed>,
}

#[derive(Debug)]
struct Slowed {
    /// No call starts before.
    until: Instant,
    /// Calls that were sent before this moment have been heard already.
    since: Instant,
    /// Slowings in a row without a good answer in between.
    in_a_row: u32,
    /// Busy answers since the last good one, those of one slowing included.
    unanswered: u32,
    /// Calls under way at once.
    limit: f64,
    /// The same when this slowing began.
    width: f64,
    /// How many were under way when it began: so many again, and it is over.
    before: f64,
}

impl Pace {
    /// Somebody wants to start a call on this site. Its ticket comes out of [`Self::poll_admitted`], at once where nothing is slowed.
    pub fn handle_request(&mut self, ticket: Ticket, site: Scope, now: Instant) {
        if self.waiting.is_empty() && self.has_room(&Scope::Everything, now) && self.has_room(&site, now) {
            return self.let_in(ticket, site);
        }
        self.waiting.insert(ticket, site);
        self.admit(now);
    }

    /// The call of this ticket is over, or is not wanted any more.
    pub fn handle_done(&mut self, ticket: Ticket, now: Instant) {
        self.waiting.remove(&ticket);
        if let Some(site) = self.under_way.remove(&ticket) {
            for scope in [Scope::Everything, site] {
                self.leave(&scope);
            }
        }
        self.admit(now);
    }

    /// A call on this site was answered by something else than "too busy".
    pub fn handle_answer(&mut self, site: &Scope, now: Instant) {
        for scope in [&Scope::Everything, site] {
            let Some(state) = self.scopes.get_mut(scope) else { continue };
            state.slowed.take_if(|slowed| slowed.answered());
            if state.is_idle() {
                self.scopes.remove(scope);
            }
        }
        self.admit(now);
    }

    /// A call that was sent at `sent` was answered by "too busy" for this scope; `pick` chooses the pause where the answer asks for
    /// none. Returns when this call may be sent again, and whether it slows the scope anew.
    pub fn handle_busy(&mut self, scope: &Scope, sent: Instant, retry_after: Option<Duration>, pick: Pick, now: Instant) -> Busy {
        let asked = retry_after.map(|pause| pause.min(LONGEST_PAUSE));
        let state = self.scopes.entry(scope.clone()).or_default();
        let before = f64::from(state.under_way.max(1));
        let is_new = state.slowed.as_ref().is_none_or(|slowed| sent >= slowed.since);
        let slowed = state.slowed.get_or_insert(Slowed::at_first(before, now));
        slowed.unanswered = slowed.unanswered.saturating_add(1);
        if is_new {
            slowed.in_a_row = slowed.in_a_row.saturating_add(1);
            slowed.since = now;
            slowed.width = slowed.limit;
        }
        let pause = asked.unwrap_or_else(|| pick.pause(slowed.in_a_row));
        match slowed.unanswered {
            ..=ALONE => slowed.decrease(GENTLE),
            unanswered if is_new || unanswered == ALONE + 1 => {
                slowed.decrease(HARD);
                slowed.until = slowed.until.max(now + pause);
            }
            _ => slowed.until = slowed.until.max(now + asked.unwrap_or_default()),
        }
        Busy { again: now + pause, is_asked_for: asked.is_some(), is_new }
    }

    /// Time has passed: those whose pause is over are let in.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.admit(now);
    }

    /// The next that may start its call.
    pub fn poll_admitted(&mut self) -> Option<Ticket> {
        self.admitted.pop_front()
    }

    /// When to call `handle_timeout` at the latest: the first pause that ends while somebody waits for it.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let awaited: BTreeSet<&Scope> = self.waiting.values().chain([&Scope::Everything]).collect();
        let pause = |scope: &Scope| self.scopes.get(scope)?.slowed.as_ref().map(|slowed| slowed.until);
        if self.waiting.is_empty() {
            return None;
        }
        awaited.into_iter().filter_map(pause).filter(|until| *until > self.looked_at).min()
    }

    /// Until when a call on this site must not be sent; none: it may.
    pub fn pauses_until(&self, site: &Scope, now: Instant) -> Option<Instant> {
        let pause = |scope: &Scope| self.scopes.get(scope)?.slowed.as_ref().map(|slowed| slowed.until);
        [&Scope::Everything, site].into_iter().filter_map(pause).max().filter(|until| *until > now)
    }

    /// Has each slowed scope of this site answered a call since it was last busy?
    pub fn takes_calls(&self, site: &Scope) -> bool {
        let slowed = |scope: &Scope| self.scopes.get(scope)?.slowed.as_ref();
        [&Scope::Everything, site].into_iter().filter_map(slowed).all(|slowed| slowed.unanswered == 0)
    }

    /// Scopes that are remembered.
    pub fn len(&self) -> usize {
        self.scopes.len()
    }

    /// Is nothing slowed and nothing under way?
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty()
    }

    fn admit(&mut self, now: Instant) {
        self.looked_at = now;
        if self.waiting.is_empty() || !self.has_room(&Scope::Everything, now) {
            return;
        }
        let mut full = BTreeSet::new();
        for (ticket, site) in self.waiting.clone() {
            if !self.has_room(&Scope::Everything, now) {
                return;
            }
            if full.contains(&site) || !self.has_room(&site, now) {
                full.insert(site);
                continue;
            }
            self.waiting.remove(&ticket);
            self.let_in(ticket, site);
        }
    }

    fn let_in(&mut self, ticket: Ticket, site: Scope) {
        for scope in [&Scope::Everything, &site] {
            self.scopes.entry(scope.clone()).or_default().under_way += 1;
        }
        self.under_way.insert(ticket, site);
        self.admitted.push_back(ticket);
    }

    fn has_room(&self, scope: &Scope, now: Instant) -> bool {
        let Some(State { under_way, slowed: Some(slowed) }) = self.scopes.get(scope) else { return true };
        slowed.until <= now && f64::from(*under_way) < slowed.limit.floor()
    }

    fn leave(&mut self, scope: &Scope) {
        let Some(state) = self.scopes.get_mut(scope) else { return };
        state.under_way = state.under_way.saturating_sub(1);
        if state.is_idle() {
            self.scopes.remove(scope);
        }
    }
}

impl State {
    fn is_idle(&self) -> bool {
        self.under_way == 0 && self.slowed.is_none()
    }
}

impl Slowed {
    /// Before the first busy answer is counted.
    fn at_first(before: f64, now: Instant) -> Self {
        Self { until: now, since: now, in_a_row: 0, unanswered: 0, limit: before, width: before, before }
    }

    fn decrease(&mut self, factor: f64) {
        self.limit = (self.width * factor).max(1.0);
    }

    /// A good answer. Returns whether it is over.
    fn answered(&mut self) -> bool {
        self.in_a_row = 0;
        self.unanswered = 0;
        self.limit += 1.0 / self.limit;
        self.limit > self.before
    }
}

/// How a pause is chosen where the API asks for none.
#[derive(Clone, Copy, Debug)]
pub struct Pick {
    /// From 0 to 1: the point in the range of pauses.
    pub random: f64,
    /// A factor on the pause.
    pub scale: f64,
}

impl Pick {
    fn pause(self, in_a_row: u32) -> Duration {
        let pause = Wait::THROTTLING.after(in_a_row.max(1)).at(self.random);
        Duration::try_from_secs_f64(pause.as_secs_f64() * self.scale.max(0.0)).unwrap_or(pause)
    }
}
