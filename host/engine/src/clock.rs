//! The engine's time: it goes on while the machine sleeps, since the sessions at the API do.
//!
//! The clock that timers run by stands still in sleep. What has passed in addition is told by two others, that of the time since boot
//! (Linux) and the wall clock, which also knows of virtual machines that were paused: where either has moved ahead, the machine has slept
//! for that long. A wall clock that somebody puts forward looks the same; then sessions are given up too early, which only costs their
//! initialisation.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use carousel_core::time::Instant;

/// Longer than any crawl, and short enough for every clock.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Clocks that are read one after the other differ a little, and are corrected little by little.
const NOTICEABLE: Duration = Duration::from_secs(1);

/// The sleep of a machine in a simulation, as long as whoever holds it says. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct SimulatedSleep(Arc<AtomicU64>);

impl SimulatedSleep {
    /// The machine has slept for this long, in whole milliseconds.
    pub fn sleep(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How long it has slept in all.
    pub fn slept(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// Tells the engine's time.
#[derive(Debug)]
pub(crate) struct Clock {
    started: tokio::time::Instant,
    /// The time of day at the start, since 1970; from then on the engine's own time counts.
    unix_start: Duration,
    sleep: Sleep,
}

#[derive(Debug)]
enum Sleep {
    Simulated(SimulatedSleep),
    Measured { started: std::time::Instant, seen: Mutex<Seen> },
}

/// How far the clocks that do not stand still were ahead when they were looked at last.
#[derive(Clone, Debug, Default)]
struct Seen {
    ahead: [i128; 2],
    slept: Duration,
}

impl Clock {
    /// Its time begins now.
    pub(crate) fn new(simulated: Option<SimulatedSleep>) -> Self {
        let measured = || {
            let started = std::time::Instant::now();
            Sleep::Measured { started, seen: Mutex::new(Seen { ahead: ahead(started), slept: Duration::ZERO }) }
        };
        Self {
            started: tokio::time::Instant::now(),
            unix_start: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            sleep: simulated.map_or_else(measured, Sleep::Simulated),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed() + self.slept()
    }

    /// Seconds since 1970.
    pub(crate) fn unix_now(&self) -> u64 {
        (self.unix_start + self.elapsed()).as_secs()
    }

    /// When timers have to ring for a point in the engine's time, if the machine does not sleep any more; a point that they cannot show is
    /// far enough away in a century.
    pub(crate) fn timer(&self, at: Instant) -> tokio::time::Instant {
        self.started + at.since(Instant::after_start(self.slept())).min(CENTURY)
    }

    /// How long the machine has slept so far.
    pub(crate) fn slept(&self) -> Duration {
        match &self.sleep {
            Sleep::Simulated(sleep) => sleep.slept(),
            Sleep::Measured { started, seen } => seen.lock().unwrap_or_else(PoisonError::into_inner).look(ahead(*started)),
        }
    }
}

impl Seen {
    /// Counts what has passed in sleep since the last look, and returns it all.
    fn look(&mut self, ahead: [i128; 2]) -> Duration {
        let mut moved = Duration::ZERO;
        for (known, ahead) in self.ahead.iter_mut().zip(ahead) {
            let by = Duration::from_nanos(u64::try_from((ahead - *known).unsigned_abs()).unwrap_or(u64::MAX));
            if by < NOTICEABLE {
                continue;
            }
            moved = if ahead > *known { moved.max(by) } else { moved };
            *known = ahead;
        }
        if !moved.is_zero() {
            self.slept += moved;
            tracing::info!(seconds = moved.as_secs_f64(), "the machine has slept, or its clock was put forward");
        }
        self.slept
    }
}

/// By how many nanoseconds the clocks that go on in sleep are ahead of the one that timers run by.
fn ahead(started: std::time::Instant) -> [i128; 2] {
    let nanos = |time: Duration| i128::try_from(time.as_nanos()).unwrap_or(i128::MAX);
    let timers = nanos(started.elapsed());
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    [since_boot().map_or(0, |time| nanos(time) - timers), nanos(wall) - timers]
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn since_boot() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn since_boot() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i128 = 1_000_000_000;

    #[test]
    fn what_either_clock_moves_ahead_was_slept_and_nothing_is_counted_twice() {
        let mut seen = Seen::default();
        for (boot, wall, slept) in [
            (0, 0, 0),
            (300, 300, 300),
            (300, 300, 300),
            // A virtual machine that was paused.
            (300, 900, 900),
            // The wall clock is put back, which is no sleep, and goes on from there.
            (300, 0, 900),
            (400, 100, 1_000),
            (400, 3_700, 4_600),
        ] {
            assert_eq!(seen.look([boot * SECOND, wall * SECOND]), Duration::from_secs(slept), "{boot} {wall}");
        }
    }

    #[test]
    fn what_clocks_differ_by_when_they_are_read_is_no_sleep() {
        let mut seen = Seen::default();
        for ahead in [[SECOND / 2, -SECOND / 2], [0, SECOND / 2], [SECOND / 3, 0]] {
            assert_eq!(seen.look(ahead), Duration::ZERO);
        }
    }

    #[test]
    fn a_machine_that_is_awake_does_not_sleep() {
        let clock = Clock::new(None);
        assert_eq!((0..1_000).map(|_| clock.slept()).max(), Some(Duration::ZERO));
        let sleep = SimulatedSleep::default();
        let clock = Clock::new(Some(sleep.clone()));
        let at = Instant::after_start(Duration::from_secs(200));
        let before = clock.timer(at);
        sleep.sleep(Duration::from_secs(150));
        assert_eq!(before - clock.timer(at), Duration::from_secs(150));
        assert!(clock.elapsed() >= Duration::from_secs(150));
    }
}
