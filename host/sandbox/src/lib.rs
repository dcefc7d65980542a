//! The room that runs plugins. wasmtime lives here and nowhere else.
//!
//! A plugin is a WebAssembly component that answers the questions of `wit/0.1.0/session.wit` for one or more websites. [`Sandbox::load`]
//! makes [sites](SiteDirectory) of a directory of them, which the engine asks through its ports.
//!
//! Every step of a request gets a fresh instance, and what outlives it is kept by the host: so a plugin that loops, panics or eats
//! memory harms one call. A call is bounded in CPU time, memory, stack, size of results, log lines and downloads. A hook that a
//! plugin does not override costs no call of it.

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

mod answers;
mod backtrace;
mod bindings;
mod cache;
mod call;
mod clock;
mod code;
mod counters;
mod description;
mod download;
mod errors;
mod gate;
mod guest;
mod handles;
mod host;
mod host_response;
mod host_services;
mod host_values;
mod imports;
mod inspect;
mod interface;
mod kept;
mod library;
mod limits;
mod load;
mod log;
mod looks;
mod optimiser;
mod page;
mod places;
mod plugin;
mod proof;
mod reach;
mod reload;
mod roster;
mod runtime;
mod shared;
mod site;
mod sites;
mod stamp;
mod step;
mod stopped;
mod ticker;
mod trace;
mod wasi;
mod watch;
mod words;
mod workshop;

pub use counters::{HookReport, SiteReport};
pub use errors::{LoadError, Problem, Subject};
pub use imports::{Port, Ports, Standing};
pub use load::{Loaded, PluginInfo, Sandbox, SandboxError};
pub use reload::{Reloaded, Reloader};
pub use site::PluginSite;
pub use sites::SiteDirectory;
pub use trace::{Look, Trace, observe};
pub use watch::Watch;
