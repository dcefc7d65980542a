//! Turns as tables and as a randomised run.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::chance::Chance;

const OPTIONS: TurnsOptions = TurnsOptions { places: 2, window: 100, window_bytes: 10_000, order: Order::Bursts };

fn pool(name: &str) -> PoolKey {
    (name != "-").then(|| PoolId::new(name))
}

/// Lines `a1 a2 b1…`: the letter is the pool (`-`: none), one byte each.
fn turns(options: TurnsOptions, lines: &str) -> Turns<String> {
    let mut turns = Turns::new(options);
    for line in lines.split_whitespace() {
        turns.add(pool(&line[..1]), line.to_owned(), 1);
    }
    turns
}

fn outlook(turns: &mut Turns<String>, name: &str, outlook: Outlook) {
    turns.handle_outlook(&pool(name), outlook);
}

/// Starts all that may start, each line done at once if `done` says so.
fn starts(turns: &mut Turns<String>, done: bool) -> String {
    let mut started = Vec::new();
    while let Some((pool, line)) = turns.poll_start() {
        if done {
            turns.handle_done(&pool);
        }
        started.push(line);
    }
    started.join(" ")
}

fn room(room: usize) -> Outlook {
    Outlook { room, growth: 0, parked: 0, live: true }
}

#[test]
fn places_are_filled_and_each_pool_opens_one_session_first() {
    for (places, lines, expected) in
        [(3, "a1 a2 a3 b1", "a1 b1"), (1, "a1 b1", "a1"), (3, "-1 -2 -3 -4", "-1 -2 -3"), (9, "-1 a1 a2 -2", "-1 -2 a1")]
    {
        let mut turns = turns(TurnsOptions { places, ..OPTIONS }, lines);
        assert_eq!(starts(&mut turns, false), expected, "{lines}");
    }
}

#[test]
fn the_largest_pool_gets_its_turn_and_is_worked_through_with_the_others_on_turn() {
    let mut turns = turns(TurnsOptions { places: 1, ..OPTIONS }, "a1 b1 b2 b3 c1 c2");
    for name in ["a", "b", "c"] {
        outlook(&mut turns, name, room(9));
    }
    assert_eq!(starts(&mut turns, true), "b1 b2 b3 c1 c2 a1");
}

#[test]
fn pools_on_turn_take_one_line_each() {
    let mut turns = turns(TurnsOptions { places: 9, ..OPTIONS }, "a1 a2 a3 b1 b2 b3");
    assert_eq!(starts(&mut turns, true), "a1 b1");
    outlook(&mut turns, "a", room(9));
    outlook(&mut turns, "b", room(9));
    assert_eq!(starts(&mut turns, true), "a2 b2 a3 b3");
}

#[test]
fn a_line_counts_four_times_where_a_session_lives() {
    for (lines, expected) in [("a1 b1 b2 b3", "a1 b1"), ("a1 b1 b2 b3 b4 b5", "b1 a1")] {
        let mut turns = turns(TurnsOptions { places: 1, ..OPTIONS }, lines);
        outlook(&mut turns, "a", room(1));
        assert_eq!(starts(&mut turns, true), expected, "{lines}");
    }
}

#[test]
fn at_the_end_of_the_input_small_pools_go_first_and_one_start_of_four_is_the_giants() {
    let giant: Vec<String> = (0..40).map(|n| format!("g{n:02}")).collect();
    let mut turns = turns(TurnsOptions { places: 1, ..OPTIONS }, &format!("{} a1 b1 c1 d1 e1", giant.join(" ")));
    for name in ["a", "b", "c", "d", "e", "g"] {
        outlook(&mut turns, name, room(99));
    }
    turns.handle_end_of_input();
    assert!(starts(&mut turns, true).starts_with("g00 a1 b1 c1 g01 d1 e1 g02 g03"));
}

#[test]
fn a_pool_grows_only_where_no_other_has_room() {
    let mut turns = turns(TurnsOptions { places: 9, ..OPTIONS }, "a1 a2 a3 a4 b1 b2");
    outlook(&mut turns, "a", Outlook { room: 0, growth: 2, parked: 0, live: true });
    outlook(&mut turns, "b", room(2));
    assert_eq!(starts(&mut turns, false), "b1 b2 a1 a2");
}

