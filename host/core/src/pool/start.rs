//! Sessions that nothing initialises, or not on the API's side: the first request on one creates it there.
//!
//! Until that request has come back nobody knows whether the session exists, so it carries one request at a time, and the others wait
//! for it as for an initialisation. What becomes of the request says what the initialisation would have said.

use std::time::Duration;

use super::session::{Session, Unknown};
use super::{Action, EndReason, Opening, Pool, Used, Waiter};
use crate::chance::Chance;
use crate::settings::{Growth, OnBadInits};
use crate::time::Instant;

/// How the session begins that is opened for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// An initialisation goes before the request.
    #[default]
    ByInit,
    /// The request is the first on the session, and creates it.
    ByUse,
}

/// A session that its first request could not create, as the API had none.
pub(super) struct Missed {
    pub(super) outcome: Used,
    /// How it had begun.
    pub(super) start: Start,
    /// Since when the API has had none at each try, before this one.
    pub(super) lacking_since: Option<Instant>,
}

impl<T: Clone> Pool<T> {
    /// Opens a session for a request, as that request wants it opened. Where an initialisation goes before, the request is its owner.
    pub(super) fn open_for(&mut self, waiter: Waiter<T>, now: Instant, chance: &mut Chance) {
        match waiter.start {
            Start::ByInit => self.open(waiter.trigger, Some(waiter.ticket), None, now, chance),
            Start::ByUse => self.begin(waiter, None, now, chance),
        }
    }

    /// Gives a request a new session that it creates. The API has had none since then, if so.
    pub(super) fn begin(&mut self, waiter: Waiter<T>, lacking_since: Option<Instant>, now: Instant, chance: &mut Chance) {
        let id = chance.session_id();
        self.actions.push_back(Action::Begin { session: id, trigger: waiter.trigger });
        let session = Session::new(id, now, now, now, None);
        self.sessions.push(session.unknown(Some(Unknown::Uninitialised), lacking_since));
        self.grant(self.sessions.len() - 1, waiter.ticket, now, chance);
    }

    /// Sessions that a request under way is to create.
    pub(super) fn creating(&self) -> usize {
        self.sessions.iter().filter(|session| session.unknown.is_some() && session.in_flight > 0).count()
    }

    /// Tries a paused opening again by whoever waits, who knows best how.
    pub(super) fn resume_by_waiter(&mut self, paused: &Opening<T>, now: Instant, chance: &mut Chance) {
        if self.options.growth == Growth::Eager {
            self.unstarted += 1;
        } else if let Some(first) = self.waiting.pop_front_if(|waiter| waiter.start == Start::ByUse) {
            self.begin(first, paused.lacking_since, now, chance);
        } else if let Some((trigger, asker)) = self.waiting.front().map(|waiter| (waiter.trigger.clone(), waiter.ticket)) {
            self.open(trigger, None, Some(asker), now, chance);
            self.opening.iter_mut().last().into_iter().for_each(|anew| anew.lacking_since = paused.lacking_since);
        }
    }

    /// What the first request on a session says of it. Returns why the session ends, where it ends as an initialisation that failed.
    pub(super) fn judge_start(&mut self, index: usize, outcome: Used, took: Duration, now: Instant) -> Option<EndReason> {
        let session = self.sessions.get_mut(index)?;
        let unknown = session.unknown?;
        let is_there = match outcome {
            Used::Good | Used::Throttled(_) => true,
            Used::Neutral | Used::Superseded | Used::Unavailable(_) | Used::Hindered(_) => false,
            // What was initialised is there, whatever the site says of the use.
            Used::CheckFailed | Used::CheckError | Used::Expired | Used::Banned | Used::DownloadError => {
                unknown == Unknown::InitialisedElsewhere
            }
        };
        if is_there {
            session.unknown = None;
            // The API has sessions.
            self.opening.iter_mut().for_each(|opening| opening.lacking_since = None);
            self.breaker.close();
            if unknown == Unknown::Uninitialised {
                self.pace.opened(took);
            }
            return None;
        }
        let reason = match outcome {
            _ if unknown == Unknown::InitialisedElsewhere => return None,
            Used::Good | Used::Throttled(_) | Used::Superseded | Used::Unavailable(_) | Used::Hindered(_) => return None,
            Used::Neutral => return Some(EndReason::Uncreated),
            Used::CheckFailed => EndReason::CheckFailed,
            Used::CheckError => EndReason::CheckError,
            Used::Expired => EndReason::ExpiredUpstream,
            Used::Banned => EndReason::Banned,
            Used::DownloadError => EndReason::DownloadErrors,
        };
        if self.breaker.bad(&self.options, now) {
            let why = self.breaker_refusal(now);
            self.stop_opening(why);
        }
        Some(reason)
    }

    /// A pool whose sessions are all banned, however well they were initialised, is not worth more initialisations for the time being.
    pub(super) fn judge_bans(&mut self, outcome: Used, is_fruitless: bool, now: Instant) {
        if outcome == Used::Good {
            self.breaker.served();
        } else if is_fruitless
            && self.options.on_bad_inits == OnBadInits::OpenCircuit
            && self.breaker.fruitless(&self.options, now)
        {
            let why = self.breaker_refusal(now);
            self.stop_opening(why);
        }
    }

    /// The API had no session for a request that was to create one: others are opened after a pause, as where an initialisation met this.
    pub(super) fn miss_start(&mut self, missed: Missed, trigger: T, now: Instant, chance: &mut Chance) {
        let Missed { outcome, start, lacking_since } = missed;
        self.unstarted -= u32::from(self.options.growth == Growth::Eager);
        let session = chance.session_id();
        let (owner, asker, since, called, paused_until) = (None, None, now, None, None);
        let call_over = None;
        let opening = Opening { session, trigger, owner, asker, since, called, call_over, paused_until, start, lacking_since };
        self.opening.push(opening);
        let index = self.opening.len() - 1;
        if let Used::Unavailable(pause) = outcome {
            self.miss_opening(index, pause, now, chance);
        } else if let Used::Hindered(pause) = outcome {
            self.pause_opening(index, pause, now, chance);
        }
    }
}
