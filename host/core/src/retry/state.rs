//! One request on its way through failed attempts.

use super::failure::{ErrorClass, Failure};
use super::policy::{Policy, Stop};
use std::time::Duration;

/// The longest pause that a `Retry-After` can ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// What holds for all policies alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryOptions {
    /// Whether a pause is at least what the answer's `Retry-After` asks for, up to an hour. Default: true; the peer's client ignores
    /// the header.
    pub honour_retry_after: bool,
    /// A factor on every pause, `Retry-After` included. Default: 1; 0 repeats at once, for tests; less than 1 burns attempts that
    /// a busy service will refuse.
    pub wait_scale: f64,
    /// Whether a 421 `/website/connection-error`, which passes, is repeated like an undocumented error. Default: true; the peer's
    /// client fails at once.
    pub repeat_connection_errors: bool,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self { honour_retry_after: true, wait_scale: 1.0, repeat_connection_errors: true }
    }
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Repeat the call after this pause.
    Retry {
        /// The pause.
        after: Duration,
    },
    /// Report the failure.
    GiveUp,
}

/// The failed attempts of one request.
#[derive(Debug, Clone)]
pub struct RetryState {
    policy: Policy,
    options: RetryOptions,
    attempts: u32,
    network: Tally,
    throttling: Tally,
    download: Tally,
    permanent_downloads: u32,
    undocumented: Tally,
    payment: Tally,
}

/// The failures of one class.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    failures: u32,
    /// The last attempt of the present run of failures, and when the run began.
    run: Option<(u32, Duration)>,
}

impl RetryState {
    /// Starts a request that has not failed yet.
    pub fn new(policy: Policy, options: RetryOptions) -> Self {
        Self {
            policy,
            options,
            attempts: 0,
            network: Tally::default(),
            throttling: Tally::default(),
            download: Tally::default(),
            permanent_downloads: 0,
            undocumented: Tally::default(),
            payment: Tally::default(),
        }
    }

    /// The failed attempts so far.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Records a failure at `now` (since any fixed moment) and decides what follows. `random`, from 0 to 1, picks the pause from its
    /// range; `retry_after` is what the answer asks for.
    pub fn after(&mut self, failure: &Failure<'_>, now: Duration, random: f64, retry_after: Option<Duration>) -> Decision {
        self.attempts = self.attempts.saturating_add(1);
        let passes = self.options.repeat_connection_errors && failure.is_connection_error();
        let class = if passes { ErrorClass::Undocumented } else { failure.class() };
        let Some(rule) = self.policy.of(class).copied() else {
            return Decision::GiveUp;
        };
        if self.is_over(class, rule.stop, now) {
            return Decision::GiveUp;
        }
        let own = rule.wait.after(self.attempts).at(random);
        let asked = retry_after.filter(|_| self.options.honour_retry_after).unwrap_or_default();
        Decision::Retry { after: self.scaled(own.max(asked.min(LONGEST_RETRY_AFTER))) }
    }

    fn is_over(&mut self, class: ErrorClass, stop: Stop, now: Duration) -> bool {
        let attempt = self.attempts;
        if class == ErrorClass::PermanentDownload {
            self.permanent_downloads = self.permanent_downloads.saturating_add(1);
        }
        let permanent_downloads = self.permanent_downloads;
        let Some(tally) = self.tally(class) else {
            return true;
        };
        tally.failures = tally.failures.saturating_add(1);
        match stop {
            Stop::Never => false,
            Stop::AtFailures(most) => tally.failures >= most,
            Stop::AtDownloadErrors { total, permanent } => {
                tally.failures >= total || (class == ErrorClass::PermanentDownload && permanent_downloads >= permanent)
            }
            Stop::AfterUninterrupted(longest) => tally.has_run_for(longest, attempt, now),
        }
    }

    fn tally(&mut self, class: ErrorClass) -> Option<&mut Tally> {
        match class {
            ErrorClass::Network => Some(&mut self.network),
            ErrorClass::Throttling => Some(&mut self.throttling),
            ErrorClass::TemporaryDownload | ErrorClass::PermanentDownload => Some(&mut self.download),
            ErrorClass::Undocumented => Some(&mut self.undocumented),
            ErrorClass::Payment => Some(&mut self.payment),
            ErrorClass::Session | ErrorClass::Other => None,
        }
    }

    fn scaled(&self, pause: Duration) -> Duration {
        let factor = self.options.wait_scale.max(0.0);
        Duration::try_from_secs_f64(pause.as_secs_f64() * factor).unwrap_or(pause)
    }
}

impl Tally {
    /// Prolongs the run by this attempt, or begins a new one where another class came in between.
    fn has_run_for(&mut self, longest: Duration, attempt: u32, now: Duration) -> bool {
        let began = match self.run {
            Some((last, began)) if attempt.saturating_sub(last) <= 1 => began,
            _ => now,
        };
        let is_first = self.run.is_none_or(|(last, _)| attempt.saturating_sub(last) > 1);
        self.run = Some((attempt, began));
        !is_first && now.saturating_sub(began) >= longest
    }
}
