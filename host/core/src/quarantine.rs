//! When a plugin that keeps failing is left alone, and when it is tried again.
//!
//! ```text
//!            `limit` faults at one question in a row            the pause is over
//!   at work ────────────────────────────────────▶ paused ───────────────────────────▶ on trial
//!      ▲                                             ▲                                    │ │
//!      │                                             └─ it fails there: twice the pause ──┘ │
//!      └──────────────────────── the hook ends well, or a new version comes ────────────────┘
//! ```
//!
//! Faults are counted per question: a hook that always fails is not hidden by another that works, nor a check of pages by that of
//! initialisations. While paused nothing is asked. On trial one request is let in, and another each time that no answer came for a
//! while; calls for requests that were let in earlier are not held up.

use std::time::Duration;

use crate::hooks::Hook;
use crate::time::Instant;

/// When to pause, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuarantineOptions {
    /// Faults at one question in a row that are too many; 0: never pause.
    pub limit: u32,
    /// Whether they are too many only where they are not all of one site: that one is left alone by itself.
    pub of_several_sites: bool,
    /// The first pause, doubled each time that the trial fails.
    pub pause: Duration,
    /// The longest pause.
    pub max_pause: Duration,
}

/// What a plugin is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// By which hook.
    pub hook: Hook,
    /// Is it about an initialisation?
    pub init: bool,
}

/// The state of one plugin, at one site or at all of them.
#[derive(Debug)]
pub struct Quarantine {
    options: QuarantineOptions,
    in_a_row: [Streak; 2 * Hook::ALL.len()],
    paused: Option<Paused>,
}

/// Faults in a row.
#[derive(Clone, Copy, Debug, Default)]
struct Streak {
    count: u32,
    /// The site of the first one.
    site: u64,
    is_of_several: bool,
}

