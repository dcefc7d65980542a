//! The whole engine under random use of a random API, in virtual time: faults, limits, verdicts, budgets, hooks that take time, requests
//! cancelled at any wait, requests without sessions, and a machine that sleeps, in any order. Whatever happens, its promises hold: each
//! request ends, once; no call is made on a session that has ended or lapsed, for a pool that was closed, or on a host that has ended;
//! the bill is right and within the budgets; no place and no session is lost; and nothing is left at the end.
//!
//! `CAROUSEL_CRAWLS` sets how many crawls are tried, `CAROUSEL_CRAWL_SEED` tries one, and with both the count begins at the seed. A million
//! crawls take some hours: `CAROUSEL_CRAWLS=1000000 cargo test --release -p carousel-simulator --test random -- --nocapture`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a failing test may panic")]
#![allow(clippy::print_stdout, reason = "a long run tells how far it is")]

mod watched;

use std::collections::BTreeMap;
use std::future::{Future as _, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use carousel_core::exchange::{Answer, Object, Request};
use carousel_core::hooks::{Edit, Hook, HookCall, HookError, Plan};
use carousel_core::settings::Settings;
use carousel_core::verdict::Verdict;
use carousel_engine::{Downloader, Engine, EngineOptions, FailureKind, HookPlaces, SimulatedSleep, Site, Sites};
use carousel_simulator::{FaultRule, InProcess, Latency, Simulator, SimulatorOptions};
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use watched::Watched;

/// Crawls that are tried unless `CAROUSEL_CRAWLS` says otherwise.
const CRAWLS: u64 = 80;

/// Requests of one crawl, and the sites they are for.
const REQUESTS: usize = 120;
const SITES: usize = 12;

/// Whatever happens, a request has ended by then.
const PATIENCE: Duration = Duration::from_secs(100_000);

/// How long the hooks take.
const HOOKS: [HookPlaces; 3] = [
    HookPlaces::InPlace,
    HookPlaces::InPlaceAfter(|_| Duration::from_millis(80)),
    HookPlaces::InPlaceAfter(|_| Duration::from_secs(30)),
];

/// A plugin whose hooks do anything, mostly good.
struct Moody {
    dice: Mutex<Rng>,
    /// One of so many answers of a hook is a bad one.
    calm: u32,
    closes: bool,
    chains: bool,
    /// How many seconds a step of an initialisation may take besides its call.
    dawdles: u64,
    api: Watched,
}

impl Moody {
    /// What the observer should know of a verdict.
    fn tell(&self, call: &HookCall, verdict: &Result<Verdict, HookError>) {
        let Some(id) = call.session.as_ref().map(|session| session.id().to_string()) else { return };
        match verdict {
            Ok(Verdict::ClosePool(_)) => self.api.closed(&id),
            Ok(Verdict::Discard(_)) | Err(HookError::Raised(_)) => self.api.discarded(id),
            Ok(Verdict::Reject(_)) | Err(_) if call.init => self.api.discarded(id),
            _ => {}
        }
    }

    fn verdict(&self, call: &HookCall, answer: &Answer) -> Result<Verdict, HookError> {
        let mut dice = self.dice();
        if dice.u32(0..self.calm) > 0 {
            return call.defaults.check(call, answer);
        }
        match dice.u32(0..40) {
            0..=15 => Ok(Verdict::Discard("mood".into())),
            16..=22 => Ok(Verdict::Throttled(Duration::from_secs(dice.u64(0..200)))),
            23..=29 => Ok(Verdict::Reject("mood".into())),
            30..=33 => Err(HookError::Raised("mood".into())),
            34..=36 => Err(HookError::Trapped("mood".into())),
            37..=38 if self.closes => Ok(Verdict::ClosePool("mood".into())),
            39 if self.closes => Ok(Verdict::CloseCrawl("mood".into())),
            _ => Ok(Verdict::Keep),
        }
    }

    async fn dawdle(&self) {
        let seconds = {
            let mut dice = self.dice();
            if dice.u32(0..4) == 0 { dice.u64(0..=self.dawdles) } else { 0 }
        };
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    fn dice(&self) -> std::sync::MutexGuard<'_, Rng> {
        self.dice.lock().unwrap()
    }
}

impl Site for Moody {
    fn name(&self) -> &str {
        "moody"
    }

    fn overrides(&self, hook: Hook) -> bool {
        matches!(hook, Hook::Check | Hook::ProcessRequest) || self.chains && hook == Hook::InitSession
    }

    fn plan(&self, _call: HookCall) -> Result<Plan, HookError> {
        Err(HookError::Raised("a hook that is not overridden was called".into()))
    }

    async fn params(&self, call: HookCall, _downloader: Arc<dyn Downloader>) -> Result<Object, HookError> {
        Ok(call.defaults.params(&call.location))
    }

    fn check(&self, call: HookCall, answer: Answer) -> Result<Verdict, HookError> {
        let verdict = self.verdict(&call, &answer);
        self.tell(&call, &verdict);
        verdict
    }

    fn process_request(&self, _call: HookCall) -> Result<Edit, HookError> {
        match self.dice().u32(0..100) {
            0 => Err(HookError::Raised("mood".into())),
            1 => Ok(Edit { url: Some("https://elsewhere.plain.example/".to_owned()), ..Edit::default() }),
            _ => Ok(Edit::default()),
        }
    }

    async fn init_session(&self, call: HookCall, downloader: Arc<dyn Downloader>) -> Result<Option<bool>, HookError> {
        let (calls, says) = {
            let mut dice = self.dice();
            (dice.u32(0..4), dice.u32(0..10) > 0)
        };
        for _ in 0..calls {
            self.dawdle().await;
            let params = json!({"url": call.request.url(), "browserHtml": true});
            downloader.download(params.as_object().cloned().unwrap_or_default()).await.map_err(HookError::Download)?;
        }
        self.dawdle().await;
        if calls > 0 && !says {
            self.tell(&call, &Ok(Verdict::Discard(String::new())));
        }
        Ok((calls > 0).then_some(says))
    }
}

/// Every URL is the moody site's.
struct OneSite(Arc<Moody>);

impl Sites for OneSite {
    type Site = Moody;

    fn site(&self, _url: &str) -> Option<Arc<Moody>> {
        Some(Arc::clone(&self.0))
    }

    fn named(&self, _name: &str) -> Option<Arc<Moody>> {
        None
    }
}

fn pick<'a>(dice: &mut Rng, of: &[&'a str]) -> &'a str {
    of[dice.usize(0..of.len())]
}

