//! How the calls of an initialisation are sent: in their turn, within the budget, and only while somebody wants the session.

use carousel_core::budget::Purpose;
use carousel_core::exchange::{Answer, CallError, NetworkError, Object};
use carousel_core::ledger::Billed;
use carousel_core::pace::{Busy, Caller, Part, Scopes};
use carousel_core::time::Instant;
use serde_json::Value;

use crate::allowance::Allowance;
use crate::call::{NoAnswer, Step};
use crate::gate::Pass;
use crate::init::Init;
use crate::opening::Hindrance;
use crate::ports::{Sites, Transport};

/// All that a call needs to be sent.
struct Admission<T: Transport, S: Sites> {
    pass: Option<Pass<T, S>>,
    allowance: Allowance<T, S>,
}

impl<T: Transport, S: Sites> Init<T, S> {
    /// Sends a call as soon as the API and the budget allow it. A busy API is waited for, unless the session, which earlier calls of
    /// the chain have begun, would not live so long.
    pub(crate) async fn send(&self, params: &Object) -> Result<Answer, CallError> {
        let url = params.get("url").and_then(Value::as_str).unwrap_or_default();
        let scopes = Scopes::of(params);
        let policies = &self.shared.policies;
        let known = self.trigger.failed().take();
        let mut repeats = known.unwrap_or_else(|| self.shared.repeats(policies.of(None, policies.session)));
        let caller = Caller { request: self.trigger.ticket, part: Part::Init(self.shared.ticket()) };
        let mut busy = None;
        loop {
            let Admission { pass, mut allowance } = match self.admission(caller, url, &scopes, busy.take()).await {
                Ok(admission) => admission,
                Err(error) => {
                    let is_busy = self.session.init_calls().hindrance == Some(Hindrance::Busy);
                    *self.trigger.failed() = is_busy.then_some(repeats);
                    return Err(error);
                }
            };
            let (sent, slept) = (self.shared.now(), self.shared.clock.slept());
            let lapses = self.lapses_at().or_else(|| self.lapses_after(sent));
            let lives = |at| lapses.is_none_or(|lapses| at < lapses);
            let may = |step| match step {
                Step::Send => self.lapses_at().is_none_or(|lapses| self.shared.now() < lapses),
                Step::Pause { until } => {
                    self.may_have_heard(sent);
                    lives(until) && self.is_worth_a_pause()
                }
                Step::Repeat => lives(self.shared.now()) && self.shared.ended(url).is_none() && self.is_wanted(),
            };
            let result = self.shared.call(params, &mut repeats, pass.as_ref(), may).await;
            let is_busy = matches!(result, Err(NoAnswer::Busy(..)));
            self.session.init_calls().hindrance = is_busy.then_some(Hindrance::Busy);
            let is_answered = matches!(result, Ok(_) | Err(NoAnswer::Failed(CallError::BadAnswer(_))));
            if is_busy {
                self.refused();
            } else if is_answered {
                let (pool, id) = (self.session.handle.pool(), self.session.id());
                self.shared.apply(|state, now| state.pools.handle_call_over(pool, id, now));
                let mut calls = self.session.init_calls();
                (calls.heard, calls.is_paid, calls.slept) = (Some(sent), true, slept);
                allowance.bill(Billed::Init);
            } else {
                self.may_have_heard(sent);
            }
            match result {
                Ok(answer) => return Ok(answer),
                Err(NoAnswer::Busy(error, _)) if self.shared.is_closed() => return Err(error),
                Err(NoAnswer::Busy(_, why)) => busy = Some(why),
                Err(NoAnswer::PutOff(error, pause)) if !lives(self.shared.now() + pause) => return Err(error),
                Err(NoAnswer::Unsent) => return Err(self.hindered(Hindrance::Unwanted, "the session has lapsed meanwhile")),
                // The next turn asks for all that it needs anew, and whether it is wanted.
                Err(NoAnswer::PutOff(..)) => {}
                Err(NoAnswer::Failed(error) | NoAnswer::CutShort(error)) => return Err(error),
            }
        }
    }

    /// A call has failed and may be repeated after a pause: is the session still wanted? What has cost nothing yet is given up with the
    /// last request that waits for it.
    fn is_worth_a_pause(&self) -> bool {
        let (pool, id, is_paid) = (self.session.handle.pool(), self.session.id(), self.session.init_calls().is_paid);
        self.shared.apply(|state, _| {
            if !is_paid {
                state.pools.handle_refused(pool, id);
            }
            state.pools.is_opening(pool, id)
        })
    }

    /// Waits until the API may be asked, then for the budget.
    async fn admission(
        &self,
        caller: Caller,
        url: &str,
        scopes: &Scopes,
        mut busy: Option<Busy>,
    ) -> Result<Admission<T, S>, CallError> {
        loop {
            let pass = tokio::select! {
                biased;
                pass = self.pass(caller, scopes, busy.take()) => pass?,
                () = self.shared.over(url, Some(self.session.handle.pool())) => None,
            };
            let allowance = self.shared.afford(url, self.session.handle.pool(), Purpose::Init).await;
            if self.shared.begins_no_call() || self.shared.state().pools.is_closed(self.session.handle.pool()) {
                return Err(self.hindered(Hindrance::Unwanted, "the crawl or the pool was closed"));
            }
            if let Some(reason) = self.shared.ended(url) {
                return Err(not_sent(format!("requests of this domain have ended: {reason}")));
            }
            let Ok(allowance) = allowance else {
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

    /// Waits until the API takes calls of these scopes, and first for as long as its last answer asks for. The request that waits for the
    /// session takes nobody's place meanwhile.
    async fn pass(&self, caller: Caller, scopes: &Scopes, busy: Option<Busy>) -> Result<Option<Pass<T, S>>, CallError> {
        if !self.shared.is_paced() {
            return Ok(None);
        }
        let pool = Some(self.session.handle.pool());
        let lapses = self.lapses_at();
        let entered = async {
            if let Some(busy) = busy {
                self.shared.rest_while_busy(scopes, busy, pool).await;
            }
            match self.shared.pauses_until(scopes).filter(|until| lapses.is_some_and(|lapses| lapses <= *until)) {
                Some(_) => None,
                None => Some(self.shared.enter(caller, scopes, pool).await),
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

    /// A call that was sent then had no answer: the API may know the session since, but one that it knew already may have been kept alive
    /// by it or not.
    fn may_have_heard(&self, sent: Instant) {
        self.session.init_calls().heard.get_or_insert(sent);
    }

    /// When the API ends the session, unless another call is sent; none: it does not know the session yet.
    fn lapses_at(&self) -> Option<Instant> {
        let heard = self.session.init_calls().heard?;
        self.lapses_after(heard)
    }

    /// Has the machine slept since the last call was sent, for so long that the API may have ended the session?
    pub(crate) fn has_lapsed_in_sleep(&self) -> bool {
        let has_slept = self.shared.clock.slept() > self.session.init_calls().slept;
        has_slept && self.lapses_at().is_some_and(|lapses| lapses <= self.shared.now())
    }

    /// When the API ends a session that was used then for the last time.
    fn lapses_after(&self, used: Instant) -> Option<Instant> {
        let options = self.shared.pool_options(&self.trigger);
        options.max_idle.map(|idle| used + idle.saturating_sub(options.margin))
    }
}

/// The error of a call that was not sent.
fn not_sent(why: impl Into<String>) -> CallError {
    CallError::Network(NetworkError::NotSent(why.into()))
}
