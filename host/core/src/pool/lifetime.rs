//! When a session ends by the clock. The API ends a session by age and by idle time, and forgets it some minutes later: then
//! its id silently opens a new, uninitialised one. So a session is never lent once it is near either limit.
//!
//! Nobody has said whether idle time counts from the beginning of a call or from its end. It is counted from the beginning, but a
//! session whose initialisation ended with a very long call can be lent when that is over: else it would never be.

use std::time::Duration;

use super::session::{Session, Unknown};
use super::{EndReason, Opening, Pool, Waiter};
use crate::chance::Chance;
use crate::id::SessionId;
use crate::time::Instant;

/// For so long at least a new session may be lent after its rest.
pub(super) const MOMENT: Duration = Duration::from_secs(1);

impl<T: Clone> Pool<T> {
    /// The pause after a use that begins now.
    pub(super) fn rest(&self, chance: &mut Chance) -> Duration {
        let rest = match self.options.randomize_delay && !self.options.delay.is_zero() {
            true => self.options.delay.mul_f64(0.5 + chance.unit()),
            false => self.options.delay,
        };
        self.longest_rest().map_or(rest, |longest| rest.min(longest))
    }

    /// A session is born.
    pub(super) fn admit(&mut self, opening: Opening<T>, unknown: Option<Unknown>, now: Instant, chance: &mut Chance) {
        let rest = self.rest(chance);
        let last_used = self.used_at_birth(&opening, now);
        let (trigger, start) = (opening.trigger, opening.start);
        let owner = opening.owner.map(|ticket| Waiter { ticket, trigger, start, deadline: None });
        let session = Session::new(opening.session, opening.since, last_used, now + rest, owner);
        let mut session = session.unknown(unknown, opening.lacking_since);
        let latest = self.lapses_at_latest(&session).map(|limit| limit - MOMENT);
        session.rests_until = latest.map_or(session.rests_until, |latest| latest.min(session.rests_until));
        self.sessions.push(session);
    }

    /// Has its initialisation taken as long as it may live, or as long after its last call as it may be idle?
    pub(super) fn is_born_dead(&self, opening: usize, now: Instant) -> bool {
        let Some(opening) = self.opening.get(opening) else { return false };
        let ages_at = self.longest_age().map(|longest| opening.since + longest);
        let idles_at = self.longest_idle().map(|longest| self.used_at_birth(opening, now) + longest);
        [ages_at, idles_at].into_iter().flatten().any(|limit| limit <= now)
    }

    /// From when on the idle time of a session counts that is born now.
    fn used_at_birth(&self, opening: &Opening<T>, now: Instant) -> Instant {
        let called = opening.called.unwrap_or(now);
        let over = opening.call_over.unwrap_or(now);
        self.longest_idle().map_or(called, |longest| called.max((over + MOMENT) - longest))
    }

    /// The longest rest after which a session can still be lent.
    pub(super) fn longest_rest(&self) -> Option<Duration> {
        let limits = [self.longest_age(), self.longest_idle()];
        limits.into_iter().flatten().min().map(|life| life.saturating_sub(MOMENT))
    }

    fn longest_age(&self) -> Option<Duration> {
        Some(self.options.max_age?.saturating_sub(self.options.margin))
    }

    fn longest_idle(&self) -> Option<Duration> {
        Some(self.options.max_idle?.saturating_sub(self.options.margin))
    }

    /// From when on the session may not be lent. What the uses under way will have done for it nobody knows yet.
    pub(super) fn lent_until(&self, session: &Session<T>) -> Option<Instant> {
        let idles_at = self.longest_idle().map(|longest| session.proven + longest);
        [self.ages_at(session), idles_at].into_iter().flatten().min()
    }

    /// When the session lapses, if the uses under way keep it alive until then.
    pub(super) fn lapses_at_latest(&self, session: &Session<T>) -> Option<Instant> {
        match (self.ages_at(session), self.idles_at(session)) {
            (Some(age), Some(idle)) => Some(age.min(idle)),
            (age, idle) => age.or(idle),
        }
    }

    /// Will this session still be good at this time, if only uses that were answered have kept it alive?
    pub fn outlives(&self, session: SessionId, at: Instant) -> bool {
        let Some(session) = self.sessions.iter().find(|known| known.id == session) else { return false };
        !session.ending && self.lent_until(session).is_none_or(|limit| at < limit)
    }

    /// When the session can be retired by the clock; while it is in use, when those who wait for it need another at last.
    pub(super) fn lapses_at(&self, session: &Session<T>) -> Option<Instant> {
        let is_awaited = !session.ending && (!self.waiting.is_empty() || self.backlog > 0);
        self.lapses_at_latest(session).filter(|_| session.in_flight == 0 || is_awaited)
    }

    /// When somebody can be served with this session that is at rest now: one who waits here, or one whom the owner holds back.
    pub(super) fn wakes_at(&self, session: &Session<T>) -> Option<Instant> {
        let awaited = self.backlog > 0 && session.rests_until > self.looked_at;
        let has_room = session.has_room(&self.options) && (session.unknown.is_none() || session.in_flight == 0);
        let wanted = session.reserved_for.is_some() || ((!self.waiting.is_empty() || awaited) && has_room);
        let wakes = session.rests_until.max(self.looked_at);
        let in_time = !session.ending && self.lent_until(session).is_none_or(|limit| wakes < limit);
        (wanted && in_time).then_some(session.rests_until)
    }

    /// Ends the sessions whose time has come; those in use end when they come back.
    pub(super) fn retire_lapsed(&mut self, now: Instant) {
        let mut index = 0;
        while let Some(session) = self.sessions.get(index) {
            match self.lapsed(session, now) {
                Some(reason) if session.in_flight == 0 => self.retire(index, reason),
                lapsed => {
                    if let Some(session) = self.sessions.get_mut(index) {
                        session.ending = lapsed.is_some();
                    }
                    index += 1;
                }
            }
        }
    }

    fn lapsed(&self, session: &Session<T>, now: Instant) -> Option<EndReason> {
        let reason = if self.ages_at(session).is_some_and(|limit| limit <= now) {
            EndReason::ExpiredAge
        } else if self.idles_at(session).is_some_and(|limit| limit <= now) {
            EndReason::ExpiredIdle
        } else {
            return None;
        };
        Some(if session.is_used { reason } else { EndReason::Unused })
    }

    /// Will it be too old before a session that is opened now is ready? Then those who wait need its successor already.
    pub(super) fn needs_successor(&self, session: &Session<T>, now: Instant) -> bool {
        let ready = now + self.pace.open.unwrap_or_default();
        session.ending || self.ages_at(session).is_some_and(|limit| limit <= ready)
    }

    fn ages_at(&self, session: &Session<T>) -> Option<Instant> {
        Some(session.created + self.longest_age()?)
    }

    fn idles_at(&self, session: &Session<T>) -> Option<Instant> {
        Some(session.last_used + self.longest_idle()?)
    }
}
