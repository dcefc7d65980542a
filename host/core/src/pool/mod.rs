//! One pool of sessions as a state machine: who gets which session, when another is opened, when one ends.
//!
//! ```text
//!                   handle_request                       handle_used
//!        (arrives) ───────────────▶ waiting ──Grant──▶ using ─────────▶ (gone)
//!                                      │  ▲               │
//!                     needs a session  │  │ Ready         │ a fault
//!                                      ▼  │               ▼
//!        (nothing) ──Open──▶ opening ─────┴──▶ live ──Retire(reason)──▶ (ended)
//!                               │ Bad, too often
//!                               ▼
//!                        circuit open ── cool-down over: one opening tries ──▶ closed again
//! ```
//!
//! Where nothing has to be initialised ([`Start::ByUse`]) a request that needs a new session gets one at once (`Begin`, then `Grant`).
//!
//! The machine does nothing itself. It is told what happened (`handle_*`, always with the time), and says what to do
//! ([`Pool::poll_action`]) and when it wants to be woken ([`Pool::poll_timeout`]). After every `handle_*` the caller takes all
//! actions; each `Open` that is not taken back (`Cancel`) is answered once by [`Pool::handle_opened`], each `Grant` once by [`Pool::handle_used`] or
//! [`Pool::handle_unused`].
//!
//! Its rules, all checked by the randomised test: never more than `size` sessions live and opening together (in eager growth: each
//! initial session and each replacement once); never a grant on a session that is past its life, at rest or full; waiting
//! requests are served in order; nobody is served twice or forgotten; every session ends once, for one reason.

mod breaker;
mod growth;
mod lifetime;
mod outcome;
mod outlook;
mod session;
mod start;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use breaker::Breaker;
pub use outcome::{Action, EndReason, Lease, Opened, Refusal, Used, Why};
pub use outlook::Outlook;
use start::Missed;
pub use start::Start;

use crate::chance::Chance;
use crate::id::{SessionId, Ticket};
use crate::settings::{Growth, PoolOptions, Rotation};
use crate::time::Instant;
use growth::Pace;
use session::{Session, Unknown};

/// One pool. `T` is what an initialisation needs to know of the request that triggered it.
#[derive(Clone, Debug)]
pub struct Pool<T> {
    options: PoolOptions,
    /// Live sessions, the one handed out longest ago first.
    sessions: Vec<Session<T>>,
    opening: Vec<Opening<T>>,
    /// In the order of their tickets.
    waiting: VecDeque<Waiter<T>>,
    breaker: Breaker,
    /// In eager growth, how many of `size` sessions are neither live nor opening.
    unstarted: u32,
    pace: Pace,
    /// Requests that the owner holds back, as told last.
    backlog: usize,
    /// The latest time it was told.
    looked_at: Instant,
    closed: Option<Refusal>,
    /// The crawl ends: no session is opened any more but those whose first call is paid for, and this is why.
    winding_down: Option<Refusal>,
    /// The budget has no room for another initialisation.
    unaffordable: bool,
    actions: VecDeque<Action<T>>,
}

#[derive(Clone, Debug)]
struct Waiter<T> {
    ticket: Ticket,
    trigger: T,
    start: Start,
    deadline: Option<Instant>,
}

/// A session on its way.
#[derive(Clone, Debug)]
struct Opening<T> {
    session: SessionId,
    trigger: T,
    /// In eager growth, the request that opened it and is to be its first user.
    owner: Option<Ticket>,
    /// Otherwise, the waiting request that it is made for.
    asker: Option<Ticket>,
    since: Instant,
    /// When its latest call was sent, once there was one.
    called: Option<Instant>,
    /// When that one was over.
    call_over: Option<Instant>,
    /// While the API has no session for us: when to try again.
    paused_until: Option<Instant>,
    /// Whether an initialisation is tried again, or waiting requests try themselves.
    start: Start,
    /// Since when the API has had no session for it at each try.
    lacking_since: Option<Instant>,
}

impl<T: Clone> Pool<T> {
    /// An empty pool.
    pub fn new(options: PoolOptions) -> Self {
        Self {
            unstarted: options.size,
            options,
            sessions: Vec::new(),
            opening: Vec::new(),
            waiting: VecDeque::new(),
            breaker: Breaker::default(),
            pace: Pace::default(),
            backlog: 0,
            looked_at: Instant::START,
            closed: None,
            winding_down: None,
            unaffordable: false,
            actions: VecDeque::new(),
        }
    }