fn host(site: usize) -> String {
    format!("s{site:05}.{}.example", ["plain", "bakery", "club"][site % 3])
}

fn faults(dice: &mut Rng) -> Vec<FaultRule> {
    let errors: [(u64, &str); 9] = [
        (520, "/download/temporary-error"),
        (521, "/download/internal-error"),
        (500, "/server/internal"),
        (422, "/problem/over-session-limit"),
        (503, "/problem/session-creation-error"),
        (429, "/limits/over-domain-limit"),
        (429, "/limits/over-user-limit"),
        (503, "/limits/over-global-limit"),
        (422, "/request/unprocessable"),
    ];
    let mut rules = Vec::new();
    for (status, kind) in errors {
        let mut rule = json!({"status": status, "type": kind});
        match dice.u32(0..6) {
            0 => rule["probability"] = (dice.f64() * 0.2).into(),
            1 => rule["every"] = dice.u64(5..40).into(),
            2 if status == 429 || kind.starts_with("/limits") => rule["over_per_second"] = (0.3 + 8.0 * dice.f64()).into(),
            3 if !(429..520).contains(&status) => rule["session_use"] = json!([dice.u32(1..5)]),
            _ => continue,
        }
        if dice.bool() {
            rule["host"] = host(dice.usize(0..SITES)).into();
        }
        if dice.u32(0..3) == 0 {
            rule["retry_after"] = dice.u64(1..400).into();
        }
        rules.push(rule);
    }
    if dice.u32(0..4) == 0 {
        rules.push(json!({"host": host(dice.usize(0..SITES)), "status": 451, "every": dice.u64(1..9)}));
    }
    for _ in 0..dice.u32(0..4) {
        let unreachable = "/website/domain-unreachable";
        rules.push(json!({"host": host(dice.usize(0..SITES)), "status": 421, "type": unreachable, "nth": [dice.u64(1..20)]}));
    }
    if dice.u32(0..4) == 0 {
        // Failures with busy answers between them, for ever.
        let host = host(dice.usize(0..SITES));
        rules.push(json!({"host": &host, "status": 500, "type": "/server/internal", "every": dice.u64(2..4)}));
        rules.push(json!({"host": &host, "status": 429, "type": "/limits/over-domain-limit", "retry_after": dice.u64(1..60)}));
    }
    if dice.u32(0..4) == 0 {
        // So slow that many wait at the gate for long.
        let per_second = 0.1 + dice.f64();
        rules.push(json!({"status": 429, "type": "/limits/over-user-limit", "over_per_second": per_second}));
    }
    if dice.u32(0..8) == 0 {
        rules.push(json!({"status": 401, "nth": [dice.u64(1..200)]}));
    }
    if dice.u32(0..3) == 0 {
        rules.push(json!({"connection": pick(dice, &["drop", "truncate"]), "probability": 0.03}));
    }
    if dice.u32(0..3) == 0 {
        rules.push(json!({"latency_seconds": dice.u64(20..100), "probability": 0.05}));
    }
    FaultRule::read_list(&Value::from(rules).to_string()).unwrap()
}

