//! The lines of one pool that wait, and how good it would be to start one.

use std::collections::VecDeque;

use super::{LIVE_WEIGHT, PoolKey};
use crate::pool::Outlook;

/// The lower, the sooner.
pub(super) type Rank = (u8, u64, u64, u64);

#[derive(Debug)]
pub(super) struct Line<T> {
    pub(super) item: T,
    pub(super) bytes: usize,
    /// How many lines had been started when it was read.
    pub(super) read: u64,
}

#[derive(Debug)]
pub(super) struct Group<T> {
    pub(super) waiting: VecDeque<Line<T>>,
    pub(super) running: usize,
    pub(super) outlook: Outlook,
    /// Where it stands in the orders; none while it is not ready.
    pub(super) place: Option<Place>,
    /// Lines read since it is known.
    seen: u64,
    /// While it is on turn, when its last line was started.
    turn: Option<u64>,
}

/// Where a ready group stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) rank: Rank,
    pub(super) read: u64,
    pub(super) lines: usize,
    pub(super) has_room: bool,
}

impl<T> Group<T> {
    /// What needs no session can always run.
    pub(super) fn new(pool: &PoolKey) -> Self {
        let outlook = if pool.is_some() { Outlook::FRESH } else { Outlook::OPEN };
        Self { waiting: VecDeque::new(), running: 0, outlook, place: None, seen: 0, turn: None }
    }

    /// Returns whether it had no line before.
    pub(super) fn push(&mut self, line: Line<T>) -> bool {
        self.seen += 1;
        self.waiting.push_back(line);
        self.waiting.len() == 1
    }

    /// Takes the first line. Until the outlook is told anew it is one less.
    pub(super) fn start(&mut self, now: u64) -> Option<Line<T>> {
        let line = self.waiting.pop_front()?;
        self.running += 1;
        let left = if self.outlook.room > 0 { &mut self.outlook.room } else { &mut self.outlook.growth };
        *left = if *left == usize::MAX { *left } else { left.saturating_sub(1) };
        self.turn = (!self.waiting.is_empty()).then_some(now);
        Some(line)
    }

    pub(super) fn parked(&self) -> usize {
        self.outlook.parked.min(self.running)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.running == 0
    }

    /// Where it stands, if it has a line to start and room for it.
    pub(super) fn ready(&self, has_ended: bool) -> Option<Place> {
        let read = self.waiting.front()?.read;
        let has_room = self.outlook.room > 0;
        if !has_room && self.outlook.growth == 0 {
            return None;
        }
        let lines = self.waiting.len();
        let rank = match (has_room, has_ended) {
            (false, _) => (2, u64::MAX - lines as u64, read, 0),
            (true, false) => self.rank(lines as u64, read),
            (true, true) => self.rank_at_the_end(read),
        };
        Some(Place { rank, read, lines, has_room })
    }

    fn rank(&self, lines: u64, read: u64) -> Rank {
        match self.turn {
            Some(last) => (0, last, 0, 0),
            None => (1, u64::MAX - lines * if self.outlook.live { LIVE_WEIGHT } else { 1 }, read, 0),
        }
    }

    fn rank_at_the_end(&self, read: u64) -> Rank {
        let class = u64::from(self.seen.max(1).ilog2());
        match self.turn {
            Some(last) => (1, class.saturating_sub(2), 0, last),
            None => (1, class, 1, read),
        }
    }
}
