//! The gate before a request takes a session and before an initialisation calls: while the API is busy it holds back what must wait,
//! without holding a session.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carousel_core::exchange::{CallError, Problem};
use carousel_core::id::PoolId;
use carousel_core::pace::{Busy, Caller, Pace, Pick, Scope, Scopes};
use carousel_core::time::Instant;
use carousel_core::turns::PoolKey;
use tokio::sync::{Notify, oneshot};

use crate::engine::Shared;
use crate::ports::{Sites, Transport};

/// Who waits at the gate, and the machine that decides.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    /// A call was answered while something was slowed.
    answered: Notify,
}

#[derive(Default)]
struct State {
    pace: Pace,
    waiting: HashMap<Caller, oneshot::Sender<()>>,
    /// How many of a pool wait, and of those without one. Bound: the pools of those who wait.
    pools: BTreeMap<PoolKey, Waiting>,
}

/// How many requests of a pool wait at the gate, themselves or by the initialisation of their session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// For all that their site or the key may do.
    pub(crate) whole: usize,
    /// For automatic extraction alone, while the pool's other requests may go on.
    pub(crate) extraction: usize,
}

/// The right to have one call under way. Given back on drop, whether it was used or not.
pub(crate) struct Pass<T: Transport, S: Sites> {
    shared: Arc<Shared<T, S>>,
    caller: Caller,
}

impl<T: Transport, S: Sites> Pass<T, S> {
    /// A call is sent, the first one or a repetition.
    pub(crate) fn sent(&self) {
        self.shared.at_gate(|pace, now| pace.handle_sent(self.caller, now));
    }

    /// Has the API become busy since, so that it does not hold any more?
    pub(crate) fn is_void(&self) -> bool {
        self.shared.gate.state().pace.must_wait_again(self.caller, self.shared.now())
    }
}

impl<T: Transport, S: Sites> Drop for Pass<T, S> {
    fn drop(&mut self) {
        self.shared.at_gate(|pace, now| pace.handle_done(self.caller, now));
    }
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When it wants to be woken.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.state().pace.poll_timeout()
    }

    /// How many wait here.
    pub(crate) fn len(&self) -> usize {
        self.state().waiting.len()
    }

    /// How many requests of a pool wait here, or of those without one.
    pub(crate) fn waiting(&self, pool: &PoolKey) -> Waiting {
        self.state().pools.get(pool).copied().unwrap_or_default()
    }
}

impl<T: Transport, S: Sites> Shared<T, S> {
    /// Waits until a call of these scopes may start; see [`AtGate`].
    pub(crate) async fn enter(self: &Arc<Self>, caller: Caller, scopes: &Scopes, pool: Option<&PoolId>) -> Pass<T, S> {
        AtGate::new(self, caller, scopes, pool).pass().await
    }

    /// Until when no call of these scopes may be sent, if so.
    pub(crate) fn pauses_until(&self, scopes: &Scopes) -> Option<Instant> {
        self.gate.state().pace.pauses_until(scopes, self.now())
    }

    /// Hears what became of a call: slows one of its scopes if the API is too busy for it, and tells when it may be sent again then.
    pub(crate) fn tell_gate(self: &Arc<Self>, scopes: &Scopes, sent: Instant, error: Option<&CallError>) -> Option<Busy> {
        // Where nobody has answered, nobody was free.
        if matches!(error, Some(CallError::Network(_))) {
            return None;
        }
        if let Some(problem) = error.and_then(CallError::problem)
            && let Some(scope) = scopes.slowed_by(problem)
        {
            return Some(self.slow(scope, sent, problem));
        }
        let is_slowed = self.at_gate(|pace, now| {
            let is_slowed = !pace.takes_calls(scopes);
            pace.handle_answer(scopes, now);
            is_slowed
        });
        if is_slowed {
            self.gate.answered.notify_waiters();
        }
        None
    }

    fn slow(self: &Arc<Self>, scope: &Scope, sent: Instant, problem: &Problem) -> Busy {
        let asked = problem.retry_after.filter(|_| self.policies.options.honour_retry_after);
        let pick = Pick { random: self.random(), scale: self.policies.options.wait_scale };
        self.stats().count_busy(scope);
        let (busy, now) = self.at_gate(|pace, now| (pace.handle_busy(scope, sent, asked, pick, now), now));
        if busy.is_new {
            tracing::info!(%scope, pause = busy.again.since(now).as_secs_f64(), "the API is busy; slowing down: {problem}");
        }
        busy
    }

    /// Waits before a call of these scopes is sent again that was answered like this; ends when the crawl is closed. Takes nobody's place.
    pub(crate) async fn rest_while_busy(self: &Arc<Self>, scopes: &Scopes, busy: Busy, pool: Option<&PoolId>) {
        let _parked = Parked::new(self, pool, scopes);
        loop {
            let answered = self.gate.answered.notified();
            if !busy.is_asked_for && self.gate.state().pace.takes_calls(scopes) {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep_until(self.clock(busy.again)) => return,
                _ = self.closed() => return,
                () = answered => {}
            }
        }
    }

