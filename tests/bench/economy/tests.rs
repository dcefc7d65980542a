//! The rows of the economy table that need no other process, and that a crawl replays from its seed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, dead_code, reason = "a failing test may panic; the bench uses the rest")]

mod busy;
mod contract;
mod crawl;
mod rows;
mod shops;
mod workload;

use crawl::{PROFILES, crawl};
use rows::{Row, Scale};

fn check(rows: &[Row]) {
    let mut missed = Vec::new();
    for row in rows {
        let [other, ours] = PROFILES.map(|profile| crawl(&row.workload, profile, 1).unwrap());
        missed.extend(rows::judge(row, &other, &ours).into_iter().map(|miss| format!("{}: {miss}", row.workload.name)));
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn the_default_profile_is_thrifty_true_and_contained() {
    check(&rows::small().unwrap());
}

#[test]
fn a_busy_api_slows_what_it_speaks_of_and_nothing_else() {
    check(&busy::all().unwrap());
}

#[test]
fn nothing_is_paid_for_what_tells_nothing() {
    check(&contract::all().unwrap());
}

#[test]
fn a_broad_crawl_needs_few_sessions_and_giants_do_not_hold_small_sites_up() {
    check(&[rows::broad(Scale { sites: 300, lines: 12_000, window: 1_800 })]);
}

#[test]
fn a_crawl_of_ten_thousand_sites_replays_from_its_seed_to_the_last_digit() {
    let row = rows::broad(Scale { sites: 10_000, lines: 12_000, window: 3_000 });
    let [first, second] = [1, 1].map(|seed| crawl(&row.workload, "default", seed).unwrap());
    assert_eq!(first, second);
    assert_eq!((first.right, first.done.len()), (row.workload.count as u64, 10_000));
}
