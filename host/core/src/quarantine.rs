//! When a plugin that keeps being stopped is left alone, and when it is tried again.
//!
//! ```text
//!            `limit` traps of one hook in a row                 the pause is over
//!   at work ────────────────────────────────────▶ paused ───────────────────────────▶ on trial
//!      ▲                                             ▲                                    │ │
//!      │                                             └─ the hook traps: twice the pause ──┘ │
//!      └──────────────────────── the hook ends well, or a new version comes ────────────────┘
//! ```
//!
//! Traps are counted per hook: one that always traps is not hidden by another that works. While paused nothing is asked. On trial
//! one request is let in, and another each time that no answer came for a while; calls for requests that were let in earlier are
//! not held up.

use std::time::Duration;

use crate::hooks::Hook;
use crate::time::Instant;

/// When to pause, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuarantineOptions {
    /// Traps of one hook in a row that are too many; 0: never pause.
    pub limit: u32,
    /// The first pause, doubled each time that the trial fails.
    pub pause: Duration,
    /// The longest pause.
    pub max_pause: Duration,
}

/// The state of one plugin at one site.
#[derive(Debug)]
pub struct Quarantine {
    options: QuarantineOptions,
    in_a_row: [u32; Hook::ALL.len()],
    paused: Option<Paused>,
}

#[derive(Clone, Copy, Debug)]
struct Paused {
    hook: Hook,
    pause: Duration,
    until: Instant,
    /// When another request may be let in, while on trial.
    next_trial: Instant,
}

/// What a call that ended changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing.
    None,
    /// The plugin is paused from now on, for so long.
    Pause(Duration),
    /// The plugin is at work again.
    Recovered,
}

impl Quarantine {
    /// A plugin at work.
    pub fn new(options: QuarantineOptions) -> Self {
        Self { options, in_a_row: [0; Hook::ALL.len()], paused: None }
    }

    /// Whether the plugin is at work: nothing needs to be asked here.
    pub fn is_at_work(&self) -> bool {
        self.paused.is_none()
    }

    /// Whether nothing is held against the plugin: the next good end of a hook changes nothing.
    pub fn is_calm(&self) -> bool {
        self.is_at_work() && self.in_a_row.iter().all(|traps| *traps == 0)
    }

    /// Until when no hook is asked; none outside of a pause.
    pub fn paused_until(&self, now: Instant) -> Option<Instant> {
        self.paused.map(|paused| paused.until).filter(|until| now < *until)
    }

    /// A new request wants to ask the plugin. Where it may not, the answer is how long it would have to wait.
    pub fn handle_request(&mut self, now: Instant) -> Result<(), Duration> {
        let Some(paused) = &mut self.paused else { return Ok(()) };
        if now < paused.next_trial {
            return Err(paused.next_trial.since(now));
        }
        paused.next_trial = now + self.options.pause;
        Ok(())
    }

    /// A hook was stopped.
    pub fn handle_trap(&mut self, hook: Hook, now: Instant) -> Turn {
        let Some(in_a_row) = count(&mut self.in_a_row, hook) else { return Turn::None };
        *in_a_row = in_a_row.saturating_add(1);
        let is_too_many = self.options.limit > 0 && *in_a_row >= self.options.limit;
        let pause = match self.paused {
            // Calls that were under way when the pause began are part of the same failure.
            Some(paused) if now < paused.until => return Turn::None,
            Some(paused) if paused.hook == hook || is_too_many => (paused.pause * 2).min(self.options.max_pause),
            None if is_too_many => self.options.pause,
            Some(_) | None => return Turn::None,
        };
        let until = now + pause;
        self.paused = Some(Paused { hook, pause, until, next_trial: until });
        Turn::Pause(pause)
    }

    /// A hook ended by itself, with a result or with a failure of its own.
    pub fn handle_ended(&mut self, hook: Hook, now: Instant) -> Turn {
        if let Some(in_a_row) = count(&mut self.in_a_row, hook) {
            *in_a_row = 0;
        }
        match self.paused {
            Some(paused) if paused.hook == hook && now >= paused.until => {
                self.handle_new_version();
                Turn::Recovered
            }
            Some(_) | None => Turn::None,
        }
    }

    /// Another version of the plugin: what the old one did says nothing.
    pub fn handle_new_version(&mut self) {
        *self = Self::new(self.options);
    }
}