fn settings(dice: &mut Rng) -> Settings {
    let mut all = json!({"session": {
        "pool_size": dice.u32(1..5),
        "max_in_flight": dice.u32(0..4),
        "growth": pick(dice, &["thrifty", "thrifty", "on-demand", "eager"]),
        "rotation": pick(dice, &["recent", "fifo"]),
        "delay": ([0.0, 0.0, 2.0, 90.0][dice.usize(0..4)]),
        "max_errors": dice.u32(0..3),
        "max_bad_inits": dice.u32(1..5),
        "max_cool_down": 600,
        "creation_retry_delay": dice.u32(20..80),
    }, "api": {}, "budget": {}});
    if dice.u32(0..6) == 0 {
        all["session"]["cookie_mode"] = true.into();
    }
    if dice.u32(0..4) == 0 {
        all["session"]["queue_max_attempts"] = dice.u32(1..200).into();
    }
    if dice.u32(0..4) == 0 {
        all["budget"]["billed"] = dice.u32(0..150).into();
    }
    if dice.u32(0..4) == 0 {
        all["budget"]["billed_per_pool"] = dice.u32(0..20).into();
    }
    for _ in 0..dice.usize(0..4) {
        all["session"]["pools"][host(dice.usize(0..SITES))]["budget"] = dice.u32(0..20).into();
    }
    if dice.u32(0..5) == 0 {
        all["api"]["throttling"] = "per-call".into();
    }
    serde_json::from_value(all).unwrap()
}

/// How many requests ended well, by themselves, and were cut.
#[derive(Debug, Default, PartialEq)]
struct Ends {
    ok: usize,
    failed: BTreeMap<FailureKind, usize>,
    cut: usize,
}

impl Ends {
    fn count(&mut self, end: Option<Result<(), FailureKind>>) {
        match end {
            Some(Ok(())) => self.ok += 1,
            Some(Err(kind)) => *self.failed.entry(kind).or_default() += 1,
            None => self.cut += 1,
        }
    }
}

struct Crawl {
    seed: u64,
    settings: Settings,
    engine: Engine<Watched, OneSite>,
    api: Watched,
    ends: Ends,
}

impl Crawl {
    async fn run(seed: u64) -> Self {
        let mut dice = Rng::with_seed(seed);
        let settings = settings(&mut dice);
        let latency = Latency { spread: dice.f64() * 0.9, ..Latency::realistic() };
        let options = SimulatorOptions { seed, latency, faults: faults(&mut dice), ..SimulatorOptions::default() };
        let limit = settings.session.max_in_flight.filter(|limit| *limit > 0);
        let sleep = SimulatedSleep::default();
        let api = Watched::new(InProcess::new(Simulator::new(options)), limit, sleep.clone());
        let moody = Moody {
            calm: dice.u32(2..200),
            closes: dice.u32(0..3) == 0,
            chains: dice.bool(),
            dawdles: [0, 20, 200][dice.usize(0..3)],
            dice: Mutex::new(dice.fork()),
            api: api.clone(),
        };
        let hooks = HOOKS[(seed % HOOKS.len() as u64) as usize];
        let options = EngineOptions { hooks, seed: Some(seed), simulated_sleep: Some(sleep.clone()), ..EngineOptions::default() };
        let engine = Engine::new(Arc::new(settings.clone()), api.clone(), Arc::new(OneSite(Arc::new(moody))), options).unwrap();
        let sleeper = tokio::spawn(sleep_at_times(sleep, dice.fork()));
        let ends = crawl(seed, &engine, &mut dice).await;
        sleeper.abort();
        engine.finish().await;
        Self { seed, settings, engine, api, ends }
    }

