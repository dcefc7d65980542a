//! A pool under random use: whatever happens in whatever order, its rules hold.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use super::super::lifetime::MOMENT;
use super::super::*;
use crate::settings::{OnBadInits, PoolOptions};

/// What an observer knows of the pool from its actions alone.
struct World {
    pool: Pool<u64>,
    chance: Chance,
    dice: Chance,
    now: Instant,
    next_ticket: u64,
    waiting: BTreeSet<Ticket>,
    /// Waiting requests in order of arrival; in eager growth those that opened no session of their own.
    queue: VecDeque<Ticket>,
    opening: BTreeMap<SessionId, Instant>,
    /// Initialisations that have called: the latest call.
    called: BTreeMap<SessionId, Instant>,
    live: BTreeMap<SessionId, Live>,
    /// Those of them that the API may not know yet.
    unknown: BTreeSet<SessionId>,
    leases: Vec<Lease>,
    ended: BTreeSet<SessionId>,
    closed: bool,
}

struct Live {
    created: Instant,
    /// The grant of the latest use that was answered.
    answered: Instant,
    /// The grants of the uses under way.
    in_flight: Vec<Instant>,
    bans_in_a_row: u32,
}

impl Live {
    fn new(created: Instant, answered: Instant) -> Self {
        Self { created, answered, in_flight: Vec::new(), bans_in_a_row: 0 }
    }

    fn returned(&mut self, granted: Instant, outcome: Used) {
        let at = self.in_flight.iter().position(|known| *known == granted).expect("a use under way");
        self.in_flight.swap_remove(at);
        match outcome {
            Used::Good | Used::CheckFailed | Used::CheckError | Used::Throttled(_) => {
                self.answered = self.answered.max(granted);
            }
            Used::Banned => self.bans_in_a_row += 1,
            Used::Neutral | Used::Expired | Used::DownloadError | Used::Superseded => {}
            Used::Unavailable(_) | Used::Hindered(_) => {}
        }
        if outcome == Used::Good {
            self.bans_in_a_row = 0;
        }
    }
}

