//! What an answer or an error says about the page and about the session that fetched it.

use std::sync::Arc;
use std::time::Duration;

use carousel_core::exchange::{Answer, CallError, Unreadable};
use carousel_core::hooks::{Defaults as _, Hook, HookCall, HookError};
use carousel_core::id::PoolId;
use carousel_core::ledger::Billed;
use carousel_core::pace::LONGEST_PAUSE;
use carousel_core::pool::{Refusal, Used};
use carousel_core::stats::{Counter, RetryReason};
use carousel_core::verdict::Verdict;

use crate::engine::Shared;
use crate::fetch::{Fetch, Outgoing, Stop, outcome_of};
use crate::hooks::{Asked, HookStep, InHook};
use crate::outcome::FailureKind;
use crate::ports::{Site, Sites, Transport};

/// A check of an answer from this size on is not quick, whatever it was before: parsing takes milliseconds per megabyte.
const LARGE_ANSWER_BYTES: usize = 256 * 1024;

impl<T: Transport, S: Sites> Fetch<T, S> {
    pub(crate) async fn judge(&mut self, outgoing: Outgoing<T, S>, result: Result<Answer, CallError>) -> Result<Answer, Stop> {
        match result {
            Ok(answer) => self.judge_answer(outgoing, answer).await,
            Err(error) => Err(self.judge_error(outgoing, error)),
        }
    }

    async fn judge_answer(&mut self, mut outgoing: Outgoing<T, S>, answer: Answer) -> Result<Answer, Stop> {
        // Until it is kept, and for good if the request is cut while it is judged.
        outgoing.allowance.bill(Billed::Discarded);
        outgoing.lease.session().known();
        let trigger = Arc::clone(outgoing.lease.trigger());
        let call = HookCall {
            request: Arc::clone(&outgoing.request),
            init: false,
            location: trigger.location(),
            location_error: trigger.location_error(),
            session: Some(Arc::clone(&outgoing.lease.session().handle)),
            defaults: Arc::clone(&self.shared.defaults) as _,
        };
        match self.shared.check(outgoing.lease.pool(), trigger.site.as_ref(), call, answer.clone()).await {
            Ok(Verdict::Keep) => Ok(self.keep(outgoing, answer)),
            Ok(verdict) => Err(self.discard(outgoing, verdict)),
            Err(error) => Err(self.check_error(outgoing, error)),
        }
    }

    fn keep(&mut self, outgoing: Outgoing<T, S>, answer: Answer) -> Answer {
        let Outgoing { mut allowance, lease, counted_for, request, .. } = outgoing;
        allowance.bill(Billed::Use);
        self.shared.count_start(lease.session(), Counter::InitCheckPassed, None);
        self.shared.stats().count(Counter::UseCheckPassed, &counted_for);
        if lease.trigger().cookie_mode {
            let kept = self.shared.keep_cookies(&answer, request.url(), lease.session());
            kept.unwrap_or_else(|error| tracing::warn!(pool = %counted_for, url = request.url(), %error, "cookies are not kept"));
        }
        self.note(&lease, "ok");
        lease.report(Used::Good);
        answer
    }

    fn discard(&mut self, outgoing: Outgoing<T, S>, verdict: Verdict) -> Stop {
        let pool = outgoing.counted_for.clone();
        let session = Arc::clone(outgoing.lease.session());
        match verdict {
            Verdict::Keep => Stop::Again,
            Verdict::Discard(reason) => {
                self.shared.count_start(&session, Counter::InitCheckFailed, Some(with_reason("the check said no", &reason)));
                self.shared.stats().count(Counter::UseCheckFailed, &pool);
                let failure = Stop::fail(FailureKind::CheckFailed, format!("the page failed its check{}", because(&reason)));
                self.fault(outgoing, Used::CheckFailed, with_reason("check-failed", &reason), RetryReason::CheckFailed, failure)
            }
            Verdict::Throttled(pause) => {
                self.shared.count_start(&session, Counter::InitCheckPassed, None);
                let failure = Stop::fail(FailureKind::CheckFailed, "the site asked to come back later once too often");
                self.wait_for(Some(pause));
                self.fault(outgoing, Used::Throttled(pause), "throttled".to_owned(), RetryReason::Throttled, failure)
            }
            Verdict::Reject(reason) => {
                self.shared.count_start(&session, Counter::InitCheckPassed, None);
                self.note(&outgoing.lease, with_reason("rejected", &reason));
                outgoing.lease.report(Used::Good);
                Stop::fail(FailureKind::Rejected, format!("the check rejected the page{}", because(&reason)))
            }
            Verdict::ClosePool(reason) => self.close_pool(outgoing, &reason),
            Verdict::CloseCrawl(reason) => self.close_crawl(outgoing, &reason),
        }
    }

