//! Which site's hook runs next on the threads that hooks have, and which hooks are quick enough to need none.
//!
//! Sites take turns, one hook each, however many hooks of one of them wait, and one site never has more than its share of the
//! threads. The hooks of one site begin in the order in which they came.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What takes at most so long holds nobody up.
const QUICK: Duration = Duration::from_millis(1);

/// What takes longer than this was slow by itself, and not because the machine was busy.
const SLOW: Duration = Duration::from_millis(10);

/// Runs in a row that must have been quick before the next one counts as quick: at first, and after one that was not quite.
const TRUST: u32 = 4;

/// The most of them, after slow ones again and again.
const LONGEST_TRUST: u32 = 4_096;

/// Hooks that wait for a thread, by site. Empty sites are forgotten.
#[derive(Debug)]
pub struct HookQueue<J> {
    share: usize,
    sites: BTreeMap<Arc<str>, Lane<J>>,
    /// Sites with a hook that waits and a thread left for it, in the order of their turns.
    turns: VecDeque<Arc<str>>,
}

#[derive(Debug)]
struct Lane<J> {
    waiting: VecDeque<J>,
    running: usize,
    has_turn: bool,
}

impl<J> HookQueue<J> {
    /// Nothing waits. One site may have so many threads at once.
    pub fn new(share: usize) -> Self {
        Self { share: share.max(1), sites: BTreeMap::new(), turns: VecDeque::new() }
    }

    /// A hook of this site is to run.
    pub fn add(&mut self, site: &Arc<str>, job: J) {
        let fresh = || Lane { waiting: VecDeque::new(), running: 0, has_turn: false };
        self.sites.entry(Arc::clone(site)).or_insert_with(fresh).waiting.push_back(job);
        self.take_turn(site);
    }

    /// The next hook for a thread that is free. The caller tells when it is done.
    pub fn take_next(&mut self) -> Option<(Arc<str>, J)> {
        let site = self.turns.pop_front()?;
        let lane = self.sites.get_mut(&site)?;
        lane.has_turn = false;
        let job = lane.waiting.pop_front()?;
        lane.running += 1;
        self.take_turn(&site);
        Some((site, job))
    }

    /// A thread is done with a hook of this site.
    pub fn handle_done(&mut self, site: &Arc<str>) {
        let Some(lane) = self.sites.get_mut(site) else { return };
        lane.running = lane.running.saturating_sub(1);
        if lane.running == 0 && lane.waiting.is_empty() {
            self.sites.remove(site);
        } else {
            self.take_turn(site);
        }
    }

    fn take_turn(&mut self, site: &Arc<str>) {
        let Some(lane) = self.sites.get_mut(site) else { return };
        if !lane.has_turn && !lane.waiting.is_empty() && lane.running < self.share {
            lane.has_turn = true;
            self.turns.push_back(Arc::clone(site));
        }
    }
}

/// How long a hook has taken lately. One that was slow is trusted again after eight times as many quick runs as before.
#[derive(Clone, Copy, Debug)]
pub struct Tempo {
    quick_in_a_row: u32,
    trusted_after: u32,
}

impl Default for Tempo {
    /// Nothing is known, so it may be slow.
    fn default() -> Self {
        Self { quick_in_a_row: 0, trusted_after: TRUST }
    }
}

impl Tempo {
    /// May it run where others wait?
    pub fn is_quick(&self) -> bool {
        self.quick_in_a_row >= self.trusted_after
    }

    /// It has run once more.
    pub fn handle_ran(&mut self, took: Duration) {
        if took <= QUICK {
            self.quick_in_a_row = self.quick_in_a_row.saturating_add(1);
            return;
        }
        self.quick_in_a_row = 0;
        if took > SLOW {
            self.trusted_after = (self.trusted_after * 8).min(LONGEST_TRUST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sites() -> [Arc<str>; 3] {
        ["a", "b", "c"].map(Arc::from)
    }

    fn taken(queue: &mut HookQueue<u32>, most: usize) -> Vec<u32> {
        std::iter::from_fn(|| queue.take_next()).take(most).map(|(_, job)| job).collect()
    }

    #[test]
    fn sites_take_turns_however_many_hooks_of_one_wait() {
        let [a, b, c] = sites();
        let mut queue = HookQueue::new(10);
        (0..5).for_each(|n| queue.add(&a, n));
        queue.add(&b, 10);
        queue.add(&c, 20);
        queue.add(&b, 11);
        assert_eq!(taken(&mut queue, 6), [0, 10, 20, 1, 11, 2]);
    }

    #[test]
    fn one_site_has_no_more_than_its_share_of_the_threads() {
        let [a, b, _] = sites();
        let mut queue = HookQueue::new(2);
        (0..5).for_each(|n| queue.add(&a, n));
        assert_eq!(taken(&mut queue, 10), [0, 1]);
        queue.add(&b, 10);
        assert_eq!(taken(&mut queue, 10), [10], "another site finds a thread");
        queue.handle_done(&a);
        assert_eq!(taken(&mut queue, 10), [2]);
        queue.handle_done(&a);
        queue.handle_done(&a);
        assert_eq!(taken(&mut queue, 10), [3, 4]);
    }

    #[test]
    fn a_site_with_nothing_left_is_forgotten() {
        let [a, ..] = sites();
        let mut queue = HookQueue::new(1);
        queue.add(&a, 1);
        assert!(queue.take_next().is_some() && queue.take_next().is_none());
        queue.handle_done(&a);
        assert!(queue.sites.is_empty() && queue.turns.is_empty());
    }

    #[test]
    fn a_hook_is_trusted_after_some_quick_runs_and_the_less_so_the_more_often_it_was_slow() {
        let mut tempo = Tempo::default();
        let mut quick_runs_needed = || {
            let mut needed = 0;
            while !tempo.is_quick() {
                tempo.handle_ran(QUICK);
                needed += 1;
            }
            tempo.handle_ran(Duration::from_millis(80));
            needed
        };
        assert_eq!([quick_runs_needed(), quick_runs_needed(), quick_runs_needed(), quick_runs_needed()], [4, 32, 256, 2_048]);
    }

    #[test]
    fn a_hook_that_a_busy_machine_held_up_once_is_soon_trusted_again() {
        let mut tempo = Tempo::default();
        for _ in 0..10 {
            (0..TRUST).for_each(|_| tempo.handle_ran(QUICK));
            assert!(tempo.is_quick());
            tempo.handle_ran(SLOW);
            assert!(!tempo.is_quick());
        }
    }
}
