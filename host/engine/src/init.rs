//! How a session is initialised: by the plugin's chain of calls, or by one call and its check.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use carousel_core::budget::Purpose;
use carousel_core::defaults::{explicit_params, meta};
use carousel_core::exchange::{Answer, CallError, NetworkError, Object, Request};
use carousel_core::hooks::{Defaults as _, Hook, HookCall, HookError};
use carousel_core::ledger::Billed;
use carousel_core::pace::{Busy, Caller, LONGEST_PAUSE, Part};
use carousel_core::pool::Opened;
use carousel_core::stats::Counter;
use carousel_core::time::Instant;
use carousel_core::verdict::Verdict;
use serde_json::{Value, json};

use crate::allowance::Allowance;
use crate::call::NoAnswer;
use crate::engine::Shared;
use crate::gate::Pass;
use crate::opening::{Hindrance, LiveSession, Trigger};
use crate::ports::{Downloader, Site, Sites, Transport};

/// Initialises a session, counts what became of it and tells the pool's word for it.
pub(crate) async fn initialise<T: Transport, S: Sites>(
    shared: &Arc<Shared<T, S>>,
    session: &Arc<LiveSession>,
    trigger: &Arc<Trigger<S>>,
) -> Opened {
    let init = Init { shared: Arc::clone(shared), session: Arc::clone(session), trigger: Arc::clone(trigger) };
    let pool = session.handle.pool();
    match init.run().await {
        Ok(()) => {
            shared.stats().count(Counter::InitCheckPassed, pool);
            shared.forget_bad_init(pool);
            tracing::debug!(%pool, session = %session.id(), "session ready");
            Opened::Ready
        }
        Err(why) => init.failed(why),
    }
}

struct Init<T: Transport, S: Sites> {
    shared: Arc<Shared<T, S>>,
    session: Arc<LiveSession>,
    trigger: Arc<Trigger<S>>,
}

/// All that a call needs to be sent.
struct Admission<T: Transport, S: Sites> {
    pass: Option<Pass<T, S>>,
    allowance: Allowance<T, S>,
}