    fn check_error(&mut self, outgoing: Outgoing<T, S>, error: HookError) -> Stop {
        let pool = outgoing.counted_for.clone();
        match &error {
            HookError::CloseCrawl(reason) => return self.close_crawl(outgoing, reason),
            HookError::ClosePool(reason) => return self.close_pool(outgoing, reason),
            HookError::Unreadable(why) if !self.shared.profile().is_peer() => return self.unreadable(outgoing, why),
            HookError::Raised(_) | HookError::Trapped(_) | HookError::Download(_) | HookError::Unreadable(_) => {}
        }
        self.shared.count_start(outgoing.lease.session(), Counter::InitCheckError, Some(format!("the check failed: {error}")));
        self.shared.stats().count(Counter::UseCheckError, &pool);
        let url = outgoing.request.url();
        match self.shared.told.count(&format!("check: {error}")) {
            Some(1) => tracing::error!(%pool, url, %error, "the check of a page failed"),
            Some(times) => tracing::error!(%pool, url, %error, times, "the check of a page failed again"),
            None => tracing::debug!(%pool, url, %error, "the check of a page failed again"),
        }
        if matches!(error, HookError::Trapped(_)) && !self.shared.profile().is_peer() {
            // A plugin that had to be stopped says nothing about the session, and would be stopped again.
            self.note(&outgoing.lease, "plugin");
            return Stop::fail(FailureKind::Plugin, format!("check {error}"));
        }
        let failure = Stop::fail(FailureKind::CheckFailed, format!("the check failed: {error}"));
        self.fault(outgoing, Used::CheckError, "check-error".to_owned(), RetryReason::CheckError, failure)
    }

    /// A page that cannot be read is no word about the session. Another one may be whole.
    fn unreadable(&mut self, outgoing: Outgoing<T, S>, why: &Unreadable) -> Stop {
        let pool = outgoing.counted_for.clone();
        self.shared.stats().count(Counter::UseFailed, &pool);
        self.note(&outgoing.lease, FailureKind::BadAnswer.word());
        outgoing.lease.report(Used::Neutral);
        self.again_or(Used::DownloadError, RetryReason::DownloadError, Stop::fail(FailureKind::BadAnswer, why))
    }

    fn judge_error(&mut self, mut outgoing: Outgoing<T, S>, error: CallError) -> Stop {
        let pool = outgoing.counted_for.clone();
        if matches!(error, CallError::BadAnswer(_)) {
            outgoing.allowance.bill(Billed::Discarded);
        }
        let without_session = self.shared.without_session(&error, outgoing.lease.session().id());
        // One that the API has held is lost: to initialise another spends a retry, or it would be for ever, each time at a cost.
        let is_lost = without_session.is_some() && outgoing.lease.session().is_held();
        if let Some((used, counter)) = without_session.filter(|_| !is_lost) {
            return self.put_off_without_session(outgoing, &error, used, counter);
        }
        self.shared.count_start(outgoing.lease.session(), Counter::InitFailed, Some(error.to_string()));
        let (used, counter, reason, told) = match &error {
            CallError::Api(problem) if problem.is_session_expired() || is_lost => {
                (Used::Expired, Counter::UseExpired, RetryReason::SessionExpired, "expired-upstream")
            }
            // In the peer's profile; elsewhere it is waited for above. Another session has to be had first.
            CallError::Api(problem) if problem.is_session_creation_error() => {
                (Used::Expired, Counter::UseFailed, RetryReason::SessionExpired, "session-creation-error")
            }
            CallError::Api(problem) if problem.status == 520 => {
                (Used::Banned, Counter::UseFailed, RetryReason::DownloadError, "banned")
            }
            CallError::Api(problem) if problem.is_download_error() => {
                (Used::DownloadError, Counter::UseFailed, RetryReason::DownloadError, "download-error")
            }
            CallError::Api(_) | CallError::Network(_) | CallError::BadAnswer(_) => {
                self.note(&outgoing.lease, FailureKind::of_call(&error).word());
                return Stop::call(error);
            }
        };
        self.shared.stats().count(counter, &pool);
        let asked = error.problem().and_then(|problem| problem.retry_after);
        self.wait_for(asked.filter(|_| self.shared.policies.options.honour_retry_after));
        self.fault(outgoing, used, told.to_owned(), reason, Stop::call(error))
    }

    /// The API had no session for the request that was to create one: it waits for another as where an initialisation meets this, and
    /// spends no retry.
    fn put_off_without_session(&mut self, outgoing: Outgoing<T, S>, error: &CallError, used: Used, counter: Counter) -> Stop {
        let (pool, url) = (outgoing.lease.pool().clone(), outgoing.request.url());
        self.shared.stats().count(counter, &pool);
        self.shared.remember_bad_init(&pool, error.to_string());
        if let Used::Unavailable(pause) | Used::Hindered(pause) = used {
            self.shared.tell_unavailable(&pool, url, error, pause);
        }
        self.note(&outgoing.lease, outcome_of(&Err(error.clone())));
        outgoing.lease.report(if outgoing.carries_session { used } else { Used::Neutral });
        Stop::Again
    }

