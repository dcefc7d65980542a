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
    /// The same, but by calls outside of it: the API will hear of it by its first use.
    ReadyElsewhere,
    /// It is no good: the call failed, the check said no, a hook failed. Counts as a bad initialisation.
    Bad,
    /// The same, and the API asks not to try again before so much time has passed.
    BadFor(Duration),
    /// The API refuses what it asks for, and would again. Counts as a bad initialisation, and ends the request that it was made for: the
    /// fault may be that request's alone.
    Refused,
    /// The API had no session for us; not our fault and not counted, tried again after a pause, the API's or the usual one, unless that
    /// goes on for too long.
    Unavailable(Option<Duration>),
    /// What is not about this pool kept it from being initialised, a busy API or the crawl's own sessions; not counted, tried again
    /// after a pause, the API's or the usual one, for as long as it takes.
    Hindered(Option<Duration>),
    /// It was put off for this long by its check; not counted unless it happens too often in a row.
    PutOff(Duration),
    /// The budget has no room for it, nor will it have: the pool lives on the sessions it has.
    Unaffordable,
    /// Nothing was sent for it: the plugin that it needs is left alone. Not counted; ends the request that it was made for.
    LeftAlone,
    /// Nobody waits for the result any more: the crawl is ending.
    Abandoned,
}

/// What became of the use of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// The answer passed its check.
    Good,
    /// Nothing was learned about the session, not even whether the API has seen the request: other errors, a call that was never
    /// sent, a cancelled request.
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
    /// Its site initialises sessions otherwise by now, so the session was not used: it ends, and is to blame for nothing.
    Superseded,
    /// The use was to create the session, and the API had none for us: as [`Opened::Unavailable`].
    Unavailable(Option<Duration>),
    /// The same while the crawl's own sessions are what stands in the way: as [`Opened::Hindered`].
    Hindered(Option<Duration>),
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
    /// There is a session under this id, which was not initialised: the `Grant` that follows lets a request create it.
    Begin {
        /// The new session's id.
        session: SessionId,
        /// Of the request that is to create it.
        trigger: T,
    },
    /// Nobody needs this session any more, and its initialisation has not called yet: it is to call no more, and is not answered for.
    Cancel {
        /// The session.
        session: SessionId,
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
    /// Nothing is left in this pool, it is forgotten; said by [`Pools`](crate::pools::Pools) only.
    Forget,
    /// Too many bad initialisations: the crawl must end (in pools with `on_bad_inits = "close-crawl"`).
    CloseCrawl,
}

/// Why a request gets no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// None became free in time.
    NoSession,
    /// A session of the pool would rest longer than it lives.
    RestsTooLong,
    /// Initialisations keep failing.
    BadInits {
        /// When the pool will try again; none: never.
        retry_after: Option<Duration>,
    },
    /// Sessions keep being banned before a page on them is good.
    Banned {
        /// When the pool will try again.
        retry_after: Option<Duration>,
    },
    /// The API refuses what the initialisation for this request asks for.
    BadInit,
    /// The plugin that would initialise a session is left alone.
    LeftAlone,
    /// The API has had no session for the pool for too long.
    Unavailable {
        /// When the pool will try again; none: never.
        retry_after: Option<Duration>,
    },
    /// The crawl was closed, for this reason.
    Closed(Box<str>),
    /// A check closed the pool, for this reason.
    PoolClosed(Box<str>),
    /// The budget of the pool or of the crawl has no room for what it would cost.
    Budget,
    /// The API refuses the request's domain, for this reason.
    Domain(Box<str>),
}

impl Refusal {
    /// What sessions end for when this ends their pool.
    pub(super) fn ends_sessions_as(&self) -> EndReason {
        match self {
            Self::PoolClosed(_) => EndReason::PoolClosed,
            Self::Budget => EndReason::Budget,
            Self::Closed(_) | Self::BadInits { .. } | Self::Unavailable { .. } | Self::Banned { .. } => EndReason::Closed,
            Self::BadInit | Self::LeftAlone | Self::NoSession | Self::RestsTooLong | Self::Domain(_) => EndReason::Closed,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSession => f.write_str("no session became free in time"),
            Self::RestsTooLong => {
                f.write_str("the delay is longer than a session lives without use: lower session.delay or that of the pool")
            }
            Self::BadInits { retry_after } => {
                f.write_str("too many initialisations in a row failed")?;
                write_retry(f, *retry_after)
            }
            Self::Banned { retry_after } => {
                f.write_str("too many sessions in a row were banned by the site before they got one good page")?;
                write_retry(f, *retry_after)
            }
            Self::BadInit => f.write_str(
                "the API refuses what the initialisation for this request asks for: correct its URL or metadata, session.params, \
                 session.location or the plugin",
            ),
            Self::LeftAlone => f.write_str("no session is initialised for it now"),
            Self::Unavailable { retry_after } => {
                f.write_str(
                    "the API has had no session for it for as long as session.creation_timeout: end other crawls of the account, or \
                     wait longer",
                )?;
                write_retry(f, *retry_after)
            }
            Self::Closed(reason) => write!(f, "closed: {reason}"),
            Self::PoolClosed(reason) => write!(f, "the pool was closed: {reason}"),
            Self::Budget => f.write_str("the budget is spent"),
            Self::Domain(reason) => write!(f, "requests of this domain have ended: {reason}"),
        }
    }
}

fn write_retry(f: &mut fmt::Formatter<'_>, after: Option<Duration>) -> fmt::Result {
    match after {
        Some(after) => write!(f, "; the pool tries again in {:.0} s", after.as_secs_f64()),
        None => Ok(()),
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
    /// It came to its end by the clock and nobody had used it: an initialisation for nothing.
    Unused,
    /// Its site initialises sessions otherwise by now.
    Superseded,
    /// The request that was to create it at the API had no answer that it can be told from.
    Uncreated,
    /// A check closed its pool.
    PoolClosed,
    /// Its pool has spent its budget.
    Budget,
    /// The crawl was closed or finished.
    Closed,
}

impl EndReason {
    /// All reasons.
    pub const ALL: [Self; 13] = [
        Self::ExpiredAge,
        Self::ExpiredIdle,
        Self::ExpiredUpstream,
        Self::Banned,
        Self::DownloadErrors,
        Self::CheckFailed,
        Self::CheckError,
        Self::Unused,
        Self::Superseded,
        Self::Uncreated,
        Self::PoolClosed,
        Self::Budget,
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
            Self::Unused => "unused",
            Self::Superseded => "superseded",
            Self::Uncreated => "uncreated",
            Self::PoolClosed => "pool-closed",
            Self::Budget => "budget",
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
    /// A cool-down is over, and somebody wants a session.
    Try,
    /// Nothing is left but the memory of bad initialisations, which fades.
    Fade,
}
