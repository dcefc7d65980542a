//! The engine: what all fetches share, and the one door to the pools.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use carousel_core::budget::Budget;
use carousel_core::chance::Chance;
use carousel_core::cookies::LeftOut;
use carousel_core::domains::EndedDomains;
use carousel_core::exchange::Request;
use carousel_core::id::{PoolId, SessionId, Ticket};
use carousel_core::pool::{EndReason, Outlook, Refusal};
use carousel_core::pools::Pools;
use carousel_core::repeated::Repeated;
use carousel_core::retry::{Policy, PolicyName, RetryOptions};
use carousel_core::session_context::SessionContexts;
use carousel_core::settings::{PoolOptions, Profile, Settings};
use carousel_core::stats::Stats;
use carousel_core::time::Instant;
use carousel_core::turns::PoolKey;
use serde_json::Value;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::bursts::Preparing;
use crate::clock::{Clock, SimulatedSleep};
use crate::defaults::EngineDefaults;
use crate::fetch::{Enqueued, Fetch};
use crate::gate::Gate;
use crate::guard::{guarded, guarded_future};
use crate::hooks::{HookPlaces, Hooks, InHooks};
use crate::lease::SessionLease;
use crate::opening::{LiveSession, Openings, Trigger};
use crate::outcome::{Failure, FailureKind, Fetched, Trace};
use crate::ports::{Sites, Transport};
use crate::prepared::{Course, PlanAway, Planned, Prepared, Resting};
use crate::silence::Silence;

/// So many requests of a pool that wait for automatic extraction do not hold back those behind them.
const LOOKED_PAST: usize = 100;

/// Fetches requests through sessions. Cheap to clone; all clones are one engine.
pub struct Engine<T: Transport, S: Sites>(pub(crate) Arc<Shared<T, S>>);

impl<T: Transport, S: Sites> Clone for Engine<T, S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// What an engine is told besides its settings.
#[derive(Clone, Debug, Default)]
pub struct EngineOptions {
    /// Makes session ids, pauses and delays replay. Default: none, they are random.
    pub seed: Option<u64>,
    /// Whether each trace has the request's fingerprint. Default false.
    pub fingerprints: bool,
    /// Whether failed calls are repeated only when the API is busy (429, 503). Default false.
    pub retry_only_throttling: bool,
    /// Whether requests that the API would refuse are sent all the same. Default false: they fail at once, before they cost an
    /// initialisation. In the peer's profile all are sent.
    pub send_unchecked: bool,
    /// The job that the requests belong to, sent as their `jobId` where they have none; the peer's profile replaces theirs. Default:
    /// none.
    pub job_id: Option<String>,
    /// Where hooks run. Default: on threads of their own, and in place while they are quick.
    pub hooks: HookPlaces,
    /// For simulations: how long the machine has slept. Default: none, it is measured.
    pub simulated_sleep: Option<SimulatedSleep>,
}

/// What all fetches share.
pub(crate) struct Shared<T: Transport, S: Sites> {
    pub(crate) settings: Arc<Settings>,
    pub(crate) options: EngineOptions,
    pub(crate) transport: T,
    pub(crate) sites: Arc<S>,
    pub(crate) defaults: Arc<EngineDefaults<S>>,
    pub(crate) policies: Policies,
    pub(crate) openings: Openings,
    /// Where initialisations run: a request may be dropped outside of any runtime.
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) wake: Arc<Notify>,
    pub(crate) gate: Gate,
    pub(crate) hooks: Hooks,
    /// Requests whose hooks are away.
    pub(crate) in_hooks: InHooks,
    pub(crate) budget: Mutex<Budget>,
    /// A call is over, so that what was set aside for it may be free.
    pub(crate) settled: Notify,
    pub(crate) domains: Mutex<EndedDomains>,
    /// A domain or a pool has ended.
    pub(crate) something_ended: Notify,
    state: Mutex<State<T, S>>,
    stats: Mutex<Stats>,
    seen: Mutex<HashSet<String>>,
    contexts: Mutex<SessionContexts>,
    /// What was said of hooks that failed.
    pub(crate) told: Repeated,
    /// Was it told of a request that leaves the place of its session?
    pub(crate) told_of_place: AtomicBool,
    /// When a session was last at fault.
    last_fault: Mutex<Option<Instant>>,
    /// Per pool, why its last initialisation failed, until one succeeds.
    bad_inits: Mutex<HashMap<PoolId, String>>,
    chance: Mutex<Chance>,
    pub(crate) close: watch::Sender<Option<Arc<str>>>,
    is_winding_down: AtomicBool,
    pub(crate) silence: Mutex<Silence>,
    /// Per pool, what was told about its cookies.
    pub(crate) cookies_left_out: Mutex<HashSet<(PoolId, LeftOut)>>,
    pub(crate) clock: Clock,
    tickets: AtomicU64,
}

