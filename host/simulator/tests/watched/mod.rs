//! The simulator with an observer in front, who knows the rules of sessions and sees each call.

use std::collections::BTreeMap;
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;
use std::time::Duration;

use carousel_core::exchange::{Answer, CallError, Object};
use carousel_engine::{SimulatedSleep, Transport};
use carousel_simulator::InProcess;
use serde_json::Value;
use tokio::time::Instant;

#[derive(Clone)]
pub(super) struct Watched {
    inner: InProcess,
    start: Instant,
    sleep: SimulatedSleep,
    /// Uses at once on one session, at most.
    limit: Option<u32>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// Billed answers that arrived, and those that nobody heard of.
    delivered: u64,
    lost: u64,
    sessions: BTreeMap<String, Session>,
    /// Since when: sessions that a check has ended, pools that one has closed, and hosts of which the API has said that they have ended.
    discarded: BTreeMap<String, Duration>,
    closed: BTreeMap<String, Duration>,
    ended: BTreeMap<String, Duration>,
    faults: Vec<String>,
    /// What happened to sessions that the API said had ended.
    refused: Vec<String>,
}

/// What the API knows of a session.
#[derive(Default)]
struct Session {
    /// The host of its first call.
    pool: String,
    created: Option<Duration>,
    last_use: Duration,
    bans_in_a_row: u32,
    uses_under_way: u32,
    history: Vec<String>,
}

impl Watched {
    pub(super) fn new(inner: InProcess, limit: Option<u32>, sleep: SimulatedSleep) -> Self {
        Self { inner: inner.with_sleep(sleep.clone()), start: Instant::now(), sleep, limit, seen: Arc::default() }
    }

    /// The time at the API.
    pub(super) fn now(&self) -> Duration {
        self.start.elapsed() + self.sleep.slept()
    }

    /// A check has ended a session, or an initialisation.
    pub(super) fn discarded(&self, id: String) {
        let now = self.now();
        self.seen().discarded.entry(id).or_insert(now);
    }

