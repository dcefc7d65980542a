//! The room that talks to Zyte API: one call, one attempt, an answer or a typed error.
//!
//! [`ZyteApi`] is the engine's [`Transport`](carousel_engine::Transport) over HTTP. It repeats nothing, with one exception
//! that costs nobody anything: a kept-alive connection that the API closed before it answered. Everything else, pauses
//! included, is decided by the engine.

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

mod answer;
mod api;
mod body;
mod deadline;
mod destination;
mod escape;
mod fault;
mod key;
mod memory;
mod notations;
mod options;
mod problem;
mod reuse;

pub use api::ZyteApi;
pub use destination::{Destination, Owner};
pub use escape::escape_url;
pub use key::ApiKey;
pub use options::{ZyteError, ZyteOptions};