/// Behind the one lock that pools, waiting requests and live sessions share.
pub(crate) struct State<T: Transport, S: Sites> {
    pub(crate) pools: Pools<Arc<Trigger<S>>>,
    pub(crate) waiting: HashMap<Ticket, Waiter<T, S>>,
    pub(crate) sessions: HashMap<SessionId, Arc<LiveSession>>,
    /// Who wants to know which pools change.
    pub(crate) listener: Option<mpsc::UnboundedSender<PoolKey>>,
}

/// A request that waits for a session.
pub(crate) struct Waiter<T: Transport, S: Sites> {
    pub(crate) trigger: Arc<Trigger<S>>,
    pub(crate) answer: oneshot::Sender<Result<SessionLease<T, S>, Refusal>>,
}

/// How failed calls are repeated.
pub(crate) struct Policies {
    /// For requests without a session.
    pub(crate) plain: PolicyName,
    /// For requests with a session, and for initialisations.
    pub(crate) session: PolicyName,
    pub(crate) options: RetryOptions,
    only_throttling: bool,
}

impl<T: Transport, S: Sites> Engine<T, S> {
    /// Starts an engine in the current tokio runtime. Fails if the settings name an unknown checker.
    pub fn new(settings: Arc<Settings>, transport: T, sites: Arc<S>, options: EngineOptions) -> Result<Self, BadSettings> {
        warn_of_settings(&settings);
        let policies = Policies::new(&settings, options.retry_only_throttling);
        if let Some(name) = &settings.session.checker
            && sites.named(name).is_none()
        {
            return Err(BadSettings::UnknownChecker(name.clone()));
        }
        let mut chance = match options.seed {
            Some(seed) => Chance::from_seed(seed),
            None => Chance::from_secret(fresh_secret()),
        };
        let pools = Pools::new(chance.fork());
        let shared = Arc::new(Shared {
            defaults: Arc::new(EngineDefaults::new(Arc::clone(&settings), Arc::clone(&sites))),
            policies,
            openings: Openings::default(),
            runtime: tokio::runtime::Handle::current(),
            wake: Arc::default(),
            gate: Gate::default(),
            hooks: Hooks::new(options.hooks),
            in_hooks: InHooks::default(),
            budget: Mutex::new(Budget::new(settings.budget.billed)),
            settled: Notify::new(),
            domains: Mutex::new(EndedDomains::default()),
            something_ended: Notify::new(),
            state: Mutex::new(State { pools, waiting: HashMap::new(), sessions: HashMap::new(), listener: None }),
            stats: Mutex::new(Stats::new(settings.session.stats_per_pool)),
            seen: Mutex::default(),
            contexts: Mutex::default(),
            told: Repeated::default(),
            told_of_place: AtomicBool::new(false),
            last_fault: Mutex::default(),
            bad_inits: Mutex::default(),
            chance: Mutex::new(chance),
            close: watch::Sender::new(None),
            is_winding_down: AtomicBool::new(false),
            silence: Mutex::default(),
            cookies_left_out: Mutex::default(),
            clock: Clock::new(options.simulated_sleep.clone()),
            tickets: AtomicU64::new(0),
            settings,
            options,
            transport,
            sites,
        });
        shared.runtime.spawn(crate::timer::run(Arc::downgrade(&shared)));
        Ok(Self(shared))
    }

