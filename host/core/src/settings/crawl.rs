//! `[crawl]` and `[budget]`: how a crawl is run and how much it may cost.

use serde::Deserialize;

use super::{Bytes, Profile};
use crate::turns::{Order, TurnsOptions};

/// The `[crawl]` table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CrawlSettings {
    /// Requests under way at once, retries and the wait for a session included. Default 20. With 1, a request starts after the
    /// one before it has its final result. Too few leave the API idle; too many meet 429 and use memory.
    pub concurrency: usize,
    /// How often a page is tried again because it could not be downloaded (521; in the peer's profile because of any fault). Default
    /// 2. Session faults have `session.retry_times`. The peer's `RETRY_TIMES`; a request's `max_retry_times` wins.
    pub retry_times: u32,
    /// Whether a request that asks for the same page in the same pool as an earlier one is dropped (reported as `duplicate`).
    /// Default false. Keeps 16 bytes for each different request seen.
    pub dedup: bool,
    /// Whether requests start in the order of the input. Default: false; true in the peer's profile, and where `concurrency` is 1.
    /// Otherwise they start pool by pool, so that a session serves as many as possible before it dies of disuse.
    pub ordered: Option<bool>,
    /// Requests that are read ahead, to be started pool by pool. Default 30,000; 16 MiB of lines at most. Fewer cost more
    /// initialisations where the input mixes many sites.
    pub window: usize,
    /// Memory that the answers under way may take together, at [`TIMES`](crate::memory::TIMES) of their bytes. Default: a quarter of the
    /// machine's. Beyond it reading the next one waits, which is none of `api.timeout`; an answer larger than that is read alone. Too
    /// little makes calls wait for each other; too much takes the machine.
    pub memory: Option<Bytes>,
}

/// Bytes of lines that are read ahead at most.
const WINDOW_BYTES: usize = 16 << 20;

impl CrawlSettings {
    /// How many requests run at once, how far is read ahead, and in which order they start.
    pub fn turns(&self, profile: Profile) -> TurnsOptions {
        let ordered = self.ordered.unwrap_or(profile.is_peer() || self.concurrency == 1);
        TurnsOptions {
            places: self.concurrency,
            window: self.window,
            window_bytes: WINDOW_BYTES,
            order: if ordered { Order::Input } else { Order::Bursts },
        }
    }
}

impl Default for CrawlSettings {
    fn default() -> Self {
        Self { concurrency: 20, retry_times: 2, dedup: false, ordered: None, window: 30_000, memory: None }
    }
}

/// The `[budget]` table.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSettings {
    /// Billed answers (those with status 200) that the crawl may cost. Default: no limit. It is never overdrawn: what calls under way
    /// may cost is set aside; only an answer that never arrives (a broken connection, a cut request) cannot be counted. Sessions are no longer opened when only one answer is left; when none is, the crawl closes with the
    /// reason `budget`.
    pub billed: Option<u64>,
    /// The same for each pool; then its requests fail as `budget` and the crawl goes on. Default: no limit.
    /// `session.pools."NAME".budget` wins.
    pub billed_per_pool: Option<u64>,
}
