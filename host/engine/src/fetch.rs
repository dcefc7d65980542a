//! The road of one request: which site, which pool, a session, the call, the verdict, and again or done.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use carousel_core::budget::{Purpose, Word};
use carousel_core::contract;
use carousel_core::defaults::{Unmanaged, meta, retry_policy};
use carousel_core::exchange::{Answer, CallError, Object, Request};
use carousel_core::fingerprint::fingerprint;
use carousel_core::hooks::{Hook, HookCall, HookError};
use carousel_core::id::{PoolId, Ticket};
use carousel_core::ledger::Billed;
use carousel_core::pace::{Busy, Caller, Part, Scopes};
use carousel_core::pool::{Refusal, Used};
use carousel_core::retry::{Policy, PolicyName};
use carousel_core::time::Instant;
use serde_json::{Value, json};

use crate::allowance::Allowance;
use crate::call::{NoAnswer, Repeats, Step};
use crate::engine::Shared;
use crate::gate::{AtGate, Pass};
use crate::hooks::{Asked, HookStep, InHook};
use crate::lease::{InPool, SessionLease};
use crate::opening::Trigger;
use crate::outcome::{Attempt, Failure, FailureKind, Fetched, Trace};
use crate::ports::{Leave, Site, Sites, Transport};
use crate::prepared::{Course, Managed, Planned, Prepared};
use crate::retries::Retries;

/// Sessions that may end before a request can be sent on them; each may have cost an initialisation.
const MOST_UNSENT: u32 = 10;

/// About as long as a request takes through the peer's scheduler.
const PEER_SCHEDULING: Duration = Duration::from_millis(10);

/// One request under way.
pub(crate) struct Fetch<T: Transport, S: Sites> {
    pub(crate) shared: Arc<Shared<T, S>>,
    pub(crate) request: Arc<Request>,
    pub(crate) retries: Retries,
    /// What was planned before the first try.
    planned: Option<Planned<S>>,
    trace: Trace,
    /// Its place in the order of those who wait at the gate.
    ticket: Ticket,
    /// What a busy API holds it back with.
    scopes: Scopes,
    /// Not to be tried again before: the site asked for time.
    pub(crate) not_before: Option<Instant>,
    /// The API was too busy for the last call.
    busy: Option<Busy>,
    /// How often its call has failed that will be sent again.
    repeats: Option<Repeats>,
    /// How often its session ended before it could be sent.
    unsent: u32,
    /// The place that was taken for the first try, and whether it opens a session.
    place: Option<(Place<T, S>, bool)>,
}

/// A request that has taken its place in a queue, so that it is served in its turn whichever thread goes on with it. Dropping it
/// leaves the queue.
pub struct Enqueued<T: Transport, S: Sites> {
    fetch: Fetch<T, S>,
    /// What is known of its first try; an error ends it. None: its site has yet to be asked.
    first: Option<Result<Way<S>, Stop>>,
}

/// What is to be done for a request, once all that can be said without waiting was said.
enum Way<S: Sites> {
    /// It is sent as it is, or without the session that it declines.
    Plain(Option<Unmanaged>, Policy),
    /// It is sent on a session that is had like this.
    Session(Arc<Trigger<S>>, Policy),
}

/// Where a request queues first.
enum Place<T: Transport, S: Sites> {
    /// At the gate, while the API may be too busy.
    Gate(AtGate<T, S>),
    /// For a session of its pool.
    Pool(InPool<T, S>),
}

/// All that a request needs to be sent.
struct Admission<T: Transport, S: Sites> {
    pass: Option<Pass<T, S>>,
    lease: SessionLease<T, S>,
    allowance: Allowance<T, S>,
}

/// Why a try did not end with an answer.
pub(crate) enum Stop {
    /// Try again.
    Again,
    /// Give up.
    Fail(FailureKind, String, Option<CallError>),
}

impl Stop {
    pub(crate) fn fail(kind: FailureKind, message: impl std::fmt::Display) -> Self {
        Self::Fail(kind, message.to_string(), None)
    }

    pub(crate) fn call(error: CallError) -> Self {
        Self::Fail(FailureKind::of_call(&error), error.to_string(), Some(error))
    }
}

