//! Many pools: made at first sight, woken by one deadline queue, forgotten when nothing is left in them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::chance::Chance;
use crate::id::{PoolId, SessionId, Ticket};
use crate::pool::{Action, Lease, Opened, Outlook, Pool, Refusal, Start, Used};
use crate::settings::PoolOptions;
use crate::time::Instant;

/// All pools of an engine. The same rules of use as for one [`Pool`]: after every `handle_*`, take all actions.
#[derive(Debug)]
pub struct Pools<T> {
    pools: BTreeMap<PoolId, Entry<T>>,
    deadlines: BTreeSet<(Instant, PoolId)>,
    actions: VecDeque<(PoolId, Action<T>)>,
    chance: Chance,
    closed: Option<Refusal>,
    /// Nobody new is served any more, for this reason.
    winding_down: Option<Refusal>,
    /// Pools that have changed, while somebody wants to know.
    changed: Option<VecDeque<PoolId>>,
}

#[derive(Debug)]
struct Entry<T> {
    pool: Pool<T>,
    /// Its place in the deadline queue.
    deadline: Option<Instant>,
}

impl<T: Clone> Pools<T> {
    /// No pools yet; session ids and jitter come from `chance`.
    pub fn new(chance: Chance) -> Self {
        let (pools, deadlines, actions) = (BTreeMap::new(), BTreeSet::new(), VecDeque::new());
        Self { pools, deadlines, actions, chance, closed: None, winding_down: None, changed: None }
    }

    /// A request wants a session of this pool, which is made with `options` if it is not known; see [`Pool::handle_request`].
    pub fn handle_request(
        &mut self,
        id: &PoolId,
        options: impl FnOnce() -> PoolOptions,
        ticket: Ticket,
        trigger: T,
        start: Start,
        now: Instant,
    ) {
        if let Some(why) = self.closed.as_ref().or(self.winding_down.as_ref()) {
            return self.actions.push_back((id.clone(), Action::Refuse { ticket, why: why.clone() }));
        }
        self.pools.entry(id.clone()).or_insert_with(|| Entry { pool: Pool::new(options()), deadline: None });
        self.change(id, |pool, chance| pool.handle_request(ticket, trigger, start, now, chance));
    }

    /// The request no longer wants a session.
    pub fn handle_cancel(&mut self, id: &PoolId, ticket: Ticket) {
        self.change(id, |pool, _| pool.handle_cancel(ticket));
    }

    /// The initialisation of a session sends a call; see [`Pool::handle_called`].
    pub fn handle_called(&mut self, id: &PoolId, session: SessionId, is_first: bool, now: Instant) -> bool {
        let mut wanted = false;
        self.change(id, |pool, _| wanted = pool.handle_called(session, is_first, now));
        wanted
    }

    /// The latest call of an initialisation is over; see [`Pool::handle_call_over`].
    pub fn handle_call_over(&mut self, id: &PoolId, session: SessionId, now: Instant) {
        self.change(id, |pool, _| pool.handle_call_over(session, now));
    }

    /// The first call of an initialisation was not taken; see [`Pool::handle_refused`].
    pub fn handle_refused(&mut self, id: &PoolId, session: SessionId) {
        self.change(id, |pool, _| pool.handle_refused(session));
    }

    /// What became of an `Open`. False if there is no session; see [`Pool::handle_opened`].
    pub fn handle_opened(&mut self, id: &PoolId, session: SessionId, outcome: Opened, now: Instant) -> bool {
        let mut lives = false;
        self.change(id, |pool, chance| lives = pool.handle_opened(session, outcome, now, chance));
        lives
    }

    /// What became of a `Grant`.
    pub fn handle_used(&mut self, id: &PoolId, lease: Lease, outcome: Used, trigger: T, now: Instant) {
        self.change(id, |pool, chance| pool.handle_used(lease, outcome, trigger, now, chance));
    }

    /// A `Grant` of which nothing came; see [`Pool::handle_unused`].
    pub fn handle_unused(&mut self, id: &PoolId, lease: Lease, now: Instant) {
        self.change(id, |pool, chance| pool.handle_unused(lease, now, chance));
    }

