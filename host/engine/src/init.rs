//! How a session is initialised: by the plugin's chain of calls, or by one call and its check.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use carousel_core::defaults::{explicit_params, meta};
use carousel_core::exchange::{Answer, CallError, Object, Problem, Request};
use carousel_core::hooks::{Defaults as _, Hook, HookCall, HookError};
use carousel_core::pool::{Opened, Refusal};
use carousel_core::stats::Counter;
use carousel_core::verdict::Verdict;
use serde_json::{Value, json};

use crate::engine::Shared;
use crate::hooks::{Asked, HookStep, InHook};
use crate::opening::{Hindrance, LiveSession, Trigger};
use crate::ports::{Downloader, Leave, Site, Sites, Transport};

/// Initialises a session, counts what became of it and tells the pool's word for it.
pub(crate) async fn initialise<T: Transport, S: Sites>(
    shared: &Arc<Shared<T, S>>,
    session: &Arc<LiveSession>,
    trigger: &Arc<Trigger<S>>,
) -> Opened {
    let init = Init { shared: Arc::clone(shared), session: Arc::clone(session), trigger: Arc::clone(trigger) };
    let pool = session.handle.pool();
    match init.run().await {
        Ok(()) if init.has_lapsed_in_sleep() => {
            tracing::info!(%pool, session = %session.id(), "the machine slept while a session was initialised; initialising another");
            Opened::Abandoned
        }
        Ok(()) => {
            shared.stats().count(Counter::InitCheckPassed, pool);
            shared.forget_bad_init(pool);
            tracing::debug!(%pool, session = %session.id(), "session ready");
            // What the API has heard of has a place. The peer does not ask.
            let is_elsewhere = session.counts_at_api && session.place.get().is_none() && !shared.profile().is_peer();
            if is_elsewhere { Opened::ReadyElsewhere } else { Opened::Ready }
        }
        Err(why) => init.failed(why),
    }
}

pub(crate) struct Init<T: Transport, S: Sites> {
    pub(crate) shared: Arc<Shared<T, S>>,
    pub(crate) session: Arc<LiveSession>,
    pub(crate) trigger: Arc<Trigger<S>>,
}

/// Why an initialisation did not give a session.
enum Unfit {
    /// A plugin that has a say is left alone.
    LeftAlone(HookError),
    /// The parameters could not be made.
    Params(HookError),
    /// A call or the plugin's chain failed.
    Failed(HookError),
    /// The check, or the chain, said no.
    Check(String),
    /// The check itself failed.
    CheckError(HookError),
    /// The check asks to come back later.
    Throttled(Duration),
    /// The check ends the pool.
    ClosePool(String),
    /// The check ends the crawl.
    CloseCrawl(String),
}

impl<T: Transport, S: Sites> Init<T, S> {
    async fn run(&self) -> Result<(), Unfit> {
        let _leave = self.leave().await.map_err(Unfit::LeftAlone)?;
        if let Some(site) = self.trigger.site.as_ref().filter(|site| site.overrides(Hook::InitSession)) {
            let call = self.hook_call(Arc::clone(&self.trigger.request), true);
            let (hook, downloader) = (Arc::clone(site), self.downloader());
            match self.drive(site, async move { hook.init_session(call, downloader).await }).await.map_err(Unfit::Failed)? {
                Some(true) => return Ok(()),
                Some(false) => return Err(Unfit::Check("init-session said no".to_owned())),
                None => {}
            }
        }
        self.run_default().await
    }

    /// Leave of the plugins that have a say. The requests that wait for the session take nobody's place meanwhile.
    async fn leave(&self) -> Result<[Option<Leave>; 2], HookError> {
        let hooks = [Hook::Params, Hook::InitSession];
        let own = self.trigger.site.clone().filter(|site| hooks.iter().any(|hook| site.overrides(*hook)));
        let checker = self.shared.checker_of(self.trigger.site.as_ref());
        let is_same = own.as_ref().zip(checker.as_ref()).is_some_and(|(own, checker)| Arc::ptr_eq(own, checker));
        let mut leaves = [None, None];
        for (leave, site) in leaves.iter_mut().zip([own.filter(|_| !is_same), checker]) {
            if let Some(site) = site {
                let _waits = InHook::new(&self.shared, self.session.handle.pool());
                *leave = Some(site.leave_to_initialise().await?);
            }
        }
        Ok(leaves)
    }

