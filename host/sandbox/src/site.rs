//! A site behind the engine's port: which hooks its plugin answers, and how they are asked.

use std::sync::Arc;

use arc_swap::ArcSwap;
use carousel_core::exchange::{Answer, Object};
use carousel_core::hooks::{Edit, Hook, HookCall, HookError, Plan, PoolChoice};
use carousel_core::id::SiteId;
use carousel_core::settings::{InitRule, Instances};
use carousel_core::verdict::Verdict;
use carousel_engine::{Downloader, Site};
use serde_json::Value;
use tokio::sync::Semaphore;
use wasmtime::component::Resource;

use crate::answers;
use crate::bindings::carousel::session::types;
use crate::call::Call;
use crate::counters::{Counters, SiteReport};
use crate::errors::Problem;
use crate::gate::{Gate, Who};
use crate::handles::{RequestHandle, ResponseHandle, SessionHandle, THE_ONE};
use crate::host::Host;
use crate::plugin::{HookSet, Plugin};
use crate::reach::Reach;
use crate::shared::Shared;
use crate::step::{Asked, Step};

/// A plugin at work for one site, with the site's own config, shared data and counters.
///
/// The site stays when its plugin is replaced by another version: whoever holds it asks the version of that moment, step by step.
pub struct PluginSite {
    name: Arc<str>,
    id: SiteId,
    now: ArcSwap<Version>,
    host: Arc<Host>,
    lasting: Arc<Lasting>,
}

/// What is replaced as one when another version of the plugin comes.
pub(crate) struct Version {
    facts: Arc<SiteFacts>,
    plugin: Arc<Plugin>,
    /// Those that the plugin needs at this site.
    hooks: HookSet,
}

/// The config of a site that has none, as JSON text.
const NO_CONFIG: &str = "null";

/// What a site keeps when its plugin is replaced, and when it comes back after it was removed.
pub(crate) struct Lasting {
    shared: Arc<Shared>,
    counters: Counters,
    gate: Gate,
    /// Places for the site's hooks that download: not all that there are, so that a site where they hang leaves some to the others.
    waiting_places: Semaphore,
}

/// What a call knows of its site.
pub(crate) struct SiteFacts {
    pub(crate) name: Arc<str>,
    /// The plugin's file name without `.wasm`.
    pub(crate) plugin: Arc<str>,
    /// JSON text; `null` if there is none.
    pub(crate) config: String,
    pub(crate) reach: Reach,
    pub(crate) instances: Instances,
    pub(crate) init: Option<InitRule>,
    pub(crate) shared: Arc<Shared>,
}

/// What the settings say of a site.
pub(crate) struct Terms<'t> {
    pub(crate) config: Option<&'t Value>,
    pub(crate) reach: Reach,
    pub(crate) instances: Instances,
    pub(crate) init: Option<InitRule>,
}

impl Version {
    /// A plugin that has a config is shown it, and may refuse it.
    fn new(host: &Host, facts: SiteFacts, plugin: Arc<Plugin>) -> Result<Self, Problem> {
        let facts = Arc::new(facts);
        let hooks = match facts.config.as_str() {
            NO_CONFIG => plugin.hooks(),
            _ => plugin.hooks_for(host, facts.clone())?,
        };
        Ok(Self { facts, plugin, hooks })
    }

    pub(crate) fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    pub(crate) fn facts(&self) -> &Arc<SiteFacts> {
        &self.facts
    }

    pub(crate) fn hooks(&self) -> HookSet {
        self.hooks
    }
}

impl Lasting {
    pub(crate) fn new(host: &Host) -> Self {
        let waiting_places = Semaphore::new(host.waiting_places_of_a_site);
        Self { shared: Arc::default(), counters: Counters::default(), gate: Gate::new(host.gate), waiting_places }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }
}

