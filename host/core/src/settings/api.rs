//! `[api]`: how Zyte API is talked to.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::Seconds;
use crate::retry::PolicyName;

/// The `[api]` table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiSettings {
    /// The API's base address; calls go to this plus `extract`, so it ends in `/`. Default: Zyte's.
    pub url: String,
    /// When a failed call is repeated: `default`, `aggressive` (more attempts after 520, 521 and 5xx), `only-throttling` or
    /// `custom-download-xN`. Default: `default`.
    /// Calls of sessions follow `session.retry_policy`. The peer's `ZYTE_API_RETRY_POLICY`.
    pub retry_policy: PolicyName,
    /// Seconds for one call, answer included. Default 320: the API gives up after 200. Less loses answers that were on
    /// their way and may have been billed; more keeps a dead connection.
    pub timeout: Seconds,
    /// Seconds to make a connection. Default 30.
    pub connect_timeout: Seconds,
    /// Whether calls go through the proxies that the variables `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` name; those to
    /// this machine never do. Default false, as in the official client.
    pub trust_env: bool,
    /// Bytes of one answer, unpacked. Default 64 MiB: a page of 10 MB is 13.4 MB in base64, and an answer can hold a screenshot beside
    /// it. A larger one is given up as soon as it has come so far, and its request fails; more lets each call take more memory.
    pub max_answer: usize,
    /// A factor on every pause before a call is repeated. Default 1. Below 1 the API is asked again sooner than it wants, and
    /// answers 429 again; 0 is for tests.
    #[serde(deserialize_with = "factor")]
    pub retry_wait_scale: f64,
    /// What waits when the API is too busy (429, 503): `scoped` (default), all calls of the site or of the key that the answer is about,
    /// without holding a session; `per-call` (the peer's), each refused call for itself, while others go on to be refused.
    pub throttling: Option<Throttling>,
    /// Whether a `Retry-After` header lengthens the pause before a repetition. Default true, false in the peer's profile.
    pub honour_retry_after: Option<bool>,
}

/// What waits when the API is too busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Throttling {
    /// All calls of the scope that the answer is about.
    Scoped,
    /// The call that was refused.
    PerCall,
}

fn factor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let factor = f64::deserialize(deserializer)?;
    match factor.is_finite() && factor >= 0.0 {
        true => Ok(factor),
        false => Err(D::Error::custom(format_args!("{factor} is not a factor of 0 or more"))),
    }
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
            trust_env: false,
            max_answer: 64 << 20,
            retry_wait_scale: 1.0,
            throttling: None,
            honour_retry_after: None,
        }
    }
}
