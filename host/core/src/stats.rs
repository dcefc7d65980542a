//! What is counted, and how the stats file shows it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::exchange::{CallError, Object};
use crate::id::PoolId;
use crate::ledger::Ledger;
use crate::pace::Scope;
use crate::pool::EndReason;

/// The session counters, by the peer's names (`scrapy-zyte-api/sessions/…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    /// An initialisation passed its check.
    InitCheckPassed,
    /// An initialisation failed its check.
    InitCheckFailed,
    /// The check of an initialisation failed unexpectedly.
    InitCheckError,
    /// An initialisation call or hook failed.
    InitFailed,
    /// The parameters of an initialisation could not be made.
    InitParamError,
    /// The API had no room for another session.
    InitOverLimit,
    /// The API could not create a session.
    InitServerError,
    /// The check of an initialisation asked to come back later.
    InitThrottled,
    /// A page passed its check.
    UseCheckPassed,
    /// A page failed its check.
    UseCheckFailed,
    /// The check of a page failed unexpectedly.
    UseCheckError,
    /// The API no longer knew the session of a page.
    UseExpired,
    /// A page met a download error (520, 521).
    UseFailed,
}

impl Counter {
    /// The name in the stats file.
    pub fn name(self) -> &'static str {
        match self {
            Self::InitCheckPassed => "init/check-passed",
            Self::InitCheckFailed => "init/check-failed",
            Self::InitCheckError => "init/check-error",
            Self::InitFailed => "init/failed",
            Self::InitParamError => "init/param-error",
            Self::InitOverLimit => "init/over-limit",
            Self::InitServerError => "init/server-error",
            Self::InitThrottled => "init/throttled",
            Self::UseCheckPassed => "use/check-passed",
            Self::UseCheckFailed => "use/check-failed",
            Self::UseCheckError => "use/check-error",
            Self::UseExpired => "use/expired",
            Self::UseFailed => "use/failed",
        }
    }
}

/// Why a request was sent again, by the peer's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RetryReason {
    /// Its session had expired; in the peer's profile also: it was bad, as the check said.
    SessionExpired,
    /// The check said that its page was bad.
    CheckFailed,
    /// The check itself failed.
    CheckError,
    /// Its page met a download error.
    DownloadError,
    /// The check asked to come back later.
    Throttled,
}

impl RetryReason {
    /// The name in the stats file.
    pub fn name(self) -> &'static str {
        match self {
            Self::SessionExpired => "session_expired",
            Self::CheckFailed => "check_failed",
            Self::CheckError => "check_error",
            Self::DownloadError => "download_error",
            Self::Throttled => "throttled",
        }
    }
}

/// All counters of a crawl.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    per_pool: bool,
    sessions: BTreeMap<Counter, u64>,
    pools: BTreeMap<PoolId, BTreeMap<Counter, u64>>,
    disabled: u64,
    own_session: u64,
    ended: BTreeMap<EndReason, u64>,
    retries: BTreeMap<RetryReason, u64>,
    max_reached: u64,
    ok: u64,
    failed: BTreeMap<&'static str, u64>,
    attempts: u64,
    status_codes: BTreeMap<u16, u64>,
    error_types: BTreeMap<String, u64>,
    busy: u64,
    busy_extraction: u64,
    busy_sites: u64,
    /// What was billed for what.
    pub ledger: Ledger,
}

impl Stats {
    /// Nothing counted yet; `per_pool` decides whether session counters are kept per pool.
    pub fn new(per_pool: bool) -> Self {
        Self { per_pool, ..Self::default() }
    }

    /// Counts something that happened to a session.
    pub fn count(&mut self, counter: Counter, pool: &PoolId) {
        *self.sessions.entry(counter).or_default() += 1;
        if self.per_pool {
            *self.pools.entry(pool.clone()).or_default().entry(counter).or_default() += 1;
        }
    }

    /// Counts a request without a session.
    pub fn count_disabled(&mut self) {
        self.disabled += 1;
    }

    /// Counts a request with a session of its author's own.
    pub fn count_own_session(&mut self) {
        self.own_session += 1;
    }

    /// Counts a session's end.
    pub fn count_end(&mut self, reason: EndReason) {
        *self.ended.entry(reason).or_default() += 1;
    }

    /// Counts a request that is sent again.
    pub fn count_retry(&mut self, reason: RetryReason) {
        *self.retries.entry(reason).or_default() += 1;
    }

    /// Counts a request whose retries are used up.
    pub fn count_max_reached(&mut self) {
        self.max_reached += 1;
    }

