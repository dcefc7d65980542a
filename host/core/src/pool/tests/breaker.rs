//! A model check of the circuit breaker: every sequence of events over a small alphabet, up to a depth, with its rules looked at
//! after each event.
//!
//! States that differ only in names and in the absolute time are one, so the tree of sequences folds into a graph of some thousand
//! states that is searched completely.

use std::collections::HashSet;
use std::time::Duration;

use super::super::*;
use crate::settings::{OnBadInits, PoolOptions};

const COOL_DOWN: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Ask,
    Cancel,
    Opened(Opened),
    Used(Used),
    /// Until the pool wants to be woken, or half a cool-down where it does not.
    Wait,
    /// Until the end of the cool-down.
    CoolDown,
}

const EVENTS: [Event; 15] = [
    Event::Ask,
    Event::Cancel,
    Event::Opened(Opened::Ready),
    Event::Opened(Opened::Bad),
    Event::Opened(Opened::BadFor(Duration::from_secs(40))),
    Event::Opened(Opened::Unavailable(None)),
    Event::Opened(Opened::Hindered(None)),
    Event::Opened(Opened::Refused),
    Event::Opened(Opened::LeftAlone),
    Event::Opened(Opened::PutOff(Duration::from_secs(40))),
    Event::Opened(Opened::Abandoned),
    Event::Used(Used::Good),
    Event::Used(Used::Expired),
    Event::Wait,
    Event::CoolDown,
];

/// A pool and what an observer has seen of it.
#[derive(Clone)]
struct World {
    pool: Pool<u64>,
    chance: Chance,
    now: Instant,
    asked: u64,
    waiting: Vec<Ticket>,
    opening: Vec<SessionId>,
    leases: Vec<Lease>,
    live: usize,
    /// From the first time the circuit opened until the next good initialisation: the end of the cool-down and its length.
    open: Option<(Instant, Duration)>,
    /// Openings that the pool has started since this cool-down ended.
    tries: usize,
    path: Vec<Event>,
}

impl World {
    fn new(options: PoolOptions) -> Self {
        Self {
            pool: Pool::new(options),
            chance: Chance::from_seed(1),
            now: Instant::START,
            asked: 0,
            waiting: Vec::new(),
            opening: Vec::new(),
            leases: Vec::new(),
            live: 0,
            open: None,
            tries: 0,
            path: Vec::new(),
        }
    }

    /// The world after an event, if the event can happen.
    fn after(&self, event: Event) -> Option<Self> {
        let mut next = self.clone();
        next.path.push(event);
        match event {
            Event::Ask if self.waiting.len() < 3 => {
                next.asked += 1;
                let ticket = Ticket::new(next.asked);
                next.waiting.push(ticket);
                next.pool.handle_request(ticket, next.asked, Start::ByInit, next.now, &mut next.chance);
            }
            Event::Cancel => {
                let ticket = (!self.waiting.is_empty()).then(|| next.waiting.remove(0))?;
                next.pool.handle_cancel(ticket);
            }
            Event::Opened(outcome) => {
                let session = (!self.opening.is_empty()).then(|| next.opening.remove(0))?;
                let lives = next.pool.handle_opened(session, outcome, next.now, &mut next.chance);
                assert_eq!(lives, outcome == Opened::Ready, "{:?}", next.path);
                if outcome == Opened::Ready {
                    next.live += 1;
                    next.open = None;
                    next.tries = 0;
                }
            }
            Event::Used(outcome) => {
                let lease = next.leases.pop()?;
                next.pool.handle_used(lease, outcome, 0, next.now, &mut next.chance);
            }
            Event::Wait => {
                let wake = self.pool.poll_timeout().map(|(at, _)| at);
                next.pass(wake.unwrap_or(self.now + COOL_DOWN / 2));
            }
            Event::CoolDown => {
                let until = self.pool.breaker.refuses(self.now)?;
                next.pass(until);
            }
            Event::Ask => return None,
        }
        next.drain();
        next.look();
        Some(next)
    }