/// An outgoing request on its session.
pub(crate) struct Outgoing<T: Transport, S: Sites> {
    pub(crate) request: Arc<Request>,
    pub(crate) lease: SessionLease<T, S>,
    /// Does it still carry the session it was given? A hook may have taken it away: then nothing can be learned about it.
    pub(crate) carries_session: bool,
    /// The pool whose counters tell of it.
    pub(crate) counted_for: PoolId,
    pub(crate) allowance: Allowance<T, S>,
    pass: Option<Pass<T, S>>,
    /// To begin a session.
    _leave: Option<Leave>,
}

impl<T: Transport, S: Sites> Enqueued<T, S> {
    /// Waits for the request's turn and gets its answer.
    pub(crate) async fn fetch(self) -> Result<Fetched, Failure> {
        self.fetch.run(self.first).await
    }
}

impl<T: Transport, S: Sites> Fetch<T, S> {
    pub(crate) fn new(shared: &Arc<Shared<T, S>>, prepared: Prepared<S>) -> Self {
        let Prepared { request, planned } = prepared;
        let (retries, scopes) = (Retries::new(&shared.settings, &request), Scopes::of(request.params()));
        Self {
            shared: Arc::clone(shared),
            request,
            retries,
            planned,
            trace: Trace::default(),
            ticket: shared.ticket(),
            scopes,
            not_before: None,
            busy: None,
            repeats: None,
            unsent: 0,
            place: None,
        }
    }

    /// Takes the request's place in the queue that it has to wait in first. In the peer's profile it may have to let a replacement go
    /// first; then it queues afterwards.
    pub(crate) fn enqueue(mut self) -> Enqueued<T, S> {
        let first = self.planned.take().map(|planned| self.decide(planned));
        if let Some(Ok(way)) = &first {
            self.place = self.take_place(way);
        }
        Enqueued { fetch: self, first }
    }

    fn take_place(&self, way: &Way<S>) -> Option<(Place<T, S>, bool)> {
        let (pool, opens) = match way {
            Way::Plain(..) => (None, true),
            Way::Session(trigger, _) => (Some(&trigger.pool), self.opens(&trigger.pool)),
        };
        let place = match way {
            _ if opens && self.gap().is_some() => return None,
            Way::Plain(..) | Way::Session(..) if self.shared.is_paced() => Place::Gate(self.queue_at_gate(pool)),
            Way::Plain(..) => return None,
            Way::Session(trigger, _) => Place::Pool(InPool::new(&self.shared, Arc::clone(trigger))),
        };
        Some((place, opens))
    }

    /// Will the next request of the pool have a session opened?
    fn opens(&self, pool: &PoolId) -> bool {
        self.shared.state().pools.opens_for_the_next(pool, self.shared.now())
    }

    async fn run(mut self, mut first: Option<Result<Way<S>, Stop>>) -> Result<Fetched, Failure> {
        loop {
            let way = match first.take() {
                Some(way) => way,
                None => self.way().await,
            };
            let result = match way {
                Ok(way) => self.once(way).await,
                Err(stop) => Err(stop),
            };
            match result {
                Ok(answer) => return Ok(Fetched { answer, trace: self.trace }),
                Err(Stop::Again) => {}
                Err(Stop::Fail(kind, message, error)) => return Err(Failure { kind, error, message, trace: self.trace }),
            }
        }
    }

    /// In the peer whatever follows a fault goes through the scheduler first, so the replacement of the session at fault is sent
    /// before it.
    async fn let_the_replacement_go_first(&self) {
        if let Some(until) = self.gap() {
            tokio::time::sleep_until(self.shared.clock(until)).await;
        }
    }

    /// When a replacement will have gone first, if one has to.
    fn gap(&self) -> Option<Instant> {
        let fault = self.shared.last_fault().filter(|_| self.shared.profile().is_peer());
        fault.map(|at| at + PEER_SCHEDULING).filter(|until| *until > self.shared.now())
    }

    /// Asks the site what is to be done for another try.
    async fn way(&mut self) -> Result<Way<S>, Stop> {
        self.stop_if_closed()?;
        self.stop_if_ended()?;
        let planned = self.shared.plan(&self.request).await;
        self.decide(planned)
    }

