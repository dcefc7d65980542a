//! Requests for tests.

use serde_json::{Map, Value, json};

use crate::testing::state::SessionState;
use crate::{Request, Session, wire};

/// Starts a request to this URL with no other parameters, no metadata, location or session.
pub fn request(url: &str) -> RequestBuilder {
    RequestBuilder {
        url: url.to_owned(),
        params: Map::from_iter([("url".to_owned(), url.into())]),
        meta: Map::new(),
        init: false,
        location: None,
        session: None,
    }
}

/// A request being put together.
#[must_use = "build() makes the request"]
pub struct RequestBuilder {
    url: String,
    params: Map<String, Value>,
    meta: Map<String, Value>,
    init: bool,
    location: Option<Value>,
    session: Option<SessionState>,
}

impl RequestBuilder {
    /// Sets an API parameter.
    pub fn param(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// Sets a value of the metadata.
    pub fn meta(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.meta.insert(name.to_owned(), value.into());
        self
    }

    /// Makes it a request that initialises a session.
    pub fn init(mut self) -> Self {
        self.init = true;
        self
    }

    /// Sets the location in force, an address object; an empty one is no location.
    pub fn location(mut self, location: impl Into<Value>) -> Self {
        let location = location.into();
        self.location = if location == json!({}) { None } else { Some(location) };
        self
    }

    /// Assigns a session, whose data both share from now on.
    pub fn session(mut self, session: &Session) -> Self {
        self.session = Some(session.raw.0.clone());
        self
    }

    /// Makes the request.
    pub fn build(self) -> Request {
        let Self { url, params, meta, init, location, session } = self;
        Request::new(wire::Request { url, params, meta, init, location, session })
    }
}