impl PluginSite {
    /// Puts a plugin to work for a site.
    pub(crate) fn new(
        name: &str,
        terms: Terms<'_>,
        plugin: Arc<Plugin>,
        host: Arc<Host>,
        lasting: Arc<Lasting>,
    ) -> Result<Self, Problem> {
        let name: Arc<str> = name.into();
        let facts = SiteFacts {
            name: name.clone(),
            plugin: plugin.file.clone(),
            config: terms.config.unwrap_or(&Value::Null).to_string(),
            reach: terms.reach,
            instances: terms.instances,
            init: terms.init,
            shared: lasting.shared.clone(),
        };
        let id = SiteId::new(name.clone(), &facts.config);
        let now = ArcSwap::from_pointee(Version::new(&host, facts, plugin)?);
        Ok(Self { name, id, now, host, lasting })
    }

    /// Prepares another version of the plugin for this site; none if it is the one at work.
    pub(crate) fn version(&self, plugin: &Arc<Plugin>, reach: Reach) -> Result<Option<Version>, Problem> {
        let now = self.now.load();
        if Arc::ptr_eq(&now.plugin, plugin) {
            return Ok(None);
        }
        let facts = SiteFacts {
            name: self.name.clone(),
            plugin: plugin.file.clone(),
            config: now.facts.config.clone(),
            reach,
            instances: now.facts.instances,
            init: now.facts.init,
            shared: self.lasting.shared.clone(),
        };
        Version::new(&self.host, facts, plugin.clone()).map(Some)
    }

    /// Puts another version in the place of the one at work, which ends the steps that it began, and returns that one.
    pub(crate) fn replace(&self, version: Version) -> Arc<Plugin> {
        let old = self.lasting.gate.replace(|| self.now.swap(Arc::new(version)));
        self.host.kept.forget(&old.facts);
        old.plugin.clone()
    }

    /// What the plugin did for this site so far.
    pub fn report(&self) -> SiteReport {
        let plugin = self.plugin();
        SiteReport {
            site: self.name.to_string(),
            plugin: plugin.file.to_string(),
            version: plugin.description.version.clone(),
            instances: self.counters().instances(),
            hooks: self.counters().report(),
        }
    }

    /// Makes an instance and asks the plugin what it is: the least that a call can do, to compare others with. False where it fails.
    pub fn idle(&self) -> bool {
        let now = self.now.load();
        now.plugin.hooks_for(&self.host, now.facts.clone()).is_ok()
    }

    pub(crate) fn facts(&self) -> Arc<SiteFacts> {
        self.now.load().facts.clone()
    }

    pub(crate) fn plugin(&self) -> Arc<Plugin> {
        self.now.load().plugin.clone()
    }

    /// The version at work, of which a step takes all that it needs: facts, hooks and code.
    pub(crate) fn at_work(&self) -> Arc<Version> {
        self.now.load_full()
    }

    /// Do these belong to the version at work?
    pub(crate) fn works_by(&self, facts: &Arc<SiteFacts>) -> bool {
        Arc::ptr_eq(&self.now.load().facts, facts)
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.lasting.counters
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.lasting.gate
    }

    pub(crate) fn waiting_places(&self) -> &Semaphore {
        &self.lasting.waiting_places
    }

    pub(crate) fn lasting(&self) -> Arc<Lasting> {
        self.lasting.clone()
    }

    /// The version that answers this hook of a request that is under way, if the plugin does; an error says why nobody does.
    pub(crate) fn answering(&self, hook: Hook) -> Result<Option<Arc<Version>>, HookError> {
        let now = self.at_work();
        Ok((now.hooks.has(hook) && self.gate().hook()? == Who::Plugin).then_some(now))
    }

    /// The state for a call about this.
    fn call(&self, version: &Version, asked: &HookCall) -> Call {
        Call::new(version.facts.clone(), Some(asked.clone()), &self.host.allowance)
    }

    /// The parameters of a call that a hook has made, if they lead nowhere but to hosts that the site may reach.
    fn within_reach(&self, hook: &str, params: Object, call: &HookCall) -> Result<Object, HookError> {
        match self.facts().reach.check(&params, &call.request) {
            Ok(()) => Ok(params),
            Err(why) => Err(HookError::Raised(format!("the answer of {hook} cannot be used: {why}"))),
        }
    }