    /// Decides what is to be done, without waiting for anything.
    fn decide(&mut self, Planned { site, course }: Planned<S>) -> Result<Way<S>, Stop> {
        self.stop_if_closed()?;
        self.stop_if_ended()?;
        let managed = match course {
            Course::Nonsense(why) => return Err(Stop::fail(FailureKind::BadRequest, why)),
            Course::Lost(why) => return Err(Stop::fail(FailureKind::Internal, why)),
            Course::Failed(error) => return Err(self.hook_failure(&error)),
            Course::Unmanaged(unmanaged) => return self.plain(Some(unmanaged)),
            Course::Disabled => return self.plain(None),
            Course::Managed(managed) => *managed,
        };
        // What a plugin makes of it is known only once there is a session.
        if site.as_ref().is_none_or(|site| !site.overrides(Hook::ProcessRequest)) {
            self.refuse_unacceptable(self.request.params())?;
        }
        let policy = self.policy(self.shared.policies.session)?;
        let trigger = self.trigger(site, managed)?;
        self.recognise(Some(&trigger.pool))?;
        Ok(Way::Session(trigger, policy))
    }

    async fn once(&mut self, way: Way<S>) -> Result<Answer, Stop> {
        let (trigger, policy) = match way {
            Way::Plain(unmanaged, policy) => return self.send_without_session(unmanaged, policy).await,
            Way::Session(trigger, policy) => (trigger, policy),
        };
        self.give_time(Some(&trigger.pool)).await;
        let opens = self.place.as_ref().map_or_else(|| self.opens(&trigger.pool), |(_, opens)| *opens);
        if opens && self.place.is_none() {
            self.let_the_replacement_go_first().await;
        }
        let admission = self.admission(trigger).await?;
        let mut outgoing = self.prepare(admission).await?;
        if !opens {
            self.let_the_replacement_go_first().await;
        }
        let mut repeats = self.repeats.take().unwrap_or_else(|| self.shared.repeats(policy));
        let may = |step| self.may(&outgoing, step);
        let result = self.shared.call(outgoing.request.params(), &mut repeats, outgoing.pass.as_ref(), may).await;
        // Others may call while a check has the answer.
        drop(outgoing.pass.take());
        match result {
            Err(NoAnswer::Unsent) => {
                self.repeats = Some(repeats);
                self.unsent += 1;
                match self.unsent < MOST_UNSENT {
                    true => Err(Stop::Again),
                    false => Err(Stop::fail(
                        FailureKind::NoSession,
                        "each session that it was given ended before it could be sent: its hooks, or what it waits for, take longer",
                    )),
                }
            }
            Err(NoAnswer::Busy(error, busy)) => {
                self.busy = Some(busy);
                self.repeats = Some(repeats);
                Err(self.put_off(outgoing, &error))
            }
            Err(NoAnswer::PutOff(error, pause)) => {
                self.not_before = Some(self.shared.now() + pause);
                self.repeats = Some(repeats);
                Err(self.put_off(outgoing, &error))
            }
            Err(NoAnswer::CutShort(error)) => {
                self.note(&outgoing.lease, outcome_of(&Err(error.clone())));
                Err(self.cut_short(error))
            }
            Err(NoAnswer::Failed(error)) => self.judge(outgoing, Err(error)).await,
            Ok(answer) => self.judge(outgoing, Ok(answer)).await,
        }
    }

    /// Is a call that has come so far still to be made on this session?
    fn may(&self, outgoing: &Outgoing<T, S>, step: Step) -> bool {
        let lease = &outgoing.lease;
        let is_fit = match step {
            Step::Send => lease.takes_call(),
            Step::Pause { until } => lease.lives(until),
            Step::Repeat => lease.lives(self.shared.now()),
        };
        is_fit && self.shared.ended(outgoing.request.url()).is_none()
    }

    /// The call has told nothing about page or session and will be sent again. It spends no retry.
    fn put_off(&mut self, outgoing: Outgoing<T, S>, error: &CallError) -> Stop {
        self.note(&outgoing.lease, outcome_of(&Err(error.clone())));
        Stop::Again
    }

    /// The crawl ends before the call could be repeated: that is what the request fails of, not the last error.
    fn cut_short(&self, error: CallError) -> Stop {
        let reason = self.shared.close_reason().unwrap_or_default();
        Stop::Fail(FailureKind::Closed, format!("the crawl was closed: {reason}; before: {error}"), Some(error))
    }

