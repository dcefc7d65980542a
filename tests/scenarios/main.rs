//! The end-to-end scenarios: the real binary, real plugins, HTTP over loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a failing test may panic and says why"
)]

mod containment;
mod crawl;
mod declarative;
mod demo;
mod early_ends;
mod explain;
mod harness;
mod languages;
mod leftovers;
mod misbehaviour;
mod newcomer;
mod official_client;
mod peer;
mod places;
mod plugins;
mod pools;
mod readme;
mod recording;
mod refusals;
mod secrets;
mod simulated;
mod tidy;
mod tools;