#[derive(Clone, Copy, Debug)]
struct Paused {
    at: Question,
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
        Self { options, in_a_row: [Streak::default(); 2 * Hook::ALL.len()], paused: None }
    }

    /// Whether the plugin is at work: nothing needs to be asked here.
    pub fn is_at_work(&self) -> bool {
        self.paused.is_none()
    }

    /// Whether nothing is held against the plugin: the next good end of a hook changes nothing.
    pub fn is_calm(&self) -> bool {
        self.is_at_work() && self.in_a_row.iter().all(|streak| streak.count == 0)
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

    /// A hook was stopped, or failed in a way that counts, at the site of this number.
    pub fn handle_fault(&mut self, at: Question, site: u64, now: Instant) -> Turn {
        let Some(streak) = self.streak(at) else { return Turn::None };
        *streak = match streak.count {
            0 => Streak { count: 1, site, is_of_several: false },
            count => {
                Streak { count: count.saturating_add(1), is_of_several: streak.is_of_several || streak.site != site, ..*streak }
            }
        };
        let Streak { count, is_of_several, .. } = *streak;
        let is_meant = is_of_several || !self.options.of_several_sites;
        let is_too_many = self.options.limit > 0 && count >= self.options.limit && is_meant;
        let pause = match self.paused {
            // Calls that were under way when the pause began are part of the same failure.
            Some(paused) if now < paused.until => return Turn::None,
            Some(paused) if paused.at == at || is_too_many => (paused.pause * 2).min(self.options.max_pause),
            None if is_too_many => self.options.pause,
            Some(_) | None => return Turn::None,
        };
        let until = now + pause;
        self.paused = Some(Paused { at, pause, until, next_trial: until });
        Turn::Pause(pause)
    }

    /// A hook ended by itself, with a result or with a failure that does not count.
    pub fn handle_ended(&mut self, at: Question, now: Instant) -> Turn {
        if let Some(streak) = self.streak(at) {
            streak.count = 0;
        }
        match self.paused {
            Some(paused) if paused.at == at && now >= paused.until => {
                *self = Self::new(self.options);
                Turn::Recovered
            }
            Some(_) | None => Turn::None,
        }
    }

    fn streak(&mut self, at: Question) -> Option<&mut Streak> {
        let hook = Hook::ALL.iter().position(|known| *known == at.hook)?;
        self.in_a_row.get_mut(2 * hook + usize::from(at.init))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: QuarantineOptions = QuarantineOptions {
        limit: 3,
        of_several_sites: false,
        pause: Duration::from_secs(10),
        max_pause: Duration::from_secs(30),
    };

    const fn page(hook: Hook) -> Question {
        Question { hook, init: false }
    }

    const fn init(hook: Hook) -> Question {
        Question { hook, init: true }
    }

    fn at(seconds: u64) -> Instant {
        Instant::after_start(Duration::from_secs(seconds))
    }

    fn pause(seconds: u64) -> Turn {
        Turn::Pause(Duration::from_secs(seconds))
    }

    fn trapped(hook: Hook, times: u32, now: Instant) -> Quarantine {
        let mut quarantine = Quarantine::new(OPTIONS);
        for _ in 0..times {
            quarantine.handle_fault(page(hook), 0, now);
        }
        quarantine
    }

    #[test]
    fn only_traps_of_one_hook_in_a_row_lead_to_a_pause() {
        let mut quarantine = trapped(Hook::Check, 2, at(0));
        assert_eq!(quarantine.handle_ended(page(Hook::Check), at(1)), Turn::None);
        quarantine.handle_fault(page(Hook::Check), 0, at(2));
        quarantine.handle_fault(page(Hook::Pool), 0, at(2));
        assert_eq!(quarantine.handle_fault(page(Hook::Check), 0, at(3)), Turn::None);
        assert_eq!(quarantine.handle_ended(page(Hook::Pool), at(4)), Turn::None);
        assert!(quarantine.is_at_work() && !quarantine.is_calm());
        assert_eq!(quarantine.handle_fault(page(Hook::Check), 0, at(5)), pause(10));
        assert_eq!(quarantine.paused_until(at(5)), Some(at(15)));
        assert_eq!(quarantine.handle_request(at(6)), Err(Duration::from_secs(9)));
    }

    #[test]
    fn one_request_tries_after_the_pause_and_a_good_end_lets_all_in() {
        let mut quarantine = trapped(Hook::Check, 3, at(0));
        assert_eq!(quarantine.handle_request(at(10)), Ok(()));
        assert_eq!(quarantine.paused_until(at(10)), None);
        assert_eq!(quarantine.handle_request(at(10)), Err(Duration::from_secs(10)));
        assert_eq!(quarantine.handle_ended(page(Hook::Pool), at(11)), Turn::None, "another hook proves nothing");
        assert_eq!(quarantine.handle_ended(page(Hook::Check), at(11)), Turn::Recovered);
        for _ in 0..3 {
            assert_eq!(quarantine.handle_request(at(11)), Ok(()));
        }
        assert!(quarantine.is_calm());
        assert_eq!(quarantine.handle_fault(page(Hook::Check), 0, at(12)), Turn::None, "it counts from the beginning");
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
        assert_eq!(quarantine.handle_fault(page(Hook::Check), 0, at(9)), Turn::None, "it was under way when the pause began");
        assert_eq!(quarantine.handle_fault(page(Hook::Check), 0, at(10)), pause(20));
        assert_eq!(quarantine.handle_fault(page(Hook::Check), 0, at(30)), pause(30));
        assert_eq!(quarantine.handle_fault(page(Hook::Check), 0, at(60)), pause(30));
        assert_eq!(quarantine.handle_request(at(89)), Err(Duration::from_secs(1)));
    }

    #[test]
    fn a_check_of_initialisations_does_not_hide_one_of_pages() {
        let mut quarantine = Quarantine::new(OPTIONS);
        for _ in 0..2 {
            assert_eq!(quarantine.handle_fault(page(Hook::Check), 0, at(0)), Turn::None);
            quarantine.handle_ended(init(Hook::Check), at(0));
        }
        assert_eq!(quarantine.handle_fault(page(Hook::Check), 0, at(0)), pause(10));
        assert_eq!(quarantine.handle_ended(init(Hook::Check), at(10)), Turn::None);
        assert_eq!(quarantine.handle_ended(page(Hook::Check), at(10)), Turn::Recovered);
    }

    #[test]
    fn for_all_sites_the_faults_of_one_site_alone_are_never_too_many() {
        let mut quarantine = Quarantine::new(QuarantineOptions { of_several_sites: true, ..OPTIONS });
        for _ in 0..100 {
            assert_eq!(quarantine.handle_fault(init(Hook::Check), 1, at(0)), Turn::None);
        }
        assert_eq!(quarantine.handle_fault(init(Hook::Check), 2, at(0)), pause(10));
        let mut quarantine = Quarantine::new(QuarantineOptions { of_several_sites: true, ..OPTIONS });
        for site in 1..3 {
            assert_eq!(quarantine.handle_fault(init(Hook::Check), site, at(0)), Turn::None);
        }
        assert_eq!(quarantine.handle_fault(init(Hook::Check), 3, at(0)), pause(10), "each site may fail once only");
        let mut quarantine = Quarantine::new(QuarantineOptions { of_several_sites: true, ..OPTIONS });
        for site in 1..100 {
            assert_eq!(quarantine.handle_fault(init(Hook::Check), site, at(0)), Turn::None);
            quarantine.handle_ended(init(Hook::Check), at(0));
        }
    }

    #[test]
    fn a_limit_of_zero_means_never() {
        let mut quarantine = Quarantine::new(QuarantineOptions { limit: 0, ..OPTIONS });
        for _ in 0..1_000 {
            assert_eq!(quarantine.handle_fault(page(Hook::Check), 0, at(0)), Turn::None);
        }
        assert!(quarantine.is_at_work());
    }
}
