//! What a fetch ends with.

use std::fmt;

use carousel_core::contract::Hopeless;
use carousel_core::exchange::{Answer, CallError};
use carousel_core::id::{PoolId, SessionId};
use carousel_core::settings::Profile;

/// A request that has its answer.
#[derive(Debug)]
pub struct Fetched {
    /// What the API answered.
    pub answer: Answer,
    /// How it came to it.
    pub trace: Trace,
}

/// A request that has none.
#[derive(Debug)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// The last error of the API or the network, where that is the cause.
    pub error: Option<CallError>,
    /// What happened, in words.
    pub message: String,
    /// How it came to it.
    pub trace: Trace,
}

/// The kinds of failures, as `error.kind` of an output line names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureKind {
    /// The API answered with an error.
    Api,
    /// No answer arrived.
    Network,
    /// The API answered 200 with something that cannot be read, or the page in it cannot.
    BadAnswer,
    /// No session became free in time.
    NoSession,
    /// Initialisations keep failing, or the sessions that they make keep being banned.
    BadInits,
    /// The page failed its check on every session that was tried.
    CheckFailed,
    /// The check rejected the page for good.
    Rejected,
    /// The pool could not be determined, or was closed.
    Pool,
    /// The API refuses or cannot reach the domain, as an earlier request has found.
    Domain,
    /// The budget of the pool or of the crawl has no room for it.
    Budget,
    /// The crawl was closed before the request had its answer.
    Closed,
    /// A plugin failed.
    Plugin,
    /// An earlier request asked for the same.
    Duplicate,
    /// What the request says of itself makes no sense.
    BadRequest,
    /// This program has a fault: the work on the request panicked.
    Internal,
}

impl FailureKind {
    /// The word in output lines and counters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Network => "network",
            Self::BadAnswer => "bad-answer",
            Self::NoSession => "no-session",
            Self::BadInits => "bad-inits",
            Self::CheckFailed => "check-failed",
            Self::Rejected => "rejected",
            Self::Pool => "pool",
            Self::Domain => "domain",
            Self::Budget => "budget",
            Self::Closed => "closed",
            Self::Plugin => "plugin",
            Self::Duplicate => "duplicate",
            Self::BadRequest => "bad-request",
            Self::Internal => "internal",
        }
    }

    /// The kind of a failed call.
    pub fn of_call(error: &CallError) -> Self {
        match error {
            CallError::Api(_) => Self::Api,
            CallError::Network(_) => Self::Network,
            CallError::BadAnswer(_) => Self::BadAnswer,
        }
    }
}

impl Failure {
    /// Is it nothing but the crawl's early end that left the request without a result? Then it is worth another crawl.
    pub fn is_left_over(&self) -> bool {
        let problem = self.error.as_ref().and_then(CallError::problem);
        // What is wrong with all calls ends the crawl; a busy API is waited for as long as the crawl goes on.
        let is_hopeless = problem.and_then(|problem| Hopeless::of(Profile::Default, problem)).is_some();
        let is_busy = problem.is_some_and(|problem| matches!(problem.status, 429 | 503));
        matches!(self.kind, FailureKind::Closed | FailureKind::Budget) || is_hopeless || is_busy
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl std::error::Error for Failure {}

/// The road of one request, for `--annotate` and for people.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The pool of the last try; none where sessions are off.
    pub pool: Option<PoolId>,
    /// The session of the last try.
    pub session: Option<SessionId>,
    /// What became of each try.
    pub attempts: Vec<Attempt>,
    /// What the request is known by, where [`EngineOptions::fingerprints`](crate::EngineOptions) or `crawl.dedup` asks for it.
    pub fingerprint: Option<String>,
}

/// One try of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The session it was sent on.
    pub session: Option<SessionId>,
    /// `ok`, or why it was not: a session's end reason, a kind of failure.
    pub outcome: String,
}
