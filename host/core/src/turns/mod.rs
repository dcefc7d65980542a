//! Whose turn it is: which of the requests that were read ahead is started next.
//!
//! Sessions die two minutes after their last use. A crawl that takes requests as they come needs a new session for nearly
//! each of them; one that collects the requests of a site and works them off together needs one for all.
//!
//! ```text
//!             add                        poll_start                    handle_done
//!  (input) ────────▶ window, by pool ─────────────────▶ running ───────────────────▶ (gone)
//!                      ▲      │
//!       handle_outlook │      │ a pool is ready while it has lines here and room there: a free place on a live
//!         (the pools)  │      │ session, or leave to open its first one
//!                      └──────┘
//! ```
//!
//! The rules, each time a place is free:
//!
//! 1. One of four starts is for whom the other rules pass over: the ready pool whose first line was read longest ago, if more
//!    than [`PATIENCE`] windows of lines have been started since; else, once the input has ended, the pool with the most lines,
//!    so that a giant is not left alone at the end.
//! 2. While there is input, pools on turn go on, one line each in turn, until they have none left. Then the pool with the most
//!    lines gets its turn; where a session lives already a line counts [`LIVE_WEIGHT`] times.
//! 3. Once the input has ended, the pool of which the fewest lines were seen goes first, in classes that double, so that small
//!    sites are done before the giants; one on turn counts as a quarter as large.
//! 4. Only where no pool has room, one with many lines opens one session more.
//!
//! A place is taken by a request with a call under way, its own or the initialisation that it waits for. Requests whose pool
//! rests, or that wait for the API, with a pool or without ([`Outlook::parked`]), take none; as many of them as fit into the window.
//!
//! No place is left free while a pool is ready. A ready pool waits for [`PATIENCE`] windows of other lines at most, and for four
//! more for each pool that has waited longer. Each line is started once. The machine does no I/O and knows no time: it counts
//! starts. After each start, and whenever a pool has changed, the caller tells the pool's outlook.

mod group;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::id::PoolId;
use crate::pool::Outlook;
use group::{Group, Line, Rank};

/// Windows of lines that are started before a waiting line goes ahead of better ones.
pub const PATIENCE: u64 = 4;

/// How many times a line counts whose pool has a live session: it costs no initialisation.
pub const LIVE_WEIGHT: u64 = 4;

/// One of so many starts is for pools that the other rules pass over.
const SHARE: u64 = 4;

/// The order in which lines are started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Pool by pool, as the rules say.
    #[default]
    Bursts,
    /// As they are read; nothing is read ahead.
    Input,
}

/// How far to read ahead, and how many lines may run.
#[derive(Clone, Copy, Debug)]
pub struct TurnsOptions {
    /// Lines with a call under way at once.
    pub places: usize,
    /// Lines that are read ahead at most.
    pub window: usize,
    /// Bytes of these lines at most, as [`Turns::add`] is told them; one line is always allowed.
    pub window_bytes: usize,
    /// The order of starts.
    pub order: Order,
}

/// The pool of a line; none where it needs no session.
pub type PoolKey = Option<PoolId>;

/// The lines that wait, and how many run. `T` is what a line is to the caller.
#[derive(Debug)]
pub struct Turns<T> {
    options: TurnsOptions,
    groups: BTreeMap<PoolKey, Group<T>>,
    /// Ready pools, the best first.
    order: BTreeSet<(Rank, PoolKey)>,
    /// Ready pools with room, the one first whose first line was read first.
    oldest: BTreeSet<(u64, PoolKey)>,
    /// Ready pools with room, the one with the most lines last.
    largest: BTreeSet<(usize, PoolKey)>,
    lines: usize,
    bytes: usize,
    running: usize,
    parked: usize,
    started: u64,
    has_ended: bool,
}

impl<T> Turns<T> {
    /// An empty window.
    pub fn new(options: TurnsOptions) -> Self {
        Self {
            options,
            groups: BTreeMap::new(),
            order: BTreeSet::new(),
            oldest: BTreeSet::new(),
            largest: BTreeSet::new(),
            lines: 0,
            bytes: 0,
            running: 0,
            parked: 0,
            started: 0,
            has_ended: false,
        }
    }

    /// May another line be read, where the caller holds so many lines and bytes that it has not added yet?
    pub fn wants_more(&self, held: usize, held_bytes: usize) -> bool {
        let (lines, bytes) = (self.lines + held, self.bytes + held_bytes);
        match self.options.order {
            Order::Input => lines == 0 && self.has_place(),
            Order::Bursts => lines == 0 || (lines < self.options.window && bytes < self.options.window_bytes),
        }
    }

    /// Do lines start in the order in which they are read?
    pub fn is_ordered(&self) -> bool {
        self.options.order == Order::Input
    }

