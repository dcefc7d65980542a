//! How much memory the answers under way take together, and which of those that are still being read has to wait.
//!
//! ```text
//! begin ─▶ reading ──read──▶ at work ──gone──▶
//!            │  ▲               │
//!        more│  │wait           └─kept─▶ kept ──gone──▶
//! ```
//!
//! An answer counts from its first byte until nobody has it any more. Where there is no room, reading waits until something is gone,
//! and whoever began later waits behind it. One answer is always let through: the one whose reading began first, once nothing is at
//! work whose end it could wait for. So an answer that is larger than the limit is read alone, and a plugin that keeps an answer while
//! it downloads the next never waits for itself.

use std::collections::{BTreeMap, BTreeSet};

/// How often each byte of an answer is counted: for its text, the page in it, and what readers make of that.
pub const TIMES: u64 = 8;

/// An answer from its first byte on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reader(u64);

/// The answers under way. There is one entry for each.
#[derive(Debug)]
pub struct Memory {
    limit: u64,
    held: u64,
    peak: u64,
    answers: BTreeMap<Reader, Held>,
    reading: BTreeSet<Reader>,
    /// Those of them that were told to wait.
    waiting: BTreeSet<Reader>,
    at_work: usize,
    next: u64,
}

#[derive(Debug)]
struct Held {
    bytes: u64,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Reading,
    AtWork,
    Kept,
}