    /// Fetches a request: finds its site and pool, waits for a session, sends it, judges the answer, and tries again on another
    /// session where that may help.
    ///
    /// Dropping the future gives the session back without blame. Sessions are initialised in the runtime in which the engine was
    /// started; when that ends, requests fail as `closed`.
    pub async fn fetch(&self, request: Request) -> Result<Fetched, Failure> {
        self.fetch_prepared(self.prepare(request).done().await).await
    }

    /// Finds site and pool of a request, once, for whoever decides when it is fetched. Does nothing else.
    pub fn prepare(&self, request: Request) -> Preparing<Prepared<S>> {
        let request = Arc::new(request);
        let lost = |why| Ok(Planned { site: None, course: Course::Lost(why) });
        match guarded(|| self.0.begin_plan(&request)).unwrap_or_else(lost) {
            Ok(planned) => Preparing::Done(Prepared { request, planned: Some(planned) }),
            Err(PlanAway { asked, plan }) => {
                let prepared = async move { Prepared { request, planned: Some(plan.await) } };
                Preparing::Away { lane: asked.site, prepared: Box::pin(prepared) }
            }
        }
    }

    /// Makes a prepared request again of its request and what was kept of it. Where a plugin has begun to have a say meanwhile, it is
    /// asked when the request is fetched.
    pub(crate) fn wake(&self, request: Request, resting: Resting<S>) -> Prepared<S> {
        let request = Arc::new(request);
        let planned = resting.0.map(|planned| *planned).or_else(|| self.0.plan_without_hooks(&request));
        Prepared { request, planned }
    }

    /// Fetches a prepared request; see [`Self::fetch`].
    pub async fn fetch_prepared(&self, prepared: Prepared<S>) -> Result<Fetched, Failure> {
        self.fetch_enqueued(self.enqueue(prepared)).await
    }

    /// Takes a prepared request's place among those that wait, without waiting: requests are served in the order in which they are
    /// enqueued, as far as their sessions and the API allow.
    pub fn enqueue(&self, prepared: Prepared<S>) -> Enqueued<T, S> {
        Fetch::new(&self.0, prepared).enqueue()
    }

    /// Fetches an enqueued request; see [`Self::fetch`].
    pub async fn fetch_enqueued(&self, enqueued: Enqueued<T, S>) -> Result<Fetched, Failure> {
        let result = match guarded_future(enqueued.fetch()).await {
            Ok(result) => result,
            Err(message) => Err(Failure { kind: FailureKind::Internal, error: None, message, trace: Trace::default() }),
        };
        let mut stats = self.0.stats();
        match &result {
            Ok(_) => stats.count_ok(),
            Err(failure) => stats.count_failed(failure.kind.word()),
        }
        result
    }

    /// What a pool could take now, where `backlog` requests for it are held back. Of requests that need no pool any number can start.
    pub fn outlook(&self, pool: &PoolKey, backlog: usize) -> Outlook {
        let Some(id) = pool else {
            let waiting = self.0.gate.waiting(pool);
            return Outlook { parked: waiting.whole + waiting.extraction, ..Outlook::OPEN };
        };
        let outlook = self.0.in_hooks.in_view(id, self.0.apply(|state, now| state.pools.outlook(id, backlog, now)));
        // Those who wait because the API is too busy take nobody's place. Where it is too busy for extraction alone the pool goes on with
        // other requests.
        let waiting = self.0.gate.waiting(pool);
        let outlook = Outlook { parked: outlook.parked + waiting.whole + waiting.extraction, ..outlook };
        match waiting.whole == 0 && waiting.extraction < LOOKED_PAST {
            true => outlook,
            false => Outlook { room: 0, growth: 0, ..outlook },
        }
    }