    /// A request wants a session, and has it opened like this if there is none for it. It is answered by one `Grant` or one `Refuse`.
    pub fn handle_request(&mut self, ticket: Ticket, trigger: T, start: Start, now: Instant, chance: &mut Chance) {
        if let Some(why) = self.refusal(now) {
            return self.actions.push_back(Action::Refuse { ticket, why });
        }
        if self.options.growth == Growth::Eager && self.may_start(now) {
            self.unstarted -= 1;
            return self.open_for(Waiter { ticket, trigger, start, deadline: None }, now, chance);
        }
        let deadline = self.options.queue_timeout.map(|limit| now + limit);
        self.enqueue(Waiter { ticket, trigger, start, deadline });
        self.settle(now, chance);
    }

    /// The request no longer wants a session. Nothing happens if it has been served or refused already.
    pub fn handle_cancel(&mut self, ticket: Ticket) {
        if let Ok(index) = self.place_of(ticket) {
            self.waiting.remove(index);
        }
        self.opening.iter_mut().filter(|opening| opening.owner == Some(ticket)).for_each(|opening| opening.owner = None);
        for session in &mut self.sessions {
            session.reserved_for.take_if(|waiter| waiter.ticket == ticket);
        }
        self.give_up_needless_openings();
    }

    /// The initialisation of a session sends a call, which is the first that the API sees of the session, or not. Without this word it
    /// is taken to have begun at its `Open`, and to have ended with a call. False if nobody wants the session any more.
    pub fn handle_called(&mut self, session: SessionId, is_first: bool, now: Instant) -> bool {
        let Some(opening) = self.opening.iter_mut().find(|opening| opening.session == session) else { return false };
        opening.since = if is_first { now } else { opening.since };
        (opening.called, opening.call_over) = (Some(now), None);
        true
    }

    /// The latest call of an initialisation is over, which may go on. Without this word it is over at its end.
    pub fn handle_call_over(&mut self, session: SessionId, now: Instant) {
        self.opening.iter_mut().filter(|opening| opening.session == session).for_each(|opening| opening.call_over = Some(now));
    }

    /// The API was too busy for the first call of an initialisation, which has still to begin.
    pub fn handle_refused(&mut self, session: SessionId) {
        self.opening.iter_mut().filter(|opening| opening.session == session).for_each(|opening| opening.called = None);
        self.give_up_needless_openings();
    }

    /// What became of an `Open`. False if there is no session: the id is not being opened, or its initialisation did not end well, or
    /// took as long as the session may live, which is as bad.
    pub fn handle_opened(&mut self, session: SessionId, outcome: Opened, now: Instant, chance: &mut Chance) -> bool {
        let Some(index) = self.opening.iter().position(|opening| opening.session == session) else { return false };
        let is_ready = matches!(outcome, Opened::Ready | Opened::ReadyElsewhere);
        let outcome = if is_ready && self.is_born_dead(index, now) { Opened::Bad } else { outcome };
        // The API has sessions; other outcomes say nothing to those that are opened beside this one.
        let is_told = |opening: &&mut Opening<T>| outcome == Opened::Ready || opening.session == session;
        if !matches!(outcome, Opened::Unavailable(_) | Opened::ReadyElsewhere) {
            self.opening.iter_mut().filter(is_told).for_each(|opening| opening.lacking_since = None);
        }
        match outcome {
            Opened::Ready | Opened::ReadyElsewhere => {
                let opening = self.opening.swap_remove(index);
                self.pace.opened(now.since(opening.since));
                let unknown = (outcome == Opened::ReadyElsewhere).then_some(Unknown::InitialisedElsewhere);
                if unknown.is_none() {
                    self.breaker.close();
                }
                self.admit(opening, unknown, now, chance);
            }
            Opened::Bad => {
                let opening = self.opening.swap_remove(index);
                self.bad_init(opening, now, chance);
            }
            Opened::Refused => {
                let opening = self.opening.swap_remove(index);
                self.refused_init(&opening, now);
            }
            Opened::BadFor(pause) => self.bad_init_for(index, pause, now, chance),
            Opened::Unavailable(pause) => self.miss_opening(index, pause, now, chance),
            Opened::Hindered(pause) => self.pause_opening(index, pause, now, chance),
            Opened::PutOff(pause) => self.put_off_opening(index, pause, now, chance),
            Opened::Unaffordable => {
                self.unaffordable = true;
                let opening = self.opening.swap_remove(index);
                self.give_up_opening(&opening, &Refusal::Budget);
            }
            Opened::LeftAlone => {
                let opening = self.opening.swap_remove(index);
                self.refuse_asker(&opening, Refusal::LeftAlone);
                self.give_up_opening(&opening, &Refusal::LeftAlone);
            }
            Opened::Abandoned => {
                let opening = self.opening.swap_remove(index);
                self.give_up_opening(&opening, &Refusal::Closed("cancelled".into()));
            }
        }
        self.settle(now, chance);
        matches!(outcome, Opened::Ready | Opened::ReadyElsewhere)
    }

