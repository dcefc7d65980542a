//! The `carousel` command: assembles the rooms and talks to people.

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

mod api_key;
mod args;
mod crawl;
mod logging;
mod progress;
mod settings_file;

fn main() {}
