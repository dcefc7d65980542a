//! Several sites behind one engine, each with hooks that a test sets and may change while it runs.

use std::sync::{Arc, Mutex};

use carousel_core::exchange::{Answer, Object, Request};
use carousel_core::hooks::{Edit, Hook, HookCall, HookError, Naming, Plan, PoolChoice};
use carousel_core::id::SiteId;
use carousel_core::settings::Settings;
use carousel_core::verdict::Verdict;
use serde_json::{Value, json};

use super::fake::Api;
use crate::{Downloader, Engine, EngineOptions, HookPlaces, Site, Sites};

/// What a site answers; what is none, it does not override.
#[derive(Clone, Debug, Default)]
pub(super) struct Hooks {
    pub(super) config: &'static str,
    /// A pool's name; empty: the usual one, with a size of 2.
    pub(super) pool: Option<&'static str>,
    pub(super) params: Option<Value>,
    /// The calls of `init_session`.
    pub(super) chain: Option<Vec<Value>>,
    /// The URLs whose location the hook cannot tell end so.
    pub(super) unlocated: Option<&'static str>,
    /// What `process_request` sets.
    pub(super) edit: Option<Value>,
}

pub(super) struct Served {
    name: &'static str,
    hooks: Mutex<Hooks>,
}

/// Sites by the beginning of the URLs that they serve; the first that fits. None: the defaults serve.
pub(super) type Rules = Vec<(&'static str, Option<Arc<Served>>)>;

pub(super) struct ByUrl(pub(super) Mutex<Rules>);

impl Served {
    pub(super) fn new(name: &'static str, hooks: Hooks) -> Arc<Self> {
        Arc::new(Self { name, hooks: Mutex::new(hooks) })
    }

    /// Another version of its plugin.
    pub(super) fn swap(&self, hooks: Hooks) {
        *self.hooks.lock().unwrap() = hooks;
    }

    fn hooks(&self) -> Hooks {
        self.hooks.lock().unwrap().clone()
    }
}

impl Sites for ByUrl {
    type Site = Served;

    fn site(&self, url: &str) -> Option<Arc<Served>> {
        let rules = self.0.lock().unwrap();
        rules.iter().find(|(beginning, _)| url.starts_with(beginning)).and_then(|(_, site)| site.clone())
    }

    fn named(&self, _: &str) -> Option<Arc<Served>> {
        None
    }
}

impl Site for Served {
    fn name(&self) -> &str {
        self.name
    }

    fn id(&self) -> SiteId {
        SiteId::new(self.name, self.hooks().config)
    }

    fn overrides(&self, hook: Hook) -> bool {
        let hooks = self.hooks();
        match hook {
            Hook::Pool => hooks.pool.is_some(),
            Hook::Location => hooks.unlocated.is_some(),
            Hook::Params => hooks.params.is_some(),
            Hook::InitSession => hooks.chain.is_some(),
            Hook::ProcessRequest => hooks.edit.is_some(),
            Hook::Enabled | Hook::CookieMode | Hook::Check => false,
        }
    }

    fn plan(&self, call: HookCall) -> Result<Plan, HookError> {
        let location = call.defaults.location(&call.request);
        let usual = call.defaults.pool(&call.request, &location);
        let pool = match self.hooks().pool {
            Some("") => usual.map(|usual| PoolChoice { size: Some(2), naming: Naming::Automatic, ..usual }),
            Some(name) => Ok(PoolChoice::named(name)),
            None => usual,
        };
        let (enabled, cookie_mode) = (call.defaults.enabled(&call.request), call.defaults.cookie_mode(&call.request));
        let is_unlocated = self.hooks().unlocated.is_some_and(|end| call.request.url().ends_with(end));
        let location = if is_unlocated { Err(HookError::Raised("lost".to_owned())) } else { Ok(location) };
        Ok(Plan { enabled, cookie_mode, pool, location })
    }

    async fn params(&self, _: HookCall, _: Arc<dyn Downloader>) -> Result<Object, HookError> {
        Ok(self.hooks().params.unwrap().as_object().unwrap().clone())
    }

    fn check(&self, call: HookCall, answer: Answer) -> Result<Verdict, HookError> {
        call.defaults.check(&call, &answer)
    }

    fn process_request(&self, _: HookCall) -> Result<Edit, HookError> {
        Ok(Edit { set: self.hooks().edit.unwrap().as_object().unwrap().clone(), ..Edit::default() })
    }

    async fn init_session(&self, _: HookCall, downloader: Arc<dyn Downloader>) -> Result<Option<bool>, HookError> {
        for params in self.hooks().chain.unwrap() {
            downloader.download(params.as_object().unwrap().clone()).await.map_err(HookError::Download)?;
        }
        Ok(Some(true))
    }
}

pub(super) type Sited = Engine<Api, ByUrl>;

pub(super) fn engine_of(settings: Settings, api: &Api, rules: Rules) -> Sited {
    let options = EngineOptions { seed: Some(7), hooks: HookPlaces::InPlace, ..EngineOptions::default() };
    Engine::new(Arc::new(settings), api.clone(), Arc::new(ByUrl(Mutex::new(rules))), options).unwrap()
}

/// A request for the page; `more` are members of its line.
pub(super) fn page(url: &str, more: Value) -> Request {
    let mut line = json!({"url": url, "httpResponseBody": true, "echoData": url});
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Request::from_json(line).unwrap()
}

/// Fetches a page: the name of its pool, and which of the sessions so far it had, from 0.
pub(super) async fn fetch(engine: &Sited, url: &str, more: Value, sessions: &mut Vec<String>) -> (String, usize) {
    let trace = engine.fetch(page(url, more)).await.unwrap_or_else(|failure| panic!("{url}: {failure}")).trace;
    let session = trace.session.unwrap().to_string();
    let at = sessions.iter().position(|known| *known == session).unwrap_or(sessions.len());
    if at == sessions.len() {
        sessions.push(session);
    }
    (trace.pool.unwrap().to_string(), at)
}