    /// What became of a `Grant`. `trigger` is what a replacement would be initialised for. A session that has ended meanwhile
    /// is left in peace.
    pub fn handle_used(&mut self, lease: Lease, outcome: Used, trigger: T, now: Instant, chance: &mut Chance) {
        let Some(index) = self.sessions.iter().position(|known| known.id == lease.session) else { return };
        let Some(used) = self.sessions.get_mut(index) else { return };
        used.returned(lease, outcome, now);
        // The request that creates a session is slow as an initialisation is.
        if outcome == Used::Good && !used.is_uninitialised() {
            self.pace.used(now.since(lease.granted));
        }
        let verdict = used.verdict(outcome, &self.options);
        let start = if used.is_uninitialised() { Start::ByUse } else { Start::ByInit };
        let missed = Missed { outcome, start, lacking_since: used.lacking_since };
        let is_fruitless = verdict == Some(EndReason::Banned) && used.is_fruitless();
        let failed = self.judge_start(index, outcome, now.since(lease.granted), now);
        self.judge_bans(outcome, is_fruitless && failed.is_none(), now);
        if let Some(reason) = failed {
            self.retire(index, reason);
        } else if let Some(reason) = verdict {
            self.retire(index, reason);
            if reason == EndReason::Uncreated {
                self.miss_start(missed, trigger, now, chance);
            } else if self.options.growth == Growth::Eager && self.may_start(now) {
                self.unstarted -= 1;
                self.open(trigger, None, None, now, chance);
            }
        }
        self.settle(now, chance);
    }

    /// A `Grant` of which nothing came, as no call was sent: answers it as `handle_used` would, and no rest follows.
    pub fn handle_unused(&mut self, lease: Lease, now: Instant, chance: &mut Chance) {
        let Some(index) = self.sessions.iter().position(|known| known.id == lease.session) else { return };
        let Some(session) = self.sessions.get_mut(index) else { return };
        session.taken_back(lease);
        if session.is_uninitialised() {
            self.retire(index, EndReason::Uncreated);
        }
        self.settle(now, chance);
    }

    /// Time has passed: serves, gives up, reopens and retires what was due.
    pub fn handle_timeout(&mut self, now: Instant, chance: &mut Chance) {
        self.resume_openings(now, chance);
        self.settle(now, chance);
        self.give_up_late_waiters(now);
        if self.is_empty() && self.breaker.fades_at(&self.options).is_some_and(|at| at <= now) {
            self.breaker = Breaker::default();
        }
    }

    /// Ends the pool: everybody is refused from now on, live sessions retire. Initialisations under way are forgotten.
    pub fn handle_close(&mut self, why: Refusal) {
        while !self.sessions.is_empty() {
            self.retire(0, why.ends_sessions_as());
        }
        // A closed pool is remembered for the whole crawl.
        self.sessions = Vec::new();
        for opening in std::mem::take(&mut self.opening) {
            self.refuse_owner(&opening, &why);
            if opening.paused_until.is_none() {
                self.actions.push_back(Action::Retire { session: opening.session, reason: EndReason::Closed });
            }
        }
        self.refuse_waiters(&why);
        self.closed = Some(why);
    }

    /// The crawl ends, and what is paid is not thrown away: initialisations that have called are finished, for as many of the waiting
    /// requests as their sessions take at once. Everybody else is refused.
    pub fn handle_wind_down(&mut self, why: Refusal) {
        let is_paid = |opening: &Opening<T>| opening.called.is_some() && opening.paused_until.is_none();
        for opening in self.opening.extract_if(.., |opening| !is_paid(opening)).collect::<Vec<_>>() {
            self.refuse_owner(&opening, &why);
            if opening.paused_until.is_none() {
                self.actions.push_back(Action::Cancel { session: opening.session });
            }
        }
        let room = self.opening.len() * self.options.max_in_flight.map_or(1, |limit| limit.get() as usize);
        for waiter in self.waiting.split_off(room.min(self.waiting.len())) {
            self.actions.push_back(Action::Refuse { ticket: waiter.ticket, why: why.clone() });
        }
        self.winding_down = Some(why);
    }

    /// The next thing to do. Ask until there is none after every `handle_*`.
    pub fn poll_action(&mut self) -> Option<Action<T>> {
        self.actions.pop_front()
    }

