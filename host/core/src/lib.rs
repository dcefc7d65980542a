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

pub mod defaults;
pub mod exchange;
pub mod hooks;
pub mod id;
pub mod pattern;
pub mod settings;
pub mod verdict;