impl Memory {
    /// Room for so many bytes.
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            held: 0,
            peak: 0,
            answers: BTreeMap::new(),
            reading: BTreeSet::new(),
            waiting: BTreeSet::new(),
            at_work: 0,
            next: 0,
        }
    }

    /// The bytes that are taken now.
    pub fn held(&self) -> u64 {
        self.held
    }

    /// The most bytes that were ever taken.
    pub fn peak(&self) -> u64 {
        self.peak
    }

    /// An answer begins to arrive.
    pub fn handle_begin(&mut self) -> Reader {
        let reader = Reader(self.next);
        self.next += 1;
        self.answers.insert(reader, Held { bytes: 0, stage: Stage::Reading });
        self.reading.insert(reader);
        reader
    }

    /// More of an answer is to be read. True: it is counted. False: it waits, and asks again when an answer was kept or is gone, or
    /// another one that waited goes on.
    pub fn handle_more(&mut self, reader: Reader, bytes: u64) -> bool {
        let bytes = bytes.saturating_mul(TIMES);
        let Some(answer) = self.answers.get_mut(&reader) else { return true };
        let fits = self.held.saturating_add(bytes) <= self.limit;
        let is_its_turn = self.waiting.first().is_none_or(|first| *first >= reader);
        let waits_for_nobody = self.at_work == 0 && self.reading.first() == Some(&reader);
        if !(waits_for_nobody || fits && is_its_turn) {
            self.waiting.insert(reader);
            return false;
        }
        self.waiting.remove(&reader);
        answer.bytes = answer.bytes.saturating_add(bytes);
        self.held = self.held.saturating_add(bytes);
        self.peak = self.peak.max(self.held);
        true
    }

    /// The answer has arrived: from now on somebody works with it, and will be done some day.
    pub fn handle_read(&mut self, reader: Reader) {
        self.change(reader, Stage::AtWork);
    }

    /// Somebody keeps the answer while it waits for others.
    pub fn handle_kept(&mut self, reader: Reader) {
        self.change(reader, Stage::Kept);
    }

    fn change(&mut self, reader: Reader, stage: Stage) {
        let Some(answer) = self.answers.get_mut(&reader) else { return };
        let before = std::mem::replace(&mut answer.stage, stage);
        self.leave(reader, before);
        if stage == Stage::AtWork {
            self.at_work += 1;
        }
    }

    fn leave(&mut self, reader: Reader, stage: Stage) {
        match stage {
            Stage::Reading => {
                self.reading.remove(&reader);
                self.waiting.remove(&reader);
            }
            Stage::AtWork => self.at_work -= 1,
            Stage::Kept => {}
        }
    }

    /// Nobody has the answer any more, or its reading was given up.
    pub fn handle_gone(&mut self, reader: Reader) {
        let Some(Held { bytes, stage }) = self.answers.remove(&reader) else { return };
        self.leave(reader, stage);
        self.held = self.held.saturating_sub(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(limit: u64) -> Memory {
        Memory::new(limit * TIMES)
    }

    #[test]
    fn reading_waits_where_there_is_no_room_until_an_answer_is_gone() {
        let mut memory = memory(100);
        let [first, second] = [memory.handle_begin(), memory.handle_begin()];
        assert!(memory.handle_more(first, 60) && memory.handle_more(second, 40));
        memory.handle_read(first);
        assert!(!memory.handle_more(second, 1), "the first is at work");
        memory.handle_gone(first);
        assert!(memory.handle_more(second, 60));
        assert_eq!(memory.held(), 100 * TIMES);
    }

    #[test]
    fn an_answer_larger_than_the_limit_is_read_alone() {
        let mut memory = memory(10);
        let [first, second] = [memory.handle_begin(), memory.handle_begin()];
        assert!(memory.handle_more(first, 1000), "the first one goes through");
        assert!(!memory.handle_more(second, 1));
        memory.handle_read(first);
        assert!(!memory.handle_more(second, 1000));
        memory.handle_gone(first);
        assert!(memory.handle_more(second, 1000));
    }

    /// However many small ones there is room for: who waits first is served first.
    #[test]
    fn those_that_begin_later_wait_behind_the_one_that_waits() {
        let mut memory = memory(100);
        let [at_work, large, small] = [(); 3].map(|()| memory.handle_begin());
        assert!(memory.handle_more(at_work, 50));
        memory.handle_read(at_work);
        assert!(!memory.handle_more(large, 60) && !memory.handle_more(small, 10));
        memory.handle_gone(large);
        assert!(memory.handle_more(small, 10), "it does not wait for one that was given up");
    }

    #[test]
    fn those_that_are_half_read_do_not_wait_for_each_other() {
        let mut memory = memory(100);
        let [first, second] = [memory.handle_begin(), memory.handle_begin()];
        assert!(memory.handle_more(first, 50) && memory.handle_more(second, 50));
        assert!(!memory.handle_more(second, 10) && memory.handle_more(first, 10));
        assert_eq!(memory.peak(), 110 * TIMES);
        memory.handle_gone(first);
        assert!(memory.handle_more(second, 10));
    }

    #[test]
    fn whoever_keeps_an_answer_does_not_wait_for_itself() {
        let mut memory = memory(10);
        let kept = memory.handle_begin();
        assert!(memory.handle_more(kept, 10));
        memory.handle_read(kept);
        let next = memory.handle_begin();
        assert!(!memory.handle_more(next, 10));
        memory.handle_kept(kept);
        assert!(memory.handle_more(next, 10));
    }

    /// Any number of answers in any order: all are read in the end, and the limit is passed by one answer at most.
    #[test]
    fn every_answer_is_read_and_no_more_than_one_is_beyond_the_limit() {
        for seed in 0..200_u64 {
            let mut chance = seed;
            let mut random = |below: u64| {
                chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (chance >> 33) % below
            };
            let mut memory = memory(100);
            let mut reading: Vec<(Reader, u64)> = (0..20).map(|_| (memory.handle_begin(), 1 + random(150))).collect();
            let mut at_work: Vec<Reader> = Vec::new();
            for _ in 0..100_000 {
                if reading.is_empty() {
                    break;
                }
                let one = usize::try_from(random(reading.len() as u64)).unwrap();
                let (reader, left) = reading[one];
                let bytes = 1 + random(left);
                if memory.handle_more(reader, bytes) {
                    reading[one].1 -= bytes;
                }
                if reading[one].1 == 0 {
                    reading.remove(one);
                    memory.handle_read(reader);
                    at_work.push(reader);
                }
                if !at_work.is_empty() && random(4) == 0 {
                    let done = usize::try_from(random(at_work.len() as u64)).unwrap();
                    memory.handle_gone(at_work.swap_remove(done));
                }
                assert!(memory.held() <= (100 + 150) * TIMES, "seed {seed}");
            }
            assert!(reading.is_empty(), "seed {seed}: {reading:?} are never read");
            at_work.into_iter().for_each(|reader| memory.handle_gone(reader));
            assert_eq!(memory.held(), 0);
        }
    }
}