    /// Hears from now on of each pool that has changed, so that its outlook may have, too, and the same of the requests without one.
    /// There is one listener, the latest.
    pub fn changes(&self) -> mpsc::UnboundedReceiver<PoolKey> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut state = self.0.state();
        state.pools.watch();
        state.listener = Some(sender);
        receiver
    }

    /// Ends the crawl: requests without an answer fail as `closed`, except those whose call is under way, which is finished. Only
    /// the first reason counts.
    pub fn close(&self, reason: &str) {
        self.0.close(reason);
    }

    /// Ends the crawl as [`Self::close`] does, but does not throw away what is paid: initialisations that have called are finished, and
    /// as many of the requests that wait for them as they can serve at once. The peer's profile has no such end: it closes.
    pub fn wind_down(&self, reason: &str) {
        self.0.wind_down(reason);
    }

    /// Resolves with the reason once the crawl was closed.
    pub async fn closed(&self) -> Arc<str> {
        self.0.closed().await
    }

    /// The reason for which the crawl was closed, if it was.
    pub fn close_reason(&self) -> Option<Arc<str>> {
        self.0.close.borrow().clone()
    }

    /// The counters so far, as in the stats file: close reason (`finished` where there is none), time taken, and the rest.
    pub fn report(&self) -> Value {
        let mut report = self.0.stats().to_json();
        let reason = self.close_reason();
        report.insert("close_reason".to_owned(), Value::from(reason.as_deref().unwrap_or("finished")));
        report.insert("seconds".to_owned(), Value::from(self.0.elapsed().as_secs_f64()));
        Value::Object(report)
    }

    /// Waits for the initialisations under way, so that what they cost is counted. Where the crawl was closed, the peer's profile
    /// does not wait.
    pub async fn finish(&self) {
        let peer_closes = async {
            match self.0.profile().is_peer() {
                true => drop(self.0.closed().await),
                false => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.0.openings.none() => {}
            () = peer_closes => {}
        }
    }

    /// Ends what still lives: sessions are given up, initialisations under way are abandoned. The counters stay readable.
    pub fn shutdown(&self) {
        self.0.end(Refusal::Closed("finished".into()));
    }
}

/// Settings that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadSettings {
    /// `session.checker` names a site that does not exist.
    UnknownChecker(String),
}

impl std::fmt::Display for BadSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownChecker(name) => {
                write!(
                    f,
                    "session.checker: there is no site \"{name}\"; add a [[site]] of this name with a plugin that has a check hook"
                )
            }
        }
    }
}

impl std::error::Error for BadSettings {}

/// Settings that work and may not do what was meant.
fn warn_of_settings(settings: &Settings) {
    let (plain, session) = (settings.api.retry_policy, &settings.session);
    if session.retry_policy.is_none() && matches!(plain, PolicyName::CustomDownload(_)) {
        tracing::warn!(
            policy = %plain,
            "api.retry_policy is a custom policy and is used for sessions too; a policy that repeats 520 and 521 keeps sending on \
             banned sessions; set session.retry_policy to say what sessions should do"
        );
    }
    if !session.pool_sizes.is_empty() {
        tracing::warn!("session.pool_sizes is deprecated: write [session.pools.\"NAME\"] with size = N");
    }
}

impl Policies {
    fn new(settings: &Settings, only_throttling: bool) -> Self {
        let plain = settings.api.retry_policy;
        let session = settings.session.retry_policy.unwrap_or(plain).for_sessions();
        let honour_retry_after = settings.api.honour_retry_after.unwrap_or(!settings.profile.is_peer());
        Self {
            plain,
            session,
            only_throttling,
            options: RetryOptions {
                honour_retry_after,
                wait_scale: settings.api.retry_wait_scale,
                repeat_connection_errors: !settings.profile.is_peer(),
            },
        }
    }

    /// The policy of one call: that of its request, where it names one, else the one that holds for its kind.
    pub(crate) fn of(&self, own: Option<PolicyName>, kind: PolicyName) -> Policy {
        if self.only_throttling { Policy::ONLY_THROTTLING } else { own.unwrap_or(kind).policy() }
    }
}

impl<T: Transport, S: Sites> Shared<T, S> {
    pub(crate) fn profile(&self) -> Profile {
        self.settings.profile
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::after_start(self.elapsed())
    }

    /// Seconds since 1970.
    pub(crate) fn unix_now(&self) -> u64 {
        self.clock.unix_now()
    }

    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// When timers have to ring for a point in the engine's time.
    pub(crate) fn clock(&self, at: Instant) -> tokio::time::Instant {
        self.clock.timer(at)
    }