    /// Time has passed: every pool whose moment has come is woken.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, id)) = self.deadlines.first().cloned() {
            if at > now {
                return;
            }
            self.change(&id, |pool, chance| pool.handle_timeout(now, chance));
            if self.deadlines.contains(&(at, id.clone())) {
                debug_assert!(false, "pool {id} did not move past its timeout");
                self.deadlines.remove(&(at, id));
            }
        }
    }

    /// Ends one pool: its requests are refused from now on, also where the pool was forgotten meanwhile. It is remembered for good.
    pub fn handle_close_pool(&mut self, id: &PoolId, why: Refusal) {
        if self.closed.is_some() {
            return;
        }
        self.pools.entry(id.clone()).or_insert_with(|| Entry { pool: Pool::new(PoolOptions::default()), deadline: None });
        self.change(id, |pool, _| pool.handle_close(why));
    }

    /// Ends all pools.
    pub fn handle_close(&mut self, why: Refusal) {
        for id in self.pools.keys().cloned().collect::<Vec<_>>() {
            self.change(&id, |pool, _| pool.handle_close(why.clone()));
        }
        self.closed = Some(why);
    }

    /// The crawl ends: what is paid is finished, nothing new is begun; see [`Pool::handle_wind_down`].
    pub fn handle_wind_down(&mut self, why: Refusal) {
        for id in self.pools.keys().cloned().collect::<Vec<_>>() {
            self.change(&id, |pool, _| pool.handle_wind_down(why.clone()));
        }
        self.winding_down = Some(why);
    }

    /// What a pool could take now; see [`Pool::outlook`].
    pub fn outlook(&mut self, id: &PoolId, backlog: usize, now: Instant) -> Outlook {
        if self.closed.is_some() {
            return Outlook::OPEN;
        }
        let Some(entry) = self.pools.get_mut(id) else { return Outlook::FRESH };
        let outlook = entry.pool.outlook(backlog, now);
        entry.keep_deadline(id, &mut self.deadlines);
        outlook
    }

    /// From now on somebody wants to know which pools change.
    pub fn watch(&mut self) {
        self.changed.get_or_insert_default();
    }

    /// The next pool that has changed.
    pub fn poll_changed(&mut self) -> Option<PoolId> {
        self.changed.as_mut()?.pop_front()
    }

    /// Will this session still be good at this time? See [`Pool::outlives`].
    pub fn outlives(&self, id: &PoolId, session: SessionId, at: Instant) -> bool {
        self.pools.get(id).is_some_and(|entry| entry.pool.outlives(session, at))
    }

    /// Is this initialisation under way or paused?
    pub fn is_opening(&self, id: &PoolId, session: SessionId) -> bool {
        self.pools.get(id).is_some_and(|entry| entry.pool.is_opening(session))
    }

    /// Was this pool closed, or all of them?
    pub fn is_closed(&self, id: &PoolId) -> bool {
        self.closed.is_some() || self.pools.get(id).is_some_and(|entry| entry.pool.is_closed())
    }

    /// The next thing to do, and the pool it belongs to.
    pub fn poll_action(&mut self) -> Option<(PoolId, Action<T>)> {
        self.actions.pop_front()
    }

    /// When to call `handle_timeout` at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// In eager growth: would the next request of this pool open a session of its own? The first one of a pool does.
    pub fn opens_for_the_next(&self, id: &PoolId, now: Instant) -> bool {
        self.pools.get(id).is_none_or(|entry| entry.pool.opens_for_the_next(now))
    }

    /// Pools that are remembered.
    pub fn len(&self) -> usize {
        self.pools.len()
    }

    /// Is no pool remembered?
    pub fn is_empty(&self) -> bool {
        self.pools.is_empty()
    }

    /// Changes a pool, takes its actions, keeps its deadline in order and forgets it if nothing is left in it.
    fn change(&mut self, id: &PoolId, change: impl FnOnce(&mut Pool<T>, &mut Chance)) {
        let Some(entry) = self.pools.get_mut(id) else { return };
        change(&mut entry.pool, &mut self.chance);
        while let Some(action) = entry.pool.poll_action() {
            self.actions.push_back((id.clone(), action));
        }
        entry.keep_deadline(id, &mut self.deadlines);
        if entry.pool.is_forgettable() {
            self.pools.remove(id);
            self.actions.push_back((id.clone(), Action::Forget));
        }
        if let Some(changed) = self.changed.as_mut().filter(|changed| changed.back() != Some(id)) {
            changed.push_back(id.clone());
        }
    }
}

