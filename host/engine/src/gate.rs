//! The gate before a request takes a session: while the API is busy it holds back what must wait, without holding a session.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carousel_core::exchange::{CallError, Problem};
use carousel_core::id::{PoolId, Ticket};
use carousel_core::pace::{Pace, Pick, Scope};
use carousel_core::time::Instant;
use tokio::sync::oneshot;

use crate::engine::Shared;
use crate::ports::{Sites, Transport};

/// Who waits at the gate, and the machine that decides.
#[derive(Default)]
pub(crate) struct Gate(Mutex<State>);

#[derive(Default)]
struct State {
    pace: Pace,
    waiting: HashMap<Ticket, oneshot::Sender<()>>,
    /// How many of a pool wait.
    pools: BTreeMap<PoolId, usize>,
}

/// The right to have one call under way. Given back on drop, whether it was used or not.
pub(crate) struct Pass<T: Transport, S: Sites> {
    shared: Arc<Shared<T, S>>,
    ticket: Ticket,
}

impl<T: Transport, S: Sites> Drop for Pass<T, S> {
    fn drop(&mut self) {
        self.shared.at_gate(|pace, now| pace.handle_done(self.ticket, now));
    }
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When it wants to be woken.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.state().pace.poll_timeout()
    }

    /// How many requests of a pool wait here.
    pub(crate) fn waiting(&self, pool: &PoolId) -> usize {
        self.state().pools.get(pool).copied().unwrap_or_default()
    }
}

impl<T: Transport, S: Sites> Shared<T, S> {
    /// Waits until a call on this URL may start. A ticket that comes again keeps its place in the order. Dropping the future leaves
    /// the queue.
    pub(crate) async fn enter(self: &Arc<Self>, ticket: Ticket, url: &str, pool: Option<&PoolId>) -> Pass<T, S> {
        let pass = Pass { shared: Arc::clone(self), ticket };
        let (sender, mut admitted) = oneshot::channel();
        self.gate.state().waiting.insert(ticket, sender);
        let _leaves = Leave { shared: self, ticket };
        self.at_gate(|pace, now| pace.handle_request(ticket, Scope::site(url), now));
        if admitted.try_recv().is_ok() {
            return pass;
        }
        let _parked = Parked::new(self, pool);
        tokio::select! {
            _ = admitted => {}
            _ = self.closed() => {}
        }
        pass
    }

    /// Until when no call on this URL may be sent, if so.
    pub(crate) fn pauses_until(&self, url: &str) -> Option<Instant> {
        self.gate.state().pace.pauses_until(&Scope::site(url), self.now())
    }

    /// Hears what became of a call: slows its scope if the API is too busy for it.
    pub(crate) fn tell_gate(self: &Arc<Self>, url: &str, sent: Instant, error: Option<&CallError>) {
        match error {
            // Nobody has answered, so nobody was free.
            Some(CallError::Network(_)) => {}
            Some(CallError::Api(problem)) => match Scope::slowed_by(problem, url) {
                Some(scope) => self.slow(&scope, sent, problem),
                None => self.at_gate(|pace, now| pace.handle_answer(&Scope::site(url), now)),
            },
            Some(CallError::BadAnswer(_)) | None => self.at_gate(|pace, now| pace.handle_answer(&Scope::site(url), now)),
        }
    }

    fn slow(self: &Arc<Self>, scope: &Scope, sent: Instant, problem: &Problem) {
        let asked = problem.retry_after.filter(|_| self.policies.options.honour_retry_after);
        let pick = Pick { random: self.random(), scale: self.policies.options.wait_scale };
        self.stats().count_busy(scope == &Scope::Everything);
        let slows = self.at_gate(|pace, now| pace.handle_busy(scope, sent, asked, pick, now));
        if let Some(pause) = slows {
            tracing::info!(%scope, pause = pause.as_secs_f64(), "the API is busy; slowing down: {problem}");
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
        while let Some(ticket) = state.pace.poll_admitted() {
            // Where nobody listens any more the pass is dropped, and with it the place.
            let _ = state.waiting.remove(&ticket).map(|sender| sender.send(()));
        }
        if state.pace.poll_timeout() != before {
            self.wake.notify_one();
        }
        result
    }
}

/// A place in the queue at the gate, given up on drop.
struct Leave<'e, T: Transport, S: Sites> {
    shared: &'e Arc<Shared<T, S>>,
    ticket: Ticket,
}

impl<T: Transport, S: Sites> Drop for Leave<'_, T, S> {
    fn drop(&mut self) {
        self.shared.gate.state().waiting.remove(&self.ticket);
    }
}

/// A request that waits here is known to wait: it takes nobody's place.
struct Parked<'e, T: Transport, S: Sites> {
    shared: &'e Arc<Shared<T, S>>,
    pool: Option<PoolId>,
}

impl<'e, T: Transport, S: Sites> Parked<'e, T, S> {
    fn new(shared: &'e Arc<Shared<T, S>>, pool: Option<&PoolId>) -> Self {
        if let Some(pool) = pool {
            *shared.gate.state().pools.entry(pool.clone()).or_default() += 1;
            shared.tell_listener(pool);
        }
        Self { shared, pool: pool.cloned() }
    }
}

impl<T: Transport, S: Sites> Drop for Parked<'_, T, S> {
    fn drop(&mut self) {
        let Some(pool) = &self.pool else { return };
        {
            let mut state = self.shared.gate.state();
            let left = state.pools.get(pool).copied().unwrap_or_default().saturating_sub(1);
            match left {
                0 => drop(state.pools.remove(pool)),
                left => drop(state.pools.insert(pool.clone(), left)),
            }
        }
        self.shared.tell_listener(pool);
    }
}
