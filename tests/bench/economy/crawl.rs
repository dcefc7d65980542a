//! One workload through one profile: the whole engine, window and turns included, and the simulator, in virtual time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use carousel_core::exchange::{Answer, CallError, Object, Request};
use carousel_core::settings::Settings;
use carousel_engine::{Bursts, Done, Engine, EngineOptions, Fetched, HookPlaces, Transport};
use carousel_simulator::{InProcess, Simulator};
use serde_json::Value;
use tokio::time::Instant;

use crate::shops::{Shops, is_for};
use crate::workload::{Line, Workload};

/// The profiles that are compared.
pub(crate) const PROFILES: [&str; 2] = ["scrapy-zyte-api", "default"];

/// What came of a crawl.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// Pages as they were meant.
    pub(crate) right: u64,
    /// Pages for another place, or without what the session should have set up.
    pub(crate) wrong: u64,
    /// Requests without an answer.
    pub(crate) lost: u64,
    /// Those of them that the budget left undone.
    pub(crate) undone: u64,
    /// Initialisations that were begun.
    pub(crate) inits: u64,
    /// Answers that are charged.
    pub(crate) billed: u64,
    /// From the first line to the last result.
    pub(crate) makespan: Duration,
    /// When each site had its last result.
    pub(crate) done: BTreeMap<String, Duration>,
    /// What became of the tries of requests that took more than one, or failed: the last thousand of them.
    pub(crate) attempts: Vec<Vec<String>>,
    /// Uses of sessions that were answered, where there are few: host, start and end.
    pub(crate) uses: Vec<(String, Duration, Duration)>,
    /// The engine's counters.
    pub(crate) engine: Value,
    /// The simulator's meters.
    pub(crate) api: Value,
}

/// Crawls in virtual time: the same seed gives the same outcome to the last digit.
pub(crate) fn crawl(workload: &Workload, profile: &str, seed: u64) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(run(workload, profile, seed))
}

async fn run(workload: &Workload, profile: &str, seed: u64) -> anyhow::Result<Outcome> {
    let settings = Arc::new(settings(workload, profile)?);
    let mut api = workload.api.clone();
    api.seed = seed;
    let api = Watched::new(InProcess::new(Simulator::new(api)));
    let options = EngineOptions { seed: Some(seed), hooks: HookPlaces::InPlace, ..EngineOptions::default() };
    let engine = Engine::new(Arc::clone(&settings), api.clone(), Arc::new(Shops(workload.checks_place)), options)?;
    let mut bursts = Bursts::new(engine.clone(), settings.crawl.turns(settings.profile));
    let start = Instant::now();
    let (mut outcome, mut next) = (Outcome::default(), 0);
    while next < workload.count || bursts.is_busy() {
        let is_wanted = next < workload.count && bursts.wants_more();
        tokio::select! {
            biased;
            Some(done) = bursts.next() => outcome.take(done?, start.elapsed()),
            line = arrival(workload, next, start), if is_wanted => {
                let request = Request::from_json(line.request)?;
                bursts.add(request.url().to_owned(), request, 100);
                next += 1;
                if next == workload.count {
                    bursts.end_of_input();
                }
            }
        }
    }
    outcome.makespan = start.elapsed();
    engine.finish().await;
    engine.shutdown();
    outcome.engine = engine.report();
    outcome.api = api.inner.report();
    outcome.uses = std::mem::take(&mut *api.uses());
    outcome.inits = counted(&outcome.engine["sessions"], "init/");
    outcome.billed = outcome.api["billed"]["total"].as_u64().unwrap_or_default();
    Ok(outcome)
}

fn settings(workload: &Workload, profile: &str) -> anyhow::Result<Settings> {
    let mut all = workload.settings.clone();
    all["profile"] = profile.into();
    all["session"]["enabled"] = true.into();
    serde_json::from_value(all).with_context(|| format!("settings of {}", workload.name))
}

async fn arrival(workload: &Workload, n: usize, start: Instant) -> Line {
    let line = (workload.line)(n);
    tokio::time::sleep_until(start + line.at).await;
    line
}

fn counted(counters: &Value, prefix: &str) -> u64 {
    let counters = counters.as_object().into_iter().flatten();
    counters.filter(|(name, _)| name.starts_with(prefix)).filter_map(|(_, count)| count.as_u64()).sum()
}

impl Outcome {
    fn take(&mut self, done: Done<String>, now: Duration) {
        let place = done.request.params().get("tags").and_then(|tags| tags["place"].as_str());
        let trace = match &done.result {
            Ok(Fetched { answer, trace }) => {
                let is_right = place.is_none_or(|place| is_for(answer, place));
                *(if is_right { &mut self.right } else { &mut self.wrong }) += 1;
                trace
            }
            Err(failure) => {
                self.lost += 1;
                self.undone += u64::from(failure.is_left_over());
                &failure.trace
            }
        };
        if (trace.attempts.len() > 1 || done.result.is_err()) && self.attempts.len() < 1_000 {
            let kind = done.result.as_ref().err().map(|failure| failure.kind.word().to_owned());
            self.attempts.push(trace.attempts.iter().map(|attempt| attempt.outcome.clone()).chain(kind).collect());
        }
        let host = done.key.split('/').nth(2).unwrap_or_default();
        match self.done.get_mut(host) {
            Some(last) => *last = now,
            None => drop(self.done.insert(host.to_owned(), now)),
        }
    }

    /// When the last page of a host was there.
    pub(crate) fn host_done(&self, host: &str) -> Duration {
        self.done.get(host).copied().unwrap_or_default()
    }

    /// The longest time between two uses of sessions of a host.
    pub(crate) fn longest_gap(&self, host: &str) -> Duration {
        let mut starts: Vec<Duration> = self.uses.iter().filter(|(of, ..)| of == host).map(|(_, start, _)| *start).collect();
        starts.sort_unstable();
        starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    /// Calls for which the API was too busy.
    pub(crate) fn busy(&self) -> u64 {
        self.meter("/requests/statuses/429") + self.meter("/requests/statuses/503")
    }

    /// Billed answers for each right page.
    pub(crate) fn billed_per_right(&self) -> f64 {
        self.billed as f64 / (self.right.max(1)) as f64
    }

    /// A meter of the simulator, by pointer; zero where it never moved.
    pub(crate) fn meter(&self, pointer: &str) -> u64 {
        self.api.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
    }
}

/// The simulator with a record of the uses of sessions.
#[derive(Clone)]
struct Watched {
    inner: InProcess,
    uses: Arc<Mutex<Vec<(String, Duration, Duration)>>>,
    start: Instant,
}

/// Uses that are kept.
const KEPT_USES: usize = 1_000;

impl Watched {
    fn new(inner: InProcess) -> Self {
        Self { inner, uses: Arc::default(), start: Instant::now() }
    }

    fn uses(&self) -> std::sync::MutexGuard<'_, Vec<(String, Duration, Duration)>> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Watched {
    async fn send(&self, params: &Object) -> Result<Answer, CallError> {
        let start = self.start.elapsed();
        let result = self.inner.send(params).await;
        let is_use = params.contains_key("httpResponseBody");
        let host = params.get("url").and_then(|url| url.as_str()?.split('/').nth(2));
        if let Some(host) = host.filter(|_| is_use && result.is_ok() && self.uses().len() < KEPT_USES) {
            self.uses().push((host.to_owned(), start, self.start.elapsed()));
        }
        result
    }
}
