//! How many calls of a scope the API has taken lately.

use std::time::Duration;

use crate::time::Instant;

/// Calls count for about so long.
const MEMORY: Duration = Duration::from_secs(10);

/// Over a shorter time no rate is told.
const SHORTEST: Duration = Duration::from_secs(1);

/// Counts calls and forgets them little by little.
#[derive(Debug, Default)]
pub(super) struct Meter {
    calls: f64,
    counted: Instant,
    since: Option<Instant>,
}

impl Meter {
    /// A call starts.
    pub(super) fn started(&mut self, now: Instant) {
        self.since.get_or_insert(now);
        self.forget(now);
        self.calls += 1.0;
    }

    /// A call that was sent then was not taken.
    pub(super) fn refused(&mut self, sent: Instant, now: Instant) {
        self.forget(now);
        self.calls = (self.calls - left_after(now.since(sent))).max(0.0);
    }

    /// Calls a second that were taken, those included that have no answer yet.
    pub(super) fn per_second(&mut self, now: Instant) -> f64 {
        self.forget(now);
        let length = self.since.map_or(Duration::ZERO, |since| now.since(since)).max(SHORTEST);
        self.calls / (MEMORY.as_secs_f64() * (1.0 - left_after(length)))
    }

    fn forget(&mut self, now: Instant) {
        self.calls *= left_after(now.since(self.counted));
        self.counted = now;
    }
}

fn left_after(time: Duration) -> f64 {
    (-time.as_secs_f64() / MEMORY.as_secs_f64()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_the_rate_of_the_calls_that_were_taken_from_the_first_second_on() {
        let at = |seconds: f64| Instant::after_start(Duration::from_secs_f64(100.0 + seconds));
        for (seconds, every, refused_of_four, expected) in
            [(1.0, 0.25, 0, 4.0), (5.0, 0.25, 0, 4.0), (60.0, 0.25, 0, 4.0), (60.0, 0.25, 1, 3.0), (60.0, 0.1, 2, 5.0)]
        {
            let mut meter = Meter::default();
            let calls = (seconds / every) as u32;
            for n in 0..calls {
                meter.started(at(f64::from(n) * every));
                if n % 4 < refused_of_four {
                    meter.refused(at(f64::from(n) * every), at(f64::from(n) * every));
                }
            }
            let found = meter.per_second(at(seconds));
            assert!((found - expected).abs() < 0.25, "{calls} calls, one each {every} s: {found} a second, not {expected}");
        }
    }
}