    /// When to call `handle_timeout` at the latest, and what for.
    pub fn poll_timeout(&self) -> Option<(Instant, Why)> {
        let with_deadlines = if self.options.queue_timeout.is_some() { self.waiting.len() } else { 0 };
        let deadlines = self.waiting.iter().take(with_deadlines).filter_map(|waiter| Some((waiter.deadline?, Why::Waiter)));
        let pauses = self.opening.iter().filter_map(|opening| Some((opening.paused_until?, Why::Reopen)));
        let lapses = self.sessions.iter().filter_map(|session| Some((self.lapses_at(session)?, Why::Lapse)));
        let rests = self.sessions.iter().filter_map(|session| self.wakes_at(session).map(|at| (at, Why::Rest)));
        let fades = if self.is_empty() { self.breaker.fades_at(&self.options).map(|at| (at, Why::Fade)) } else { None };
        let tries = self.tries_at().map(|at| (at, Why::Try));
        deadlines.chain(pauses).chain(lapses).chain(rests).chain(fades).chain(tries).min()
    }

    /// When a new session can be tried for those who want one, here or with the owner, though the circuit is open now.
    fn tries_at(&self) -> Option<Instant> {
        let is_wanted = !self.waiting.is_empty() || self.backlog > 0;
        self.breaker.cools_until().filter(|until| is_wanted && self.closed.is_none() && *until > self.looked_at)
    }

    /// Nothing lives, opens or waits here, and nobody is refused for ever.
    fn is_empty(&self) -> bool {
        let remembers = self.closed.is_some() || self.unaffordable;
        self.sessions.is_empty() && self.opening.is_empty() && self.waiting.is_empty() && !remembers
    }

    /// Nothing lives, opens or waits here, and nothing is remembered that a new pool would not know.
    pub fn is_forgettable(&self) -> bool {
        self.is_empty() && self.actions.is_empty() && self.unstarted == self.options.size && self.breaker.is_fresh()
    }

    /// In eager growth: would the next request open a session of its own?
    pub fn opens_for_the_next(&self, now: Instant) -> bool {
        self.options.growth == Growth::Eager && self.may_start(now)
    }

    /// Is this initialisation under way or paused?
    pub fn is_opening(&self, session: SessionId) -> bool {
        self.opening.iter().any(|opening| opening.session == session)
    }

    /// Does it refuse everybody for good?
    pub fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Sessions that live now.
    pub fn live(&self) -> usize {
        self.sessions.len()
    }

    /// Initialisations under way or paused.
    pub fn opening(&self) -> usize {
        self.opening.len()
    }

    /// Requests that wait, those that opened a session of their own included.
    pub fn waiting(&self) -> usize {
        let owners = self.opening.iter().filter(|opening| opening.owner.is_some()).count();
        let reserved = self.sessions.iter().filter(|session| session.reserved_for.is_some()).count();
        self.waiting.len() + owners + reserved
    }

    /// The options it was made with.
    pub fn options(&self) -> &PoolOptions {
        &self.options
    }

    /// In eager growth: is there a place for another session, and is it wise to try?
    fn may_start(&self, now: Instant) -> bool {
        let trying = self.breaker.is_trying() && !self.opening.is_empty();
        self.unstarted > 0 && !trying && self.cannot_open(now).is_none() && self.closed.is_none()
    }

    fn refusal(&self, now: Instant) -> Option<Refusal> {
        if let Some(why) = self.closed.as_ref().or(self.winding_down.as_ref()) {
            return Some(why.clone());
        }
        if let Some(why) = self.stuck(now) {
            return Some(why);
        }
        if self.longest_rest().is_some_and(|longest| longest < self.options.delay) {
            return Some(Refusal::RestsTooLong);
        }
        let never = self.options.size == 0 && self.options.queue_timeout.is_none();
        never.then_some(Refusal::NoSession)
    }

    /// No session can be opened, and there is none that could serve instead. (Initialisations that were under way when the
    /// circuit opened are not waited for.)
    fn stuck(&self, now: Instant) -> Option<Refusal> {
        let why = self.cannot_open(now).filter(|_| self.sessions.is_empty())?;
        let is_under_way = |opening: &Opening<T>| self.winding_down.is_none() || opening.paused_until.is_none();
        let may_come = (why == Refusal::Budget || self.winding_down.is_some()) && self.opening.iter().any(is_under_way);
        (!may_come).then_some(why)
    }

