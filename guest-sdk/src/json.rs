//! JSON text to values and back, with errors that name what was read.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// Reads JSON text; an error says what it was.
pub(crate) fn decode<T: DeserializeOwned>(text: &str, what: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::new(format!("cannot read {what}: {error}")))
}

/// Reads JSON text that may be missing; `null` counts as missing.
pub(crate) fn decode_some<T: DeserializeOwned>(text: Option<String>, what: &str) -> Result<Option<T>> {
    match text {
        Some(text) if text.trim() != "null" => decode(&text, what).map(Some),
        _ => Ok(None),
    }
}

/// Writes a value as JSON text; an error says what it was.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T, what: &str) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::new(format!("cannot write {what}: {error}")))
}
