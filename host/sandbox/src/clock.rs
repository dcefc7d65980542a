//! The time that one call may compute, measured in CPU time of its thread, so that a busy machine does not stop a good plugin.

use std::time::{Duration, Instant};

/// Counts the time that a guest computes. It runs while the guest runs and rests while the guest waits for a download.
#[derive(Debug)]
pub(crate) struct Clock {
    limit: Duration,
    used: Duration,
    running_since: Duration,
    /// The time on the wall that belongs to `running_since`.
    wall: Instant,
}

/// CPU time of this thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadTime(Duration);

/// Whether a guest may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// It may compute for this long.
    Some(Duration),
    /// Its time is over.
    Nothing,
}

impl Clock {
    /// A clock that rests; reading the CPU time takes tenths of a microsecond, so it is not done before the guest runs.
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, used: Duration::ZERO, running_since: Duration::ZERO, wall: Instant::now() }
    }

    /// Starts from zero, on this thread.
    pub(crate) fn restart(&mut self) {
        self.used = Duration::ZERO;
        self.resume();
    }

    /// What the guest may still compute.
    pub(crate) fn left(&self) -> Left {
        let used = self.used + thread_time().saturating_sub(self.running_since);
        match self.limit.checked_sub(used) {
            Some(left) if !left.is_zero() => Left::Some(left),
            Some(_) | None => Left::Nothing,
        }
    }

    /// What the guest may at least still compute. The time on the wall is cheaper to read and never runs slower, so it serves as
    /// long as it leaves half.
    pub(crate) fn at_least(&self) -> Duration {
        let by_wall = self.limit.saturating_sub(self.used + self.wall.elapsed());
        if by_wall >= self.limit / 2 {
            return by_wall;
        }
        match self.left() {
            Left::Some(left) => left,
            Left::Nothing => Duration::ZERO,
        }
    }

    /// Counts time in which the guest held its thread without computing.
    pub(crate) fn charge(&mut self, time: Duration) {
        self.used += time;
    }

    /// A point in time to give to [`spare`](Self::spare).
    pub(crate) fn now() -> ThreadTime {
        ThreadTime(thread_time())
    }

    /// Does not count what this thread computed since then.
    pub(crate) fn spare(&mut self, since: ThreadTime) {
        self.running_since += thread_time().saturating_sub(since.0);
    }

    /// Rests: the guest waits, and may go on in another thread.
    pub(crate) fn rest(&mut self) {
        self.used += thread_time().saturating_sub(self.running_since);
    }

    /// Runs again, on this thread.
    pub(crate) fn resume(&mut self) {
        self.running_since = thread_time();
        self.wall = Instant::now();
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }
}

/// The epochs (milliseconds) after which to look at the clock again.
pub(crate) fn ticks(left: Duration) -> u64 {
    u64::try_from(left.as_millis()).unwrap_or(u64::MAX / 2).clamp(1, u64::MAX / 2)
}

#[cfg(unix)]
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Elsewhere the time on the wall serves.
#[cfg(not(unix))]
fn thread_time() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_charged_counts_and_what_is_spared_does_not() {
        let mut clock = Clock::new(Duration::from_secs(3600));
        clock.restart();
        let began = Clock::now();
        clock.spare(began);
        assert!(matches!(clock.left(), Left::Some(left) if left > Duration::from_secs(3500)));
        clock.charge(Duration::from_secs(3500));
        assert!(matches!(clock.left(), Left::Some(left) if left <= Duration::from_secs(100)));
        clock.rest();
        clock.resume();
        clock.charge(Duration::from_secs(100));
        assert_eq!(clock.left(), Left::Nothing);
    }

    #[test]
    fn a_deadline_is_at_least_one_tick() {
        for (time, count) in [(Duration::ZERO, 1), (Duration::from_micros(10), 1), (Duration::from_millis(100), 100)] {
            assert_eq!(ticks(time), count);
        }
    }
}
