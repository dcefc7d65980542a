//! A limit of so many calls a second.

use std::time::Duration;

/// Counts calls as a bucket does that holds one second's worth: after a quiet second so many may come at once.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    per_second: f64,
    room: f64,
    looked_at: Duration,
}

impl Rate {
    /// Nothing has come yet.
    pub(crate) const fn new(per_second: f64) -> Self {
        Self { per_second, room: per_second.max(1.0), looked_at: Duration::ZERO }
    }

    /// A call comes. Returns whether it is one too many; such a call does not count.
    pub(crate) fn is_exceeded(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.looked_at).as_secs_f64();
        self.looked_at = self.looked_at.max(now);
        self.room = (self.room + passed * self.per_second).min(self.per_second.max(1.0));
        let is_exceeded = self.room < 1.0;
        if !is_exceeded {
            self.room -= 1.0;
        }
        is_exceeded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_calls_a_second_are_within_the_limit_and_others_do_not_count() {
        for (per_second, at_millis, exceeded) in [
            (
                2.0,
                [0, 0, 0, 0, 500, 500, 1_000, 3_000, 3_000, 3_000],
                [false, false, true, true, false, true, false, false, false, true],
            ),
            (0.5, [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 20_000, 20_000, 22_000], {
                [false, true, false, true, false, true, false, false, true, false]
            }),
        ] {
            let mut rate = Rate::new(per_second);
            let found = at_millis.map(|at| rate.is_exceeded(Duration::from_millis(at)));
            assert_eq!(found, exceeded, "{per_second} a second");
        }
    }
}
