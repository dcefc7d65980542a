//! `[api]`: how Zyte API is talked to.

use serde::Deserialize;

use super::Seconds;
use crate::retry::PolicyName;

/// The `[api]` table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiSettings {
    /// The API's base address; calls go to this plus `extract`, so it ends in `/`. Default: Zyte's.
    pub url: String,
    /// When a failed call is repeated: `default` or `aggressive` (more attempts after 520, 521 and 5xx). Default: `default`.
    /// Calls of sessions follow `session.retry_policy`. The peer's `ZYTE_API_RETRY_POLICY`.
    pub retry_policy: PolicyName,
    /// Seconds for one call, answer included. Default 320: the API gives up after 200. Less loses answers that were on
    /// their way and may have been billed; more keeps a dead connection.
    pub timeout: Seconds,
    /// Seconds to make a connection. Default 30.
    pub connect_timeout: Seconds,
    /// A factor on every pause before a call is repeated. Default 1. Below 1 the API is asked again sooner than it wants, and
    /// answers 429 again; 0 is for tests.
    pub retry_wait_scale: f64,
    /// Whether a `Retry-After` header lengthens the pause before a repetition. Default true, false in the peer's profile.
    pub honour_retry_after: Option<bool>,
}

/// Zyte's production server.
pub const ZYTE_API_URL: &str = "https://api.zyte.com/v1/";

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            url: ZYTE_API_URL.to_owned(),
            retry_policy: PolicyName::Default,
            timeout: Seconds::new(320),
            connect_timeout: Seconds::new(30),
            retry_wait_scale: 1.0,
            honour_retry_after: None,
        }
    }
}
