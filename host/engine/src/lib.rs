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

mod ports;

pub use ports::{Downloader, NoSites, Site, Sites, Transport};