    /// Waits for as long as the site or the API has asked for.
    async fn give_time(&mut self, pool: Option<&PoolId>) {
        let (until, busy) = (self.not_before.take(), self.busy.take());
        let pauses = async {
            if let Some(until) = until {
                self.shared.rest_until(until, &self.scopes, pool).await;
            }
            if let Some(busy) = busy {
                self.shared.rest_while_busy(&self.scopes, busy, pool).await;
            }
        };
        tokio::select! {
            biased;
            () = pauses => {}
            () = self.shared.over(self.request.url(), pool) => {}
        }
    }

    /// Waits until the API may be asked, then for a session, then for the budget; holds none of them while waiting for another,
    /// so that no session lapses in the hands of a request that may not use it yet.
    async fn admission(&mut self, trigger: Arc<Trigger<S>>) -> Result<Admission<T, S>, Stop> {
        loop {
            let pass = self.pass(Some(&trigger.pool)).await?;
            let lease = self.session(Arc::clone(&trigger)).await?;
            if lease.is_superseded() {
                lease.report(Used::Superseded);
                continue;
            }
            self.stop_if_ended()?;
            if pass.as_ref().is_some_and(Pass::is_void) {
                continue;
            }
            let settled = self.shared.settled.notified();
            match self.shared.try_afford(Some(lease.pool()), Purpose::Use) {
                Ok(allowance) => return Ok(Admission { pass, lease, allowance }),
                Err(Word::Later) => {
                    drop((lease, pass));
                    tokio::select! {
                        () = settled => {}
                        () = self.shared.over(self.request.url(), Some(&trigger.pool)) => {}
                    }
                }
                Err(word) => return Err(self.unaffordable(word)),
            }
        }
    }

    /// Waits at the gate, at the place that was taken there for the first try if there is one.
    async fn pass(&mut self, pool: Option<&PoolId>) -> Result<Option<Pass<T, S>>, Stop> {
        let at_gate = match self.place.take() {
            Some((Place::Gate(at_gate), _)) => at_gate,
            taken if !self.shared.is_paced() => {
                self.place = taken;
                return Ok(None);
            }
            _ => self.queue_at_gate(pool),
        };
        let pass = tokio::select! {
            biased;
            pass = at_gate.pass() => Some(pass),
            // Whoever asks the pool for a session hears why.
            () = self.shared.over(self.request.url(), pool) => None,
        };
        self.stop_if_closed()?;
        self.stop_if_ended()?;
        Ok(pass)
    }

    fn queue_at_gate(&self, pool: Option<&PoolId>) -> AtGate<T, S> {
        AtGate::new(&self.shared, Caller { request: self.ticket, part: Part::Request }, &self.scopes, pool)
    }

    fn unaffordable(&self, word: Word) -> Stop {
        let of = if word == Word::PoolSpent { "the pool" } else { "the crawl" };
        Stop::fail(FailureKind::Budget, format!("the budget of {of} is spent"))
    }

    fn stop_if_ended(&self) -> Result<(), Stop> {
        match self.shared.ended(self.request.url()) {
            Some(reason) => Err(domain_ended(&reason)),
            None => Ok(()),
        }
    }

    /// The policy of the request's calls: the one that it names, else that of its kind.
    fn policy(&self, kind: PolicyName) -> Result<Policy, Stop> {
        let unknown = |error| Stop::fail(FailureKind::BadRequest, format!("{}: {error}", meta::RETRY_POLICY));
        Ok(self.shared.policies.of(retry_policy(&self.request).map_err(unknown)?, kind))
    }

    fn stop_if_closed(&self) -> Result<(), Stop> {
        match self.shared.close_reason() {
            Some(reason) => Err(Stop::fail(FailureKind::Closed, format!("the crawl was closed: {reason}"))),
            None => Ok(()),
        }
    }

    /// What a failed hook means for this request, where it means nothing for its session.
    pub(crate) fn hook_failure(&self, error: &HookError) -> Stop {
        match error {
            HookError::CloseCrawl(reason) => {
                self.shared.close(reason);
                Stop::fail(FailureKind::Closed, error)
            }
            HookError::ClosePool(_) => Stop::fail(FailureKind::Pool, error),
            HookError::Raised(_) | HookError::Trapped(_) | HookError::Download(_) | HookError::Unreadable(_) => {
                Stop::fail(FailureKind::Plugin, error)
            }
        }
    }