/// Why an initialisation did not give a session.
enum Unfit {
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
        if let Some(site) = self.trigger.site.as_ref().filter(|site| site.overrides(Hook::InitSession)) {
            let call = self.hook_call(Arc::clone(&self.trigger.request), true);
            match site.init_session(call, self.downloader()).await.map_err(Unfit::Failed)? {
                Some(true) => return Ok(()),
                Some(false) => return Err(Unfit::Check("init-session said no".to_owned())),
                None => {}
            }
        }
        self.run_default().await
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
        match self.shared.check(self.trigger.site.as_ref(), call, answer).await.map_err(Unfit::CheckError)? {
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
            return Ok(params);
        }
        let location = self.location()?;
        match self.trigger.site.as_ref().filter(|site| site.overrides(Hook::Params)) {
            Some(site) => site.params(self.hook_call(Arc::clone(&self.trigger.request), false), self.downloader()).await,
            None => Ok(self.shared.defaults.params(&location)),
        }
    }

    /// The location in force. Where the hook for it failed, the first initialisation hears of it, a later one asks it again.
    fn location(&self) -> Result<Arc<Object>, HookError> {
        let known = self.trigger.known_location();
        if let (Err(_), Some(site)) = (&known, &self.trigger.site)
            && self.trigger.is_told_of_location_error()
        {
            let plan = site.plan(self.hook_call(Arc::clone(&self.trigger.request), false))?;
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
            self.shared.keep_cookies(&answer, &self.session);
        }
        Ok(answer)
    }

    /// Sends a call as soon as the API and the budget allow it. A busy API is waited for, unless the session, which earlier calls of
    /// the chain have begun, would not live so long.
    async fn send(&self, params: &Object) -> Result<Answer, CallError> {
        let url = params.get("url").and_then(Value::as_str).unwrap_or_default();
        let policies = &self.shared.policies;
        let mut repeats = self.shared.repeats(policies.of(None, policies.session));
        let caller = Caller { request: self.trigger.ticket, part: Part::Init(self.shared.ticket()) };
        let mut busy = None;
        loop {
            let Admission { pass, mut allowance } = self.admission(caller, url, busy.take()).await?;
            let sent = self.shared.now();
            let lapses = self.lapses_at().or_else(|| self.lapses_after(sent));
            let lives = |at| {
                self.heard();
                lapses.is_none_or(|lapses| at < lapses)
            };
            let result = self.shared.call(params, &mut repeats, pass.as_ref(), lives).await;
            let is_busy = matches!(result, Err(NoAnswer::Busy(..)));
            self.session.init_calls().hindrance = is_busy.then_some(Hindrance::Busy);
            if is_busy {
                self.refused();
            } else {
                self.heard();
            }
            if matches!(result, Ok(_) | Err(NoAnswer::Failed(CallError::BadAnswer(_)))) {
                allowance.bill(Billed::Init);
            }
            match result {
                Err(NoAnswer::Busy(error, _)) if self.shared.is_closed() => return Err(error),
                Err(NoAnswer::Busy(_, why)) => busy = Some(why),
                result => return result.map_err(NoAnswer::into_error),
            }
        }
    }

    /// Waits until the API may be asked, then for the budget.
    async fn admission(&self, caller: Caller, url: &str, mut busy: Option<Busy>) -> Result<Admission<T, S>, CallError> {
        loop {
            let pass = self.pass(caller, url, busy.take()).await?;
            if self.shared.is_closed() {
                return Err(self.hindered(Hindrance::Unwanted, "the crawl was closed"));
            }
            if let Some(reason) = self.shared.ended(url) {
                return Err(not_sent(format!("requests of this domain have ended: {reason}")));
            }
            let Ok(allowance) = self.shared.afford(Some(self.session.handle.pool()), Purpose::Init).await else {
                return Err(self.hindered(Hindrance::Unaffordable, "the budget has no room for it"));
            };
            if pass.as_ref().is_some_and(Pass::is_void) {
                continue;
            }
            if !self.is_wanted() {
                return Err(self.hindered(Hindrance::Unwanted, "nobody waits for the session any more"));
            }
            return Ok(Admission { pass, allowance });
        }
    }

    /// Waits until the API takes calls on this URL, and first for as long as its last answer asks for. The request that waits for the
    /// session takes nobody's place meanwhile.
    async fn pass(&self, caller: Caller, url: &str, busy: Option<Busy>) -> Result<Option<Pass<T, S>>, CallError> {
        if !self.shared.is_paced() {
            return Ok(None);
        }
        let pool = Some(self.session.handle.pool());
        let lapses = self.lapses_at();
        let entered = async {
            if let Some(busy) = busy {
                self.shared.rest_while_busy(url, busy, pool).await;
            }
            match self.shared.pauses_until(url).filter(|until| lapses.is_some_and(|lapses| lapses <= *until)) {
                Some(_) => None,
                None => Some(self.shared.enter(caller, url, pool).await),
            }
        };
        let too_busy = || self.hindered(Hindrance::Busy, "the API is too busy to go on before the session lapses");
        match lapses {
            None => entered.await,
            Some(at) => tokio::time::timeout_at(self.shared.clock(at), entered).await.ok().flatten(),
        }
        .map_or_else(|| Err(too_busy()), |pass| Ok(Some(pass)))
    }

    /// Tells the pool of a call that is about to be sent, and hears whether it still wants the session.
    fn is_wanted(&self) -> bool {
        let (pool, id) = (self.session.handle.pool(), self.session.id());
        let is_first = self.session.init_calls().heard.is_none();
        self.shared.apply(|state, now| state.pools.handle_called(pool, id, is_first, now))
    }

    /// Remembers that it was not the session's fault.
    fn hindered(&self, by: Hindrance, why: &str) -> CallError {
        self.session.init_calls().hindrance = Some(by);
        not_sent(why)
    }

    /// The API has not taken a call. Where it was the first one, nothing is lost if nobody needs the session any more.
    fn refused(&self) {
        if self.session.init_calls().heard.is_none() {
            self.shared.apply(|state, _| state.pools.handle_refused(self.session.handle.pool(), self.session.id()));
        }
    }

    /// The API may know the session from now on.
    fn heard(&self) {
        self.session.init_calls().heard = Some(self.shared.now());
    }

    /// When the API ends the session, unless another call is sent; none: it does not know the session yet.
    fn lapses_at(&self) -> Option<Instant> {
        let heard = self.session.init_calls().heard?;
        self.lapses_after(heard)
    }

    /// When the API ends a session that was used then for the last time.
    fn lapses_after(&self, used: Instant) -> Option<Instant> {
        let shared = &self.shared;
        let options = shared.settings.session.pool_options(shared.profile(), &self.trigger.choice, self.trigger.cookie_mode);
        options.max_idle.map(|idle| used + idle.saturating_sub(options.margin))
    }

    fn failed(&self, why: Unfit) -> Opened {
        if let Some(outcome) = self.nobodys_fault(&why) {
            return outcome;
        }
        let pool = self.session.handle.pool();
        let (counter, outcome) = match &why {
            Unfit::Params(HookError::CloseCrawl(reason)) | Unfit::Failed(HookError::CloseCrawl(reason)) => {
                return self.close_crawl(reason);
            }
            Unfit::CheckError(HookError::CloseCrawl(reason)) | Unfit::CloseCrawl(reason) => return self.close_crawl(reason),
            Unfit::Params(HookError::ClosePool(reason)) | Unfit::Failed(HookError::ClosePool(reason)) => {
                return self.close_pool(reason);
            }
            Unfit::CheckError(HookError::ClosePool(reason)) | Unfit::ClosePool(reason) => return self.close_pool(reason),
            Unfit::Params(_) => (Counter::InitParamError, Opened::Bad),
            Unfit::Failed(HookError::Download(CallError::Api(problem))) if problem.is_over_session_limit() => {
                (Counter::InitOverLimit, Opened::Unavailable)
            }
            Unfit::Failed(HookError::Download(CallError::Api(problem))) if problem.is_session_creation_error() => {
                (Counter::InitServerError, Opened::Unavailable)
            }
            Unfit::Failed(error) => (Counter::InitFailed, self.pause_after(error).map_or(Opened::Bad, Opened::BadFor)),
            Unfit::Throttled(pause) => (Counter::InitThrottled, Opened::PutOff((*pause).min(LONGEST_PAUSE))),
            Unfit::Check(_) => (Counter::InitCheckFailed, Opened::Bad),
            Unfit::CheckError(_) => (Counter::InitCheckError, Opened::Bad),
        };
        self.shared.stats().count(counter, pool);
        self.shared.remember_bad_init(pool, why.to_string());
        let url = self.trigger.request.url();
        if outcome == Opened::Unavailable {
            tracing::warn!(%pool, url, why = %why, "the API has no session for us now; trying again after session.creation_retry_delay");
        } else {
            tracing::warn!(%pool, url, why = %why, "an initialisation failed");
        }
        outcome
    }

    /// The pause that the API asks for. The peer knows no such pause.
    fn pause_after(&self, error: &HookError) -> Option<Duration> {
        let HookError::Download(CallError::Api(problem)) = error else { return None };
        let is_honoured = self.shared.policies.options.honour_retry_after && !self.shared.profile().is_peer();
        problem.retry_after.filter(|_| is_honoured).map(|pause| pause.min(LONGEST_PAUSE))
    }

    /// What happened to the calls rather than to the session: no bad initialisation.
    fn nobodys_fault(&self, why: &Unfit) -> Option<Opened> {
        if !matches!(why, Unfit::Params(_) | Unfit::Failed(_)) || self.shared.profile().is_peer() {
            return None;
        }
        let hindrance = self.session.init_calls().hindrance;
        let (pool, url) = (self.session.handle.pool(), self.trigger.request.url());
        if hindrance == Some(Hindrance::Unaffordable) {
            self.shared.tell_unaffordable();
            return Some(Opened::Unaffordable);
        }
        if self.shared.ended(url).is_some() {
            self.shared.refuse_ended();
            return Some(Opened::Abandoned);
        }
        match hindrance? {
            Hindrance::Busy => {
                tracing::info!(%pool, url, why = %why, "the API was too busy for an initialisation; trying again later");
                Some(Opened::Unavailable)
            }
            Hindrance::Unaffordable => Some(Opened::Unaffordable),
            Hindrance::Unwanted => Some(Opened::Abandoned),
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

/// The error of a call that was not sent.
fn not_sent(why: impl Into<String>) -> CallError {
    CallError::Network(NetworkError::Broken(why.into()))
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Params(error) => write!(f, "no parameters: {error}"),
            Self::Failed(error) => write!(f, "{error}"),
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
