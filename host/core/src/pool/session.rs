//! One live session: how old, how busy, how often at fault.

use std::time::Duration;

use super::{EndReason, Lease, Used, Waiter};
use crate::id::SessionId;
use crate::settings::PoolOptions;
use crate::time::Instant;

/// Bans in a row after which Zyte API ends a session by itself (Zyte API reference, `session.id`).
const BANS_IN_A_ROW: u32 = 3;

#[derive(Clone, Debug)]
pub(super) struct Session<T> {
    pub(super) id: SessionId,
    /// When its initialisation began: the API's clock starts there at the earliest.
    pub(super) created: Instant,
    /// When it was last handed out for a use that may keep it alive, or its initialisation sent its last call: while a use is under
    /// way, its idle time is counted from here.
    pub(super) last_used: Instant,
    /// The latest use of which the API has given an answer: from here on it is lent for as long as it may be idle.
    pub(super) proven: Instant,
    /// Not to be used before.
    pub(super) rests_until: Instant,
    pub(super) in_flight: u32,
    /// The request that opened it and has not used it yet.
    pub(super) reserved_for: Option<Waiter<T>>,
    /// Past its life while still in use: it is not lent again and goes when it comes back.
    pub(super) ending: bool,
    /// Has anybody used it?
    pub(super) is_used: bool,
    /// Why the API may not know it yet, if so.
    pub(super) unknown: Option<Unknown>,
    /// Since when the API has had none for those before it, at each try to create one.
    pub(super) lacking_since: Option<Instant>,
    /// What it was handed out for last, while that can be taken back.
    latest: Option<Grant>,
    errors: u32,
    check_failures: u32,
    bans_in_a_row: u32,
    /// Bans and other download errors.
    errors_in_a_row: u32,
    /// Has a page on it passed its check?
    is_proven_good: bool,
}

/// Why the API may not know a session yet: the first use creates it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// Nothing was initialised.
    Uninitialised,
    /// All calls of its initialisation were made outside of it.
    InitialisedElsewhere,
}

/// The rest that began with a grant.
#[derive(Clone, Copy, Debug)]
struct Grant {
    at: Instant,
    rested_until: Instant,
    rests_until: Instant,
}

impl<T> Session<T> {
    pub(super) fn new(
        id: SessionId,
        created: Instant,
        last_used: Instant,
        rests_until: Instant,
        owner: Option<Waiter<T>>,
    ) -> Self {
        Self {
            id,
            created,
            last_used,
            proven: last_used,
            rests_until,
            in_flight: 0,
            reserved_for: owner,
            ending: false,
            is_used: false,
            unknown: None,
            lacking_since: None,
            latest: None,
            errors: 0,
            check_failures: 0,
            bans_in_a_row: 0,
            errors_in_a_row: 0,
            is_proven_good: false,
        }
    }

    /// The same, not known to the API yet, if so; those before it were not created since then.
    pub(super) fn unknown(self, why: Option<Unknown>, lacking_since: Option<Instant>) -> Self {
        Self { unknown: why, lacking_since: lacking_since.filter(|_| why.is_some()), ..self }
    }

    /// Was it opened for its first request to create it?
    pub(super) fn is_uninitialised(&self) -> bool {
        self.unknown == Some(Unknown::Uninitialised)
    }

    pub(super) fn has_room(&self, options: &PoolOptions) -> bool {
        // No call more than may be banned before the API ends the session.
        let may_be_banned =
            options.max_errors.is_some() || self.bans_in_a_row == 0 || self.in_flight + self.bans_in_a_row < BANS_IN_A_ROW;
        may_be_banned && options.max_in_flight.is_none_or(|limit| self.in_flight < limit.get())
    }

    pub(super) fn granted(&mut self, now: Instant, rest: Duration) {
        if self.unknown.is_some() {
            // Its life begins here.
            (self.created, self.proven) = (now, now);
        }
        self.last_used = now;
        self.latest = Some(Grant { at: now, rested_until: self.rests_until, rests_until: now + rest });
        self.rests_until = now + rest;
        self.in_flight += 1;
    }

    /// Nothing was sent: it is as if the session had not been handed out.
    pub(super) fn taken_back(&mut self, lease: Lease) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.last_used = self.proven;
        let latest = self.latest.take_if(|latest| latest.at == lease.granted);
        if let Some(grant) = latest.filter(|grant| grant.rests_until == self.rests_until) {
            self.rests_until = grant.rested_until;
        }
    }

    /// A use that ends without an answer has not kept the session alive: a call that the API refused, a connection that broke. So
    /// its idle time counts from the last use that has, until another begins.
    pub(super) fn returned(&mut self, lease: Lease, outcome: Used, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.is_used = true;
        let is_answered = matches!(outcome, Used::Good | Used::CheckFailed | Used::CheckError | Used::Throttled(_));
        if is_answered {
            self.proven = self.proven.max(lease.granted);
        }
        if self.in_flight == 0 || !is_answered {
            self.last_used = self.proven;
        }
        self.last_used = self.last_used.max(self.proven);
        match outcome {
            Used::Good => {
                (self.bans_in_a_row, self.errors_in_a_row) = (0, 0);
                self.is_proven_good = true;
            }
            Used::CheckFailed => self.check_failures += 1,
            Used::DownloadError | Used::Banned => {
                self.errors += 1;
                self.errors_in_a_row += 1;
                self.bans_in_a_row += u32::from(outcome == Used::Banned);
            }
            Used::Throttled(pause) => self.rests_until = self.rests_until.max(now + pause),
            Used::Neutral | Used::CheckError | Used::Expired | Used::Superseded => {}
            Used::Unavailable(_) | Used::Hindered(_) => {}
        }
    }

    /// Has nothing come of it but bans?
    pub(super) fn is_fruitless(&self) -> bool {
        !self.is_proven_good
    }

    /// Whether this outcome ends it. Failures count over its whole life, each kind for itself.
    pub(super) fn verdict(&self, outcome: Used, options: &PoolOptions) -> Option<EndReason> {
        let too_many_errors = match options.max_errors {
            Some(most) => self.errors >= most.max(1),
            None => self.errors_in_a_row >= BANS_IN_A_ROW,
        };
        match outcome {
            Used::Expired => Some(EndReason::ExpiredUpstream),
            Used::CheckError => Some(EndReason::CheckError),
            Used::Superseded => Some(EndReason::Superseded),
            Used::Unavailable(_) | Used::Hindered(_) => Some(EndReason::Uncreated),
            Used::CheckFailed => (self.check_failures >= options.max_check_failures.max(1)).then_some(EndReason::CheckFailed),
            Used::Banned => (too_many_errors || self.bans_in_a_row >= BANS_IN_A_ROW).then_some(EndReason::Banned),
            Used::DownloadError => too_many_errors.then_some(EndReason::DownloadErrors),
            Used::Good | Used::Neutral | Used::Throttled(_) => None,
        }
    }
}
