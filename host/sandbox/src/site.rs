//! A site behind the engine's port: which hooks its plugin answers, and how they are asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use carousel_core::exchange::{Answer, Object};
use carousel_core::hooks::{Edit, Hook, HookCall, HookError, Plan, PoolChoice};
use carousel_core::id::SiteId;
use carousel_core::quarantine::Question;
use carousel_core::settings::{InitRule, Instances};
use carousel_core::verdict::Verdict;
use carousel_engine::{Downloader, Leave, Site};
use serde_json::Value;
use tokio::sync::Semaphore;
use wasmtime::component::Resource;

use crate::answers;
use crate::bindings::carousel::session::types;
use crate::call::Call;
use crate::counters::{Counters, SiteReport};
use crate::errors::Problem;
use crate::gate::{Gate, Scope, Who};
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
    pub(crate) hooks: HookSet,
    gate: Gate,
    /// What the gate of all sites knows this one by.
    number: u64,
}

/// The config of a site that has none, as JSON text.
const NO_CONFIG: &str = "null";

/// What a site keeps when its plugin is replaced, and when it comes back after it was removed.
pub(crate) struct Lasting {
    shared: Arc<Shared>,
    counters: Counters,
    number: u64,
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
    fn new(host: &Host, facts: SiteFacts, plugin: Arc<Plugin>, number: u64) -> Result<Self, Problem> {
        let facts = Arc::new(facts);
        let hooks = match facts.config.as_str() {
            NO_CONFIG => plugin.hooks(),
            _ => plugin.hooks_for(host, facts.clone())?,
        };
        Ok(Self { facts, plugin, hooks, gate: Gate::new(host.gate, Scope::Site), number })
    }

    pub(crate) fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    fn gates(&self) -> [&Gate; 2] {
        [&self.plugin.gate, &self.gate]
    }

    /// Lets a new request in.
    fn request(&self) -> Result<Who, HookError> {
        both(self.gates(), Gate::request)
    }

    /// Who answers a hook of a request that is in already.
    fn hook(&self) -> Result<Who, HookError> {
        both(self.gates(), Gate::hook)
    }

    /// A hook ended by itself; `is_init` says whether that was all that the plugin has to do for a session.
    pub(crate) fn ended(&self, at: Question, is_init: bool) {
        self.gates().iter().for_each(|gate| gate.ended(&self.facts.name, at));
        if is_init {
            self.plugin.proof.handle_works();
        }
    }

    /// A hook was stopped, or failed in a way that counts.
    pub(crate) fn faulted(&self, at: Question, why: &str) {
        let is_part_of_init = at.init || at.hook == Hook::Check;
        if is_part_of_init && self.plugin.gate.raised_is_fault() {
            self.plugin.proof.handle_fails();
        }
        // The wider one last: where both close, its word is the last.
        self.gates().iter().rev().for_each(|gate| gate.faulted(&self.facts.name, self.number, at, why));
    }

    /// Does an error count as a fault of the plugin? Not what it says of the API, of the pool or of the crawl.
    pub(crate) fn is_fault(&self, hook: Hook, error: &HookError) -> bool {
        let costs = matches!(hook, Hook::Check | Hook::Params | Hook::InitSession);
        costs && matches!(error, HookError::Raised(_)) && self.plugin.gate.raised_is_fault()
    }
}

/// The plugin answers where neither gate says otherwise.
fn both(gates: [&Gate; 2], who: fn(&Gate) -> Result<Who, HookError>) -> Result<Who, HookError> {
    for gate in gates {
        if who(gate)? == Who::Defaults {
            return Ok(Who::Defaults);
        }
    }
    Ok(Who::Plugin)
}

impl Lasting {
    pub(crate) fn new(host: &Host) -> Self {
        static SITES: AtomicU64 = AtomicU64::new(0);
        let waiting_places = Semaphore::new(host.waiting_places_of_a_site);
        let number = SITES.fetch_add(1, Ordering::Relaxed);
        Self { shared: Arc::default(), counters: Counters::default(), number, waiting_places }
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
        let now = ArcSwap::from_pointee(Version::new(&host, facts, plugin, lasting.number)?);
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
        Version::new(&self.host, facts, plugin.clone(), self.lasting.number).map(Some)
    }

