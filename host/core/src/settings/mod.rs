//! The settings file as types: every table and key, with meaning, unit, default and what too little and too much do.
//!
//! Reading TOML belongs to the rooms outside; here is what may stand in it and what holds where nothing stands. A value that
//! depends on the profile is optional in its table and resolved by a method of [`Settings`].

mod api;
mod bytes;
mod crawl;
mod impossible;
mod kind;
mod pool;
mod seconds;
mod session;
mod site;

use serde::Deserialize;

use crate::id::PoolId;

pub use api::{ApiSettings, Throttling, ZYTE_API_URL};
pub use bytes::Bytes;
pub use crawl::{BudgetSettings, CrawlSettings};
pub use impossible::Impossible;
pub use kind::{KindRule, SessionKind, context_parameters};
pub use pool::{Growth, InitRule, OnBadInits, PoolOptions, Rotation};
pub use seconds::Seconds;
pub use session::{PoolTable, SessionSettings};
pub use site::{Instances, OnBad, OnFault, PluginSettings, SiteTable};

/// Which rules hold where `sessions.md` and the peer differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Profile {
    /// Sessions that are true, thrifty and contained.
    #[default]
    #[serde(rename = "default")]
    Default,
    /// What scrapy-zyte-api 0.36 does, so that a crawl can move over and behave the same.
    #[serde(rename = "scrapy-zyte-api")]
    ScrapyZyteApi,
}

impl Profile {
    /// Is this the peer's profile?
    pub fn is_peer(self) -> bool {
        self == Self::ScrapyZyteApi
    }
}

/// The whole settings file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// `default` or `scrapy-zyte-api`.
    pub profile: Profile,
    /// How the API is talked to.
    pub api: ApiSettings,
    /// How sessions are made, checked, used and replaced.
    pub session: SessionSettings,
    /// How a crawl is run.
    pub crawl: CrawlSettings,
    /// Where plugins are and what they may use.
    pub plugins: PluginSettings,
    /// Sites that are served by a plugin with a config of their own.
    pub site: Vec<SiteTable>,
    /// How much a crawl may cost.
    pub budget: BudgetSettings,
}

impl Settings {
    /// What waits when the API is too busy.
    pub fn throttling(&self) -> Throttling {
        let by_profile = if self.profile.is_peer() { Throttling::PerCall } else { Throttling::Scoped };
        self.api.throttling.unwrap_or(by_profile)
    }

    /// Whether sessions of a pool are initialised by calls of their own. The pool's table goes before the site's, that before `[session]`.
    pub fn init_rule(&self, pool: &PoolId, site: Option<InitRule>) -> InitRule {
        let by_profile = if self.profile.is_peer() { InitRule::Always } else { InitRule::Auto };
        self.session.pool_table(pool).init.or(site).or(self.session.init).unwrap_or(by_profile)
    }

    /// Billed answers that a pool may cost, and the pool that stands for all that spend them together.
    pub fn pool_budget(&self, pool: &PoolId) -> Option<(PoolId, u64)> {
        let of_table = self.session.pool_budget(pool).map(|(name, budget)| (PoolId::new(name), budget));
        of_table.or_else(|| Some((pool.clone(), self.budget.billed_per_pool?)))
    }
}