fn random_options(dice: &mut Chance) -> PoolOptions {
    let mut below = |n: u32| (dice.unit() * f64::from(n)) as u32;
    PoolOptions {
        size: 1 + below(5),
        max_in_flight: NonZeroU32::new(below(4)),
        delay: Duration::from_secs(u64::from(below(3))),
        randomize_delay: below(2) == 0,
        growth: [Growth::Thrifty, Growth::OnDemand, Growth::Eager][below(3) as usize],
        rotation: [Rotation::Recent, Rotation::Fifo][below(2) as usize],
        max_age: (below(3) > 0).then_some(Duration::from_secs(900)),
        max_idle: (below(3) > 0).then_some(Duration::from_secs(120)),
        margin: Duration::from_secs(10),
        max_errors: (below(3) > 0).then(|| below(6)),
        max_check_failures: below(3),
        max_bad_inits: below(4),
        on_bad_inits: if below(8) == 0 { OnBadInits::CloseCrawl } else { OnBadInits::OpenCircuit },
        cool_down: Duration::from_secs(30),
        max_cool_down: Duration::from_secs(300),
        creation_retry_delay: Duration::from_secs(u64::from(below(2) * 60)),
        creation_timeout: (below(3) > 0).then(|| Duration::from_secs(u64::from(below(4) * 60))),
        max_throttled: below(3),
        queue_timeout: (below(2) == 0).then_some(Duration::from_secs(20)),
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Chance::from_seed(seed);
        Self {
            pool: Pool::new(random_options(&mut dice)),
            chance: Chance::from_seed(seed ^ 0xabcd),
            dice,
            now: Instant::START,
            next_ticket: 0,
            waiting: BTreeSet::new(),
            queue: VecDeque::new(),
            opening: BTreeMap::new(),
            called: BTreeMap::new(),
            live: BTreeMap::new(),
            unknown: BTreeSet::new(),
            leases: Vec::new(),
            ended: BTreeSet::new(),
            closed: false,
        }
    }

    fn below(&mut self, n: usize) -> usize {
        (self.dice.unit() * n as f64) as usize
    }

    fn step(&mut self) {
        match self.below(10) {
            0..=3 => self.ask(),
            4 => self.cancel(),
            5 if self.below(2) == 0 => self.call_one(),
            5 | 6 => self.open_one(),
            7 | 8 => self.use_one(),
            _ => self.pass_time(),
        }
        self.drain();
        self.look();
        self.check();
    }

    /// What the pool says of itself fits what can be seen, and asking does not change what it does.
    fn look(&mut self) {
        let backlog = self.below(4);
        let outlook = self.pool.outlook(backlog, self.now);
        self.drain();
        let size = self.pool.options().size as usize;
        assert!(!outlook.live || !self.live.is_empty(), "a session is said to live and none does");
        assert!(outlook.parked <= self.waiting.len() + size, "{outlook:?} with {} waiting", self.waiting.len());
        if outlook.room < usize::MAX {
            let places = self.pool.live() + self.pool.opening();
            assert!(outlook.growth <= size.saturating_sub(places), "{outlook:?} with {places} of {size} sessions");
        }
        // Seldom, so that there are idle pools as well.
        if outlook.room == 0 || self.below(16) > 0 {
            return;
        }
        // Room means that one request more is served, refused, or given a session of its own at once.
        let opening = self.opening.len();
        self.ask();
        let ticket = Ticket::new(self.next_ticket);
        self.drain();
        let is_taken = !self.waiting.contains(&ticket) || self.opening.len() > opening;
        assert!(is_taken, "{outlook:?}, but the next request waits: {:?}", self.pool);
    }

    fn ask(&mut self) {
        self.next_ticket += 1;
        let ticket = Ticket::new(self.next_ticket);
        self.waiting.insert(ticket);
        self.queue.push_back(ticket);
        let start = [Start::ByInit, Start::ByUse][self.below(2)];
        self.pool.handle_request(ticket, self.next_ticket, start, self.now, &mut self.chance);
    }

    fn cancel(&mut self) {
        let at = self.below(self.waiting.len().max(1));
        let Some(ticket) = self.waiting.iter().nth(at).copied() else { return };
        self.forget(ticket);
        self.pool.handle_cancel(ticket);
    }

    fn call_one(&mut self) {
        let at = self.below(self.opening.len().max(1));
        let Some(session) = self.opening.keys().nth(at).copied() else { return };
        let is_first = self.called.insert(session, self.now).is_none() || self.below(4) == 0;
        if is_first {
            self.opening.insert(session, self.now);
        }
        assert!(self.pool.handle_called(session, is_first, self.now), "an initialisation that calls is wanted");
        if is_first && self.below(4) == 0 {
            self.called.remove(&session);
            self.pool.handle_refused(session);
        }
    }

    fn open(&mut self, session: SessionId, since: Instant, outcome: Opened) {
        let called = self.called.remove(&session).unwrap_or(self.now);
        let longest_age = self.pool.options().max_age.map(|age| age - self.pool.options().margin);
        let lives = self.pool.handle_opened(session, outcome, self.now, &mut self.chance);
        let is_born_dead = longest_age.is_some_and(|longest| self.now.since(since) >= longest);
        assert_eq!(lives, matches!(outcome, Opened::Ready | Opened::ReadyElsewhere) && !is_born_dead);
        if lives {
            self.unknown.extend((outcome == Opened::ReadyElsewhere).then_some(session));
            // However long its last call took, it may be lent for a moment.
            let idle =
                self.pool.options().max_idle.map_or(called, |idle| (self.now + MOMENT + self.pool.options().margin) - idle);
            self.live.insert(session, Live::new(since, called.max(idle)));
        }
    }

    fn open_one(&mut self) {
        let at = self.below(self.opening.len().max(1));
        let Some((&session, &since)) = self.opening.iter().nth(at) else { return };
        let outcomes = [
            Opened::Ready,
            Opened::Ready,
            Opened::Ready,
            Opened::Ready,
            Opened::ReadyElsewhere,
            Opened::Bad,
            Opened::BadFor(Duration::from_secs(5)),
            Opened::Unavailable(None),
            Opened::Hindered(None),
            Opened::Refused,
            Opened::LeftAlone,
            Opened::PutOff(Duration::from_secs(5)),
            Opened::Abandoned,
        ];
        let rarely = self.below(200) == 0;
        let outcome = if rarely { Opened::Unaffordable } else { outcomes[self.below(outcomes.len())] };
        self.opening.remove(&session);
        self.open(session, since, outcome);
    }

    fn use_one(&mut self) {
        if self.leases.is_empty() {
            return;
        }
        let at = self.below(self.leases.len());
        let lease = self.leases.swap_remove(at);
        let outcomes = [
            Used::Good,
            Used::Good,
            Used::Good,
            Used::Good,
            Used::Neutral,
            Used::CheckFailed,
            Used::CheckError,
            Used::Expired,
            Used::Banned,
            Used::DownloadError,
            Used::Throttled(Duration::from_secs(3)),
            Used::Superseded,
            Used::Unavailable(None),
            Used::Unavailable(Some(Duration::from_secs(5))),
            Used::Hindered(Some(Duration::from_secs(5))),
        ];
        if self.below(8) == 0 {
            if let Some(live) = self.live.get_mut(&lease.session) {
                live.returned(lease.granted, Used::Neutral);
            }
            return self.pool.handle_unused(lease, self.now, &mut self.chance);
        }
        let outcome = outcomes[self.below(outcomes.len())];
        if let Some(live) = self.live.get_mut(&lease.session) {
            live.returned(lease.granted, outcome);
        }
        self.pool.handle_used(lease, outcome, 0, self.now, &mut self.chance);
        if !matches!(outcome, Used::Neutral | Used::Superseded) {
            self.unknown.remove(&lease.session);
        }
    }

    fn pass_time(&mut self) {
        let step = [0, 1, 3, 20, 130][self.below(5)];
        let until = self.now + Duration::from_secs(step);
        while let Some((at, _)) = self.pool.poll_timeout().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            self.pool.handle_timeout(self.now, &mut self.chance);
            self.drain();
            assert!(
                self.pool.poll_timeout().is_none_or(|(next, _)| next > self.now),
                "the timeout did not move past {:?}",
                self.now
            );
        }
        self.now = until;
    }

    fn drain(&mut self) {
        while let Some(action) = self.pool.poll_action() {
            match action {
                Action::Open { session, .. } => {
                    assert!(
                        !self.ended.contains(&session) && self.opening.insert(session, self.now).is_none(),
                        "an id is never used twice"
                    );
                }
                Action::Begin { session, .. } => {
                    assert!(!self.ended.contains(&session) && self.unknown.insert(session), "an id is never used twice");
                    self.live.insert(session, Live::new(self.now, self.now));
                }
                Action::Grant { ticket, lease } => self.granted(ticket, lease),
                Action::Refuse { ticket, .. } => assert!(self.forget(ticket), "{ticket} was refused but did not wait"),
                Action::Retire { session, .. } => {
                    assert!(self.ended.insert(session), "{session} ended twice");
                    assert!(self.live.remove(&session).is_some() || self.opening.remove(&session).is_some());
                }
                Action::Cancel { session } => {
                    let is_needless = self.waiting.is_empty() && !self.called.contains_key(&session);
                    assert!(is_needless && self.opening.remove(&session).is_some(), "{session} was cancelled");
                }
                Action::CloseCrawl => self.closed = true,
                Action::Forget => panic!("a pool does not forget itself"),
            }
        }
    }

    fn granted(&mut self, ticket: Ticket, lease: Lease) {
        let options = self.pool.options();
        if options.growth != Growth::Eager {
            assert_eq!(self.queue.front(), Some(&ticket), "requests are served in order");
        }
        let live = self.live.get_mut(&lease.session).expect("a live session");
        assert!(options.max_in_flight.is_none_or(|limit| live.in_flight.len() < limit.get() as usize), "a session is full");
        for (limit, since) in [(options.max_age, live.created), (options.max_idle, live.answered)] {
            assert!(limit.is_none_or(|limit| self.now.since(since) + options.margin < limit), "a session is past its life");
        }
        assert!(live.bans_in_a_row < 3, "a session is lent after its third ban in a row");
        if self.unknown.contains(&lease.session) {
            assert!(live.in_flight.is_empty(), "two at once are to create a session");
            (live.created, live.answered) = (self.now, self.now);
        }
        live.in_flight.push(self.now);
        self.leases.push(lease);
        assert!(self.forget(ticket), "{ticket} was served but did not wait");
    }

    fn forget(&mut self, ticket: Ticket) -> bool {
        self.queue.retain(|known| *known != ticket);
        self.waiting.remove(&ticket)
    }

    fn check(&self) {
        let size = self.pool.options().size as usize;
        assert!(self.pool.live() + self.pool.opening() <= size, "more than {size} sessions");
        assert_eq!(self.pool.live(), self.live.len());
        assert_eq!(self.pool.waiting(), self.waiting.len(), "a waiting request was forgotten");
        assert!(!self.closed || self.waiting.is_empty());
        if !self.waiting.is_empty() && self.leases.is_empty() {
            let somebody_will_come = !self.opening.is_empty() || self.pool.poll_timeout().is_some();
            assert!(somebody_will_come, "requests wait and nothing will happen: {:?}", self.pool);
        }
    }

    /// Lets everything that is under way end well: then nobody may be left waiting.
    fn finish(&mut self) {
        for _ in 0..10_000 {
            if self.waiting.is_empty() {
                return;
            }
            for session in self.opening.keys().copied().collect::<Vec<_>>() {
                let Some(since) = self.opening.remove(&session) else { continue };
                self.open(session, since, Opened::Ready);
                self.drain();
            }
            for lease in std::mem::take(&mut self.leases) {
                if let Some(live) = self.live.get_mut(&lease.session) {
                    live.returned(lease.granted, Used::Good);
                }
                self.pool.handle_used(lease, Used::Good, 0, self.now, &mut self.chance);
                self.unknown.remove(&lease.session);
                self.drain();
            }
            if let Some((at, _)) = self.pool.poll_timeout() {
                self.now = self.now.max(at);
                self.pool.handle_timeout(self.now, &mut self.chance);
                self.drain();
            }
        }
        panic!("{} requests were never answered: {:?}", self.waiting.len(), self.pool);
    }
}

#[test]
fn the_rules_hold_whatever_happens() {
    let events: u64 = std::env::var("CAROUSEL_POOL_EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let per_pool = 2_000;
    for seed in 0..events / per_pool {
        let mut world = World::new(seed);
        for _ in 0..per_pool {
            world.step();
        }
        world.finish();
    }
}
