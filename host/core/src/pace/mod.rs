//! The pace of calls while the API is busy: which calls wait, and how they are let in again.
//!
//! A 429 or 503 has a scope: one site, where its type is a limit of the domain; automatic extraction, where it is one of the extractor;
//! else everything. The call itself is sent again after
//! a pause: the answer's `Retry-After`, or else what the API's documentation asks for, which grows with each slowing in a row; in the
//! second case at once when another call of the scope is answered ([`Pace::takes_calls`]), for then it has as good a chance as any.
//! And the scope is slowed:
//!
//! - Its calls follow each other at nine tenths of the rate that the API has lately taken, evenly: limits are rates, and many calls
//!   at once exceed one that their average keeps to.
//! - Where a call that was sent since is refused, too, and none was answered in between, the rate is halved; and nothing starts
//!   before the pause is over, if the answer asks for one or it is the third in a row.
//! - While nothing is refused the rate grows, slowly at first and ever faster. At four times what it was, and when nobody waits any
//!   more, the scope is forgotten; if no call is sent any more, some time later.
//!
//! Calls that were sent before the scope was slowed and come back busy are part of the same slowing, which is counted once.
//! Those who wait are let in as their requests came ([`Caller`]); a scope that is not slowed is not held up by one that is. A caller
//! need not call at once, a request may have to wait for its session: only calls that are sent ([`Pace::handle_sent`]) say anything
//! about what the API takes, and who was let in before a scope was slowed must wait again ([`Pace::must_wait_again`]).
//!
//! A machine without I/O, as [`Pool`](crate::pool::Pool): it is told what happened, says who may start ([`Pace::poll_admitted`]) and
//! when it wants to be woken ([`Pace::poll_timeout`]). Memory: one entry for each slowed site and for each with calls
//! under way, and as many for sites that were slowed.

mod meter;
mod scope;
mod slowed;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};
use std::time::Duration;

pub use scope::{Scope, Scopes};

use crate::id::Ticket;
use crate::retry::Wait;
use crate::time::Instant;
use meter::Meter;
use slowed::{Refusal, Slowed};

/// The longest pause that an answer of the API, or a plugin's verdict, can ask for.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// So many scopes are remembered without a second look.
const FEW: usize = 64;

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

/// Who wants to call, in the order in which they are let in: as the requests came, the initialisation of a request's session before the
/// request itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Caller {
    /// The request that wants to be sent, or wants a session.
    pub request: Ticket,
    /// Which of the two.
    pub part: Part,
}

/// What is sent for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// A call that initialises a session, by a number of its own.
    Init(Ticket),
    /// The request itself.
    Request,
}

/// Who may start a call, and who must wait.
#[derive(Debug, Default)]
pub struct Pace {
    scopes: BTreeMap<Scope, State>,
    /// With more scopes than these it is worth looking for such as can be forgotten.
    enough: usize,
    /// The scopes of those who wait.
    waiting: BTreeMap<Caller, Scopes>,
    /// How many wait with the same scopes.
    awaited: BTreeMap<Scopes, usize>,
    /// Those who were let in.
    inside: BTreeMap<Caller, Inside>,
    admitted: VecDeque<Caller>,
    /// When it was last seen who may go.
    looked_at: Instant,
}

/// One who was let in.
#[derive(Debug)]
struct Inside {
    scopes: Scopes,
    /// Was a scope slowed, so that it has a place in the even order of calls?
    is_paced: bool,
    is_under_way: bool,
}

/// What is known of a scope that is slowed, or that has calls under way.
#[derive(Debug, Default)]
struct State {
    under_way: u32,
    meter: Meter,
    slowed: Option<Slowed>,
}

impl Pace {
    /// Somebody wants to start a call of these scopes, and comes out of [`Self::poll_admitted`], at once where nothing is slowed.
    pub fn handle_request(&mut self, caller: Caller, scopes: Scopes, now: Instant) {
        if self.waiting.is_empty() && self.have_room(&scopes, now) {
            return self.let_in(caller, scopes, now);
        }
        if self.waiting.insert(caller, scopes.clone()).is_none() {
            *self.awaited.entry(scopes).or_default() += 1;
        }
        self.admit(now);
    }

    /// One who was let in sends a call, the first one or a repetition.
    pub fn handle_sent(&mut self, caller: Caller, now: Instant) {
        let Some(inside) = self.inside.get_mut(&caller) else { return };
        let is_first = !std::mem::replace(&mut inside.is_under_way, true);
        for scope in inside.scopes.iter() {
            let state = self.scopes.entry(scope.clone()).or_default();
            state.under_way += u32::from(is_first);
            state.meter.started(now);
            state.slowed.iter_mut().for_each(Slowed::sent);
        }
    }

    /// The call is over, or is not wanted any more.
    pub fn handle_done(&mut self, caller: Caller, now: Instant) {
        self.stop_waiting(caller);
        if let Some(Inside { scopes, is_under_way: true, .. }) = self.inside.remove(&caller) {
            for scope in scopes.iter() {
                self.leave(scope);
            }
        }
        self.admit(now);
    }