    /// The page is not tried again before this pause is over. The peer knows no such pause.
    fn wait_for(&mut self, pause: Option<Duration>) {
        let pause = pause.filter(|_| !self.shared.profile().is_peer());
        self.not_before = pause.map(|pause| self.shared.now() + pause.min(LONGEST_PAUSE));
    }

    /// Reports a fault of the session and tries again while there are retries left.
    fn fault(&mut self, outgoing: Outgoing<T, S>, used: Used, told: String, reason: RetryReason, failure: Stop) -> Stop {
        self.note(&outgoing.lease, told);
        let blame = if outgoing.carries_session { used } else { Used::Neutral };
        if !outgoing.carries_session {
            tracing::warn!(url = outgoing.request.url(), "the request had no session when it was sent; the fault is nobody's");
        }
        let reason = self.named(reason);
        self.shared.note_fault();
        outgoing.lease.report(blame);
        self.again_or(used, reason, failure)
    }

    /// Tries again while there are retries left.
    fn again_or(&mut self, used: Used, reason: RetryReason, failure: Stop) -> Stop {
        if self.retries.take(used) {
            self.shared.stats().count_retry(reason);
            tracing::debug!(url = self.request.url(), reason = reason.name(), "trying a request again");
            return Stop::Again;
        }
        self.shared.stats().count_max_reached();
        tracing::warn!(url = self.request.url(), reason = reason.name(), "gave up a request: no retries are left");
        failure
    }

    /// The peer has one name for whatever its session is at fault for.
    fn named(&self, reason: RetryReason) -> RetryReason {
        let is_check = matches!(reason, RetryReason::CheckFailed | RetryReason::CheckError);
        if is_check && self.shared.profile().is_peer() { RetryReason::SessionExpired } else { reason }
    }

    fn close_pool(&mut self, outgoing: Outgoing<T, S>, reason: &str) -> Stop {
        self.note(&outgoing.lease, "close-pool");
        self.shared.close_pool(outgoing.lease.pool(), reason);
        Stop::fail(FailureKind::Pool, format!("the check closed the pool: {reason}"))
    }

    fn close_crawl(&mut self, outgoing: Outgoing<T, S>, reason: &str) -> Stop {
        self.note(&outgoing.lease, "close-crawl");
        self.shared.close(reason);
        Stop::fail(FailureKind::Closed, format!("the check closed the crawl: {reason}"))
    }
}

impl<T: Transport, S: Sites> Shared<T, S> {
    /// Whose hook checks the pages of a site; none where it is the default check.
    pub(crate) fn checker_of(&self, site: Option<&Arc<S::Site>>) -> Option<Arc<S::Site>> {
        let own = site.filter(|site| site.overrides(Hook::Check)).cloned();
        own.or_else(|| self.sites.named(&self.defaults.checker()?).filter(|checker| checker.overrides(Hook::Check)))
    }

    /// Why a page of the site would not be checked now, if so.
    pub(crate) fn left_alone(&self, site: Option<&Arc<S::Site>>) -> Option<HookError> {
        self.checker_of(site)?.left_alone()
    }

    /// Asks the site's check, else the default one.
    pub(crate) async fn check(
        self: &Arc<Self>,
        pool: &PoolId,
        site: Option<&Arc<S::Site>>,
        call: HookCall,
        answer: Answer,
    ) -> Result<Verdict, HookError> {
        let site = site.filter(|site| site.overrides(Hook::Check)).cloned();
        let named = self.checker_of(site.as_ref()).map(|checker| checker.name().into());
        let defaults = Arc::clone(&self.defaults);
        let is_large = answer.text().len() >= LARGE_ANSWER_BYTES;
        let check = move || match site {
            Some(site) if call.init && !site.checks_inits() => defaults.check_alone(&call, &answer),
            Some(site) => site.check(call, answer),
            None => defaults.check(&call, &answer),
        };
        match named {
            Some(site) => self.ask(Asked { site, step: HookStep::Check }, is_large, pool, check).await,
            None => check(),
        }
        .map(Verdict::bounded)
    }

    /// Asks a hook that holds its thread. Where that is not this one, the request takes nobody's place meanwhile.
    pub(crate) async fn ask<R: Send + 'static>(
        self: &Arc<Self>,
        asked: Asked,
        is_large: bool,
        pool: &PoolId,
        work: impl FnOnce() -> Result<R, HookError> + Send + 'static,
    ) -> Result<R, HookError> {
        let begun = self.hooks.begin(&asked, is_large, work);
        let _away = (!begun.is_done()).then(|| InHook::new(self, pool));
        begun.finish().await.and_then(|result| result)
    }

    /// Ends a pool; its requests fail with this reason, the crawl goes on.
    pub(crate) fn close_pool(self: &Arc<Self>, pool: &PoolId, reason: &str) {
        tracing::warn!(%pool, reason, "closing a pool");
        self.end_pool(pool, Refusal::PoolClosed(reason.into()));
    }
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

fn with_reason(what: &str, reason: &str) -> String {
    format!("{what}{}", because(reason))
}
