//! API parameters.

use serde::Serialize;
use serde_json::{Map, Value};

/// Parameters of an API call, a JSON object.
///
/// They are built step by step or taken from `json!`:
/// ```
/// use carousel_guest::prelude::*;
///
/// let step_by_step = Params::new().url("https://shop.example/start").set("browserHtml", true);
/// let at_once = Params::from(json!({"url": "https://shop.example/start", "browserHtml": true}));
/// assert_eq!(step_by_step, at_once);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Params(Value);

impl Params {
    /// No parameters yet.
    pub fn new() -> Self {
        Self(Value::Object(Map::new()))
    }

    /// Asks for the page as a browser shows it.
    pub fn browser_html() -> Self {
        Self::new().set("browserHtml", true)
    }

    /// Asks for the page as a plain HTTP response.
    pub fn http_response_body() -> Self {
        Self::new().set("httpResponseBody", true)
    }

    /// Sets the URL; without one an initialisation goes to the URL of the request that needs the session.
    #[must_use]
    pub fn url(self, url: impl Into<String>) -> Self {
        self.set("url", url.into())
    }

    /// Sets a parameter, replacing what it was.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        if !self.0.is_object() {
            self.0 = Value::Object(Map::new());
        }
        if let Value::Object(map) = &mut self.0 {
            map.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Appends a browser action.
    #[must_use]
    pub fn action(mut self, action: impl Into<Value>) -> Self {
        let mut actions = match self.get("actions") {
            Some(Value::Array(actions)) => actions.clone(),
            _ => Vec::new(),
        };
        actions.push(action.into());
        self = self.set("actions", actions);
        self
    }

    /// Runs the call outside the session being initialised.
    #[must_use]
    pub fn without_session(self) -> Self {
        self.set("session", Value::Null)
    }

    /// Returns one parameter.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Returns the parameters as a JSON value.
    pub fn as_value(&self) -> &Value {
        &self.0
    }

    pub(crate) fn to_json(&self) -> String {
        self.0.to_string()
    }
}

impl Default for Params {
    fn default() -> Self {
        Self::new()
    }
}

impl Serialize for Params {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// The host refuses a value that is not an object.
impl From<Value> for Params {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl From<Map<String, Value>> for Params {
    fn from(map: Map<String, Value>) -> Self {
        Self(Value::Object(map))
    }
}
