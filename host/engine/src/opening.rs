//! Sessions on their way: the tasks that initialise them, and what lives when they are done.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use carousel_core::cookies::CookieJar;
use carousel_core::exchange::{Object, Request};
use carousel_core::hooks::{Hook, HookError, PoolChoice, SessionHandle};
use carousel_core::id::{PoolId, SessionId, SiteId, Ticket};
use carousel_core::place::Place;
use carousel_core::pool::{EndReason, Opened, Start};
use carousel_core::time::Instant;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tracing::Instrument as _;

use crate::call::Repeats;
use crate::engine::Shared;
use crate::init;
use crate::ports::{Site, Sites, Transport};
use crate::prepared::Managed;

/// What an initialisation needs to know of the request that triggered it.
pub(crate) struct Trigger<S: Sites> {
    /// The request's place in the order of those who wait at the gate.
    pub(crate) ticket: Ticket,
    pub(crate) request: Arc<Request>,
    pub(crate) site: Option<Arc<S::Site>>,
    pub(crate) pool: PoolId,
    /// Where on earth the pool's sessions are.
    pub(crate) place: Place,
    pub(crate) choice: PoolChoice,
    pub(crate) cookie_mode: bool,
    pub(crate) location: Mutex<Result<Arc<Object>, HookError>>,
    /// Has an initialisation failed for the location's error already?
    pub(crate) told: AtomicBool,
    /// How often a call has failed whose initialisation a busy API has cut short: they count for the next one.
    pub(crate) failed: Mutex<Option<Repeats>>,
}

impl<S: Sites> Trigger<S> {
    /// The trigger that a request is; an error is that of its `pool` hook.
    pub(crate) fn new(
        ticket: Ticket,
        request: Arc<Request>,
        site: Option<Arc<S::Site>>,
        managed: Managed,
    ) -> Result<Self, HookError> {
        let Managed { plan, pool, place } = managed;
        let choice = plan.pool?;
        Ok(Self {
            ticket,
            request,
            site,
            pool: pool.unwrap_or_else(|| PoolId::new(choice.id.as_str())),
            place,
            choice,
            cookie_mode: plan.cookie_mode,
            location: Mutex::new(plan.location.map(Arc::new)),
            told: AtomicBool::new(false),
            failed: Mutex::default(),
        })
    }

    /// Does the request's site answer this hook itself?
    pub(crate) fn overrides(&self, hook: Hook) -> bool {
        self.site.as_ref().is_some_and(|site| site.overrides(hook))
    }

    /// The same for an edited request.
    pub(crate) fn with_request(&self, request: Arc<Request>) -> Self {
        Self {
            ticket: self.ticket,
            request,
            site: self.site.clone(),
            pool: self.pool.clone(),
            place: self.place.clone(),
            choice: self.choice.clone(),
            cookie_mode: self.cookie_mode,
            location: Mutex::new(self.known_location()),
            told: AtomicBool::new(self.told.load(Ordering::Relaxed)),
            failed: Mutex::default(),
        }
    }

    /// Takes, or puts there, how often a call has failed.
    pub(crate) fn failed(&self) -> MutexGuard<'_, Option<Repeats>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The location in force; none if the hook for it failed.
    pub(crate) fn location(&self) -> Arc<Object> {
        self.known_location().unwrap_or_default()
    }