    fn edit_within_reach(&self, mut edit: Edit, call: &HookCall) -> Result<Edit, HookError> {
        let hook = Hook::ProcessRequest.name();
        edit.set = self.within_reach(hook, edit.set, call)?;
        let url = edit.url.iter().map(|url| ("url".to_owned(), Value::from(url.as_str()))).collect();
        self.within_reach(hook, url, call)?;
        Ok(edit)
    }

    /// Asks one of the hooks of a plan, if the plugin overrides it.
    fn ask_about<R>(&self, step: &mut Step<'_>, hook: Hook, asked: &HookCall) -> Asked<R>
    where
        R: crate::step::ComponentTypeOf + wasmtime::component::Lift + 'static,
        (Result<R, types::Failure>,): wasmtime::component::ComponentNamedList + wasmtime::component::Lift,
    {
        if !step.asks(hook) {
            return Ok(None);
        }
        step.ask(hook, (request(),), |version| self.call(version, asked))
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
            Some(text) => {
                let mut choice = answers::pool(&text)?;
                // "As usual, but" is no name of the plugin's own.
                if let Some(usual) = step.default_pool().filter(|usual| usual.id == choice.id) {
                    choice.naming = usual.naming;
                }
                Ok(choice)
            }
            None => call.defaults.pool(&call.request, &call.location),
        }
    }
}

impl Drop for PluginSite {
    fn drop(&mut self) {
        self.host.kept.forget(&self.now.load().facts);
    }
}

impl Site for PluginSite {
    fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> SiteId {
        self.id.clone()
    }

    fn overrides(&self, hook: Hook) -> bool {
        // Requests that are turned away hear of it where they ask their first question.
        let is_asked = self.now.load().hooks.has(hook) && !self.gate().is_left_to_defaults();
        is_asked || (hook == Hook::Enabled && self.gate().turns_away())
    }

    fn init_rule(&self) -> Option<InitRule> {
        self.now.load().facts.init
    }

    fn checks_inits(&self) -> bool {
        !self.now.load().hooks.checks_pages_only()
    }

    fn plan(&self, mut call: HookCall) -> Result<Plan, HookError> {
        let who = self.gate().request()?;
        let mut step = Step::new(self, self.at_work(), who);
        let enabled = self.ask_about(&mut step, Hook::Enabled, &call)?;
        if !enabled.unwrap_or_else(|| call.defaults.enabled(&call.request)) {
            return Ok(Plan::off());
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
        let state = |version: &Version| self.call(version, &call).downloading(downloader, &self.host.allowance);
        match self.ask_blocking::<_, String>(Hook::Params, (request(),), state).await? {
            Some(text) => self.within_reach("params", answers::object("params", &text)?, &call),
            None => Ok(call.defaults.params(&call.location)),
        }
    }

    fn check(&self, call: HookCall, answer: Answer) -> Result<Verdict, HookError> {
        let asked = match self.answering(Hook::Check)? {
            Some(version) => {
                let mut step = Step::new(self, version, Who::Plugin);
                let state = |version: &Version| self.call(version, &call).judging(answer.clone());
                step.ask(Hook::Check, (response(), request()), state)?
            }
            None => None,
        };
        match asked {
            Some(verdict) => answers::verdict(verdict),
            None => call.defaults.check(&call, &answer),
        }
    }

    fn process_request(&self, call: HookCall) -> Result<Edit, HookError> {
        let Some(version) = self.answering(Hook::ProcessRequest)? else { return Ok(Edit::default()) };
        match self.ask_about(&mut Step::new(self, version, Who::Plugin), Hook::ProcessRequest, &call)? {
            Some(edit) => self.edit_within_reach(answers::edit(edit)?, &call),
            None => Ok(Edit::default()),
        }
    }

    async fn init_session(&self, call: HookCall, downloader: Arc<dyn Downloader>) -> Result<Option<bool>, HookError> {
        if call.session.is_none() {
            return Err(HookError::Raised("there is no session to initialise".to_owned()));
        }
        let state = |version: &Version| self.call(version, &call).downloading(downloader, &self.host.allowance);
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