    /// A call of these scopes was answered by something else than "too busy".
    pub fn handle_answer(&mut self, scopes: &Scopes, now: Instant) {
        for scope in scopes.iter() {
            let Some(state) = self.scopes.get_mut(scope).filter(|state| state.slowed.is_some()) else { continue };
            let is_awaited = self.awaited.keys().any(|scopes| scopes.contains(scope));
            state.slowed.take_if(|slowed| slowed.answered(now) && !is_awaited);
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
        state.meter.refused(sent, now);
        let taken = state.meter.per_second(now);
        let slowed = state.slowed.get_or_insert_with(|| Slowed::at_first(now));
        let refusal = Refusal { sent, asked, taken, is_last: state.under_way <= 1 };
        let (pause, is_new) = slowed.busy(&refusal, pick, now);
        self.forget_faded(now);
        Busy { again: now + pause, is_asked_for: asked.is_some(), is_new }
    }

    /// Time has passed: those whose pause is over are let in.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.admit(now);
    }

    /// The next that may start its call.
    pub fn poll_admitted(&mut self) -> Option<Caller> {
        self.admitted.pop_front()
    }

    /// When to call `handle_timeout` at the latest: the first moment at which a scope opens while somebody waits for it.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.waiting.is_empty() {
            return None;
        }
        let awaited = self.awaited.keys().flat_map(Scopes::iter);
        let opens = awaited.filter_map(|scope| Some(self.slowed(scope)?.opens()));
        opens.filter(|opens| *opens > self.looked_at).min()
    }

    /// Until when no call of these scopes may be sent; none: calls may, though perhaps not all at once.
    pub fn pauses_until(&self, scopes: &Scopes, now: Instant) -> Option<Instant> {
        let slowed = scopes.iter().filter_map(|scope| self.slowed(scope));
        slowed.map(Slowed::pauses_until).max().filter(|until| *until > now)
    }

    /// One who was let in and has not called yet: has a scope become slowed since, or does it stand still?
    pub fn must_wait_again(&self, caller: Caller, now: Instant) -> bool {
        let Some(inside) = self.inside.get(&caller) else { return false };
        let is_slowed = inside.scopes.iter().any(|scope| self.slowed(scope).is_some());
        (is_slowed && !inside.is_paced) || self.pauses_until(&inside.scopes, now).is_some()
    }

    /// Has each of these scopes that is slowed answered a call since it was last busy?
    pub fn takes_calls(&self, scopes: &Scopes) -> bool {
        scopes.iter().filter_map(|scope| self.slowed(scope)).all(Slowed::takes_calls)
    }

    /// Is automatic extraction the only one of these scopes that is slowed?
    pub fn slows_extraction_alone(&self, scopes: &Scopes) -> bool {
        scopes.iter().all(|scope| self.slowed(scope).is_some() == (*scope == Scope::Extraction))
            && scopes.contains(&Scope::Extraction)
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
        let mut last = None;
        while self.has_room(&Scope::Everything, now) && self.awaited.keys().any(|scopes| self.have_room(scopes, now)) {
            let mut rest = self.waiting.range((last.map_or(Unbounded, Excluded), Unbounded));
            let Some((caller, scopes)) = rest.find(|(_, scopes)| self.have_room(scopes, now)) else { return };
            let (caller, scopes) = (*caller, scopes.clone());
            last = Some(caller);
            self.stop_waiting(caller);
            self.let_in(caller, scopes, now);
        }
    }

    /// Forgets sites that nobody calls any more. Looks only when there are twice as many scopes as it left the last time.
    fn forget_faded(&mut self, now: Instant) {
        if self.scopes.len() <= self.enough.max(FEW) {
            return;
        }
        let awaited = &self.awaited;
        self.scopes.retain(|scope, state| {
            let is_awaited = || awaited.keys().any(|scopes| scopes.contains(scope));
            let is_needed = !matches!(scope, Scope::Site(_)) || state.under_way > 0 || is_awaited();
            is_needed || state.slowed.as_ref().is_some_and(|slowed| !slowed.has_faded(now))
        });
        self.enough = self.scopes.len() * 2;
    }

    fn stop_waiting(&mut self, caller: Caller) {
        let Some(scopes) = self.waiting.remove(&caller) else { return };
        if let Some(number) = self.awaited.get_mut(&scopes) {
            *number -= 1;
            if *number == 0 {
                self.awaited.remove(&scopes);
            }
        }
    }

    fn let_in(&mut self, caller: Caller, scopes: Scopes, now: Instant) {
        let mut is_paced = false;
        for scope in scopes.iter() {
            let Some(slowed) = self.scopes.get_mut(scope).and_then(|state| state.slowed.as_mut()) else { continue };
            slowed.let_in(now);
            is_paced = true;
        }
        self.inside.insert(caller, Inside { scopes, is_paced, is_under_way: false });
        self.admitted.push_back(caller);
    }

    fn slowed(&self, scope: &Scope) -> Option<&Slowed> {
        self.scopes.get(scope)?.slowed.as_ref()
    }

    fn have_room(&self, scopes: &Scopes, now: Instant) -> bool {
        scopes.iter().all(|scope| self.has_room(scope, now))
    }

    fn has_room(&self, scope: &Scope, now: Instant) -> bool {
        self.slowed(scope).is_none_or(|slowed| slowed.opens() <= now)
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