    /// Counts a request that has its answer.
    pub fn count_ok(&mut self) {
        self.ok += 1;
    }

    /// Counts a request that failed, by the kind of its failure.
    pub fn count_failed(&mut self, kind: &'static str) {
        *self.failed.entry(kind).or_default() += 1;
    }

    /// Counts one attempt of one API call.
    pub fn count_call(&mut self, error: Option<&CallError>) {
        self.attempts += 1;
        let (status, kind) = match error {
            None => (200, None),
            Some(CallError::Api(problem)) => (problem.status, Some(problem.kind.clone())),
            Some(CallError::BadAnswer(_)) => (200, Some("bad-answer".to_owned())),
            Some(CallError::Network(_)) => (0, Some("network".to_owned())),
        };
        *self.status_codes.entry(status).or_default() += 1;
        if let Some(kind) = kind {
            *self.error_types.entry(kind).or_default() += 1;
        }
    }

    /// Counts an answer by which the API asked for patience, for all calls of this scope.
    pub fn count_busy(&mut self, scope: &Scope) {
        *match scope {
            Scope::Everything => &mut self.busy,
            Scope::Extraction => &mut self.busy_extraction,
            Scope::Site(_) => &mut self.busy_sites,
        } += 1;
    }

    /// The stats file's members, all but the close reason and the time taken.
    pub fn to_json(&self) -> Object {
        let failed: u64 = self.failed.values().sum();
        let by_reason = self.retries.iter().map(|(reason, count)| (format!("reason_count/{}", reason.name()), *count));
        let mut retries: BTreeMap<String, u64> = by_reason.collect();
        retries.insert("count".to_owned(), self.retries.values().sum());
        retries.insert("max_reached".to_owned(), self.max_reached);
        let Value::Object(members) = json!({
            "requests": {"total": self.ok + failed, "ok": self.ok, "failed": failed, "failed_by_kind": self.failed, "retries": retries},
            "sessions": self.session_counters(),
            "ended": self.ended.iter().map(|(reason, count)| (reason.name(), count)).collect::<BTreeMap<_, _>>(),
            "pools": self.ledger.pools_to_json(),
            "billed": self.ledger.total().to_json(),
            "cost": self.ledger.total().cost_to_json(),
            "api": {
                "attempts": self.attempts,
                "429": self.status_codes.get(&429).copied().unwrap_or_default(),
                "status_codes": self.status_codes.iter().map(|(status, count)| (status.to_string(), count)).collect::<BTreeMap<_, _>>(),
                "error_types": self.error_types,
                "busy": {"everything": self.busy, "extraction": self.busy_extraction, "site": self.busy_sites},
            },
        }) else {
            return Object::new();
        };
        members
    }

    fn session_counters(&self) -> BTreeMap<String, u64> {
        let mut counters = BTreeMap::new();
        if self.per_pool {
            // Pools of one name, which followed each other as plugins were swapped, are counted together.
            for (pool, counter, count) in
                self.pools.iter().flat_map(|(pool, counts)| counts.iter().map(move |(c, n)| (pool, c, n)))
            {
                *counters.entry(format!("pools/{pool}/{}", counter.name())).or_default() += count;
            }
        } else {
            counters.extend(self.sessions.iter().map(|(counter, count)| (counter.name().to_owned(), *count)));
        }
        for (name, count) in [("use/disabled", self.disabled), ("use/own-session", self.own_session)] {
            counters.extend((count > 0).then(|| (name.to_owned(), count)));
        }
        counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_counters_are_summed_or_kept_per_pool_and_disabled_never_is() {
        for (per_pool, expected) in [
            (false, json!({"init/check-passed": 2, "use/disabled": 1})),
            (true, json!({"pools/a/b/init/check-passed": 1, "pools/c/init/check-passed": 1, "use/disabled": 1})),
        ] {
            let mut stats = Stats::new(per_pool);
            stats.count(Counter::InitCheckPassed, &PoolId::new("a/b"));
            stats.count(Counter::InitCheckPassed, &PoolId::new("c"));
            stats.count_disabled();
            assert_eq!(stats.to_json()["sessions"], expected);
        }
    }

    #[test]
    fn retries_are_counted_by_reason() {
        let mut stats = Stats::new(false);
        stats.count_retry(RetryReason::SessionExpired);
        stats.count_retry(RetryReason::DownloadError);
        stats.count_max_reached();
        let expected = json!({"count": 2, "max_reached": 1, "reason_count/session_expired": 1, "reason_count/download_error": 1});
        assert_eq!(stats.to_json()["requests"]["retries"], expected);
    }
}
