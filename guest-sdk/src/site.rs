//! The site that a call is for, and its settings.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Result, json, wire};

/// Returns the name of the site this call is for: that of its `[[site]]` table, or the plugin's own.
pub fn site_name() -> String {
    wire::site_name()
}

/// Reads the site's `config` from the settings file. Fails if it is not of the type asked for; without one the type must
/// accept `null` (as an `Option` does).
pub fn config<T: DeserializeOwned>() -> Result<T> {
    json::decode(&wire::config(), "the site's config")
}

/// Returns the crawl's session settings (`[session]`) as a JSON object.
pub fn settings() -> Result<Value> {
    json::decode(&wire::settings(), "the session settings")
}