    /// A line was read. Returns whether the outlook of its pool is wanted: it had no line before.
    pub fn add(&mut self, pool: PoolKey, item: T, bytes: usize) -> bool {
        let pool = pool.filter(|_| self.options.order == Order::Bursts);
        let is_wanted = pool.is_some();
        let line = Line { item, bytes, read: self.started };
        self.lines += 1;
        self.bytes += bytes;
        self.change(pool, |group| group.push(line)) && is_wanted
    }

    /// No more lines will come.
    pub fn handle_end_of_input(&mut self) {
        self.has_ended = true;
        for pool in self.order.iter().map(|(_, pool)| pool.clone()).collect::<Vec<_>>() {
            self.change(pool, |_| ());
        }
    }

    /// What a pool, or the lines without one, could take now. Those without lines here do not matter.
    pub fn handle_outlook(&mut self, pool: &PoolKey, outlook: Outlook) {
        if self.groups.contains_key(pool) {
            self.change(pool.clone(), |group| group.outlook = outlook);
        }
    }

    /// A line that was started has its result.
    pub fn handle_done(&mut self, pool: &PoolKey) {
        if self.groups.contains_key(pool) {
            self.running = self.running.saturating_sub(1);
            self.change(pool.clone(), |group| group.running = group.running.saturating_sub(1));
        }
    }

    /// The next line to start, while a place is free and a pool is ready.
    pub fn poll_start(&mut self) -> Option<(PoolKey, T)> {
        if !self.has_place() {
            return None;
        }
        let pool = self.favoured().or_else(|| self.order.first().map(|(_, pool)| pool.clone()))?;
        let now = self.started;
        let line = self.change(pool.clone(), |group| group.start(now))?;
        self.started += 1;
        self.running += 1;
        self.forget(&line);
        Some((pool, line.item))
    }

    /// Lines of a pool that wait.
    pub fn backlog(&self, pool: &PoolKey) -> usize {
        self.groups.get(pool).map_or(0, |group| group.waiting.len())
    }

    /// Does a line wait or run that belongs to this pool?
    pub fn knows(&self, pool: &PoolKey) -> bool {
        self.groups.contains_key(pool)
    }

    /// The line of this pool that was added last, if one waits.
    pub fn last_of(&mut self, pool: &PoolKey) -> Option<&mut T> {
        let key = if self.options.order == Order::Bursts { pool } else { &None };
        self.groups.get_mut(key)?.waiting.back_mut().map(|line| &mut line.item)
    }

    /// Lines that wait.
    pub fn waiting(&self) -> usize {
        self.lines
    }

    /// Takes all lines out that wait.
    pub fn take_waiting(&mut self) -> Vec<T> {
        let mut taken = Vec::with_capacity(self.lines);
        for pool in self.groups.keys().cloned().collect::<Vec<_>>() {
            for line in self.change(pool, |group| std::mem::take(&mut group.waiting)) {
                self.forget(&line);
                taken.push(line.item);
            }
        }
        taken
    }

    fn forget(&mut self, line: &Line<T>) {
        self.lines = self.lines.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(line.bytes);
    }

    fn has_place(&self) -> bool {
        self.running.saturating_sub(self.parked.min(self.options.window)) < self.options.places
    }

    /// The pool of the first rule, where this start is for it.
    fn favoured(&self) -> Option<PoolKey> {
        if !self.started.is_multiple_of(SHARE) {
            return None;
        }
        let patience = PATIENCE.saturating_mul(self.options.window as u64);
        let overdue = self.oldest.first().filter(|(read, _)| self.started - read > patience).map(|(_, pool)| pool);
        let largest = || self.largest.last().filter(|_| self.has_ended).map(|(_, pool)| pool);
        overdue.or_else(largest).cloned()
    }

    /// Changes what is known of a pool and keeps all that depends on it in order. One with nothing left is forgotten.
    fn change<R>(&mut self, pool: PoolKey, change: impl FnOnce(&mut Group<T>) -> R) -> R {
        let group = self.groups.entry(pool.clone()).or_insert_with(|| Group::new(&pool));
        if let Some(place) = group.place.take() {
            self.order.remove(&(place.rank, pool.clone()));
            self.oldest.remove(&(place.read, pool.clone()));
            self.largest.remove(&(place.lines, pool.clone()));
        }
        self.parked -= group.parked();
        let result = change(group);
        self.parked += group.parked();
        group.place = group.ready(self.has_ended);
        if let Some(place) = group.place {
            self.order.insert((place.rank, pool.clone()));
            if place.has_room {
                self.oldest.insert((place.read, pool.clone()));
                self.largest.insert((place.lines, pool.clone()));
            }
        }
        if group.is_empty() {
            self.groups.remove(&pool);
        }
        result
    }
}