    /// Waits until then, or until the crawl is closed, before a call of these scopes is sent again, without taking anybody's place.
    pub(crate) async fn rest_until(self: &Arc<Self>, until: Instant, scopes: &Scopes, pool: Option<&PoolId>) {
        let _parked = Parked::new(self, pool, scopes);
        tokio::select! {
            () = tokio::time::sleep_until(self.clock(until)) => {}
            _ = self.closed() => {}
        }
    }

    /// Those whose pause is over go on.
    pub(crate) fn wake_gate(self: &Arc<Self>) {
        self.at_gate(|pace, now| pace.handle_timeout(now));
    }

    /// The one door to the pace: change, let in who may go, see to the next wake-up.
    fn at_gate<R>(&self, change: impl FnOnce(&mut Pace, Instant) -> R) -> R {
        let now = self.now();
        let mut state = self.gate.state();
        let before = state.pace.poll_timeout();
        let result = change(&mut state.pace, now);
        while let Some(caller) = state.pace.poll_admitted() {
            // Where nobody listens any more the pass is dropped, and with it the place.
            let _ = state.waiting.remove(&caller).map(|sender| sender.send(()));
        }
        if state.pace.poll_timeout() != before {
            self.wake.notify_one();
        }
        result
    }
}

/// A place in the queue at the gate, given up on drop.
pub(crate) struct AtGate<T: Transport, S: Sites> {
    pass: Pass<T, S>,
    /// None: it is let in.
    waits: Option<Waits<T, S>>,
}

struct Waits<T: Transport, S: Sites> {
    admitted: oneshot::Receiver<()>,
    _leave: Leave<T, S>,
    _parked: Parked<T, S>,
}

impl<T: Transport, S: Sites> AtGate<T, S> {
    /// Takes a place among those who want to make a call of these scopes. One who comes again keeps his place in the order.
    pub(crate) fn new(shared: &Arc<Shared<T, S>>, caller: Caller, scopes: &Scopes, pool: Option<&PoolId>) -> Self {
        let pass = Pass { shared: Arc::clone(shared), caller };
        let (sender, mut admitted) = oneshot::channel();
        shared.gate.state().waiting.insert(caller, sender);
        let leave = Leave { shared: Arc::clone(shared), caller };
        shared.at_gate(|pace, now| pace.handle_request(caller, scopes.clone(), now));
        let is_in = admitted.try_recv().is_ok();
        let waits = (!is_in).then(|| Waits { admitted, _leave: leave, _parked: Parked::new(shared, pool, scopes) });
        Self { pass, waits }
    }

    /// Waits until the call may start, or the crawl is closed.
    pub(crate) async fn pass(self) -> Pass<T, S> {
        let Self { pass, waits } = self;
        if let Some(Waits { admitted, _leave, _parked }) = waits {
            tokio::select! {
                _ = admitted => {}
                _ = pass.shared.closed() => {}
            }
        }
        pass
    }
}

struct Leave<T: Transport, S: Sites> {
    shared: Arc<Shared<T, S>>,
    caller: Caller,
}

impl<T: Transport, S: Sites> Drop for Leave<T, S> {
    fn drop(&mut self) {
        self.shared.gate.state().waiting.remove(&self.caller);
    }
}

/// A request that waits here is known to wait: it takes nobody's place.
struct Parked<T: Transport, S: Sites> {
    shared: Arc<Shared<T, S>>,
    pool: PoolKey,
    for_extraction: bool,
}

impl<T: Transport, S: Sites> Parked<T, S> {
    fn new(shared: &Arc<Shared<T, S>>, pool: Option<&PoolId>, scopes: &Scopes) -> Self {
        let for_extraction = {
            let mut state = shared.gate.state();
            let for_extraction = state.pace.slows_extraction_alone(scopes);
            *state.pools.entry(pool.cloned()).or_default().of(for_extraction) += 1;
            for_extraction
        };
        let parked = Self { shared: Arc::clone(shared), pool: pool.cloned(), for_extraction };
        shared.tell_listener(&parked.pool);
        parked
    }
}

impl<T: Transport, S: Sites> Drop for Parked<T, S> {
    fn drop(&mut self) {
        {
            let mut state = self.shared.gate.state();
            let mut waiting = state.pools.remove(&self.pool).unwrap_or_default();
            let left = waiting.of(self.for_extraction);
            *left = left.saturating_sub(1);
            if waiting != Waiting::default() {
                state.pools.insert(self.pool.clone(), waiting);
            }
        }
        self.shared.tell_listener(&self.pool);
    }
}

impl Waiting {
    fn of(&mut self, extraction: bool) -> &mut usize {
        if extraction { &mut self.extraction } else { &mut self.whole }
    }
}