    fn check_ends(&self, report: &Value) {
        let (seed, ends) = (self.seed, &self.ends);
        let failed: usize = ends.failed.values().sum();
        assert_eq!(ends.ok + failed + ends.cut, REQUESTS + SITES, "{seed}: each request ends once");
        assert_eq!((&report["requests"]["ok"], &report["requests"]["failed"]), (&json!(ends.ok), &json!(failed)), "{seed}");
    }

    /// Billed is what was answered with 200. Of a call that was cut or whose connection broke nobody knows.
    fn check_bill(&self, report: &Value) {
        let (seed, api) = (self.seed, self.api.report());
        let billed: u64 = ["init", "use", "discarded"].iter().map(|key| report["billed"][key].as_u64().unwrap()).sum();
        let (delivered, lost) = self.api.billed();
        assert_eq!(billed, delivered, "{seed}: {}", report["billed"]);
        assert_eq!(api["billed"]["total"], delivered + lost, "{seed}");
        assert_eq!(report["billed"]["use"], self.ends.ok, "{seed}: each page that was kept is billed as such");
        let by_pool = |pool: &Value| ["init", "use", "discarded"].map(|key| pool["billed"][key].as_u64().unwrap()).iter().sum();
        let pools: Vec<u64> = report["pools"].as_object().unwrap().values().map(by_pool).collect();
        assert!(pools.iter().sum::<u64>() <= billed, "{seed}: the pools have no larger bill than the crawl");
        let budget = &self.settings.budget;
        assert!(budget.billed.is_none_or(|limit| billed <= limit), "{seed}: {billed} of {budget:?}");
        for (name, account) in report["pools"].as_object().unwrap() {
            let limit = self.limit(name);
            assert!(limit.is_none_or(|limit| by_pool(account) <= limit), "{seed}: {name} has {limit:?}: {account}");
        }
    }

    /// The budget of a pool.
    fn limit(&self, pool: &str) -> Option<u64> {
        self.settings.session.pools.get(pool).and_then(|table| table.budget).or(self.settings.budget.billed_per_pool)
    }

    /// Whatever was opened has ended, for one reason, and nothing is left of it.
    fn check_memory(&self, report: &Value) {
        let seed = self.seed;
        if self.settings.session.cookie_mode {
            // Its sessions live until the end.
            self.engine.shutdown();
        }
        let ended: u64 = report["ended"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        let opened = report["sessions"]["init/check-passed"].as_u64().unwrap_or_default();
        assert!(ended <= opened, "{seed}: {ended} sessions ended and {opened} were opened");
        let census = self.engine.census();
        assert_eq!((census.sessions, census.openings, census.waiting, census.at_gate), (0, 0, 0, 0), "{seed}: {census:?}");
        let remembers = report["close_reason"] != "finished"
            || self.settings.session.cookie_mode
            || self.settings.budget.billed_per_pool.is_some()
            || self.settings.session.pools.values().any(|table| table.budget.is_some())
            || self.settings.budget.billed.is_some()
            || self.ends.failed.contains_key(&FailureKind::Pool);
        assert!(remembers || census.pools == 0, "{seed}: {census:?}");
        assert!(remembers || ended == opened, "{seed}: {ended} sessions ended and {opened} were opened");
    }
}

/// In one of three crawls the machine sleeps now and then, for seconds or for hours.
async fn sleep_at_times(sleep: SimulatedSleep, mut dice: Rng) {
    let times = if dice.u32(0..3) == 0 { dice.u32(1..6) } else { 0 };
    for _ in 0..times {
        tokio::time::sleep(Duration::from_millis(dice.u64(0..600_000))).await;
        sleep.sleep(Duration::from_secs([dice.u64(1..30), dice.u64(30..300), dice.u64(300..20_000)][dice.usize(0..3)]));
    }
}

/// When a request is given up.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Never,
    /// After some time.
    After(Duration),
    /// When it is woken for the n-th time: at any of its waits, and just when that is over.
    AtWake(u32),
}

