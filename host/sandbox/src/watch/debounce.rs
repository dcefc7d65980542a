//! When to look after something changed: once it has been quiet for a moment, so that a file that is being written is read once.

use std::time::{Duration, Instant};

/// How long it must have been quiet.
const QUIET: Duration = Duration::from_millis(200);

/// The longest that changes without a pause hold up a look.
const LONGEST: Duration = Duration::from_secs(2);

/// Decides about one look at a time; has no clock.
#[derive(Debug, Default)]
pub(super) struct Debounce {
    first: Option<Instant>,
    due: Option<Instant>,
}

impl Debounce {
    /// Something changed.
    pub(super) fn handle_event(&mut self, now: Instant) {
        let first = *self.first.get_or_insert(now);
        self.due = Some((now + QUIET).min(first + LONGEST));
    }

    /// Another look is wanted at this time, unless changes lead to one before.
    pub(super) fn handle_later(&mut self, at: Instant) {
        self.due.get_or_insert(at);
    }

    /// The look takes place.
    pub(super) fn handle_timeout(&mut self) {
        *self = Self::default();
    }

    /// When to look; none: nothing changed.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the look is, after events at these milliseconds.
    fn look_after(events: &[u64]) -> Option<u128> {
        let start = Instant::now();
        let mut debounce = Debounce::default();
        for at in events {
            debounce.handle_event(start + Duration::from_millis(*at));
        }
        debounce.poll_timeout().map(|at| (at - start).as_millis())
    }

    #[test]
    fn a_look_waits_until_it_is_quiet_but_not_for_ever() {
        for (events, look) in [(&[][..], None), (&[0], Some(200)), (&[0, 150, 300], Some(500))] {
            assert_eq!(look_after(events), look);
        }
        let restless: Vec<u64> = (0..100).map(|n| n * 100).collect();
        assert_eq!(look_after(&restless), Some(2_000));
    }

    #[test]
    fn after_a_look_it_begins_anew_and_a_later_look_yields_to_an_earlier_one() {
        let start = Instant::now();
        let mut debounce = Debounce::default();
        debounce.handle_event(start);
        debounce.handle_timeout();
        assert_eq!(debounce.poll_timeout(), None);
        debounce.handle_later(start + SECOND);
        assert_eq!(debounce.poll_timeout(), Some(start + SECOND));
        debounce.handle_event(start + SECOND / 4);
        assert_eq!(debounce.poll_timeout(), Some(start + SECOND / 4 + QUIET));
    }

    const SECOND: Duration = Duration::from_secs(1);
}