    /// What the API would refuse fails before anything is sent, in the API's own words. In the peer's profile it is sent.
    fn refuse_unacceptable(&self, params: &Object) -> Result<(), Stop> {
        let is_checked = !self.shared.options.send_unchecked && !self.shared.profile().is_peer();
        let Some(refusal) = is_checked.then(|| contract::refusal(params)).flatten() else { return Ok(()) };
        let message =
            format!("not sent, the API would refuse it: {}: {refusal}; --no-check sends it all the same", refusal.title);
        Err(Stop::Fail(FailureKind::BadRequest, message, Some(CallError::Api(Box::new(refusal.into())))))
    }

    fn trigger(&self, site: Option<Arc<S::Site>>, managed: Managed) -> Result<Arc<Trigger<S>>, Stop> {
        let trigger = Trigger::new(self.ticket, Arc::clone(&self.request), site, managed);
        trigger.map(Arc::new).map_err(|error| self.pool_failure(&error))
    }

    fn pool_failure(&self, error: &HookError) -> Stop {
        if matches!(error, HookError::CloseCrawl(_) | HookError::ClosePool(_)) {
            return self.hook_failure(error);
        }
        let shared = &self.shared;
        tracing::error!(url = self.request.url(), %error, "the pool of a request cannot be determined");
        if shared.settings.session.pool_error_closes_crawl(shared.profile()) {
            shared.close("pool_error");
        }
        Stop::fail(FailureKind::Pool, error)
    }

    /// On the first try: makes the fingerprint where somebody wants it, and stops a duplicate.
    fn recognise(&mut self, pool: Option<&PoolId>) -> Result<(), Stop> {
        let dedup = self.shared.settings.crawl.dedup;
        if self.trace.fingerprint.is_some() || !(dedup || self.shared.options.fingerprints) {
            return Ok(());
        }
        let fingerprint = fingerprint(self.request.params(), pool.map(PoolId::as_str));
        let is_duplicate = dedup && !self.shared.is_first(&fingerprint);
        self.trace.fingerprint = Some(fingerprint);
        match is_duplicate {
            true => Err(Stop::fail(FailureKind::Duplicate, "an earlier request asks for the same")),
            false => Ok(()),
        }
    }

    fn plain(&mut self, unmanaged: Option<Unmanaged>) -> Result<Way<S>, Stop> {
        self.refuse_unacceptable(&plain_params(&self.request, unmanaged.as_ref()))?;
        let policy = self.policy(self.shared.policies.plain)?;
        self.recognise(None)?;
        match unmanaged {
            Some(Unmanaged::OwnSession) => self.shared.stats().count_own_session(),
            Some(Unmanaged::Declined | Unmanaged::Impossible(_)) | None => self.shared.stats().count_disabled(),
        }
        Ok(Way::Plain(unmanaged, policy))
    }

    async fn send_without_session(&mut self, unmanaged: Option<Unmanaged>, policy: Policy) -> Result<Answer, Stop> {
        let request = Arc::clone(&self.request);
        let params = plain_params(&request, unmanaged.as_ref());
        if self.place.is_none() {
            self.let_the_replacement_go_first().await;
        }
        let mut repeats = self.shared.repeats(policy);
        loop {
            self.stop_if_closed()?;
            self.stop_if_ended()?;
            self.give_time(None).await;
            let (pass, mut allowance) = self.admission_without_session().await?;
            let may = |_| self.shared.ended(request.url()).is_none();
            let result = self.shared.call(&params, &mut repeats, pass.as_ref(), may).await;
            drop(pass);
            let stop = match result {
                Ok(answer) => {
                    allowance.bill(Billed::Use);
                    self.trace.attempts.push(Attempt { session: None, outcome: "ok".to_owned() });
                    return Ok(answer);
                }
                Err(no_answer) => self.without_answer(no_answer, &mut allowance),
            };
            if !matches!(stop, Stop::Again) {
                return Err(stop);
            }
        }
    }

