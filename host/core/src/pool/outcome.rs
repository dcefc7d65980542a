//! The words that go in and out of a pool.

use std::fmt;
use std::time::Duration;

use crate::id::{SessionId, Ticket};
use crate::time::Instant;

/// What became of an initialisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The session is initialised and checked.
    Ready,
    /// It is no good: the call failed, the check said no, a hook failed. Counts as a bad initialisation.
    Bad,
    /// The API had no session for us; not our fault and not counted, tried again after a pause.
    Unavailable,
    /// Nobody waits for the result any more: the crawl is ending.
    Abandoned,
}

/// What became of the use of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// The answer passed its check.
    Good,
    /// Nothing was learned about the session: other errors, a cancelled request.
    Neutral,
    /// The check said that the session is bad.
    CheckFailed,
    /// The check itself failed.
    CheckError,
    /// The API no longer knows the session.
    Expired,
    /// The page was banned (520).
    Banned,
    /// The page could not be downloaded (521).
    DownloadError,
    /// The check asks to leave the session alone for this long.
    Throttled(Duration),
}

/// One use of a session by one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The session.
    pub session: SessionId,
    /// When it was handed out.
    pub granted: Instant,
}

/// What the caller must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action<T> {
    /// Initialise a session under this id for this trigger, then call `handle_opened`.
    Open {
        /// The new session's id.
        session: SessionId,
        /// Of the request that it is opened for.
        trigger: T,
    },
    /// This request has this session, until `handle_used`.
    Grant {
        /// The request.
        ticket: Ticket,
        /// The use of a session.
        lease: Lease,
    },
    /// This request gets no session.
    Refuse {
        /// The request.
        ticket: Ticket,
        /// Why not.
        why: Refusal,
    },
    /// This session has ended; what belongs to it can go.
    Retire {
        /// The session.
        session: SessionId,
        /// Why it ended.
        reason: EndReason,
    },
    /// Too many bad initialisations: the crawl must end (in pools with `on_bad_inits = "close-crawl"`).
    CloseCrawl,
}

/// Why a request gets no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// None became free in time.
    NoSession,
    /// Initialisations keep failing.
    BadInits {
        /// When the pool will try again; none: never.
        retry_after: Option<Duration>,
    },
    /// The pool or the crawl was closed, for this reason.
    Closed(Box<str>),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSession => f.write_str("no session became free in time"),
            Self::BadInits { retry_after: None } => f.write_str("too many initialisations in a row failed"),
            Self::BadInits { retry_after: Some(after) } => {
                write!(f, "too many initialisations in a row failed; the pool tries again in {:.0} s", after.as_secs_f64())
            }
            Self::Closed(reason) => write!(f, "closed: {reason}"),
        }
    }
}

/// Why a session ended. Each ends once, for one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndReason {
    /// Its age came too near the API's limit.
    ExpiredAge,
    /// It was not used for nearly as long as the API allows.
    ExpiredIdle,
    /// The API no longer knew it.
    ExpiredUpstream,
    /// Pages on it were banned (520).
    Banned,
    /// Pages on it could not be downloaded (521).
    DownloadErrors,
    /// Checks said that it is bad.
    CheckFailed,
    /// A check failed on it.
    CheckError,
    /// Its pool or the crawl was closed.
    Closed,
}

impl EndReason {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::ExpiredAge,
        Self::ExpiredIdle,
        Self::ExpiredUpstream,
        Self::Banned,
        Self::DownloadErrors,
        Self::CheckFailed,
        Self::CheckError,
        Self::Closed,
    ];

    /// The name in counters and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExpiredAge => "expired-age",
            Self::ExpiredIdle => "expired-idle",
            Self::ExpiredUpstream => "expired-upstream",
            Self::Banned => "banned",
            Self::DownloadErrors => "download-errors",
            Self::CheckFailed => "check-failed",
            Self::CheckError => "check-error",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a pool wants to be woken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A waiting request has waited long enough.
    Waiter,
    /// A session at rest may be used again and somebody waits.
    Rest,
    /// A session comes to its end.
    Lapse,
    /// A paused initialisation is tried again.
    Reopen,
}