    /// The location in force, or why there is none.
    pub(crate) fn known_location(&self) -> Result<Arc<Object>, HookError> {
        self.location.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The hook was asked again.
    pub(crate) fn set_location(&self, location: Result<Arc<Object>, HookError>) {
        *self.location.lock().unwrap_or_else(PoisonError::into_inner) = location;
    }

    /// Why there is none, if the hook for it failed.
    pub(crate) fn location_error(&self) -> Option<HookError> {
        self.known_location().err()
    }

    /// False for the first that asks.
    pub(crate) fn is_told_of_location_error(&self) -> bool {
        self.told.swap(true, Ordering::Relaxed)
    }
}

/// A session that can be used.
pub(crate) struct LiveSession {
    pub(crate) handle: Arc<SessionHandle>,
    /// The API counts it among its sessions; it knows nothing of one that consists of cookies.
    pub(crate) counts_at_api: bool,
    /// Who initialises it.
    pub(crate) initialiser: Initialiser,
    /// Where on earth it is: as its first call says.
    pub(crate) place: OnceLock<Place>,
    /// Has the API answered a call on it?
    is_known: AtomicBool,
    /// The next request stands for the initialisation that it had none of.
    stands_for_init: AtomicBool,
    jar: Mutex<CookieJar>,
    init: Mutex<InitCalls>,
}

/// What decides how a session is initialised: the hooks with which its site does so itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Initialiser {
    site: Option<SiteId>,
    hooks: [bool; 2],
}

impl Initialiser {
    pub(crate) fn of<S: Site>(site: Option<&Arc<S>>) -> Self {
        let hooks = [Hook::Params, Hook::InitSession].map(|hook| site.is_some_and(|site| site.overrides(hook)));
        Self { site: site.map(|site| site.id()), hooks }
    }

    /// Would this one, of the same site, have to initialise what the other one has? Not where it leaves that to the host, and not what
    /// another site shares.
    pub(crate) fn supersedes(&self, other: &Self) -> bool {
        self.site == other.site && self.hooks != other.hooks && self.hooks.contains(&true)
    }
}

/// How the calls of an initialisation went, whatever a plugin makes of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct InitCalls {
    /// When the last one was sent that the API has answered with a page; before there is such a one, the first that it may have heard: that
    /// was not refused for being one too many. Since then the API may know the session.
    pub(crate) heard: Option<Instant>,
    /// Why the last one was not taken or not sent, if that was nobody's fault.
    pub(crate) hindrance: Option<Hindrance>,
    /// One was answered, and so has cost something.
    pub(crate) is_paid: bool,
    /// How long the machine had slept when that one was sent.
    pub(crate) slept: Duration,
    /// One was not sent because it would have come from another place than the session.
    pub(crate) is_misplaced: bool,
}

/// What keeps an initialisation from calling, whatever its site is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hindrance {
    /// The API was too busy.
    Busy,
    /// The budget had no room.
    Unaffordable,
    /// Nobody wants the session any more.
    Unwanted,
}

impl LiveSession {
    pub(crate) fn new<S: Sites>(id: SessionId, pool: PoolId, trigger: &Trigger<S>, start: Start) -> Self {
        Self {
            handle: Arc::new(SessionHandle::new(id, pool)),
            counts_at_api: !trigger.cookie_mode,
            initialiser: Initialiser::of(trigger.site.as_ref()),
            place: OnceLock::new(),
            is_known: AtomicBool::new(false),
            stands_for_init: AtomicBool::new(start == Start::ByUse),
            jar: Mutex::default(),
            init: Mutex::default(),
        }
    }

    pub(crate) fn id(&self) -> SessionId {
        self.handle.id()
    }

    /// The API has answered a call on it.
    pub(crate) fn known(&self) {
        self.is_known.store(true, Ordering::Relaxed);
    }

    /// Is it among the sessions that the API has room for?
    pub(crate) fn is_held(&self) -> bool {
        self.counts_at_api && self.is_known.load(Ordering::Relaxed)
    }

    /// Does what becomes of this request say what an initialisation would have said? True once.
    pub(crate) fn stands_for_init(&self) -> bool {
        self.stands_for_init.swap(false, Ordering::Relaxed)
    }

    /// Has no answer said yet whether the first request on it creates it?
    pub(crate) fn is_uncreated(&self) -> bool {
        self.stands_for_init.load(Ordering::Relaxed)
    }

