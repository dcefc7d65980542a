//! The room that decides: pools, retries, verdicts, settings, counters.
//!
//! Nothing in here does I/O, reads a clock or draws a random number of its own: time and chance come in as arguments, so
//! everything replays from a seed.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a failing test may panic"
    )
)]

pub mod budget;
pub mod chance;
pub mod contract;
pub mod cookies;
pub mod defaults;
pub mod domains;
pub mod exchange;
pub mod fingerprint;
pub mod hook_queue;
pub mod hooks;
pub mod id;
pub mod json;
pub mod ledger;
pub mod memory;
pub mod pace;
pub mod pattern;
pub mod place;
pub mod pool;
pub mod pools;
pub mod quarantine;
pub mod repeated;
pub mod retry;
pub mod session_context;
pub mod settings;
pub mod stats;
pub mod text;
pub mod time;
pub mod turns;
pub mod verdict;
