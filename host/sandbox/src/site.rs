//! A site behind the engine's port: which hooks its plugin answers, and how they are asked.

use std::sync::Arc;

use carousel_core::exchange::{Answer, Object};
use carousel_core::hooks::{Edit, Hook, HookCall, HookError, Plan, PoolChoice};
use carousel_core::verdict::Verdict;
use carousel_engine::{Downloader, Site};
use wasmtime::component::Resource;

use crate::answers;
use crate::bindings::carousel::session::types;
use crate::call::Call;
use crate::counters::{Counters, SiteReport};
use crate::errors::Problem;
use crate::handles::{RequestHandle, ResponseHandle, SessionHandle, THE_ONE};
use crate::host::Host;
use crate::plugin::{HookSet, Plugin};
use crate::reach::Reach;
use crate::shared::Shared;
use crate::step::{Asked, Step};

/// A plugin at work for one site, with the site's own config, shared data and counters.
pub struct PluginSite {
    facts: Arc<SiteFacts>,
    plugin: Arc<Plugin>,
    hooks: HookSet,
    host: Arc<Host>,
    counters: Counters,
}

/// What a call knows of its site.
pub(crate) struct SiteFacts {
    pub(crate) name: Arc<str>,
    /// The plugin's file name without `.wasm`.
    pub(crate) plugin: Arc<str>,
    /// JSON text; `null` if there is none.
    pub(crate) config: String,
    pub(crate) reach: Reach,
    pub(crate) shared: Shared,
}

impl PluginSite {
    /// Puts a plugin to work for a site. One that has a config is shown it, and may refuse it.
    pub(crate) fn new(
        name: &str,
        config: Option<&serde_json::Value>,
        reach: Reach,
        plugin: Arc<Plugin>,
        host: Arc<Host>,
    ) -> Result<Self, Problem> {
        let text = config.unwrap_or(&serde_json::Value::Null).to_string();
        let shared = Shared::default();
        let facts = SiteFacts { name: name.into(), plugin: plugin.file.clone(), config: text, reach, shared };
        let facts = Arc::new(facts);
        let hooks = match config {
            Some(_) => plugin.hooks_for(&host, facts.clone())?,
            None => plugin.hooks(),
        };
        Ok(Self { facts, plugin, hooks, host, counters: Counters::default() })
    }

    /// What the plugin did for this site so far.
    pub fn report(&self) -> SiteReport {
        SiteReport {
            site: self.facts.name.to_string(),
            plugin: self.facts.plugin.to_string(),
            version: self.plugin.description.version.clone(),
            instances: self.counters.instances(),
            hooks: self.counters.report(),
        }
    }

    pub(crate) fn facts(&self) -> &SiteFacts {
        &self.facts
    }

    pub(crate) fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The state for a call about this.
    fn call(&self, asked: &HookCall) -> Call {
        Call::new(self.facts.clone(), Some(asked.clone()), &self.host.allowance)
    }

    /// Asks one of the hooks of a plan, if the plugin overrides it.
    fn ask_about<R>(&self, step: &mut Step<'_>, hook: Hook, asked: &HookCall) -> Asked<R>
    where
        R: crate::step::ComponentTypeOf + wasmtime::component::Lift + 'static,
        (Result<R, types::Failure>,): wasmtime::component::ComponentNamedList + wasmtime::component::Lift,
    {
        if !self.overrides(hook) {
            return Ok(None);
        }
        step.ask(hook, (request(),), || self.call(asked))
    }

    /// The location in force: the plugin's word, which may be the default one.
    fn location(&self, step: &mut Step<'_>, call: &HookCall) -> Result<Object, HookError> {
        match self.ask_about::<String>(step, Hook::Location, call)? {
            Some(text) => answers::location(&text),
            None => Ok(call.defaults.location(&call.request)),
        }
    }

    fn pool(&self, step: &mut Step<'_>, call: &HookCall) -> Result<PoolChoice, HookError> {
        match self.ask_about::<String>(step, Hook::Pool, call)? {
            Some(text) => answers::pool(&text),
            None => call.defaults.pool(&call.request, &call.location),
        }
    }
}

impl Site for PluginSite {
    fn name(&self) -> &str {
        &self.facts.name
    }

    fn overrides(&self, hook: Hook) -> bool {
        self.hooks.has(hook)
    }

    fn plan(&self, mut call: HookCall) -> Result<Plan, HookError> {
        let mut step = Step::new(self);
        let enabled = self.ask_about(&mut step, Hook::Enabled, &call)?;
        if !enabled.unwrap_or_else(|| call.defaults.enabled(&call.request)) {
            return Ok(Plan { enabled: false, cookie_mode: false, pool: Ok(PoolChoice::default()), location: Ok(Object::new()) });
        }
        let cookie_mode = self.ask_about(&mut step, Hook::CookieMode, &call)?;
        let cookie_mode = cookie_mode.unwrap_or_else(|| call.defaults.cookie_mode(&call.request));
        let location = self.location(&mut step, &call);
        if let Ok(location) = &location {
            call.location = Arc::new(location.clone());
            step.set_location(&call.location);
        }
        let pool = self.pool(&mut step, &call);
        Ok(Plan { enabled: true, cookie_mode, pool, location })
    }

    async fn params(&self, call: HookCall, downloader: Arc<dyn Downloader>) -> Result<Object, HookError> {
        let asked = match self.overrides(Hook::Params) {
            true => {
                let state = self.call(&call).downloading(downloader, &self.host.allowance);
                self.ask_blocking::<_, String>(Hook::Params, (request(),), state).await?
            }
            false => None,
        };
        match asked {
            Some(text) => answers::object("params", &text),
            None => Ok(call.defaults.params(&call.location)),
        }
    }

    fn check(&self, call: HookCall, answer: Answer) -> Result<Verdict, HookError> {
        let asked = match self.overrides(Hook::Check) {
            true => Step::new(self).ask(Hook::Check, (response(), request()), || self.call(&call).judging(answer.clone()))?,
            false => None,
        };
        match asked {
            Some(verdict) => answers::verdict(verdict),
            None => call.defaults.check(&call, &answer),
        }
    }

    fn process_request(&self, call: HookCall) -> Result<Edit, HookError> {
        match self.ask_about(&mut Step::new(self), Hook::ProcessRequest, &call)? {
            Some(edit) => answers::edit(edit),
            None => Ok(Edit::default()),
        }
    }

    async fn init_session(&self, call: HookCall, downloader: Arc<dyn Downloader>) -> Result<Option<bool>, HookError> {
        if !self.overrides(Hook::InitSession) {
            return Ok(None);
        }
        if call.session.is_none() {
            return Err(HookError::Raised("there is no session to initialise".to_owned()));
        }
        let state = self.call(&call).downloading(downloader, &self.host.allowance);
        self.ask_blocking(Hook::InitSession, (session(), request()), state).await
    }
}

fn request() -> Resource<RequestHandle> {
    Resource::new_borrow(THE_ONE)
}

fn response() -> Resource<ResponseHandle> {
    Resource::new_borrow(THE_ONE)
}

fn session() -> Resource<SessionHandle> {
    Resource::new_borrow(THE_ONE)
}
