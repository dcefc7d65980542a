//! Where the API has no session for us: how long to wait, whoever meets it, an initialisation or the request that was to create one.

use std::fmt::Display;
use std::time::Duration;

use carousel_core::exchange::{CallError, Problem};
use carousel_core::id::{PoolId, SessionId};
use carousel_core::pace::LONGEST_PAUSE;
use carousel_core::pool::Used;
use carousel_core::stats::Counter;

use crate::engine::Shared;
use crate::ports::{Sites, Transport};

/// The shortest pause before another session is asked for, whatever the API says.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

impl<T: Transport, S: Sites> Shared<T, S> {
    /// The pause that an answer asks for with `Retry-After`. The peer knows no such pause.
    pub(crate) fn asked_pause(&self, problem: &Problem) -> Option<Duration> {
        let is_honoured = self.policies.options.honour_retry_after && !self.profile().is_peer();
        problem.retry_after.filter(|_| is_honoured).map(|pause| pause.min(LONGEST_PAUSE))
    }

    /// The same where the API has no session; without it `session.creation_retry_delay` holds.
    pub(crate) fn creation_pause(&self, problem: &Problem) -> Option<Duration> {
        self.asked_pause(problem).map(|pause| pause.max(SHORTEST_PAUSE))
    }

    /// Does the API keep other sessions of this crawl than this one? Then a limit of sessions gives way sooner or later. The peer does
    /// not ask.
    pub(crate) fn holds_sessions_beside(&self, session: SessionId) -> bool {
        !self.profile().is_peer() && self.state().sessions.values().any(|live| live.is_held() && live.id() != session)
    }

    /// What a request has met that was to create its session, if the API had none; and what that is counted as. The peer leaves it to the
    /// page.
    pub(crate) fn without_session(&self, error: &CallError, session: SessionId) -> Option<(Used, Counter)> {
        let problem = error.problem().filter(|_| !self.profile().is_peer())?;
        let pause = self.creation_pause(problem);
        if problem.is_session_creation_error() {
            return Some((Used::Unavailable(pause), Counter::InitServerError));
        }
        let by_limit = if self.holds_sessions_beside(session) { Used::Hindered(pause) } else { Used::Unavailable(pause) };
        problem.is_over_session_limit().then_some((by_limit, Counter::InitOverLimit))
    }

    pub(crate) fn tell_unavailable(&self, pool: &PoolId, url: &str, why: &dyn Display, pause: Option<Duration>) {
        match pause {
            Some(pause) => {
                let seconds = pause.as_secs_f64();
                tracing::warn!(%pool, url, %why, "the API has no session for us now; trying again after {seconds} s, as it asks");
            }
            None => {
                tracing::warn!(%pool, url, %why, "the API has no session for us now; trying again after session.creation_retry_delay")
            }
        }
    }
}
