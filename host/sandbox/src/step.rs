//! One step of a request: hooks that are asked one after the other in one fresh instance.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::Guard;
use carousel_core::exchange::Object;
use carousel_core::hooks::{Hook, HookCall, HookError, PoolChoice};
use carousel_core::quarantine::Question;
use carousel_core::settings::Instances;
use wasmtime::component::{ComponentNamedList, Lift, Lower};

use crate::backtrace::backtrace;
use crate::bindings::carousel::session::types::Failure;
use carousel_engine::Site as _;

use crate::call::Call;
use crate::code::Code;
use crate::counters::Ended;
use crate::gate::Who;
use crate::guest::Guest;
use crate::kept::Waiting;
use crate::places::Place;
use crate::plugin::HookSet;
use crate::site::{PluginSite, Version};
use crate::stopped::{Stop, explain};

/// A hook's answer; none where the plugin defers to the default behaviour.
pub(crate) type Asked<T> = Result<Option<T>, HookError>;

/// What a guest answers with.
type Answered<T> = Result<T, Failure>;

/// A step of hooks that hold their thread. The instance is made for the first hook that is asked, and again after one that was
/// stopped.
pub(crate) struct Step<'s> {
    site: &'s PluginSite,
    /// The version of the whole step, whatever replaces the plugin meanwhile.
    version: Arc<Version>,
    /// Those that the plugin is asked: none where the default behaviours serve instead.
    hooks: HookSet,
    code: Guard<Arc<Code>>,
    live: Option<Live<'s>>,
}

/// An instance at work.
struct Live<'s> {
    guest: Guest,
    place: Place<'s>,
    /// Steps that it serves or has served.
    uses: u32,
}

impl<'s> Step<'s> {
    pub(crate) fn new(site: &'s PluginSite, version: Arc<Version>, who: Who) -> Self {
        let hooks = match who {
            Who::Plugin => version.hooks,
            Who::Defaults => HookSet::default(),
        };
        let code = version.plugin().code();
        Self { site, version, hooks, code, live: None }
    }

    /// Whether the plugin is asked this.
    pub(crate) fn asks(&self, hook: Hook) -> bool {
        self.hooks.has(hook)
    }

    /// Asks a hook; `call` is used where there is no instance yet, and `read` says what the answer means.
    pub(crate) fn ask<P, R, T>(
        &mut self,
        at: Question,
        params: P,
        call: impl FnOnce(&Version) -> Call,
        read: impl FnOnce(R) -> Result<T, HookError>,
    ) -> Asked<T>
    where
        P: ComponentNamedList + Lower,
        R: Lift + ComponentTypeOf + 'static,
        (Answered<R>,): ComponentNamedList + Lift,
        Answered<R>: Lift + Send + Sync,
    {
        let end = End { site: self.site, version: &self.version, at, began: Instant::now() };
        let mut live = match self.live.take() {
            Some(live) => live,
            None => self.site.start(&self.code, call(&self.version), &end)?,
        };
        let answered = live.guest.call::<P, Answered<R>>(self.code.hook(at.hook), params);
        live.guest.state_mut().flush_output();
        let is_alive = answered.is_ok();
        let result = end.judge(answered, live.guest.state(), read);
        if is_alive {
            self.live = Some(live);
        }
        result
    }

    /// The pool that the guest was told in this step it would be without the plugin.
    pub(crate) fn default_pool(&self) -> Option<&PoolChoice> {
        self.live.as_ref()?.guest.state().default_pool.as_ref()
    }

    /// Tells later hooks of this step which location is in force.
    pub(crate) fn set_location(&mut self, location: &Arc<Object>) {
        let asked = self.live.as_mut().and_then(|live| live.guest.state_mut().asked_mut());
        if let Some(HookCall { location: known, .. }) = asked {
            *known = location.clone();
        }
    }
}

impl Drop for Step<'_> {
    /// An instance that still works may serve again, where the site's settings say so. Its place is free first.
    fn drop(&mut self) {
        let Some(Live { guest, place, uses }) = self.live.take() else { return };
        drop(place);
        if guest.state().site().instances == Instances::Reuse {
            let host = self.site.host();
            host.kept.put(Waiting { guest, code: Arc::clone(&self.code), uses }, &host.allowance);
        }
    }
}

/// Nothing but a shorthand for what every answer is.
pub(crate) trait ComponentTypeOf: wasmtime::component::ComponentType + Send + Sync {}

impl<T: wasmtime::component::ComponentType + Send + Sync> ComponentTypeOf for T {}

/// The end of a call: who was asked what, and since when.
struct End<'e> {
    site: &'e PluginSite,
    version: &'e Version,
    at: Question,
    began: Instant,
}

