//! What a check thinks of an answer.

use std::borrow::Cow;

/// What a check thinks of an answer, and so of the session that fetched it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    kind: Cow<'static, str>,
    reason: String,
    delay: f64,
}

impl Verdict {
    /// Good session, good page.
    pub fn keep() -> Self {
        Self::of("keep", String::new())
    }

    /// Keeps the session if the condition holds and discards it otherwise.
    pub fn keep_if(good: bool) -> Self {
        if good { Self::keep() } else { Self::discard("check failed") }
    }

    /// Bad session: the page is tried again on another one.
    pub fn discard(reason: impl Into<String>) -> Self {
        Self::of("discard", reason.into())
    }

    /// Good session, but the site asks for patience: the session rests for so many seconds, then the page is tried again.
    pub fn throttled(seconds: f64) -> Self {
        Self { delay: seconds, ..Self::of("throttled", "throttled".to_owned()) }
    }

    /// Good session, bad page: it is not tried again.
    pub fn reject(reason: impl Into<String>) -> Self {
        Self::of("reject", reason.into())
    }

    /// Ends this pool and leaves the rest of the crawl alone.
    pub fn close_pool(reason: impl Into<String>) -> Self {
        Self::of("close-pool", reason.into())
    }

    /// Ends the crawl; the reason becomes its close reason.
    pub fn close_crawl(reason: impl Into<String>) -> Self {
        Self::of("close-crawl", reason.into())
    }

    /// Says why, for counters and logs, in a few words.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..self }
    }

    /// Tells whether session and page are good.
    pub fn is_keep(&self) -> bool {
        self.kind == "keep"
    }

    /// Returns the word for the host: `keep`, `discard`, `throttled`, `reject`, `close-pool` or `close-crawl`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the reason, empty for `keep`.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns the seconds to leave the session alone, 0 unless throttled.
    pub fn delay(&self) -> f64 {
        self.delay
    }

    /// Takes the verdict apart into kind, reason and delay.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "verdicts for the real host"))]
    pub(crate) fn into_parts(self) -> (String, String, f64) {
        (self.kind.into_owned(), self.reason, self.delay)
    }

    fn of(kind: &'static str, reason: String) -> Self {
        Self { kind: Cow::Borrowed(kind), reason, delay: 0.0 }
    }

    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "verdicts of the real host"))]
    pub(crate) fn from_parts(kind: String, reason: String, delay: f64) -> Self {
        Self { kind: Cow::Owned(kind), reason, delay }
    }
}

impl From<bool> for Verdict {
    fn from(good: bool) -> Self {
        Self::keep_if(good)
    }
}
