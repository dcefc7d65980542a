//! The rules of Zyte API's contract that a request can be held against without asking the API.
//!
//! Zyte publishes them in the [reference](https://docs.zyte.com/zyte-api/usage/reference.html) of its API: which outputs there are and
//! what fetches the page for them, which fields exclude each other, and what can have no session. They are kept here once: the engine
//! asks before it pays for an initialisation, the simulator refuses by the same rules. Names, types and ranges of single fields are not
//! checked here; a request that breaks those is for the API to refuse, and these rules then say nothing that would not hold.
//!
//! A field is *set* unless it is `false`, null, or an empty text, list or object: these mean the same as leaving it out.
//!
//! ```
//! use carousel_core::contract::{self, Mode};
//! use serde_json::{Value, json};
//!
//! let Value::Object(request) = json!({"url": "https://shop.example/", "httpResponseBody": true, "screenshot": true}) else { return };
//! let refusal = contract::refusal(&request).map(|refusal| refusal.to_string());
//! assert_eq!(refusal.as_deref(), Some("\"screenshot\" takes a browser request, \"httpResponseBody\" asks for an HTTP request"));
//! assert_eq!(contract::mode(&request), Mode::Http);
//! ```

mod combinations;
mod fields;
mod mode;
mod refusals;
mod session;

#[cfg(test)]
mod tests;

pub use combinations::{Refusal, refusal};
pub use fields::{EXTRACTIONS, is_set};
pub use mode::{Mode, extraction, mode, options_of};
pub use refusals::Hopeless;
pub use session::{Sessionless, begins_as_browser, brings_session, sessionless};
