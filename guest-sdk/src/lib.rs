//! What the author of a Carousel site plugin sees.
//!
//! A plugin answers questions about one website: are sessions used, which pool, how is a session initialised, is it still
//! good? Each question is a function of [`SessionConfig`] with the host's own behaviour as its default, so a plugin holds
//! only what is special about its site:
//!
//! ```
//! use carousel_guest::prelude::*;
//!
//! struct Shop;
//!
//! #[session_config(include = ["shop.example"], exclude = ["shop.example/help"])]
//! impl SessionConfig for Shop {
//!     fn check(response: &Response, request: &Request) -> Result<Verdict> {
//!         match request.location()? {
//!             Some(place) => Ok(Verdict::keep_if(response.css(".zip::text")?.first() == place.postal_code.as_ref())),
//!             None => default::check(response, request),
//!         }
//!     }
//! }
//! ```
//!
//! Built for `wasm32-wasip2` (crate type `cdylib`) this is a plugin; built natively, [`testing`] runs the same functions
//! in a unit test.
//!
//! On that target the memory allocator starts with what the initial memory leaves free behind the stack and the data, so a
//! small plugin never grows its memory and its calls stay cheap; a small stack (`-zstack-size=65536`) helps with that.
//!
//! What a plugin prints, and what a panic says, goes to the host's log. The SDK takes the place of the C library's `write`,
//! `writev` and `getenv` for that, so that a plugin which uses nothing else of WASI imports nothing of it.
//!
//! Every step of a request runs in a fresh instance: a `static` of the plugin is back at its first value at the next call.
//! What must last goes into [`Session::set`] or [`shared`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests"))]

extern crate self as carousel_guest;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod bindings;
pub mod default;
mod download;
mod edit;
mod error;
#[doc(hidden)]
pub mod export;
mod hooks;
mod json;
mod location;
pub mod log;
mod params;
mod pool;
mod request;
mod response;
mod session;
pub mod shared;
mod site;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod verdict;
mod wire;

pub use carousel_guest_macros::session_config;
pub use download::{DownloadError, download};
pub use edit::Edit;
pub use error::{Error, Result};
pub use hooks::{Hooks, LocationSessionConfig, SessionConfig};
pub use location::Location;
pub use params::Params;
pub use pool::Pool;
pub use request::Request;
pub use response::{Response, Selection, check_query};
pub use serde;
pub use serde_json;
pub use session::Session;
pub use site::{config, settings, site_name};
pub use verdict::Verdict;

/// Everything that a plugin usually needs, for one `use` line.
pub mod prelude {
    pub use crate::{
        DownloadError, Edit, Error, Hooks, Location, LocationSessionConfig, Params, Pool, Request, Response, Result, Selection,
        Session, SessionConfig, Verdict, config, default, download, log, session_config, settings, shared, site_name,
    };
    pub use serde_json::{Value, json};
}
