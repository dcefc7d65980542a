//! The circuit breaker of a pool: initialisations that keep failing must not go on for ever.

use std::time::Duration;

use crate::settings::PoolOptions;
use crate::time::Instant;

/// Counts bad initialisations in a row.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    bad_in_a_row: u32,
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

    /// Until when requests are refused; none: they are not.
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
}