    /// One call with the parameters that settings, request or plugin give, and the check of its answer.
    async fn run_default(&self) -> Result<(), Unfit> {
        let mut params = self.params().await.map_err(Unfit::Params)?;
        params.entry("url").or_insert_with(|| Value::from(self.trigger.request.url()));
        if self.trigger.cookie_mode {
            self.ask_for_cookies(&mut params);
        }
        let request =
            Request::new(params, self.init_meta()).map_err(|error| Unfit::Params(HookError::Raised(error.to_string())))?;
        let answer = self.download(request.params().clone()).await.map_err(|error| Unfit::Failed(HookError::Download(error)))?;
        let call = self.hook_call(Arc::new(request), true);
        match self
            .shared
            .check(self.session.handle.pool(), self.trigger.site.as_ref(), call, answer)
            .await
            .map_err(Unfit::CheckError)?
        {
            Verdict::Keep => Ok(()),
            Verdict::Discard(reason) | Verdict::Reject(reason) => Err(Unfit::Check(reason)),
            Verdict::Throttled(_) if self.shared.profile().is_peer() => Err(Unfit::Check("throttled".to_owned())),
            Verdict::Throttled(pause) => Err(Unfit::Throttled(pause)),
            Verdict::ClosePool(reason) => Err(Unfit::ClosePool(reason)),
            Verdict::CloseCrawl(reason) => Err(Unfit::CloseCrawl(reason)),
        }
    }

    async fn params(&self) -> Result<Object, HookError> {
        if let Some(params) = explicit_params(&self.shared.settings.session, &self.trigger.request) {
            let mut params = params.clone();
            // The request goes before the settings.
            self.trigger.place.put_into(&mut params);
            return Ok(params);
        }
        let location = self.location().await?;
        match self.trigger.site.as_ref().filter(|site| site.overrides(Hook::Params)) {
            Some(site) => {
                let call = self.hook_call(Arc::clone(&self.trigger.request), false);
                let (hook, downloader) = (Arc::clone(site), self.downloader());
                self.drive(site, async move { hook.params(call, downloader).await }).await
            }
            None => Ok(self.shared.defaults.params(&location)),
        }
    }

