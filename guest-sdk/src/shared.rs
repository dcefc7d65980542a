//! A small key/value store that all calls for one site share. It outlives sessions, not the process.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result, json, wire};

/// Reads a value. Fails if it is not of the type asked for.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>> {
    json::decode_some(wire::shared_get(key), &format!("the shared \"{key}\""))
}

/// Stores a value. Fails where the host's bound is reached.
pub fn set<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<()> {
    let text = json::encode(value, &format!("the shared \"{key}\""))?;
    wire::shared_set(key, Some(&text)).map_err(Error::new)
}

/// Forgets a value.
pub fn remove(key: &str) -> Result<()> {
    wire::shared_set(key, None).map_err(Error::new)
}

/// Adds to a number (0 if there is none) in one step and returns the sum. Fails if the value is not a number.
pub fn increment(key: &str, by: i64) -> Result<i64> {
    wire::shared_increment(key, by).map_err(Error::new)
}
