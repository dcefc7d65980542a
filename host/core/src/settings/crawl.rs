//! `[crawl]` and `[budget]`: how a crawl is run and how much it may cost.

use serde::Deserialize;

/// The `[crawl]` table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CrawlSettings {
    /// Requests under way at once, retries and the wait for a session included. Default 20. With 1, a request starts after the
    /// one before it has its final result. Too few leave the API idle; too many meet 429 and use memory.
    pub concurrency: usize,
    /// How often a page is tried again because it could not be downloaded (521; in the peer's profile also after bans and failed
    /// checks). Default 2. Session faults have `session.retry_times`. The
    /// peer's `RETRY_TIMES`; a request's `max_retry_times` wins.
    pub retry_times: u32,
    /// Whether a request that asks for the same page in the same pool as an earlier one is dropped (reported as `duplicate`).
    /// Default false. Keeps 16 bytes for each different request seen.
    pub dedup: bool,
}

impl Default for CrawlSettings {
    fn default() -> Self {
        Self { concurrency: 20, retry_times: 2, dedup: false }
    }
}

/// The `[budget]` table.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSettings {
    /// Billed answers (those with status 200) after which the crawl closes with the reason `budget`. Default: no limit. Requests
    /// that are under way then are finished.
    pub billed: Option<u64>,
}
