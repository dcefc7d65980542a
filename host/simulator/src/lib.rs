//! A Zyte API that runs on this machine: the rules of the real one, fictional sites, and a seed.
//!
//! [`Simulator`] is the pure core. It knows no clock, no sockets and no random source of the system: the time of every call
//! is an argument and everything that looks random follows from [`SimulatorOptions::seed`], so the same calls give the same
//! bytes. [`serve`] is its HTTP face.
//!
//! ```
//! use carousel_simulator::{ApiCall, Simulator, SimulatorOptions};
//! use std::time::Duration;
//!
//! let mut simulator = Simulator::new(SimulatorOptions::default());
//! let reply = simulator.handle(
//!     Duration::ZERO,
//!     ApiCall {
//!         method: "POST",
//!         path: "/v1/extract",
//!         authorization: Some("Basic a2V5Og=="),
//!         body: br#"{"url": "https://shop.example/p/1", "browserHtml": true}"#,
//!     },
//! );
//! assert_eq!(reply.status, 200);
//! ```
//!
//! Two operations are there: `POST /v1/extract`, and `POST /v1/search` with results that are made up. How a call is answered, in this
//! order: route, method, key, size, JSON, schema, combination of fields, rate limit, session,
//! domain policy, fetch. What the sites do is written in [`sites`].
//!
//! What is simulated is what is publicly documented of the service; where nothing is documented, the choice made here is
//! named beside the code. Not simulated: proxy mode, the Stats API, payments, real extraction.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests may stop at the first surprise"
    )
)]

mod actions;
mod answer;
mod ask;
mod auth;
mod browser;
mod calendar;
mod chance;
mod cookies;
mod demo;
mod extraction;
mod faults;
mod fetch;
mod http;
mod in_process;
mod managed;
mod markup;
mod meters;
mod network;
mod options;
mod problem;
mod rate;
mod schema;
mod search;
mod sessions;
mod simulator;
pub mod sites;

#[cfg(test)]
mod tests;

/// What can be asked of a simulator over HTTP and how it answers, as an OpenAPI document (YAML).
pub const OPENAPI: &str = include_str!("openapi.yaml");

pub use demo::demo_requests;
pub use faults::{FaultRule, FaultRuleError};
pub use http::{SharedSimulator, TIME_SCALES, serve};
pub use in_process::InProcess;
pub use options::{BanRule, Latency, ManagedRules, SessionRules, SimulatorOptions};
pub use simulator::{ApiCall, Reply, Simulator, WireFault};
