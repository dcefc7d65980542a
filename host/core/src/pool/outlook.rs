//! What a pool could take now, for whoever holds requests back until they can run.

use super::{Opening, Pool, Session};
use crate::settings::Growth;
use crate::time::Instant;

/// What a pool could take now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// Requests that would be served at once, refused at once, or open the first session.
    pub room: usize,
    /// Requests beyond these, each of which would open one session more.
    pub growth: usize,
    /// Requests that wait while no call is under way for them: their session rests, or the API has none for them.
    pub parked: usize,
    /// Does a session live?
    pub live: bool,
}

impl Outlook {
    /// A pool that nothing is known of: a request may open its first session.
    pub const FRESH: Self = Self { room: 1, growth: 0, parked: 0, live: false };

    /// No limit at all.
    pub const OPEN: Self = Self { room: usize::MAX, growth: 0, parked: 0, live: true };
}

impl<T: Clone> Pool<T> {
    /// What it could take now. `backlog` is how many requests its owner holds back: the pool grows for them as if they waited
    /// here, and wakes its owner when a session that rests can be used.
    pub fn outlook(&mut self, backlog: usize, now: Instant) -> Outlook {
        self.backlog = backlog;
        self.looked_at = self.looked_at.max(now);
        let live = self.sessions.iter().any(|session| !session.ending);
        if self.refusal(now).is_some() {
            return Outlook { live, ..Outlook::OPEN };
        }
        let free = self.free(now);
        let waiting = self.waiting.len();
        let (first, more) = self.openable(now);
        Outlook {
            room: free.saturating_add(first).saturating_sub(waiting),
            growth: more.saturating_sub(waiting.saturating_sub(free)),
            parked: self.parked(),
            live,
        }
    }

    /// Requests that the live sessions could take at once.
    fn free(&self, now: Instant) -> usize {
        let rests = !self.options.delay.is_zero();
        let of = |session: &Session<T>| match self.options.max_in_flight {
            _ if rests || session.unknown.is_some() => 1,
            Some(limit) => (limit.get() - session.in_flight) as usize,
            None => usize::MAX,
        };
        let usable = self.sessions.iter().filter(|session| self.is_usable(session, now));
        usable.map(of).fold(0, usize::saturating_add)
    }

    /// Sessions that it would open if enough requests came: those that are not worth a question, and the others.
    fn openable(&self, now: Instant) -> (usize, usize) {
        let is_first = self.opening.is_empty() && self.sessions.is_empty();
        match self.options.growth {
            Growth::Eager => (if self.may_start(now) { self.unstarted as usize } else { 0 }, 0),
            Growth::Thrifty | Growth::OnDemand if is_first => (1, self.missing(now).saturating_sub(1)),
            Growth::Thrifty | Growth::OnDemand => (0, self.missing(now)),
        }
    }

    /// Waiting requests beyond the initialisations under way.
    fn parked(&self) -> usize {
        let is_paused = |opening: &&Opening<T>| opening.paused_until.is_some();
        let owners = self.opening.iter().filter(|opening| opening.owner.is_some()).filter(is_paused).count();
        let under_way = self.opening.iter().filter(|opening| opening.owner.is_none() && opening.paused_until.is_none()).count();
        let reserved = self.sessions.iter().filter(|session| session.reserved_for.is_some()).count();
        self.waiting.len().saturating_sub(under_way) + owners + reserved
    }
}
