//! The room that carries out: it fetches requests through sessions that `core` decides about.
//!
//! What it needs from outside comes through two ports, [`Transport`] (who talks to Zyte API) and [`Sites`] (who knows about
//! websites), each with a real and a simulated implementor.

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

mod allowance;
mod bursts;
mod call;
mod clock;
mod defaults;
mod door;
mod ended;
mod engine;
mod fetch;
mod gate;
mod guard;
mod hooks;
mod init;
mod init_call;
mod judge;
mod lanes;
mod lease;
mod opening;
mod outcome;
mod outgoing;
mod place;
mod ports;
mod prepared;
mod retries;
mod silence;
mod start;
mod survey;
mod timer;
mod unavailable;

#[cfg(test)]
mod tests;

pub use bursts::{Bursts, Done, Fetcher, Preparing, Recall};
pub use clock::SimulatedSleep;
pub use engine::{BadSettings, Engine, EngineOptions};
pub use fetch::Enqueued;
pub use hooks::HookPlaces;
pub use outcome::{Attempt, Failure, FailureKind, Fetched, Trace};
pub use ports::{Downloader, Leave, NoSites, Site, Sites, Transport};
pub use prepared::{Prepared, Resting};
pub use survey::{Census, Survey};