fn count(in_a_row: &mut [u32], hook: Hook) -> Option<&mut u32> {
    Hook::ALL.iter().zip(in_a_row).find(|(known, _)| **known == hook).map(|(_, count)| count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: QuarantineOptions =
        QuarantineOptions { limit: 3, pause: Duration::from_secs(10), max_pause: Duration::from_secs(30) };

    fn at(seconds: u64) -> Instant {
        Instant::after_start(Duration::from_secs(seconds))
    }

    fn pause(seconds: u64) -> Turn {
        Turn::Pause(Duration::from_secs(seconds))
    }

    fn trapped(hook: Hook, times: u32, now: Instant) -> Quarantine {
        let mut quarantine = Quarantine::new(OPTIONS);
        for _ in 0..times {
            quarantine.handle_trap(hook, now);
        }
        quarantine
    }

    #[test]
    fn only_traps_of_one_hook_in_a_row_lead_to_a_pause() {
        let mut quarantine = trapped(Hook::Check, 2, at(0));
        assert_eq!(quarantine.handle_ended(Hook::Check, at(1)), Turn::None);
        quarantine.handle_trap(Hook::Check, at(2));
        quarantine.handle_trap(Hook::Pool, at(2));
        assert_eq!(quarantine.handle_trap(Hook::Check, at(3)), Turn::None);
        assert_eq!(quarantine.handle_ended(Hook::Pool, at(4)), Turn::None);
        assert!(quarantine.is_at_work() && !quarantine.is_calm());
        assert_eq!(quarantine.handle_trap(Hook::Check, at(5)), pause(10));
        assert_eq!(quarantine.paused_until(at(5)), Some(at(15)));
        assert_eq!(quarantine.handle_request(at(6)), Err(Duration::from_secs(9)));
    }

    #[test]
    fn one_request_tries_after_the_pause_and_a_good_end_lets_all_in() {
        let mut quarantine = trapped(Hook::Check, 3, at(0));
        assert_eq!(quarantine.handle_request(at(10)), Ok(()));
        assert_eq!(quarantine.paused_until(at(10)), None);
        assert_eq!(quarantine.handle_request(at(10)), Err(Duration::from_secs(10)));
        assert_eq!(quarantine.handle_ended(Hook::Pool, at(11)), Turn::None, "another hook proves nothing");
        assert_eq!(quarantine.handle_ended(Hook::Check, at(11)), Turn::Recovered);
        for _ in 0..3 {
            assert_eq!(quarantine.handle_request(at(11)), Ok(()));
        }
        assert!(quarantine.is_calm());
        assert_eq!(quarantine.handle_trap(Hook::Check, at(12)), Turn::None, "it counts from the beginning");
    }

    #[test]
    fn a_trial_that_never_ends_is_followed_by_another() {
        let mut quarantine = trapped(Hook::InitSession, 3, at(0));
        for second in [10, 20, 30] {
            assert_eq!(quarantine.handle_request(at(second)), Ok(()));
            assert!(quarantine.handle_request(at(second + 9)).is_err());
        }
    }

    #[test]
    fn the_pause_doubles_up_to_its_limit() {
        let mut quarantine = trapped(Hook::Check, 3, at(0));
        assert_eq!(quarantine.handle_trap(Hook::Check, at(9)), Turn::None, "it was under way when the pause began");
        assert_eq!(quarantine.handle_trap(Hook::Check, at(10)), pause(20));
        assert_eq!(quarantine.handle_trap(Hook::Check, at(30)), pause(30));
        assert_eq!(quarantine.handle_trap(Hook::Check, at(60)), pause(30));
        assert_eq!(quarantine.handle_request(at(89)), Err(Duration::from_secs(1)));
    }

    #[test]
    fn a_new_version_starts_with_a_clean_slate() {
        let mut quarantine = trapped(Hook::Check, 3, at(0));
        quarantine.handle_new_version();
        assert_eq!(quarantine.handle_request(at(0)), Ok(()));
        assert_eq!(quarantine.handle_trap(Hook::Check, at(0)), Turn::None);
    }

    #[test]
    fn a_limit_of_zero_means_never() {
        let mut quarantine = Quarantine::new(QuarantineOptions { limit: 0, ..OPTIONS });
        for _ in 0..1_000 {
            assert_eq!(quarantine.handle_trap(Hook::Check, at(0)), Turn::None);
        }
        assert!(quarantine.is_at_work());
    }
}