    /// What follows for a request without a session.
    fn without_answer(&mut self, why: NoAnswer, allowance: &mut Allowance<T, S>) -> Stop {
        let outcome = why.error().map(|error| outcome_of(&Err(error.clone())));
        self.trace.attempts.extend(outcome.map(|outcome| Attempt { session: None, outcome }));
        match why {
            NoAnswer::Unsent => Stop::Again,
            NoAnswer::Busy(error, _) if self.shared.is_closed() => Stop::call(error),
            NoAnswer::Busy(_, busy) => {
                self.busy = Some(busy);
                Stop::Again
            }
            NoAnswer::PutOff(_, pause) => {
                self.not_before = Some(self.shared.now() + pause);
                Stop::Again
            }
            NoAnswer::CutShort(error) => self.cut_short(error),
            NoAnswer::Failed(error) => {
                if matches!(error, CallError::BadAnswer(_)) {
                    allowance.bill(Billed::Discarded);
                }
                Stop::call(error)
            }
        }
    }

    /// Waits until the API may be asked, then for the budget, and does not hold one while waiting for the other.
    async fn admission_without_session(&mut self) -> Result<(Option<Pass<T, S>>, Allowance<T, S>), Stop> {
        loop {
            let pass = self.pass(None).await?;
            let settled = self.shared.settled.notified();
            match self.shared.try_afford(None, Purpose::Use) {
                Ok(allowance) => return Ok((pass, allowance)),
                Err(Word::Later) => {
                    drop(pass);
                    tokio::select! {
                        () = settled => {}
                        () = self.shared.over(self.request.url(), None) => {}
                    }
                }
                Err(word) => return Err(self.unaffordable(word)),
            }
        }
    }

    async fn session(&mut self, trigger: Arc<Trigger<S>>) -> Result<SessionLease<T, S>, Stop> {
        self.trace.pool = Some(trigger.pool.clone());
        let (pool, site) = (trigger.pool.clone(), trigger.site.clone());
        let in_pool = match self.place.take() {
            Some((Place::Pool(in_pool), _)) => in_pool,
            _ => InPool::new(&self.shared, trigger),
        };
        let lease = in_pool.lease().await.map_err(|why| {
            let kind = match &why {
                Refusal::NoSession | Refusal::RestsTooLong | Refusal::Unavailable { .. } => FailureKind::NoSession,
                Refusal::BadInits { .. } | Refusal::BadInit | Refusal::Banned { .. } => FailureKind::BadInits,
                Refusal::LeftAlone => FailureKind::Plugin,
                Refusal::Closed(_) => FailureKind::Closed,
                Refusal::PoolClosed(_) => FailureKind::Pool,
                Refusal::Budget => FailureKind::Budget,
                Refusal::Domain(_) => FailureKind::Domain,
            };
            let reason = || {
                self.shared.last_bad_init(&pool).or_else(|| self.shared.left_alone(site.as_ref()).map(|error| error.to_string()))
            };
            if let (Refusal::LeftAlone, Some(reason)) = (&why, reason()) {
                return Stop::fail(kind, reason);
            }
            let follows_inits = matches!(why, Refusal::BadInits { .. } | Refusal::BadInit | Refusal::Unavailable { .. });
            match self.shared.last_bad_init(&pool).filter(|_| follows_inits) {
                Some(last) => Stop::fail(kind, format!("{why}; the last one: {last}")),
                None => Stop::fail(kind, why),
            }
        })?;
        self.trace.session = Some(lease.session().id());
        Ok(lease)
    }

    /// Waits for leave to begin a session, where the request does and a plugin checks its page: what stands for an initialisation is as
    /// many at once as these may be. Holds nothing meanwhile that an initialisation under way may need.
    async fn leave(&mut self, admission: Admission<T, S>) -> Result<(Admission<T, S>, Option<Leave>), Stop> {
        let lease = &admission.lease;
        let checker = self.shared.checker_of(lease.trigger().site.as_ref()).filter(|_| lease.session().is_uncreated());
        let Some(checker) = checker else { return Ok((admission, None)) };
        let Admission { pass, lease, allowance } = admission;
        drop((pass, allowance));
        let waits = InHook::new(&self.shared, lease.pool());
        let leave = checker.leave_to_initialise().await.map_err(|error| self.hook_failure(&error))?;
        drop(waits);
        let pass = self.pass(Some(lease.pool())).await?;
        match self.shared.try_afford(Some(lease.pool()), Purpose::Use) {
            Ok(allowance) => Ok((Admission { pass, lease, allowance }, Some(leave))),
            Err(Word::Later) => Err(Stop::Again),
            Err(word) => Err(self.unaffordable(word)),
        }
    }