impl PluginSite {
    fn start(&self, code: &Arc<Code>, call: Call, end: &End<'_>) -> Result<Live<'_>, HookError> {
        let host = self.host();
        let place =
            host.places.take().map_err(|_| HookError::Raised("hooks of different sites ask each other in circles".to_owned()))?;
        let may_be_kept = call.site().instances == Instances::Reuse;
        if let Some(Waiting { mut guest, uses, .. }) = may_be_kept.then(|| host.kept.take(call.site(), code)).flatten() {
            guest.renew(call);
            return Ok(Live { guest, place, uses: uses + 1 });
        }
        self.counters().instance();
        match Guest::start(&code.sync, call, &host.allowance) {
            Ok(guest) => Ok(Live { guest, place, uses: 1 }),
            Err(dead) => Err(end.trapped(&dead.error, &dead.call)),
        }
    }

    /// Asks a hook that may download, in an instance of its own, if the plugin answers it: when its turn has come, the one that is at work
    /// then. `read` says what the answer means.
    pub(crate) async fn ask_blocking<P, R, T>(
        &self,
        hook: Hook,
        params: P,
        call: impl FnOnce(&Version) -> Call,
        read: impl FnOnce(R) -> Result<T, HookError>,
    ) -> Asked<T>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: ComponentTypeOf + Lift + 'static,
        (Answered<R>,): ComponentNamedList + Lift,
        Answered<R>: Lift + Send + Sync,
    {
        if self.answering(hook)?.is_none() {
            return Ok(None);
        }
        let host = self.host();
        let shut = |_| HookError::Raised("the plugins are shut down".to_owned());
        let _of_site = self.waiting_places().acquire().await.map_err(shut)?;
        let _place = host.waiting_places.acquire().await.map_err(shut)?;
        let began = Instant::now();
        let Some(version) = self.answering(hook)? else { return Ok(None) };
        let end = End { site: self, version: &version, at: Question { hook, init: true }, began };
        let (code, call) = (version.plugin().code_to_keep(), call(&version));
        let work = async {
            self.counters().instance();
            let linked = match code.blocking(host) {
                Ok(linked) => linked,
                Err(error) => return Err(end.trapped(&error, &call)),
            };
            let mut guest = match Guest::start_blocking(linked, call, &host.allowance).await {
                Ok(guest) => guest,
                Err(dead) => return Err(end.trapped(&dead.error, &dead.call)),
            };
            let answered = guest.call_blocking::<P, Answered<R>>(code.hook(hook), params).await;
            guest.state_mut().flush_output();
            end.judge(answered, guest.state(), read)
        };
        match tokio::time::timeout(host.init_timeout, work).await {
            Ok(result) => result,
            Err(_) => Err(end.stopped(Stop::InitTimeout(host.init_timeout).to_string(), "")),
        }
    }
}

impl End<'_> {
    /// Counts a call and says what its end means.
    fn judge<R, T>(
        &self,
        answered: wasmtime::Result<Answered<R>>,
        call: &Call,
        read: impl FnOnce(R) -> Result<T, HookError>,
    ) -> Asked<T> {
        let result = match answered {
            Ok(Ok(answer)) => read(answer).map(Some),
            Ok(Err(failure)) => call.meaning(failure).map_or(Ok(None), Err),
            Err(error) => match error.downcast_ref::<Stop>() {
                Some(Stop::Unreadable(error)) => Err(HookError::Unreadable(error.clone())),
                _ => return Err(self.trapped(&error, call)),
            },
        };
        match &result {
            Ok(answer) => self.ended(Ended::Well, self.ends_initialisation(answer.is_some())),
            Err(error) if self.version.is_fault(self.at.hook, error) => {
                self.site.counters().called(self.at.hook, Ended::Failed, self.began.elapsed());
                self.version.faulted(self.at, &format!("plugin \"{}\", {}: {error}", self.version.plugin().file, self.at.hook));
            }
            Err(_) => self.ended(Ended::Failed, false),
        }
        result
    }

    /// Has the plugin done all that it has to do for a session? The page of a first request may stand for an initialisation.
    fn ends_initialisation(&self, has_answered: bool) -> bool {
        match self.at.hook {
            Hook::Check => true,
            Hook::InitSession if has_answered => true,
            Hook::InitSession | Hook::Params => !self.version.hooks.has(Hook::Check),
            Hook::Enabled | Hook::CookieMode | Hook::Pool | Hook::Location | Hook::ProcessRequest => false,
        }
    }

    /// The hook ended by itself.
    fn ended(&self, ended: Ended, is_init: bool) {
        self.site.counters().called(self.at.hook, ended, self.began.elapsed());
        self.version.ended(self.at, is_init);
    }

    fn trapped(&self, error: &wasmtime::Error, call: &Call) -> HookError {
        self.stopped(explain(error, call, self.site.host().allowance.max_result), &backtrace(error))
    }

    fn stopped(&self, why: String, backtrace: &str) -> HookError {
        let (plugin, site, hook) = (&*self.version.plugin().file, self.site.name(), self.at.hook);
        match self.version.plugin().told.count(&format!("{hook}: {why}")) {
            Some(1) => tracing::warn!(plugin, site, hook = hook.name(), "the plugin was stopped: it {why}{backtrace}"),
            Some(times) => tracing::warn!(plugin, site, hook = hook.name(), times, "the plugin was stopped again: it {why}"),
            None => {}
        }
        self.site.counters().called(hook, Ended::Trapped, self.began.elapsed());
        let why = format!("plugin \"{plugin}\", {hook}: it {why}");
        self.version.faulted(self.at, &why);
        HookError::Trapped(why)
    }
}