    fn pass(&mut self, until: Instant) {
        while let Some((at, _)) = self.pool.poll_timeout().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            self.pool.handle_timeout(self.now, &mut self.chance);
            self.drain();
            let stuck = self.pool.poll_timeout().is_some_and(|(next, _)| next <= self.now);
            assert!(!stuck, "the timeout did not move: {:?}", self.path);
        }
        self.now = self.now.max(until);
        let is_long_ago = |(until, _): &mut (Instant, Duration)| self.now >= *until + self.pool.options().max_cool_down;
        if self.pool.breaker.is_fresh() && self.opening.is_empty() && self.waiting.is_empty() {
            self.open.take_if(is_long_ago);
        }
    }

    fn drain(&mut self) {
        while let Some(action) = self.pool.poll_action() {
            match action {
                Action::Begin { .. } => panic!("nobody asks for this"),
                Action::Open { session, .. } => {
                    self.opening.push(session);
                    self.opened();
                    assert!(self.pool.handle_called(session, true, self.now));
                }
                Action::Grant { ticket, lease } => {
                    self.waiting.retain(|known| *known != ticket);
                    self.leases.push(lease);
                }
                Action::Refuse { ticket, .. } => self.waiting.retain(|known| *known != ticket),
                Action::Retire { session, .. } => {
                    self.leases.retain(|lease| lease.session != session);
                    self.live -= 1;
                }
                Action::Cancel { .. } | Action::CloseCrawl | Action::Forget => panic!("{action:?} after {:?}", self.path),
            }
        }
        self.notice_circuit();
    }

    /// No opening is started while the circuit is open, and at most one at a time afterwards.
    fn opened(&mut self) {
        let Some((until, _)) = self.open else { return };
        assert!(self.now >= until, "a try during the cool-down: {:?}", self.path);
        self.tries += 1;
        assert!(self.pool.opening() <= 1, "two tries at once: {:?}", self.path);
    }

    /// A cool-down begins when the circuit opens, and a longer one when a try has failed.
    fn notice_circuit(&mut self) {
        let Some(until) = self.pool.breaker.refuses(self.now) else { return };
        match self.open {
            None => self.open = Some((until, COOL_DOWN)),
            Some((known, _)) if known == until => {}
            Some((_, length)) => {
                let longer = (length * 2).min(self.pool.options().max_cool_down);
                assert_eq!(until, self.now + longer, "the cool-down grows up to its limit: {:?}", self.path);
                self.open = Some((until, longer));
                self.tries = 0;
            }
        }
    }

    fn look(&self) {
        let is_open = self.pool.breaker.is_trying();
        assert_eq!(
            is_open,
            self.open.is_some(),
            "only a good initialisation closes the circuit, or a long time without any: {:?}",
            self.path
        );
        assert_eq!(self.pool.waiting(), self.waiting.len(), "a request was forgotten: {:?}", self.path);
        if !self.waiting.is_empty() {
            let something_comes = !self.opening.is_empty() || !self.leases.is_empty() || self.pool.poll_timeout().is_some();
            assert!(something_comes, "requests wait and nothing will happen: {:?}", self.path);
            let is_empty = self.live == 0 && self.opening.is_empty();
            let only_cooling = self.pool.breaker.refuses(self.now).is_some() && is_empty;
            assert!(!only_cooling, "requests wait for a circuit that is open: {:?}", self.path);
        }
    }

    /// Whatever has happened: if from now on every initialisation fails, or gets no session, those who wait are refused; if it succeeds,
    /// served.
    fn ends_well(&self) {
        for outcome in [Opened::Bad, Opened::Refused, Opened::Unavailable(None), Opened::Ready] {
            let mut world = self.clone();
            for _ in 0..100 {
                if world.waiting.is_empty() {
                    break;
                }
                let next = world.after(Event::Opened(outcome)).or_else(|| world.after(Event::Used(Used::Good)));
                world = next.or_else(|| world.after(Event::Wait)).expect("waiting is always possible");
            }
            assert!(world.waiting.is_empty(), "{} wait for ever: {:?}", world.waiting.len(), self.path);
        }
    }

    /// What the future depends on: names and the absolute time left out.
    fn shape(&self) -> String {
        let times = |at: Instant| (at.since(self.now), self.now.since(at));
        let sessions =
            self.pool.sessions.iter().map(|s| (times(s.created), times(s.last_used), times(s.rests_until), s.in_flight));
        let opening = self.pool.opening.iter().map(|o| (times(o.since), o.paused_until.map(times), o.owner.is_some()));
        format!(
            "{:?} {:?} {} {:?} {:?} {:?} {:?} {}",
            sessions.collect::<Vec<_>>(),
            opening.collect::<Vec<_>>(),
            self.waiting.len(),
            self.pool.breaker.shape(self.now),
            self.pool.opening.iter().map(|opening| opening.lacking_since.map(times)).collect::<Vec<_>>(),
            self.open.map(|(until, length)| (times(until), length)),
            self.leases.iter().map(|lease| times(lease.granted)).collect::<Vec<_>>(),
            self.tries,
        )
    }
}

fn check(options: &PoolOptions, depth: usize) -> usize {
    let mut known = HashSet::new();
    let mut frontier = vec![World::new(options.clone())];
    for _ in 0..depth {
        let mut next = Vec::new();
        for world in &frontier {
            for after in EVENTS.into_iter().filter_map(|event| world.after(event)) {
                if known.insert(after.shape()) {
                    after.ends_well();
                    next.push(after);
                }
            }
        }
        frontier = next;
    }
    known.len()
}

#[test]
fn the_breaker_keeps_its_rules_in_every_sequence_of_events() {
    let depth = std::env::var("CAROUSEL_BREAKER_DEPTH").ok().and_then(|depth| depth.parse().ok()).unwrap_or(7);
    for growth in [Growth::Thrifty, Growth::OnDemand, Growth::Eager] {
        let options = PoolOptions {
            size: 2,
            max_in_flight: std::num::NonZeroU32::new(1),
            growth,
            max_bad_inits: 2,
            on_bad_inits: OnBadInits::OpenCircuit,
            cool_down: COOL_DOWN,
            max_cool_down: COOL_DOWN * 4,
            creation_retry_delay: Duration::from_secs(60),
            creation_timeout: Some(Duration::from_secs(100)),
            max_throttled: 2,
            max_age: None,
            max_idle: None,
            ..PoolOptions::default()
        };
        let states = check(&options, depth);
        assert!(states > 500, "{growth:?}: only {states} states were seen");
    }
}