    pub(crate) fn init_calls(&self) -> MutexGuard<'_, InitCalls> {
        self.init.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn jar(&self) -> MutexGuard<'_, CookieJar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tasks of the initialisations under way.
#[derive(Default)]
pub(crate) struct Openings {
    tasks: Mutex<HashMap<SessionId, Option<AbortHandle>>>,
    changed: Notify,
}

impl Openings {
    fn tasks(&self) -> MutexGuard<'_, HashMap<SessionId, Option<AbortHandle>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves when no initialisation is under way.
    pub(crate) async fn none(&self) {
        loop {
            let changed = self.changed.notified();
            if self.tasks().is_empty() {
                return;
            }
            changed.await;
        }
    }

    /// Initialisations under way.
    pub(crate) fn len(&self) -> usize {
        self.tasks().len()
    }

    fn forget(&self, session: SessionId) {
        self.tasks().remove(&session);
        self.changed.notify_waiters();
    }

    /// Stops the initialisation of a session, if there is one.
    pub(crate) fn abort(&self, session: SessionId) {
        let task = self.tasks().get(&session).cloned();
        if let Some(Some(task)) = task {
            task.abort();
        }
    }
}

/// Starts the initialisation of a session.
pub(crate) fn start<T: Transport, S: Sites>(shared: &Arc<Shared<T, S>>, pool: PoolId, id: SessionId, trigger: Arc<Trigger<S>>) {
    tracing::debug!(%pool, session = %id, url = trigger.request.url(), "opening a session");
    let session = LiveSession::new(id, pool.clone(), &trigger, Start::ByInit);
    let mut report = Report { shared: Arc::clone(shared), session: Arc::new(session), has_begun: false, outcome: None };
    // What it opens next, and whoever it serves, is no part of it.
    let span = tracing::debug_span!(parent: None, "init", %pool, session = %id);
    let task = async move {
        report.has_begun = true;
        let outcome = init::initialise(&report.shared, &report.session, &trigger).instrument(span).await;
        report.finish(outcome);
    };
    // Remembered before it runs: on another thread it may end, and be forgotten, before its handle is known here.
    shared.openings.tasks().insert(id, None);
    let task = shared.runtime.spawn(task);
    if let Some(known) = shared.openings.tasks().get_mut(&id) {
        *known = Some(task.abort_handle());
    }
}

/// Tells the pool what became of an initialisation, also of one that was stopped or panicked.
struct Report<T: Transport, S: Sites> {
    shared: Arc<Shared<T, S>>,
    session: Arc<LiveSession>,
    has_begun: bool,
    outcome: Option<Opened>,
}

impl<T: Transport, S: Sites> Report<T, S> {
    fn finish(mut self, outcome: Opened) {
        self.outcome = Some(outcome);
    }
}

impl<T: Transport, S: Sites> Drop for Report<T, S> {
    fn drop(&mut self) {
        let id = self.session.id();
        let pool = self.session.handle.pool();
        // One that panics would panic again: it counts.
        let stopped = if std::thread::panicking() { Opened::Bad } else { Opened::Abandoned };
        let outcome = self.outcome.unwrap_or(stopped);
        if outcome == Opened::Ready {
            self.session.known();
        }
        if !self.has_begun && self.shared.state().pools.is_opening(pool, id) {
            // Nothing runs any more: another one would not, either.
            self.shared.close("the runtime has ended");
        }
        let stillborn = self.shared.apply(|state, now| {
            if state.pools.handle_opened(pool, id, outcome, now) {
                state.sessions.insert(id, Arc::clone(&self.session));
                return None;
            }
            let why = if state.pools.is_closed(pool) { EndReason::Closed } else { EndReason::Unused };
            (outcome == Opened::Ready).then_some(why)
        });
        // It counts as opened, so it has an end.
        stillborn.into_iter().for_each(|why| self.shared.log_end(pool, id, why));
        // Only now: what the pool opens instead is under way already.
        self.shared.openings.forget(id);
        if outcome == Opened::Unaffordable {
            self.shared.tell_unaffordable();
        }
    }
}
