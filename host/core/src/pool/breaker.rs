//! The circuit breaker of a pool: initialisations that keep failing must not go on for ever.
//!
//! ```text
//! closed ── max_bad_inits in a row ──▶ open ── cool-down over ──▶ half open: one initialisation tries
//!   ▲                                    ▲                               │ bad: the cool-down doubles
//!   │ a good initialisation              └───────────────────────────────┤
//!   └────────────────────────────────────────────────────────────────────┘ good
//! ```

use std::time::Duration;

use crate::settings::PoolOptions;
use crate::time::Instant;

/// Counts bad initialisations in a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Breaker {
    bad_in_a_row: u32,
    /// Initialisations in a row whose check asked to come back later.
    put_off_in_a_row: u32,
    last_bad: Instant,
    /// While the circuit is open, and while one initialisation tries whether it can be closed.
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    until: Instant,
    cool_down: Duration,
}

impl Breaker {
    /// A good initialisation: all is forgiven.
    pub(super) fn close(&mut self) {
        *self = Self::default();
    }

    /// A bad initialisation. Returns whether it was one too many: the circuit is open from now on.
    pub(super) fn bad(&mut self, options: &PoolOptions, now: Instant) -> bool {
        self.bad_in_a_row = self.bad_in_a_row.saturating_add(1);
        self.put_off_in_a_row = 0;
        self.last_bad = now;
        if self.bad_in_a_row < options.max_bad_inits.max(1) {
            return false;
        }
        let cool_down = match self.open {
            // Several initialisations were under way when the circuit opened: they are one failure.
            Some(open) if now < open.until => return true,
            Some(open) => (open.cool_down * 2).min(options.max_cool_down),
            None => options.cool_down,
        };
        self.open = Some(Open { until: now + cool_down, cool_down });
        true
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

    /// The cool-down is over but no initialisation has succeeded yet: one at a time may try.
    pub(super) fn is_trying(&self) -> bool {
        self.open.is_some()
    }

    /// Has nothing bad happened since the last good initialisation?
    pub(super) fn is_fresh(&self) -> bool {
        self.bad_in_a_row == 0
    }

    /// When what happened is too long ago to matter.
    pub(super) fn fades_at(&self, options: &PoolOptions) -> Option<Instant> {
        let since = self.open.map_or(self.last_bad, |open| open.until);
        (!self.is_fresh()).then_some(since + options.max_cool_down)
    }

    /// All of it, with times relative to now.
    #[cfg(test)]
    pub(super) fn shape(&self, now: Instant) -> impl std::fmt::Debug + use<> {
        let open = self.open.map(|open| (open.until.since(now), now.since(open.until), open.cool_down));
        (self.bad_in_a_row, self.put_off_in_a_row, now.since(self.last_bad), open)
    }
}
