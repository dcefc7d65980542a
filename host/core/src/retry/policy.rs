//! Retry policies as data.

use super::failure::ErrorClass;
use std::time::Duration;

/// For each class of failures: how long to wait, and when to give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// 429 and 503.
    pub throttling: ClassPolicy,
    /// No usable answer.
    pub network: ClassPolicy,
    /// 520 and 521.
    pub download: ClassPolicy,
    /// Other statuses from 500 on.
    pub undocumented: ClassPolicy,
    /// 402.
    pub payment: ClassPolicy,
}

/// How one class of failures is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassPolicy {
    /// The pause before the next attempt.
    pub wait: Wait,
    /// When no further attempt is made.
    pub stop: Stop,
}

/// When to give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Never.
    Never,
    /// At this many failures of the class; failures of other classes do not count.
    AtFailures(u32),
    /// At this many download errors, or at this many permanent ones (521) among them.
    AtDownloadErrors {
        /// Both kinds together.
        total: u32,
        /// 521 alone.
        permanent: u32,
    },
    /// When failures of the class alone have gone on for this long.
    AfterUninterrupted(Duration),
}

/// A range of pauses, from which one is drawn evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The shortest pause.
    pub at_least: Duration,
    /// The longest pause.
    pub at_most: Duration,
}

/// Pauses that depend on the number of attempts made so far, failures of all classes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// The pauses after the first attempts.
    pub first: &'static [Span],
    /// The pause after all others, before it is widened.
    pub then: Span,
    /// What the longest pause grows by: 1 s after the first attempt, doubled after each, at most this.
    pub widened_by_at_most: Duration,
}

impl Span {
    /// A range of whole seconds.
    pub const fn seconds(at_least: u64, at_most: u64) -> Self {
        Self { at_least: Duration::from_secs(at_least), at_most: Duration::from_secs(at_most) }
    }

    /// The pause at a point of the range, 0 being the shortest and 1 the longest.
    pub fn at(&self, point: f64) -> Duration {
        let width = self.at_most.saturating_sub(self.at_least);
        let part = Duration::try_from_secs_f64(width.as_secs_f64() * point).unwrap_or_default();
        self.at_least + part.min(width)
    }
}

impl Wait {
    /// No pause.
    pub const NONE: Self = Self { first: &[], then: Span::seconds(0, 0), widened_by_at_most: Duration::ZERO };
    /// From 3 to 8 s after the first attempt, up to 62 s later.
    pub const BACKOFF: Self = Self { first: &[], then: Span::seconds(3, 7), widened_by_at_most: Duration::from_secs(55) };
    /// From 20 to 40 s twice, then from 30 s to up to 630 s.
    pub const THROTTLING: Self = Self {
        first: &[Span::seconds(20, 40), Span::seconds(20, 40)],
        then: Span::seconds(30, 30),
        widened_by_at_most: Duration::from_secs(600),
    };

    /// The range of pauses after attempt number `attempt`, counted from 1.
    pub fn after(&self, attempt: u32) -> Span {
        let before = attempt.saturating_sub(1);
        if let Some(span) = usize::try_from(before).ok().and_then(|place| self.first.get(place)) {
            return *span;
        }
        let doubled = 1_u64.checked_shl(before).filter(|_| before < 63).unwrap_or(u64::MAX);
        let widening = Duration::from_secs(doubled).min(self.widened_by_at_most);
        Span { at_least: self.then.at_least, at_most: self.then.at_most + widening }
    }
}

impl Policy {
    /// The client's default: 4 attempts for download errors, 2 for undocumented ones, 15 minutes for the network.
    pub const DEFAULT: Self = Self {
        throttling: ClassPolicy { wait: Wait::THROTTLING, stop: Stop::Never },
        network: ClassPolicy { wait: Wait::BACKOFF, stop: Stop::AfterUninterrupted(Duration::from_secs(15 * 60)) },
        download: ClassPolicy { wait: Wait::BACKOFF, stop: Stop::AtDownloadErrors { total: 4, permanent: 2 } },
        undocumented: ClassPolicy { wait: Wait::BACKOFF, stop: Stop::AtFailures(2) },
        payment: ClassPolicy { wait: Wait::NONE, stop: Stop::AtFailures(2) },
    };
    /// Twice the attempts of the default for download and undocumented errors.
    pub const AGGRESSIVE: Self = Self {
        download: ClassPolicy { wait: Wait::BACKOFF, stop: Stop::AtDownloadErrors { total: 8, permanent: 4 } },
        undocumented: ClassPolicy { wait: Wait::BACKOFF, stop: Stop::AtFailures(4) },
        ..Self::DEFAULT
    };
    /// Repeats nothing but throttled calls.
    pub const ONLY_THROTTLING: Self = Self {
        network: ClassPolicy { wait: Wait::BACKOFF, stop: Stop::AtFailures(1) },
        download: ClassPolicy { wait: Wait::BACKOFF, stop: Stop::AtFailures(1) },
        undocumented: ClassPolicy { wait: Wait::BACKOFF, stop: Stop::AtFailures(1) },
        payment: ClassPolicy { wait: Wait::NONE, stop: Stop::AtFailures(1) },
        ..Self::DEFAULT
    };

    /// The same policy with this many attempts in total for download errors, 520 and 521 alike; 0 acts as 1.
    pub const fn with_download_attempts(self, attempts: u32) -> Self {
        Self { download: ClassPolicy { wait: self.download.wait, stop: Stop::AtFailures(attempts) }, ..self }
    }

    /// What the policy says of a class; nothing for a class that is never repeated.
    pub fn of(&self, class: ErrorClass) -> Option<&ClassPolicy> {
        match class {
            ErrorClass::Network => Some(&self.network),
            ErrorClass::Throttling => Some(&self.throttling),
            ErrorClass::TemporaryDownload | ErrorClass::PermanentDownload => Some(&self.download),
            ErrorClass::Undocumented => Some(&self.undocumented),
            ErrorClass::Payment => Some(&self.payment),
            ErrorClass::Session | ErrorClass::Other => None,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::DEFAULT
    }
}