/// Fetches a request, unless it is cut before.
async fn fetch(seed: u64, engine: Engine<Watched, OneSite>, request: Request, cut: Cut) -> Option<Result<(), FailureKind>> {
    let url = request.url().to_owned();
    let mut fetch = Box::pin(engine.fetch(request));
    let end = match cut {
        Cut::Never => {
            let end = tokio::time::timeout(PATIENCE, fetch).await;
            assert!(end.is_ok(), "{seed}: {url} waits for ever");
            end.ok()
        }
        Cut::After(time) => tokio::time::timeout(time, fetch).await.ok(),
        Cut::AtWake(mut left) => {
            poll_fn(|context| match left.checked_sub(1) {
                None => Poll::Ready(None),
                Some(less) => {
                    left = less;
                    fetch.as_mut().poll(context).map(Some)
                }
            })
            .await
        }
    };
    end.map(|result| result.map(drop).map_err(|failure| failure.kind))
}

/// Starts the requests at random times and cuts some of them; then asks each site once more.
async fn crawl(seed: u64, engine: &Engine<Watched, OneSite>, dice: &mut Rng) -> Ends {
    let mut tasks = JoinSet::new();
    let gap = [0, 500, 5_000, 60_000][dice.usize(0..4)];
    let patience = [20, 200, 2_000][dice.usize(0..3)];
    let one_cut_of = [2, 5, 20][dice.usize(0..3)];
    let one_plain_of = [2, 8, u32::MAX][dice.usize(0..3)];
    for n in 0..REQUESTS {
        let url = format!("https://{}/p/{n}", host((dice.f64() * dice.f64() * SITES as f64) as usize));
        let mut line = json!({"url": &url, "httpResponseBody": true, "echoData": n});
        if dice.u32(0..one_plain_of) == 0 {
            line["meta"] = json!({"zyte_api_session_enabled": false});
        }
        let cut = match dice.u32(0..2 * one_cut_of) {
            0 => Cut::After(Duration::from_millis(dice.u64(0..patience * 1_000))),
            1 => Cut::AtWake(dice.u32(0..12)),
            _ => Cut::Never,
        };
        tasks.spawn(fetch(seed, engine.clone(), Request::from_json(line).unwrap(), cut));
        if gap > 0 {
            tokio::time::sleep(Duration::from_millis(dice.u64(0..gap))).await;
        }
    }
    let mut ends = Ends::default();
    tasks.join_all().await.into_iter().for_each(|end| ends.count(end));
    for site in 0..SITES {
        let line = json!({"url": format!("https://{}/last", host(site)), "httpResponseBody": true, "echoData": REQUESTS + site});
        ends.count(fetch(seed, engine.clone(), Request::from_json(line).unwrap(), Cut::Never).await);
    }
    ends
}

#[tokio::test(start_paused = true)]
async fn every_promise_holds_whatever_happens() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let (first, count) = (number("CAROUSEL_CRAWL_SEED"), number("CAROUSEL_CRAWLS"));
    let count = count.unwrap_or(if first.is_some() { 1 } else { CRAWLS });
    let (mut all, mut time) = (Ends::default(), Duration::ZERO);
    for seed in first.unwrap_or(0)..first.unwrap_or(0) + count {
        if seed % 10_000 == 0 {
            println!("crawl {seed}; so far {:.0} days, {all:?}", time.as_secs_f64() / 86_400.0);
        }
        let crawl = Crawl::run(seed).await;
        let report = crawl.engine.report();
        crawl.check_ends(&report);
        crawl.check_bill(&report);
        crawl.api.check_sessions(seed);
        // Longer than any session, pause or memory of a breaker lasts.
        tokio::time::sleep(Duration::from_secs(10_000)).await;
        crawl.check_memory(&crawl.engine.report());
        time += crawl.api.now();
        all.ok += crawl.ends.ok;
        all.cut += crawl.ends.cut;
        for (kind, count) in crawl.ends.failed {
            *all.failed.entry(kind).or_default() += count;
        }
    }
    let is_broad = all.ok > 0 && all.cut > 0 && all.failed.len() > 6;
    println!("{count} crawls, {:.0} days, {all:?}", time.as_secs_f64() / 86_400.0);
    assert!(is_broad || first.is_some(), "the crawls are too much alike: {all:?}");
}