#[test]
fn requests_whose_pool_rests_take_no_place() {
    let mut turns = turns(TurnsOptions { places: 1, ..OPTIONS }, "a1 b1");
    assert_eq!(starts(&mut turns, false), "a1");
    outlook(&mut turns, "a", Outlook { room: 0, growth: 0, parked: 1, live: false });
    assert_eq!(starts(&mut turns, false), "b1");
    outlook(&mut turns, "a", Outlook { room: 0, growth: 0, parked: 0, live: true });
    turns.add(pool("c"), "c1".into(), 1);
    assert_eq!(starts(&mut turns, false), "", "two are under way, one too many");
    turns.handle_done(&pool("a"));
    turns.handle_done(&pool("b"));
    assert_eq!(starts(&mut turns, false), "c1");
}

#[test]
fn a_line_that_nobody_prefers_is_started_after_four_windows() {
    let mut turns = turns(TurnsOptions { places: 1, window: 10, ..OPTIONS }, "z1");
    let mut started = 0;
    for n in 0.. {
        while turns.wants_more(0, 0) {
            turns.add(pool("a"), format!("a{n}"), 1);
        }
        outlook(&mut turns, "a", room(1));
        let (pool, line) = turns.poll_start().unwrap();
        turns.handle_done(&pool);
        if line == "z1" {
            break;
        }
        started += 1;
    }
    assert!((40..=44).contains(&started), "{started}");
}

#[test]
fn the_window_is_bounded_in_lines_and_in_bytes_but_takes_one_line_of_any_length() {
    for (window, bytes, expected) in [(3, 1000, 3), (100, 25, 3), (100, 5, 1), (0, 1000, 1)] {
        let mut turns = Turns::new(TurnsOptions { window, window_bytes: bytes, ..OPTIONS });
        let mut added = 0;
        while turns.wants_more(0, 0) {
            turns.add(pool("a"), added, 10);
            added += 1;
        }
        assert_eq!(added, expected, "{window} lines, {bytes} bytes");
    }
}

#[test]
fn in_the_order_of_the_input_nothing_is_read_ahead_and_pools_do_not_matter() {
    let mut turns = Turns::new(TurnsOptions { order: Order::Input, ..OPTIONS });
    let mut started = Vec::new();
    for line in ["a1", "a2", "b1", "a3"] {
        while !turns.wants_more(0, 0) {
            turns.handle_done(&None);
        }
        assert!(!turns.add(pool(&line[..1]), line, 1));
        started.extend(turns.poll_start().map(|(_, line)| line));
    }
    assert_eq!(started, ["a1", "a2", "b1", "a3"]);
}

#[test]
fn what_waits_can_be_taken_out() {
    let mut turns = turns(TurnsOptions { places: 1, ..OPTIONS }, "a1 a2 b1 -1");
    assert_eq!(starts(&mut turns, false), "-1");
    assert_eq!(turns.take_waiting(), ["a1", "a2", "b1"]);
    assert!(turns.waiting() == 0 && turns.poll_start().is_none() && turns.wants_more(0, 0));
}

/// A model of the pools: each takes a few lines at once, and sometimes none.
struct World {
    turns: Turns<u64>,
    chance: Chance,
    room: BTreeMap<PoolKey, usize>,
    under_way: Vec<PoolKey>,
    /// When each waiting line was read, counted in starts.
    read: BTreeMap<u64, (PoolKey, u64)>,
    starts: u64,
}

impl World {
    fn below(&mut self, limit: u64) -> u64 {
        self.chance.word() % limit
    }

    fn tell(&mut self, pool: &PoolKey) {
        if pool.is_some() {
            let room = self.room.get(pool).copied().unwrap_or(1);
            self.turns.handle_outlook(pool, Outlook { room, growth: 0, parked: 0, live: room > 1 });
        }
    }

