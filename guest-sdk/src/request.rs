//! A request on its way.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Location, Params, Result, Session, json, wire};

/// A request on its way, as the host sees it at this step.
pub struct Request {
    pub(crate) raw: wire::Request,
}

impl Request {
    pub(crate) fn new(raw: wire::Request) -> Self {
        Self { raw }
    }

    /// Returns the URL.
    pub fn url(&self) -> String {
        self.raw.url()
    }

    /// Returns host name and port as in the URL, in lower case, without user name and password.
    pub fn host(&self) -> String {
        self.raw.host()
    }

    /// Returns all API parameters, `url` included.
    pub fn params(&self) -> Result<Params> {
        let value: Value = json::decode(&self.raw.params(), "the request's parameters")?;
        Ok(Params::from(value))
    }

    /// Returns one API parameter; `null` counts as absent. Fails if it is not of the type asked for.
    pub fn param<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        json::decode_some(self.raw.param(name), &format!("the parameter \"{name}\""))
    }

    /// Returns the request's metadata. On an initialisation it has only the session location and params.
    pub fn meta(&self) -> Result<Map<String, Value>> {
        json::decode(&self.raw.meta(), "the request's metadata")
    }

    /// Returns one value of the metadata; `null` counts as absent. Fails if it is not of the type asked for.
    pub fn meta_value<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        json::decode_some(self.raw.meta_value(name), &format!("the metadata \"{name}\""))
    }

    /// Tells whether this request initialises a session.
    pub fn is_init(&self) -> bool {
        self.raw.is_init()
    }

    /// Returns the location in force: the request's own, the settings', or that of the plugin's `location`.
    pub fn location(&self) -> Result<Option<Location>> {
        match self.raw.location() {
            Some(text) => Location::decode(&text),
            None => Ok(None),
        }
    }

    /// Returns the session that this request uses or initialises; none before one is assigned.
    pub fn session(&self) -> Option<Session> {
        self.raw.session().map(Session::new)
    }
}