    /// Gives the session to a copy of the request and lets the plugin edit it. The original stays as it is for another try.
    async fn prepare(&mut self, admission: Admission<T, S>) -> Result<Outgoing<T, S>, Stop> {
        let (Admission { pass, mut lease, allowance }, leave) = self.leave(admission).await?;
        let mut request = (*self.request).clone();
        self.carry_session(&mut request, &lease);
        let trigger = Arc::clone(lease.trigger());
        // Its page could not be checked, and would be billed.
        if let Some(error) = self.shared.left_alone(trigger.site.as_ref()) {
            return Err(self.hook_failure(&error));
        }
        if let Some(site) = trigger.site.as_ref().filter(|site| site.overrides(Hook::ProcessRequest)) {
            let call = HookCall {
                session: Some(Arc::clone(&lease.session().handle)),
                location: trigger.location(),
                location_error: trigger.location_error(),
                ..self.shared.hook_call(Arc::new(request.clone()))
            };
            let (hook, asked) = (Arc::clone(site), Asked { site: site.name().into(), step: HookStep::ProcessRequest });
            let asked = self.shared.ask(asked, false, lease.pool(), move || hook.process_request(call)).await;
            // Much may have happened meanwhile.
            self.stop_if_closed()?;
            self.stop_if_ended()?;
            let edit = asked.map_err(|error| {
                if let HookError::ClosePool(reason) = &error {
                    self.shared.close_pool(lease.pool(), reason);
                }
                self.hook_failure(&error)
            })?;
            edit.apply(&mut request);
            if let Some(reason) = self.shared.ended(request.url()) {
                return Err(domain_ended(&reason));
            }
            lease.set_trigger(Arc::new(trigger.with_request(Arc::new(request.clone()))));
        }
        let placed = self.shared.keep_in_place(&mut request, lease.session(), &trigger);
        placed.map_err(|why| Stop::fail(FailureKind::Plugin, format!("process_request: {why}")))?;
        let session = request.params().get("session").and_then(|session| session.get("id"));
        let carries_session = trigger.cookie_mode || session.and_then(Value::as_str) == Some(&lease.session().id().to_string());
        let counted_for = self.counted_for(&request, &lease).await;
        Ok(Outgoing { request: Arc::new(request), lease, carries_session, counted_for, allowance, pass, _leave: leave })
    }

    /// The pool whose counters tell of this use. The peer counts it for the pool that the request has once its URL was edited.
    async fn counted_for(&self, request: &Request, lease: &SessionLease<T, S>) -> PoolId {
        let is_moved = self.shared.profile().is_peer() && request.host() != self.request.host();
        let moved = match is_moved {
            true => self.shared.plan(&Arc::new(request.clone())).await.course.pool(),
            false => None,
        };
        moved.unwrap_or_else(|| lease.pool().clone())
    }

    fn carry_session(&self, request: &mut Request, lease: &SessionLease<T, S>) {
        if lease.trigger().cookie_mode {
            self.shared.carry_cookies(request, lease.session());
        } else {
            request.set_param("session", json!({"id": lease.session().id().to_string()}));
        }
        if let Some(tags) = self.shared.tags(request.params().get("tags"), lease.pool(), "use") {
            request.set_param("tags", tags);
        }
    }

    /// Notes what became of a try.
    pub(crate) fn note(&mut self, lease: &SessionLease<T, S>, outcome: impl Into<String>) {
        self.trace.attempts.push(Attempt { session: Some(lease.session().id()), outcome: outcome.into() });
    }
}

/// What is sent of a request without a session of ours.
fn plain_params<'r>(request: &'r Request, unmanaged: Option<&Unmanaged>) -> Cow<'r, Object> {
    let mut params = Cow::Borrowed(request.params());
    if unmanaged == Some(&Unmanaged::Declined) {
        // The API knows no null there.
        params.to_mut().shift_remove("session");
    }
    params
}

fn domain_ended(reason: &str) -> Stop {
    Stop::fail(FailureKind::Domain, format!("requests of this domain have ended: {reason}"))
}

pub(crate) fn outcome_of(result: &Result<Answer, CallError>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(CallError::Api(problem)) => format!("{} {}", problem.status, problem.kind),
        Err(error) => FailureKind::of_call(error).word().to_owned(),
    }
}
