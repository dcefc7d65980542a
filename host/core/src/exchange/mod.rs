//! What travels: a request from its owner, the call that is sent, the answer or the error that comes back.

mod answer;
mod error;
mod request;
mod web_address;

pub use answer::{Answer, Hold, NotAnAnswer, Unreadable};
pub use error::{CallError, NetworkError, Problem};
pub use request::{BadRequest, Request, host_name, host_of, is_web, without_credentials};
pub use web_address::{NoWebAddress, web_address};

/// A JSON object: API parameters, metadata, an address.
pub type Object = serde_json::Map<String, serde_json::Value>;
