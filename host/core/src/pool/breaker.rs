//! The circuit breaker of a pool: initialisations that keep failing must not go on for ever.
//!
//! ```text
//! closed ── max_bad_inits in a row ──▶ open ── cool-down over ──▶ half open: one initialisation tries
//!   ▲                                    ▲                               │ bad: the cool-down doubles
//!   │ a good initialisation              └───────────────────────────────┤
//!   └────────────────────────────────────────────────────────────────────┘ good
//! ```
//!
//! It also opens where so many sessions in a row were banned before a page on one of them was good, though their initialisations were; then a
//! good page closes it. And it opens where the API has had no session for the pool for `creation_timeout`; then a try that gets none, either, is bad.

use std::time::Duration;

use super::Refusal;
use crate::settings::PoolOptions;
use crate::time::Instant;

/// Counts bad initialisations in a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Breaker {
    bad_in_a_row: u32,
    /// Initialisations in a row whose check asked to come back later.
    put_off_in_a_row: u32,
    /// Sessions in a row that were banned before a page on them was good.
    fruitless_in_a_row: u32,
    last_bad: Instant,
    /// While the circuit is open, and while one initialisation tries whether it can be closed.
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    until: Instant,
    cool_down: Duration,
    cause: Cause,
}

/// What has opened the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    BadInits,
    Unavailable,
    Banned,
}

impl Breaker {
    /// A good initialisation: all is forgiven, but bans, of which it knows nothing.
    pub(super) fn close(&mut self) {
        let open = self.open.filter(|open| open.cause == Cause::Banned);
        *self = Self { open, fruitless_in_a_row: self.fruitless_in_a_row, last_bad: self.last_bad, ..Self::default() };
    }

    /// A good page: bans are forgiven as well.
    pub(super) fn served(&mut self) {
        self.fruitless_in_a_row = 0;
        self.open.take_if(|open| open.cause == Cause::Banned);
    }

    /// A session was banned before a page on it was good. Returns whether it was one too many: the circuit is open from now on.
    pub(super) fn fruitless(&mut self, options: &PoolOptions, now: Instant) -> bool {
        self.fruitless_in_a_row = self.fruitless_in_a_row.saturating_add(1);
        self.last_bad = now;
        let is_known = self.open.is_some_and(|open| open.cause == Cause::Banned);
        let is_one_too_many = is_known || self.fruitless_in_a_row >= options.max_bad_inits.max(1);
        if is_one_too_many {
            self.trip(Cause::Banned, options, now);
        }
        is_one_too_many
    }

    /// A bad initialisation. Returns whether it was one too many: the circuit is open from now on.
    pub(super) fn bad(&mut self, options: &PoolOptions, now: Instant) -> bool {
        self.bad_in_a_row = self.bad_in_a_row.saturating_add(1);
        self.put_off_in_a_row = 0;
        self.last_bad = now;
        let is_one_too_many = self.open.is_some() || self.bad_in_a_row >= options.max_bad_inits.max(1);
        if is_one_too_many {
            self.trip(Cause::BadInits, options, now);
        }
        is_one_too_many
    }

    /// The API has no session for the pool, and has had none since then. Returns whether that is too long: the circuit is open from now
    /// on.
    pub(super) fn unavailable(&mut self, since: Instant, options: &PoolOptions, now: Instant) -> bool {
        let is_known = self.open.is_some_and(|open| open.cause == Cause::Unavailable);
        let is_too_long = options.creation_timeout.is_some_and(|longest| is_known || now.since(since) >= longest);
        if is_too_long {
            self.trip(Cause::Unavailable, options, now);
        }
        is_too_long
    }

    fn trip(&mut self, cause: Cause, options: &PoolOptions, now: Instant) {
        let cool_down = match self.open {
            // Several initialisations were under way when the circuit opened: they are one failure.
            Some(open) if now < open.until => return,
            Some(open) => (open.cool_down * 2).min(options.max_cool_down),
            None => options.cool_down,
        };
        self.open = Some(Open { until: now + cool_down, cool_down, cause });
    }

    /// What a request is told that is refused because the circuit is open.
    pub(super) fn refusal(&self, retry_after: Option<Duration>) -> Refusal {
        match self.open.map(|open| open.cause) {
            Some(Cause::Unavailable) => Refusal::Unavailable { retry_after },
            Some(Cause::Banned) => Refusal::Banned { retry_after },
            Some(Cause::BadInits) | None => Refusal::BadInits { retry_after },
        }
    }

    /// An initialisation whose check asks to come back later. Returns whether that happened too often to be believed.
    pub(super) fn put_off(&mut self, options: &PoolOptions) -> bool {
        self.put_off_in_a_row = self.put_off_in_a_row.saturating_add(1);
        self.put_off_in_a_row > options.max_throttled
    }

    /// Until when no initialisation is tried; none: it may be.
    pub(super) fn refuses(&self, now: Instant) -> Option<Instant> {
        self.open.map(|open| open.until).filter(|until| now < *until)
    }

    /// When the latest cool-down is over, or was.
    pub(super) fn cools_until(&self) -> Option<Instant> {
        self.open.map(|open| open.until)
    }

    /// The cool-down is over but no initialisation has succeeded yet: one at a time may try.
    pub(super) fn is_trying(&self) -> bool {
        self.open.is_some()
    }

    /// The cool-down is over but no page has been good yet, on a pool whose sessions were all banned.
    pub(super) fn waits_for_a_page(&self) -> bool {
        self.open.is_some_and(|open| open.cause == Cause::Banned)
    }

    /// Has nothing bad happened since the last good initialisation?
    pub(super) fn is_fresh(&self) -> bool {
        self.bad_in_a_row == 0 && self.fruitless_in_a_row == 0 && self.open.is_none()
    }

    /// When what happened is too long ago to matter.
    pub(super) fn fades_at(&self, options: &PoolOptions) -> Option<Instant> {
        let since = self.open.map_or(self.last_bad, |open| open.until);
        (!self.is_fresh()).then_some(since + options.max_cool_down)
    }

    /// All of it, with times relative to now.
    #[cfg(test)]
    pub(super) fn shape(&self, now: Instant) -> impl std::fmt::Debug + use<> {
        let open = self.open.map(|open| (open.until.since(now), now.since(open.until), open.cool_down, open.cause));
        (self.bad_in_a_row, self.fruitless_in_a_row, self.put_off_in_a_row, now.since(self.last_bad), open)
    }
}
