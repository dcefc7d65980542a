//! An API and a site that do what a test says, in virtual time.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carousel_core::exchange::{Answer, CallError, Object, Problem, Request};
use carousel_core::hooks::{Edit, Hook, HookCall, HookError, Plan};
use carousel_core::settings::{InitRule, Settings};
use carousel_core::verdict::Verdict;
use serde_json::{Value, json};

use crate::{Downloader, Engine, EngineOptions, HookPlaces, Leave, SimulatedSleep, Site, Sites, Transport};

/// What the API does with the n-th call (from 1): how long it takes and what it answers.
pub(super) type Script = dyn Fn(usize, &Value) -> (Duration, Result<Value, CallError>) + Send + Sync;

#[derive(Clone)]
pub(super) struct Api {
    pub(super) calls: Arc<Mutex<Vec<Value>>>,
    script: Arc<Script>,
}

impl Api {
    pub(super) fn new(script: impl Fn(usize, &Value) -> (Duration, Result<Value, CallError>) + Send + Sync + 'static) -> Self {
        Self { calls: Arc::default(), script: Arc::new(script) }
    }

    /// Answers everything with 200: initialisations in 8 s, pages in 1.5 s.
    pub(super) fn good() -> Self {
        Self::new(|_, params| (usual_time(params), Ok(page(params))))
    }

    /// As `good`, but the pages that the function names meet this error.
    pub(super) fn failing(error: impl Fn(usize, &Value) -> Option<CallError> + Send + Sync + 'static) -> Self {
        Self::new(move |n, params| (usual_time(params), error(n, params).map_or_else(|| Ok(page(params)), Err)))
    }

    /// Calls so far: `init` or `use`, and the letter of the session (`-` for none).
    pub(super) fn log(&self) -> Vec<String> {
        let mut sessions = Vec::new();
        let calls = self.calls.lock().unwrap();
        calls
            .iter()
            .map(|params| format!("{} {}", if is_use(params) { "use" } else { "init" }, letter(&mut sessions, params)))
            .collect()
    }
}

fn letter(sessions: &mut Vec<Value>, params: &Value) -> char {
    let id = &params["session"]["id"];
    if id.is_null() {
        return '-';
    }
    let at = sessions.iter().position(|known| known == id).unwrap_or_else(|| {
        sessions.push(id.clone());
        sessions.len() - 1
    });
    char::from(b'a' + at as u8)
}

pub(super) fn is_use(params: &Value) -> bool {
    params.get("echoData").is_some()
}

pub(super) fn usual_time(params: &Value) -> Duration {
    if is_use(params) { Duration::from_millis(1500) } else { Duration::from_secs(8) }
}

pub(super) fn page(params: &Value) -> Value {
    json!({"url": params["url"], "statusCode": 200, "echoData": params["echoData"], "responseCookies": [{"name": "sid", "value": "1"}]})
}

pub(super) fn problem(status: u16, kind: &str) -> CallError {
    CallError::Api(Box::new(Problem { status, kind: kind.to_owned(), ..Problem::default() }))
}

impl Transport for Api {
    async fn send(&self, params: &Object) -> Result<Answer, CallError> {
        let params = Value::Object(params.clone());
        let n = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(params.clone());
            calls.len()
        };
        let (time, result) = (self.script)(n, &params);
        tokio::time::sleep(time).await;
        result.map(|value| Answer::parse(value.to_string(), None).unwrap())
    }
}

type Check = dyn Fn(&HookCall, &Answer) -> Result<Verdict, HookError> + Send + Sync;
type Process = dyn Fn(&HookCall) -> Result<Edit, HookError> + Send + Sync;

/// One site for every URL, with the hooks that a test sets.
#[derive(Default)]
pub(super) struct FakeSite {
    pub(super) check: Option<Box<Check>>,
    pub(super) process: Option<Box<Process>>,
    pub(super) plan_error: Option<HookError>,
    /// The end of the URLs for which it has a fault.
    pub(super) plan_panics_on: Option<&'static str>,
    /// Counts how often it is asked for a plan.
    pub(super) plans: Option<Arc<AtomicUsize>>,
    pub(super) chain: Option<Vec<Value>>,
    pub(super) init_rule: Option<InitRule>,
    /// Its check looks at pages alone.
    pub(super) checks_pages_only: bool,
    /// How long the chain takes after its last call.
    pub(super) dawdles: Duration,
    /// Is its plugin left alone now?
    pub(super) left_alone: Option<Arc<AtomicBool>>,
}

impl Site for FakeSite {
    fn name(&self) -> &str {
        "fake"
    }