    /// Carries a hook out that downloads.
    async fn drive<R: Send + 'static>(
        &self,
        site: &Arc<S::Site>,
        work: impl Future<Output = Result<R, HookError>> + Send + 'static,
    ) -> Result<R, HookError> {
        let asked = Asked { site: site.name().into(), step: HookStep::Init };
        let away = || InHook::new(&self.shared, self.session.handle.pool());
        self.shared.hooks.drive(asked, away, work).await.and_then(|result| result)
    }

    /// The location in force. Where the hook for it failed, the first initialisation hears of it, a later one asks it again.
    async fn location(&self) -> Result<Arc<Object>, HookError> {
        let known = self.trigger.known_location();
        if let (Err(_), Some(site)) = (&known, &self.trigger.site)
            && self.trigger.is_told_of_location_error()
        {
            let (hook, call) = (Arc::clone(site), self.hook_call(Arc::clone(&self.trigger.request), false));
            let asked = Asked { site: site.name().into(), step: HookStep::Plan };
            let plan = self.shared.ask(asked, false, self.session.handle.pool(), move || hook.plan(call)).await?;
            self.trigger.set_location(plan.location.map(Arc::new));
            return self.trigger.known_location();
        }
        known
    }

    /// Of the trigger's metadata an initialisation carries what it is made of, and nothing else.
    fn init_meta(&self) -> Object {
        let kept = |key: &str| Some((key.to_owned(), self.trigger.request.meta().get(key)?.clone()));
        [meta::LOCATION, meta::PARAMS].into_iter().filter_map(kept).collect()
    }

    fn hook_call(&self, request: Arc<Request>, init: bool) -> HookCall {
        HookCall {
            request,
            init,
            location: self.trigger.location(),
            location_error: self.trigger.location_error(),
            session: Some(Arc::clone(&self.session.handle)),
            defaults: Arc::clone(&self.shared.defaults) as _,
        }
    }

    fn downloader(&self) -> Arc<dyn Downloader> {
        Arc::new(Self {
            shared: Arc::clone(&self.shared),
            session: Arc::clone(&self.session),
            trigger: Arc::clone(&self.trigger),
        })
    }

    fn ask_for_cookies(&self, params: &mut Object) {
        if params.get("responseCookies").is_some_and(|wanted| *wanted != Value::Bool(true)) {
            let url = self.trigger.request.url();
            tracing::error!(url, "the initialisation of a cookie session says responseCookies = false; it is forced to true");
        }
        params.insert("responseCookies".to_owned(), Value::Bool(true));
    }

    /// Sends one call of the initialisation, on the session unless the parameters say `"session": null`.
    async fn download(&self, mut params: Object) -> Result<Answer, CallError> {
        params.entry("url").or_insert_with(|| Value::from(self.trigger.request.url()));
        if params.get("session") != Some(&Value::Null) {
            self.put_in_place(&mut params)?;
        }
        match params.get("session") {
            Some(Value::Null) => drop(params.shift_remove("session")),
            None if !self.trigger.cookie_mode => {
                params.insert("session".to_owned(), json!({"id": self.session.id().to_string()}));
            }
            None => self.shared.carry_init_cookies(&mut params, &self.session),
            Some(_) => {}
        }
        let pool = self.session.handle.pool();
        if let Some(tags) = self.shared.tags(params.get("tags"), pool, "init") {
            params.insert("tags".to_owned(), tags);
        }
        let answer = self.send(&params).await?;
        if self.trigger.cookie_mode {
            let asked = params.get("url").and_then(Value::as_str).unwrap_or_default();
            let kept = self.shared.keep_cookies(&answer, asked, &self.session);
            kept.map_err(|error| CallError::BadAnswer(error.to_string()))?;
        }
        Ok(answer)
    }

    fn failed(&self, why: Unfit) -> Opened {
        if let Some(outcome) = self.nobodys_fault(&why) {
            return outcome;
        }
        let pool = self.session.handle.pool();
        let (counter, outcome) = match &why {
            Unfit::LeftAlone(error) => {
                self.shared.remember_bad_init(pool, error.to_string());
                return Opened::LeftAlone;
            }
            Unfit::Params(HookError::CloseCrawl(reason)) | Unfit::Failed(HookError::CloseCrawl(reason)) => {
                return self.close_crawl(reason);
            }
            Unfit::CheckError(HookError::CloseCrawl(reason)) | Unfit::CloseCrawl(reason) => return self.close_crawl(reason),
            Unfit::Params(HookError::ClosePool(reason)) | Unfit::Failed(HookError::ClosePool(reason)) => {
                return self.close_pool(reason);
            }
            Unfit::CheckError(HookError::ClosePool(reason)) | Unfit::ClosePool(reason) => return self.close_pool(reason),
            // It would be out of place again.
            _ if self.session.init_calls().is_misplaced => (Counter::InitParamError, Opened::Refused),
            Unfit::Params(_) => (Counter::InitParamError, Opened::Bad),
            Unfit::Failed(HookError::Download(CallError::Api(problem))) if problem.is_over_session_limit() => {
                (Counter::InitOverLimit, self.without_session_by_limit(problem))
            }
            Unfit::Failed(HookError::Download(CallError::Api(problem))) if problem.is_session_creation_error() => {
                (Counter::InitServerError, Opened::Unavailable(self.shared.creation_pause(problem)))
            }
            Unfit::Failed(error) => (Counter::InitFailed, self.bad(error)),
            Unfit::Throttled(pause) => (Counter::InitThrottled, Opened::PutOff(*pause)),
            Unfit::Check(_) => (Counter::InitCheckFailed, Opened::Bad),
            Unfit::CheckError(_) => (Counter::InitCheckError, Opened::Bad),
        };
        self.shared.stats().count(counter, pool);
        self.shared.remember_bad_init(pool, why.to_string());
        let url = self.trigger.request.url();
        if let Some(reason) = self.shared.close_reason() {
            tracing::debug!(%pool, url, why = %why, "an initialisation was cut short");
            // Whoever closes the crawl may not have come so far yet.
            if !self.shared.is_winding_down() {
                self.shared.end(Refusal::Closed((&*reason).into()));
            }
            return Opened::Abandoned;
        }
        if let Opened::Unavailable(pause) | Opened::Hindered(pause) = outcome {
            self.shared.tell_unavailable(pool, url, &why, pause);
        } else {
            self.tell_failed(&why);
        }
        outcome
    }

    /// Says why an initialisation failed. What a plugin's hook fails of is the same in all its pools, and is not said for each.
    fn tell_failed(&self, why: &Unfit) {
        let (pool, url) = (self.session.handle.pool(), self.trigger.request.url());
        let times = match why.hook_error() {
            Some(HookError::Raised(_) | HookError::Trapped(_)) => self.shared.told.count(&format!("init: {why}")),
            _ => Some(1),
        };
        match times {
            Some(1) => tracing::warn!(%pool, url, why = %why, "an initialisation failed"),
            Some(times) => tracing::warn!(%pool, url, why = %why, times, "an initialisation failed again"),
            None => tracing::debug!(%pool, url, why = %why, "an initialisation failed again"),
        }
    }

    /// The pool's word for an error of a call or of the plugin's chain.
    fn bad(&self, error: &HookError) -> Opened {
        let is_refused = matches!(error, HookError::Download(CallError::Api(problem)) if problem.is_bad_request());
        match self.pause_after(error) {
            Some(pause) => Opened::BadFor(pause),
            None if is_refused && !self.shared.profile().is_peer() => Opened::Refused,
            None => Opened::Bad,
        }
    }

    /// The pause that the API asks for. The peer knows no such pause.
    fn pause_after(&self, error: &HookError) -> Option<Duration> {
        let HookError::Download(CallError::Api(problem)) = error else { return None };
        self.shared.asked_pause(problem)
    }

    /// What happened to the calls rather than to the session: no bad initialisation.
    fn nobodys_fault(&self, why: &Unfit) -> Option<Opened> {
        if !matches!(why, Unfit::Params(_) | Unfit::Failed(_)) || self.shared.profile().is_peer() {
            return None;
        }
        let hindrance = self.session.init_calls().hindrance;
        let (pool, url) = (self.session.handle.pool(), self.trigger.request.url());
        if hindrance == Some(Hindrance::Unaffordable) {
            return Some(Opened::Unaffordable);
        }
        if self.shared.ended(url).is_some() {
            self.shared.refuse_ended();
            return Some(Opened::Abandoned);
        }
        match hindrance? {
            Hindrance::Busy => {
                tracing::info!(%pool, url, why = %why, "the API was too busy for an initialisation; trying again later");
                Some(Opened::Hindered(None))
            }
            Hindrance::Unaffordable => Some(Opened::Unaffordable),
            Hindrance::Unwanted => Some(Opened::Abandoned),
        }
    }

    /// While the crawl holds sessions itself the limit gives way sooner or later: when they end.
    fn without_session_by_limit(&self, problem: &Problem) -> Opened {
        let pause = self.shared.creation_pause(problem);
        match self.shared.holds_sessions_beside(self.session.id()) {
            true => Opened::Hindered(pause),
            false => Opened::Unavailable(pause),
        }
    }

    fn close_crawl(&self, reason: &str) -> Opened {
        tracing::error!(pool = %self.session.handle.pool(), reason, "an initialisation closes the crawl");
        self.shared.close(reason);
        Opened::Abandoned
    }

    fn close_pool(&self, reason: &str) -> Opened {
        self.shared.close_pool(self.session.handle.pool(), reason);
        Opened::Abandoned
    }
}

impl Unfit {
    fn hook_error(&self) -> Option<&HookError> {
        match self {
            Self::LeftAlone(error) | Self::Params(error) | Self::Failed(error) | Self::CheckError(error) => Some(error),
            Self::Check(_) | Self::Throttled(_) | Self::ClosePool(_) | Self::CloseCrawl(_) => None,
        }
    }
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Params(error) => write!(f, "no parameters: {error}"),
            Self::Failed(error) | Self::LeftAlone(error) => write!(f, "{error}"),
            Self::Check(reason) if reason.is_empty() => f.write_str("the check said no"),
            Self::Check(reason) => write!(f, "the check said no: {reason}"),
            Self::Throttled(pause) => write!(f, "the check asks to come back in {} s", pause.as_secs_f64()),
            Self::CheckError(error) => write!(f, "the check failed: {error}"),
            Self::ClosePool(reason) | Self::CloseCrawl(reason) => f.write_str(reason),
        }
    }
}

impl<T: Transport, S: Sites> Downloader for Init<T, S> {
    fn download(&self, params: Object) -> Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + '_>> {
        Box::pin(Self::download(self, params))
    }
}
