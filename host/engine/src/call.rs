//! One API call with its repetitions on the spot.

use std::sync::Arc;
use std::time::Duration;

use carousel_core::exchange::{Answer, CallError, Object};
use carousel_core::retry::{Decision, Failure, Policy, RetryState};
use carousel_core::time::Instant;
use serde_json::Value;

use crate::engine::Shared;
use crate::ports::{Sites, Transport};

impl<T: Transport, S: Sites> Shared<T, S> {
    /// Sends a call and repeats it as the policy says. When the crawl is closed a pause ends and the last error stands.
    pub(crate) async fn call(self: &Arc<Self>, params: &Object, policy: Policy) -> Result<Answer, CallError> {
        self.warn_of_contradicting_context(params);
        let mut retries = RetryState::new(policy, self.policies.options);
        loop {
            let result = self.transport.send(params).await;
            self.stats().count_call(result.as_ref().err());
            let error = match result {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            self.close_on_fatal(&error);
            let pause = self.pause_after(&error, &mut retries);
            let Some(pause) = pause.filter(|_| !self.is_closed()) else { return Err(error) };
            tracing::debug!(%error, pause = pause.as_secs_f64(), attempt = retries.attempts(), "repeating a call");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = self.closed() => return Err(error),
            }
        }
    }

    fn warn_of_contradicting_context(&self, params: &Object) {
        if params.contains_key("sessionContext") && self.contexts().is_contradiction(params) {
            let url = params.get("url").and_then(Value::as_str).unwrap_or_default();
            let context = params.get("sessionContext").map(Value::to_string).unwrap_or_default();
            tracing::warn!(
                url,
                context,
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

    /// A key that is refused will be refused for every request.
    fn close_on_fatal(self: &Arc<Self>, error: &CallError) {
        let status = error.problem().map(|problem| problem.status);
        let reason = match status {
            Some(401) => "zyte_api_bad_key",
            Some(403) => "zyte_api_suspended_account",
            _ => return,
        };
        tracing::error!(%error, "the API refuses this key");
        self.close(reason);
    }
}