    fn overrides(&self, hook: Hook) -> bool {
        let mut hooks = BTreeSet::new();
        hooks.extend(self.check.as_ref().map(|_| Hook::Check));
        hooks.extend(self.process.as_ref().map(|_| Hook::ProcessRequest));
        hooks.extend(self.plan_error.as_ref().map(|_| Hook::Pool));
        hooks.extend(self.plans.as_ref().map(|_| Hook::Pool));
        hooks.extend(self.chain.as_ref().map(|_| Hook::InitSession));
        hooks.contains(&hook)
    }

    async fn leave_to_initialise(&self) -> Result<Leave, HookError> {
        self.left_alone().map_or_else(|| Ok(Leave::default()), Err)
    }

    fn left_alone(&self) -> Option<HookError> {
        let is_left_alone = self.left_alone.as_ref().is_some_and(|left_alone| left_alone.load(Ordering::SeqCst));
        is_left_alone.then(|| HookError::Trapped("left alone".to_owned()))
    }

    fn init_rule(&self) -> Option<InitRule> {
        self.init_rule
    }

    fn checks_inits(&self) -> bool {
        !self.checks_pages_only
    }

    fn plan(&self, call: HookCall) -> Result<Plan, HookError> {
        assert!(self.plan_panics_on.is_none_or(|end| !call.request.url().ends_with(end)), "oh no");
        let location = call.defaults.location(&call.request);
        let pool = self.plan_error.clone().map_or_else(|| call.defaults.pool(&call.request, &location), Err);
        self.plans.iter().for_each(|plans| _ = plans.fetch_add(1, Ordering::Relaxed));
        Ok(Plan { enabled: call.defaults.enabled(&call.request), cookie_mode: false, pool, location: Ok(location) })
    }

    async fn params(&self, call: HookCall, _: Arc<dyn Downloader>) -> Result<Object, HookError> {
        Ok(call.defaults.params(&call.location))
    }

    fn check(&self, call: HookCall, answer: Answer) -> Result<Verdict, HookError> {
        self.check.as_ref().expect("a check")(&call, &answer)
    }

    fn process_request(&self, call: HookCall) -> Result<Edit, HookError> {
        self.process.as_ref().expect("a process_request")(&call)
    }

    async fn init_session(&self, _: HookCall, downloader: Arc<dyn Downloader>) -> Result<Option<bool>, HookError> {
        for params in self.chain.iter().flatten() {
            downloader.download(params.as_object().unwrap().clone()).await.map_err(HookError::Download)?;
        }
        tokio::time::sleep(self.dawdles).await;
        Ok(Some(true))
    }
}

pub(super) struct OneSite(pub(super) Arc<FakeSite>);

impl Sites for OneSite {
    type Site = FakeSite;

    fn site(&self, _: &str) -> Option<Arc<FakeSite>> {
        Some(Arc::clone(&self.0))
    }

    fn named(&self, _: &str) -> Option<Arc<FakeSite>> {
        None
    }
}

pub(super) fn engine(settings: Settings, api: &Api) -> Engine<Api, OneSite> {
    engine_with(settings, api, FakeSite::default())
}

pub(super) fn engine_with(settings: Settings, api: &Api, site: FakeSite) -> Engine<Api, OneSite> {
    engine_on(HookPlaces::InPlace, settings, api, site)
}

pub(super) fn engine_on(hooks: HookPlaces, settings: Settings, api: &Api, site: FakeSite) -> Engine<Api, OneSite> {
    engine_of(EngineOptions { hooks, ..EngineOptions::default() }, settings, api, site)
}

/// On a machine that sleeps when it is told to.
pub(super) fn engine_asleep(
    settings: Settings,
    api: &Api,
    site: FakeSite,
    simulated_sleep: Option<SimulatedSleep>,
) -> Engine<Api, OneSite> {
    engine_of(EngineOptions { simulated_sleep, hooks: HookPlaces::InPlace, ..EngineOptions::default() }, settings, api, site)
}

fn engine_of(options: EngineOptions, settings: Settings, api: &Api, site: FakeSite) -> Engine<Api, OneSite> {
    let options = EngineOptions { seed: Some(7), fingerprints: true, ..options };
    Engine::new(Arc::new(settings), api.clone(), Arc::new(OneSite(Arc::new(site))), options).unwrap()
}

pub(super) fn request(n: usize) -> Request {
    request_with(n, json!({}))
}

pub(super) fn request_with(n: usize, more: Value) -> Request {
    let mut line = json!({"url": format!("https://shop.example/{n}"), "httpResponseBody": true, "echoData": n});
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Request::from_json(line).unwrap()
}