    /// A check has closed the pool of this session.
    pub(super) fn closed(&self, id: &str) {
        let now = self.now();
        let mut seen = self.seen();
        let pool = seen.sessions.get(id).map(|session| session.pool.clone());
        if let Some(pool) = pool {
            seen.closed.entry(pool).or_insert(now);
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    pub(super) fn report(&self) -> Value {
        self.inner.report()
    }

    /// Billed answers that arrived, and those that nobody heard of.
    pub(super) fn billed(&self) -> (u64, u64) {
        let seen = self.seen();
        (seen.delivered, seen.lost)
    }

    /// No call was sent on a session that had ended, and none beyond the limit.
    pub(super) fn check_sessions(&self, seed: u64) {
        let seen = self.seen();
        assert!(seen.faults.is_empty(), "{seed}: {:#?}", seen.faults);
        let sessions = &self.report()["sessions"];
        assert_eq!(sessions["reborn"], 0, "{seed}: {sessions}");
        // A third ban ends a session before its news have arrived.
        let is_banned = sessions["ended"]["bans"].as_u64() > Some(0);
        assert!(is_banned || seen.refused.is_empty(), "{seed}: {:#?}", seen.refused);
        assert!(seen.sessions.values().all(|session| session.uses_under_way == 0), "{seed}: a use never ended");
    }

    fn begin(&self, id: Option<&str>, is_use: bool, host: &str) {
        let (now, mut guard) = (self.now(), self.seen());
        let seen = &mut *guard;
        let is_past = |of: &BTreeMap<String, Duration>, key: &str| of.get(key).is_some_and(|at| *at < now);
        let mut faults = Vec::new();
        if is_past(&seen.ended, host) {
            faults.push(format!("{host} has ended"));
        }
        let Some(id) = id else { return seen.faults.append(&mut faults) };
        let session = seen.sessions.entry(id.to_owned()).or_default();
        if session.pool.is_empty() {
            host.clone_into(&mut session.pool);
        }
        if is_past(&seen.discarded, id) {
            faults.push(format!("{id} was discarded: {}", session.history.join(", ")));
        }
        if is_past(&seen.closed, &session.pool) {
            faults.push(format!("{id}: its pool was closed: {}", session.history.join(", ")));
        }
        session.uses_under_way += u32::from(is_use);
        if self.limit.is_some_and(|limit| session.uses_under_way > limit) {
            faults.push(format!("{id}: {} uses at once", session.uses_under_way));
        }
        if let Some(created) = session.created {
            let (age, idle) = (now - created, now.saturating_sub(session.last_use));
            if age.as_secs() >= 900 || idle.as_secs() >= 120 || session.bans_in_a_row >= 3 {
                faults.push(format!(
                    "{id} has ended: {age:?} old, {idle:?} idle, {} bans; {}",
                    session.bans_in_a_row,
                    session.history.join(", ")
                ));
            }
        }
        seen.faults.append(&mut faults);
    }

    /// One that the API says has ended is told with all that happened to it.
    fn remember(&self, call: &Call<'_>, sent: Duration, result: &Result<Answer, CallError>) {
        let (now, mut seen) = (self.now(), self.seen());
        if let Err(CallError::Api(problem)) = result
            && (problem.status == 451 || problem.kind == "/website/domain-unreachable")
        {
            seen.ended.entry(call.host.clone()).or_insert(now);
        }
        let Some(session) = call.id.as_ref().and_then(|id| seen.sessions.get_mut(id)) else { return };
        let word = match result {
            Ok(_) => "ok".to_owned(),
            Err(CallError::Api(problem)) => format!("{} {}", problem.status, problem.kind),
            Err(error) => error.to_string(),
        };
        let what = if call.is_use { "use" } else { "init" };
        session.history.push(format!("{what} {:.1} to {:.1}: {word}", sent.as_secs_f64(), self.now().as_secs_f64()));
        let is_expired = matches!(result, Err(CallError::Api(problem)) if problem.is_session_expired());
        let history = is_expired.then(|| session.history.join(", "));
        seen.refused.extend(history);
    }

    /// The simulator has decided about the call.
    fn accepted(&self, id: Option<&str>) {
        let (now, mut seen) = (self.now(), self.seen());
        let Some(session) = id.and_then(|id| seen.sessions.get_mut(id)) else { return };
        session.created.get_or_insert(now);
        session.last_use = now;
        session.bans_in_a_row = 0;
    }
}

/// A call under way. Dropped before its answer has arrived, the answer is lost.
struct Call<'w> {
    watched: &'w Watched,
    id: Option<String>,
    host: String,
    is_use: bool,
    is_billed: bool,
    is_delivered: bool,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let mut seen = self.watched.seen();
        if self.is_billed {
            *(if self.is_delivered { &mut seen.delivered } else { &mut seen.lost }) += 1;
        }
        if let Some(session) = self.id.as_ref().and_then(|id| seen.sessions.get_mut(id)) {
            session.uses_under_way -= u32::from(self.is_use);
        }
    }
}

impl Transport for Watched {
    async fn send(&self, params: &Object) -> Result<Answer, CallError> {
        let id = params.get("session").and_then(|session| session["id"].as_str()).map(str::to_owned);
        let is_use = params.contains_key("echoData");
        let url = params.get("url").and_then(Value::as_str).unwrap_or_default();
        let host = url.split('/').nth(2).unwrap_or_default().to_owned();
        self.begin(id.as_deref(), is_use, &host);
        let mut call = Call { watched: self, id, host, is_use, is_billed: false, is_delivered: false };
        let before = self.inner.billed();
        let mut answer = pin!(self.inner.send(params));
        // The simulator decides at once; the rest is waiting.
        let first = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
        call.is_billed = self.inner.billed() > before;
        if call.is_billed {
            self.accepted(call.id.as_deref());
        }
        let sent = self.now();
        let result = match first {
            Poll::Ready(result) => result,
            Poll::Pending => answer.await,
        };
        self.remember(&call, sent, &result);
        call.is_delivered = result.is_ok() || matches!(result, Err(CallError::BadAnswer(_)));
        result
    }
}