    /// Puts another version in the place of the one at work, which ends the steps that it began, and returns that one.
    pub(crate) fn replace(&self, version: Version) -> Arc<Plugin> {
        let old = self.now.swap(Arc::new(version));
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

    fn facts(&self) -> Arc<SiteFacts> {
        self.now.load().facts.clone()
    }

    pub(crate) fn plugin(&self) -> Arc<Plugin> {
        self.now.load().plugin.clone()
    }

    /// The version at work, for a whole step.
    pub(crate) fn at_work(&self) -> Arc<Version> {
        self.now.load_full()
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.lasting.counters
    }

    pub(crate) fn waiting_places(&self) -> &Semaphore {
        &self.lasting.waiting_places
    }

    pub(crate) fn lasting(&self) -> Arc<Lasting> {
        self.lasting.clone()
    }

    /// The version that answers this hook of a request that is under way; none where the defaults do. An error says why nobody does.
    pub(crate) fn answering(&self, hook: Hook) -> Result<Option<Arc<Version>>, HookError> {
        let now = self.at_work();
        let is_asked = now.hooks.has(hook) && now.hook()? == Who::Plugin;
        Ok(is_asked.then_some(now))
    }

    /// The state for a call about this.
    fn call(&self, version: &Version, asked: &HookCall) -> Call {
        Call::new(Arc::clone(&version.facts), Some(asked.clone()), &self.host.allowance)
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
        step.ask(Question { hook, init: false }, (request(),), |version| self.call(version, asked), Ok)
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
        let now = self.now.load();
        let is_asked = now.hooks.has(hook) && !now.gates().iter().any(|gate| gate.is_left_to_defaults());
        is_asked || (hook == Hook::Enabled && now.gates().iter().any(|gate| gate.turns_away()))
    }

    fn init_rule(&self) -> Option<InitRule> {
        self.now.load().facts.init
    }

    fn checks_inits(&self) -> bool {
        !self.now.load().hooks.checks_pages_only()
    }

    fn plan(&self, mut call: HookCall) -> Result<Plan, HookError> {
        let now = self.at_work();
        let who = now.request()?;
        let mut step = Step::new(self, now, who);
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

    async fn leave_to_initialise(&self) -> Result<Leave, HookError> {
        let now = self.at_work();
        if ![Hook::Params, Hook::InitSession, Hook::Check].iter().any(|hook| now.hooks.has(*hook)) {
            return Ok(Leave::default());
        }
        let leave = now.plugin.proof.leave().await;
        // Asked after the wait: much may have happened.
        self.at_work().hook()?;
        Ok(Leave::new(leave))
    }

    fn left_alone(&self) -> Option<HookError> {
        self.now.load().hook().err()
    }

    async fn params(&self, call: HookCall, downloader: Arc<dyn Downloader>) -> Result<Object, HookError> {
        let state = |version: &Version| self.call(version, &call).downloading(downloader, &self.host.allowance);
        let read = |text: String| self.within_reach("params", answers::object("params", &text)?, &call);
        let asked = self.ask_blocking(Hook::Params, (request(),), state, read).await?;
        Ok(asked.unwrap_or_else(|| call.defaults.params(&call.location)))
    }

    fn check(&self, call: HookCall, answer: Answer) -> Result<Verdict, HookError> {
        let asked = match self.answering(Hook::Check)? {
            Some(version) => {
                let at = Question { hook: Hook::Check, init: call.init };
                let mut step = Step::new(self, version, Who::Plugin);
                let state = |version: &Version| self.call(version, &call).judging(answer.clone());
                step.ask(at, (response(), request()), state, answers::verdict)?
            }
            None => None,
        };
        asked.map_or_else(|| call.defaults.check(&call, &answer), Ok)
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
        self.ask_blocking(Hook::InitSession, (session(), request()), state, Ok).await
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