impl<T: Clone> Entry<T> {
    fn keep_deadline(&mut self, id: &PoolId, deadlines: &mut BTreeSet<(Instant, PoolId)>) {
        let deadline = self.pool.poll_timeout().map(|(at, _)| at);
        if deadline != self.deadline {
            if let Some(old) = std::mem::replace(&mut self.deadline, deadline) {
                deadlines.remove(&(old, id.clone()));
            }
            deadlines.extend(deadline.map(|at| (at, id.clone())));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn pools() -> Pools<()> {
        Pools::new(Chance::from_seed(1))
    }

    fn opened(pools: &mut Pools<()>, now: Instant) {
        while let Some((id, action)) = pools.poll_action() {
            if let Action::Open { session, .. } = action {
                pools.handle_opened(&id, session, Opened::Ready, now);
            }
        }
    }

    #[test]
    fn a_pool_leaves_when_its_last_session_has_ended() {
        let mut pools = pools();
        let id = PoolId::new("a");
        pools.handle_request(&id, PoolOptions::default, Ticket::new(1), (), Start::ByInit, Instant::START);
        let mut lease = None;
        while let Some((id, action)) = pools.poll_action() {
            if let Action::Open { session, .. } = action {
                assert!(pools.handle_opened(&id, session, Opened::Ready, Instant::START));
            } else if let Action::Grant { lease: granted, .. } = action {
                lease = Some(granted);
            }
        }
        pools.handle_used(&id, lease.unwrap(), Used::Good, (), Instant::START);
        assert_eq!(pools.len(), 1);
        let at = pools.poll_timeout().unwrap();
        assert_eq!(at, Instant::START + Duration::from_secs(110), "120 s of idleness less the margin");
        pools.handle_timeout(at);
        assert!(pools.is_empty() && pools.poll_timeout().is_none());
    }

    #[test]
    fn options_count_at_the_first_sight_of_a_pool() {
        let mut pools = pools();
        let id = PoolId::new("a");
        pools.handle_request(&id, PoolOptions::default, Ticket::new(1), (), Start::ByInit, Instant::START);
        pools.handle_request(&id, || panic!("asked again"), Ticket::new(2), (), Start::ByInit, Instant::START);
    }

    #[test]
    fn after_the_end_everybody_is_refused() {
        let mut pools = pools();
        pools.handle_request(&PoolId::new("a"), PoolOptions::default, Ticket::new(1), (), Start::ByInit, Instant::START);
        opened(&mut pools, Instant::START);
        pools.handle_close(Refusal::Closed("x".into()));
        assert!(matches!(pools.poll_action(), Some((_, Action::Retire { .. }))));
        pools.handle_request(&PoolId::new("b"), PoolOptions::default, Ticket::new(2), (), Start::ByInit, Instant::START);
        assert!(matches!(pools.poll_action(), Some((_, Action::Refuse { .. }))));
    }

    #[test]
    fn a_pool_that_was_forgotten_can_be_closed() {
        for why in [Refusal::PoolClosed("x".into()), Refusal::Budget] {
            let (mut pools, id) = (pools(), PoolId::new("a"));
            pools.handle_close_pool(&id, why.clone());
            assert!(pools.is_closed(&id) && !pools.is_closed(&PoolId::new("b")));
            pools.handle_request(&id, PoolOptions::default, Ticket::new(1), (), Start::ByInit, Instant::START);
            assert_eq!(pools.poll_action(), Some((id.clone(), Action::Refuse { ticket: Ticket::new(1), why })));
            assert_eq!((pools.poll_action(), pools.poll_timeout(), pools.len()), (None, None, 1), "it is remembered");
        }
    }
}
