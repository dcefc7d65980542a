//! The sites by name and by URL.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use carousel_core::pattern::{Rule, RuleError, RuleIndex};
use carousel_engine::Sites;

use crate::counters::SiteReport;
use crate::site::PluginSite;

/// All sites that plugins serve. Calls that are under way keep the site that they began with.
#[derive(Default)]
pub struct SiteDirectory {
    now: RwLock<Arc<SiteMap>>,
}

/// One state of the directory; never changed, only replaced as a whole.
#[derive(Default)]
pub(crate) struct SiteMap {
    by_name: BTreeMap<Arc<str>, Arc<PluginSite>>,
    rules: RuleIndex,
    /// The site of each rule, by the rule's position.
    by_rule: Vec<Arc<PluginSite>>,
}

impl SiteMap {
    /// Indexes sites with their rules; each rule is named after its site. An error names the rule that is wrong.
    pub(crate) fn new(sites: &[(Arc<PluginSite>, Vec<Rule>)]) -> Result<Self, RuleError> {
        let rules = sites.iter().flat_map(|(_, rules)| rules.iter().cloned()).collect();
        let by_rule = sites.iter().flat_map(|(site, rules)| rules.iter().map(|_| site.clone())).collect();
        let by_name = sites.iter().map(|(site, _)| (site.facts().name.clone(), site.clone())).collect();
        Ok(Self { by_name, rules: RuleIndex::new(rules)?, by_rule })
    }

    /// The rules that are never followed because they replace a site that does not exist.
    pub(crate) fn unreachable(&self) -> impl Iterator<Item = &Rule> {
        self.rules.unreachable()
    }
}

impl SiteDirectory {
    pub(crate) fn new(map: SiteMap) -> Self {
        Self { now: RwLock::new(Arc::new(map)) }
    }

    /// The names of all sites, sorted.
    pub fn names(&self) -> Vec<String> {
        self.now().by_name.keys().map(ToString::to_string).collect()
    }

    /// What each site's plugin did so far, by name.
    pub fn report(&self) -> Vec<SiteReport> {
        self.now().by_name.values().map(|site| site.report()).collect()
    }

    /// The rules of all sites, each named after its site, as they are registered now: an index of them chooses as this directory.
    pub fn rules(&self) -> Vec<Rule> {
        self.now().rules.rules().to_vec()
    }

    fn now(&self) -> Arc<SiteMap> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sites for SiteDirectory {
    type Site = PluginSite;

    fn site(&self, url: &str) -> Option<Arc<PluginSite>> {
        let now = self.now();
        now.by_rule.get(now.rules.find(url)?).cloned()
    }

    fn named(&self, name: &str) -> Option<Arc<PluginSite>> {
        self.now().by_name.get(name).cloned()
    }
}