    /// Brings everything in order after a change: the lapsed leave, the waiting are served, new sessions are opened, and those who
    /// cannot be served are refused.
    fn settle(&mut self, now: Instant, chance: &mut Chance) {
        self.looked_at = self.looked_at.max(now);
        self.retire_lapsed(now);
        self.serve(now, chance);
        self.grow(now, chance);
        if let Some(why) = self.stuck(now) {
            self.refuse_waiters(&why);
        }
        self.give_up_needless_openings();
    }

    /// One who comes again keeps its place among those who came after it.
    fn enqueue(&mut self, waiter: Waiter<T>) {
        let (Ok(index) | Err(index)) = self.place_of(waiter.ticket);
        self.waiting.insert(index, waiter);
    }

    fn place_of(&self, ticket: Ticket) -> Result<usize, usize> {
        match self.waiting.back() {
            Some(last) if last.ticket < ticket => Err(self.waiting.len()),
            _ => self.waiting.binary_search_by_key(&ticket, |waiter| waiter.ticket),
        }
    }

    fn serve(&mut self, now: Instant, chance: &mut Chance) {
        for index in (0..self.sessions.len()).rev() {
            self.serve_owner(index, now, chance);
        }
        while !self.waiting.is_empty() {
            let Some(index) = self.choose(now) else { return };
            let Some(waiter) = self.waiting.pop_front() else { return };
            self.grant(index, waiter.ticket, now, chance);
        }
    }

    /// The request that opened a session is its first user, as soon as the session may be used.
    fn serve_owner(&mut self, index: usize, now: Instant, chance: &mut Chance) {
        let Some(session) = self.sessions.get_mut(index) else { return };
        if session.rests_until > now {
            return;
        }
        if let Some(owner) = session.reserved_for.take() {
            self.grant(index, owner.ticket, now, chance);
        }
    }

    fn choose(&self, now: Instant) -> Option<usize> {
        let usable = |session: &Session<T>| self.is_usable(session, now);
        match self.options.rotation {
            Rotation::Fifo => self.sessions.iter().position(usable),
            Rotation::Recent => self.sessions.iter().rposition(usable),
        }
    }

    fn is_usable(&self, session: &Session<T>, now: Instant) -> bool {
        session.reserved_for.is_none()
            && !session.ending
            && session.rests_until <= now
            && session.has_room(&self.options)
            && (session.unknown.is_none() || session.in_flight == 0)
            && self.lent_until(session).is_none_or(|limit| now < limit)
    }

    fn grant(&mut self, index: usize, ticket: Ticket, now: Instant, chance: &mut Chance) {
        let rest = self.rest(chance);
        if index >= self.sessions.len() {
            return;
        }
        let mut session = self.sessions.remove(index);
        let lease = Lease { session: session.id, granted: now };
        session.granted(now, rest);
        self.actions.push_back(Action::Grant { ticket, lease });
        self.sessions.push(session);
    }

    fn open(&mut self, trigger: T, owner: Option<Ticket>, asker: Option<Ticket>, now: Instant, chance: &mut Chance) {
        let session = chance.session_id();
        self.actions.push_back(Action::Open { session, trigger: trigger.clone() });
        let (start, since) = (Start::ByInit, now);
        let (called, call_over, paused_until, lacking_since) = (None, None, None, None);
        let opening = Opening { session, trigger, owner, asker, since, called, call_over, paused_until, start, lacking_since };
        self.opening.push(opening);
    }

    fn retire(&mut self, index: usize, reason: EndReason) {
        if index >= self.sessions.len() {
            return;
        }
        let session = self.sessions.remove(index);
        self.actions.push_back(Action::Retire { session: session.id, reason });
        if let Some(owner) = session.reserved_for {
            self.enqueue(owner);
        }
        self.unstarted += u32::from(self.options.growth == Growth::Eager);
    }

    fn refuse_owner(&mut self, opening: &Opening<T>, why: &Refusal) {
        if let Some(ticket) = opening.owner {
            self.actions.push_back(Action::Refuse { ticket, why: why.clone() });
        }
    }

    fn refuse_waiters(&mut self, why: &Refusal) {
        for waiter in std::mem::take(&mut self.waiting) {
            self.actions.push_back(Action::Refuse { ticket: waiter.ticket, why: why.clone() });
        }
    }

    fn give_up_late_waiters(&mut self, now: Instant) {
        if self.options.queue_timeout.is_none() {
            return;
        }
        let is_late = |waiter: &Waiter<T>| waiter.deadline.is_some_and(|deadline| deadline <= now);
        let (late, waiting): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.waiting).into_iter().partition(is_late);
        self.waiting = waiting;
        for waiter in late {
            self.actions.push_back(Action::Refuse { ticket: waiter.ticket, why: Refusal::NoSession });
        }
    }
}