    /// The options of a request's pool, if the request is the first of it.
    pub(crate) fn pool_options(&self, trigger: &Trigger<S>) -> PoolOptions {
        self.settings.session.pool_options(self.profile(), &trigger.pool, &trigger.choice, trigger.cookie_mode)
    }

    pub(crate) fn ticket(&self) -> Ticket {
        Ticket::new(self.tickets.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn stats(&self) -> MutexGuard<'_, Stats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state for reading and for changes that cause no action; changes to pools go through [`Self::apply`].
    pub(crate) fn state(&self) -> MutexGuard<'_, State<T, S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn random(&self) -> f64 {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner).unit()
    }

    /// Remembers a fingerprint; false if it was known.
    pub(crate) fn is_first(&self, fingerprint: &str) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(fingerprint.to_owned())
    }

    pub(crate) fn note_fault(&self) {
        *self.last_fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.now());
    }

    pub(crate) fn last_fault(&self) -> Option<Instant> {
        *self.last_fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn contexts(&self) -> MutexGuard<'_, SessionContexts> {
        self.contexts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bad_inits(&self) -> MutexGuard<'_, HashMap<PoolId, String>> {
        self.bad_inits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn remember_bad_init(&self, pool: &PoolId, why: String) {
        self.bad_inits().insert(pool.clone(), why);
    }

    pub(crate) fn forget_bad_init(&self, pool: &PoolId) {
        self.bad_inits().remove(pool);
    }

    pub(crate) fn last_bad_init(&self, pool: &PoolId) -> Option<String> {
        self.bad_inits().get(pool).cloned()
    }

    /// Ends the crawl; false if it has been ended before.
    pub(crate) fn close(self: &Arc<Self>, reason: &str) -> bool {
        let first = self.note_close(reason);
        if first {
            self.end(Refusal::Closed(reason.into()));
            tracing::info!(reason, "closing the crawl");
        }
        first
    }

    pub(crate) fn wind_down(self: &Arc<Self>, reason: &str) {
        if self.profile().is_peer() || self.is_closed() {
            self.close(reason);
            return;
        }
        // Before anybody hears of the end.
        self.is_winding_down.store(true, Ordering::Relaxed);
        if self.note_close(reason) {
            self.apply(|state, _| state.pools.handle_wind_down(Refusal::Closed(reason.into())));
            tracing::info!(reason, "closing the crawl; initialisations under way are finished");
        }
    }

    /// Is it the first reason?
    fn note_close(&self, reason: &str) -> bool {
        self.close.send_if_modified(|known| {
            let first = known.is_none();
            known.get_or_insert_with(|| reason.into());
            first
        })
    }

    /// Is no call begun any more, not even one for which all is granted?
    pub(crate) fn begins_no_call(&self) -> bool {
        self.is_closed() && !self.is_winding_down()
    }

    /// Is what is paid still to be finished?
    pub(crate) fn is_winding_down(&self) -> bool {
        self.is_winding_down.load(Ordering::Relaxed)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.close.borrow().is_some()
    }

    pub(crate) fn close_reason(&self) -> Option<Arc<str>> {
        self.close.borrow().clone()
    }

    pub(crate) async fn closed(&self) -> Arc<str> {
        let mut close = self.close.subscribe();
        let reason = close.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        reason.unwrap_or_else(|| "closed".into())
    }

    /// Tells the listener that a pool has changed, or the number of requests without one that wait.
    pub(crate) fn tell_listener(&self, pool: &PoolKey) {
        let state = self.state();
        // A listener that has gone wants to know nothing more.
        let _ = state.listener.as_ref().map(|listener| listener.send(pool.clone()));
    }

    pub(crate) fn log_end(&self, pool: &PoolId, session: SessionId, reason: EndReason) {
        tracing::debug!(%pool, %session, %reason, "session ended");
        self.stats().count_end(reason);
    }
}

fn fresh_secret() -> [u8; 32] {
    let mut secret = [0; 32];
    if getrandom::fill(&mut secret).is_err() {
        tracing::warn!("the operating system gives no random numbers; session ids start from the time");
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        secret.iter_mut().zip(nanos.to_le_bytes()).for_each(|(byte, time)| *byte = time);
    }
    secret
}
