//! Which pool a request belongs to.

use serde_json::{Value, json};

/// A pool's id, and options that count when the id is seen for the first time.
///
/// ```
/// use carousel_guest::prelude::*;
///
/// let plain = Pool::from("shop.example");
/// let with_options = Pool::from("shop.example").size(2).delay(1.5);
/// assert_eq!(plain.id(), with_options.id());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Pool(Value);

impl Pool {
    /// Returns the id, unless the pool was made of a JSON value without one.
    pub fn id(&self) -> Option<&str> {
        self.0.as_str().or_else(|| self.0.get("id")?.as_str())
    }

    /// Sets how many sessions the pool may hold.
    #[must_use]
    pub fn size(self, sessions: u32) -> Self {
        self.with("size", sessions.into())
    }

    /// Sets the least seconds between two uses of one session.
    #[must_use]
    pub fn delay(self, seconds: f64) -> Self {
        self.with("delay", seconds.into())
    }

    /// Sets whether each delay is multiplied by a random number from 0.5 to 1.5.
    #[must_use]
    pub fn randomize_delay(self, randomize: bool) -> Self {
        self.with("randomize_delay", randomize.into())
    }

    /// Sets how many requests may use one session at the same time.
    #[must_use]
    pub fn max_in_flight(self, requests: u32) -> Self {
        self.with("max_in_flight", requests.into())
    }

    /// Returns the id as a JSON string, or id and options as an object.
    pub fn as_value(&self) -> &Value {
        &self.0
    }

    fn with(self, option: &str, value: Value) -> Self {
        let mut options = if self.0.is_object() { self.0 } else { json!({"id": self.0}) };
        if let Value::Object(map) = &mut options {
            map.insert(option.to_owned(), value);
        }
        Self(options)
    }
}

impl From<&str> for Pool {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl From<String> for Pool {
    fn from(id: String) -> Self {
        Self(id.into())
    }
}

/// The host refuses a value that is neither a string nor an object with an `id`.
impl From<Value> for Pool {
    fn from(value: Value) -> Self {
        Self(value)
    }
}