    fn start_all(&mut self, places: usize) {
        while let Some((pool, line)) = self.turns.poll_start() {
            let (of, _) = self.read.remove(&line).expect("each line is started once");
            assert_eq!(of, pool);
            if let Some(room) = self.room.get_mut(&pool) {
                *room = room.saturating_sub(1);
            }
            self.starts += 1;
            self.under_way.push(pool.clone());
            self.tell(&pool);
        }
        let ready = self.read.values().any(|(pool, _)| pool.is_none() || self.room.get(pool).copied().unwrap_or(1) > 0);
        assert!(self.under_way.len() == places || !ready, "a place is free and a pool is ready");
    }

    fn finish_one(&mut self) {
        if self.under_way.is_empty() {
            return;
        }
        let at = self.below(self.under_way.len() as u64) as usize;
        let pool = self.under_way.swap_remove(at);
        self.turns.handle_done(&pool);
        let room = self.below(5) as usize;
        self.room.insert(pool.clone(), room);
        self.tell(&pool);
    }

    /// Pools never stay without room for good.
    fn wake_one(&mut self, pools: u64) {
        let pool = pool_number(self.below(pools));
        self.room.insert(pool.clone(), 3);
        self.tell(&pool);
    }
}

fn pool_number(n: u64) -> PoolKey {
    (n > 0).then(|| PoolId::new(format!("p{n}")))
}

#[test]
fn in_a_random_crawl_every_line_is_started_once_no_place_is_left_free_and_nobody_starves() {
    for seed in 0..20 {
        let (places, window, pools, lines) = (1 + seed as usize % 7, 50, 40, 5_000_u64);
        let options = TurnsOptions { places, window, ..OPTIONS };
        let chance = Chance::from_seed(seed);
        let (room, read) = (BTreeMap::new(), BTreeMap::new());
        let mut world = World { turns: Turns::new(options), chance, room, under_way: Vec::new(), read, starts: 0 };
        let (mut next, mut longest) = (0, 0);
        while world.starts < lines {
            while next < lines && world.turns.wants_more(0, 0) && world.below(10) > 0 {
                // Half of the lines belong to few pools.
                let of = world.below(pools);
                let of = if world.below(2) == 0 { of % 3 } else { of };
                let pool = pool_number(of);
                world.read.insert(next, (pool.clone(), world.starts));
                if world.turns.add(pool.clone(), next, 1) {
                    world.tell(&pool);
                }
                next += 1;
                if next == lines {
                    world.turns.handle_end_of_input();
                }
            }
            world.start_all(places);
            longest = longest.max(world.read.values().map(|(_, read)| world.starts - read).max().unwrap_or(0));
            world.finish_one();
            world.wake_one(pools);
        }
        assert!(world.turns.waiting() == 0 && world.read.is_empty());
        // A window of lines may be older, each of which goes first at every fourth start; and pools are without room at times.
        let bound = (PATIENCE + 2 * SHARE) * window as u64;
        assert!(longest <= bound, "seed {seed}: a line waited for {longest} others");
    }
}

#[test]
fn groups_are_forgotten_when_nothing_of_them_waits_or_runs() {
    let mut turns = turns(TurnsOptions { places: 9, ..OPTIONS }, "a1 b1");
    assert_eq!(starts(&mut turns, false), "a1 b1");
    turns.handle_done(&pool("a"));
    let known: BTreeSet<_> = turns.groups.keys().cloned().collect();
    assert_eq!(known, [pool("b")].into());
}

#[test]
fn lines_without_a_pool_that_wait_for_the_api_take_no_place_and_are_no_more_than_the_window() {
    let mut turns = turns(TurnsOptions { places: 2, window: 3, ..OPTIONS }, "-1 -2 -3 -4 -5 -6 -7 -8 a1");
    assert_eq!(starts(&mut turns, false), "-1 -2");
    for (parked, then) in [(1, "-3"), (3, "-4 -5"), (5, "")] {
        outlook(&mut turns, "-", Outlook { parked, ..Outlook::OPEN });
        assert_eq!(starts(&mut turns, false), then, "{parked}");
    }
    turns.handle_done(&pool("-"));
    assert_eq!(starts(&mut turns, false), "-6");
}
