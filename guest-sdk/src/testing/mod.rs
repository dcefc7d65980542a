//! Runs the hooks of a plugin in plain `cargo test`, without a host and without the network.
//!
//! ```
//! use carousel_guest::{prelude::*, testing};
//!
//! struct Shop;
//!
//! impl SessionConfig for Shop {
//!     fn check(response: &Response, _request: &Request) -> Result<Verdict> {
//!         Ok(Verdict::keep_if(response.css(".zip::text")?.first().is_some_and(|zip| zip == "10001")))
//!     }
//! }
//!
//! # fn main() -> Result<()> {
//! let request = testing::request("https://shop.example/a").build();
//! let page = testing::response().html("<p class=zip>10001</p>").build();
//! assert!(Shop::check(&page, &request)?.is_keep());
//! # Ok(())
//! # }
//! ```
//!
//! Config, settings, downloads, the shared store and log lines come from and go to the [`Host`] that the test has started
//! on its thread; without one they come from a host with nothing set.
//!
//! Not there: XPath (an error that says so), the bounds of the real host, and its choice of pool ids. The default check
//! only looks at `setLocation`.

mod host;
mod jmespath;
pub(crate) mod page;
mod request;
mod response;
pub(crate) mod state;

pub use crate::export::{Description, Plugin};
pub use host::{Host, Running};
pub use request::{RequestBuilder, request};
pub use response::{ResponseBuilder, response};

use crate::{Session, wire};

/// Makes a session of this pool with a fixed id and no data.
pub fn session(pool: &str) -> Session {
    Session::new(wire::Session(state::SessionState::new("5e551017-0000-4000-8000-000000000001", pool)))
}

/// Returns what the attribute `session_config` made a plugin say of itself.
pub fn describe<P: Plugin>() -> Description {
    P::DESCRIPTION
}
