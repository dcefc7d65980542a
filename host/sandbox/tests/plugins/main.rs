//! The sandbox with real components: what plugins decide, what they cannot do to the host, and why they do not load.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a failing test may panic")]

mod cache;
mod downloads;
mod faults;
mod guests;
mod hooks;
mod hosts;
mod loading;
mod owners;
mod quarantine;
mod random;
mod record;
mod reuse;
mod stage;
mod swaps;
mod versions;
mod watch;
