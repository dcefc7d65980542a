//! One API call with its repetitions on the spot.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use carousel_core::contract::Hopeless;
use carousel_core::exchange::{Answer, CallError, Object};
use carousel_core::pace::{Busy, Scopes};
use carousel_core::retry::{Decision, Failure, Policy, RetryState};
use carousel_core::settings::{Throttling, ZYTE_API_URL};
use carousel_core::time::Instant;
use serde_json::Value;

use crate::engine::Shared;
use crate::gate::Pass;
use crate::ports::{Sites, Transport};

/// Why a call has no answer.
pub(crate) enum NoAnswer {
    /// It failed for good.
    Failed(CallError),
    /// The API is too busy for it. It has spent nothing.
    Busy(CallError, Busy),
    /// It would be repeated, were it not for the end of the crawl.
    CutShort(CallError),
    /// It may be repeated after this pause, but not as it is: its session does not live so long, or what it needs must be asked for anew.
    PutOff(CallError, Duration),
    /// It was not sent, as it is not wanted any more as it is.
    Unsent,
}

impl NoAnswer {
    pub(crate) fn error(&self) -> Option<&CallError> {
        match self {
            Self::Failed(error) | Self::CutShort(error) | Self::Busy(error, _) | Self::PutOff(error, _) => Some(error),
            Self::Unsent => None,
        }
    }
}

/// How far a call has come, when its owner is asked whether to go on: what was true before a wait may not be true any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is about to be sent for the first time.
    Send,
    /// It has failed and would be repeated then.
    Pause {
        /// The time.
        until: Instant,
    },
    /// It is about to be repeated.
    Repeat,
}

/// One call on its way through failed attempts.
pub(crate) struct Repeats(RetryState);

impl<T: Transport, S: Sites> Shared<T, S> {
    pub(crate) fn repeats(&self, policy: Policy) -> Repeats {
        Repeats(RetryState::new(policy, self.policies.options))
    }

    /// Sends a call and repeats it as the policy says, while it `may` go on. When the crawl is closed a pause ends, and the
    /// call is cut short. With per-call throttling, which is the peer's, a busy API is waited out here.
    pub(crate) async fn call(
        self: &Arc<Self>,
        params: &Object,
        repeats: &mut Repeats,
        pass: Option<&Pass<T, S>>,
        may: impl Fn(Step) -> bool,
    ) -> Result<Answer, NoAnswer> {
        let url = params.get("url").and_then(Value::as_str).unwrap_or_default();
        let scopes = Scopes::of(params);
        self.warn_of_contradicting_context(params);
        let params = &*self.with_job(params);
        if self.begins_no_call() || !may(Step::Send) {
            return Err(NoAnswer::Unsent);
        }
        loop {
            let sent = self.now();
            pass.iter().for_each(|pass| pass.sent());
            let result = self.transport.send(params).await;
            self.stats().count_call(result.as_ref().err());
            self.notice_silence(result.as_ref().err());
            let busy = if self.is_paced() { self.tell_gate(&scopes, sent, result.as_ref().err()) } else { None };
            let error = match result {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            self.close_on_hopeless(&error);
            self.end_domain(url, &error);
            if let Some(busy) = busy {
                return Err(NoAnswer::Busy(error, busy));
            }
            let pause = self.pause_after(&error, &mut repeats.0);
            let Some(pause) = pause else { return Err(NoAnswer::Failed(error)) };
            if self.is_closed() {
                return Err(NoAnswer::CutShort(error));
            }
            tracing::debug!(%error, pause = pause.as_secs_f64(), attempt = repeats.0.attempts(), "repeating a call");
            let until = self.now() + pause;
            tokio::select! {
                biased;
                () = self.ended_otherwise(|| may(Step::Pause { until })) => {}
                () = tokio::time::sleep_until(self.clock(until)) => {}
            }
            if self.is_closed() {
                return Err(NoAnswer::CutShort(error));
            }
            if self.now() < until || !may(Step::Repeat) || self.is_paused(&scopes) {
                return Err(NoAnswer::PutOff(error, until.since(self.now())));
            }
        }
    }

    /// Does no call of these scopes start at the moment?
    fn is_paused(&self, scopes: &Scopes) -> bool {
        self.is_paced() && self.pauses_until(scopes).is_some()
    }

    fn notice_silence(&self, error: Option<&CallError>) {
        let mut silence = self.silence.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            Some(CallError::Network(error)) => {
                if let Some(calls) = silence.unanswered() {
                    let url = &self.settings.api.url;
                    tracing::warn!(calls, "the API at {url} gives no answer; calls are repeated for some time: {error}");
                }
            }
            Some(CallError::Api(_) | CallError::BadAnswer(_)) | None => {
                if silence.answered() {
                    tracing::info!("the API answers again");
                }
            }
        }
    }

    /// Does the gate see to the pace, or each call for itself?
    pub(crate) fn is_paced(&self) -> bool {
        self.settings.throttling() == Throttling::Scoped
    }

    fn warn_of_contradicting_context(&self, params: &Object) {
        if params.contains_key("sessionContext") && self.contexts().is_contradiction(params) {
            let url = params.get("url").and_then(Value::as_str).unwrap_or_default();
            let context = params.get("sessionContext").unwrap_or(&Value::Null);
            tracing::warn!(
                url,
                %context,
                "this sessionContext was used with other sessionContextParameters before; for one context they should be the same \
                 throughout a crawl, or requests share sessions that were not made for them"
            );
        }
    }

    fn pause_after(&self, error: &CallError, retries: &mut RetryState) -> Option<Duration> {
        let (failure, retry_after) = match error {
            CallError::Api(problem) => {
                (Failure::Answer { status: problem.status, problem: Some(&problem.kind) }, problem.retry_after)
            }
            CallError::Network(_) => (Failure::Network, None),
            CallError::BadAnswer(_) => return None,
        };
        match retries.after(&failure, self.now().since(Instant::START), self.random(), retry_after) {
            Decision::Retry { after } => Some(after),
            Decision::GiveUp => None,
        }
    }

    /// Where one answer tells that no other call can succeed, the crawl ends. It is said once.
    fn close_on_hopeless(self: &Arc<Self>, error: &CallError) {
        let hopeless = error.problem().and_then(|problem| Hopeless::of(self.profile(), problem));
        let Some(hopeless) = hopeless.filter(|hopeless| self.close(hopeless.close_reason())) else { return };
        match hopeless {
            Hopeless::BadKey => {
                tracing::error!(%error, "the API refuses this key; check --api-key, ZYTE_API_KEY and .env");
            }
            Hopeless::SuspendedAccount => {
                tracing::error!(%error, "the API refuses this key; check the account's billing and spending limit");
            }
            Hopeless::WrongAddress => {
                let (url, zyte) = (&self.settings.api.url, ZYTE_API_URL);
                tracing::error!(
                    %error,
                    "api.url is wrong: {url} is not the address of Zyte API, to whose base address calls add \"extract\"; correct api.url \
                     in the settings, or --api-url; Zyte's is {zyte}"
                );
            }
        }
    }
}
