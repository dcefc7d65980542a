//! The sites by name and by URL.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwap;
use carousel_core::pattern::{Rule, RuleError, RuleIndex, overlap};
use carousel_engine::{Site, Sites};

use crate::counters::SiteReport;
use crate::site::{Lasting, PluginSite};

/// All sites that plugins serve. It is replaced as a whole when plugins come and go; calls that are under way keep the site that
/// they began with.
#[derive(Default)]
pub struct SiteDirectory {
    now: ArcSwap<SiteMap>,
    /// Sites that are no more, by name.
    former: Mutex<BTreeMap<String, Former>>,
}

/// One state of the directory; never changed, only replaced.
#[derive(Default)]
pub(crate) struct SiteMap {
    by_name: BTreeMap<Arc<str>, Arc<PluginSite>>,
    rules: RuleIndex,
    /// The site of each rule, by the rule's position.
    by_rule: Vec<Chosen>,
}

/// Whom a rule leads to.
enum Chosen {
    Site(Arc<PluginSite>),
    /// Nobody, for this reason.
    Closed(Arc<ClosedSite>),
}

/// A site whose rules are known and whose hooks nobody answers.
#[derive(Debug)]
pub(crate) struct ClosedSite {
    pub(crate) name: String,
    pub(crate) rules: Vec<Rule>,
    /// Why, in words.
    pub(crate) reason: String,
}

/// A site without its plugin, so that it costs next to nothing.
struct Former {
    /// As long as somebody holds it.
    site: Weak<PluginSite>,
    lasting: Arc<Lasting>,
    last: SiteReport,
}

/// What is known of a site by its name.
pub(crate) enum Known {
    /// It is there, or a request or a pool still holds it.
    Site(Arc<PluginSite>),
    /// It was there, and left this.
    Lasting(Arc<Lasting>),
}

impl SiteMap {
    /// Indexes sites with their rules; each rule is named after its site. An error names the rule that is wrong.
    pub(crate) fn new<'s>(
        sites: impl Iterator<Item = (&'s Arc<PluginSite>, &'s [Rule])> + Clone,
        closed: &'s [Arc<ClosedSite>],
    ) -> Result<Self, RuleError> {
        let rules_of_closed = closed.iter().flat_map(|site| &site.rules);
        let rules = sites.clone().flat_map(|(_, rules)| rules).chain(rules_of_closed).cloned().collect();
        let by_rule = sites.clone().flat_map(|(site, rules)| rules.iter().map(|_| Chosen::Site(site.clone())));
        let by_rule =
            by_rule.chain(closed.iter().flat_map(|site| site.rules.iter().map(|_| Chosen::Closed(site.clone())))).collect();
        let by_name = sites.map(|(site, _)| (site.name().into(), site.clone())).collect();
        Ok(Self { by_name, rules: RuleIndex::new(rules)?, by_rule })
    }

    fn chosen(&self, url: &str) -> Option<&Chosen> {
        self.by_rule.get(self.rules.find(url)?)
    }

    /// The closed sites, once for each rule.
    fn closed(&self) -> impl Iterator<Item = &ClosedSite> {
        self.by_rule.iter().rev().map_while(|chosen| match chosen {
            Chosen::Closed(site) => Some(&**site),
            Chosen::Site(_) => None,
        })
    }

    /// They stand behind the others.
    fn has_closed(&self) -> bool {
        matches!(self.by_rule.last(), Some(Chosen::Closed(_)))
    }

    /// The rules that are never followed because they replace a site that does not exist.
    pub(crate) fn unreachable(&self) -> impl Iterator<Item = &Rule> {
        self.rules.unreachable()
    }

    /// The patterns that two sites include, neither of them to replace the other: one of the two never gets those URLs.
    fn contested(&self) -> BTreeSet<Contested> {
        let mut first: HashMap<(Option<&str>, String), &Rule> = HashMap::new();
        let includes = self.rules.rules().iter().flat_map(|rule| rule.include.iter().map(move |pattern| (rule, pattern)));
        let claims = includes.filter_map(|(rule, pattern)| {
            let claimed = first.entry((rule.instead_of.as_deref(), pattern.to_lowercase())).or_insert(rule);
            self.contest(pattern, claimed, rule)
        });
        claims.collect()
    }

    fn contest(&self, pattern: &str, one: &Rule, other: &Rule) -> Option<Contested> {
        let url = if one.name == other.name { None } else { overlap(one, other) }?;
        let winner = self.rules.rules().get(self.rules.find(&url)?)?.name.clone();
        Some(Contested { pattern: pattern.to_owned(), sites: [one.name.clone(), other.name.clone()], winner })
    }
}

/// A pattern that two sites include.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Contested {
    pub(crate) pattern: String,
    pub(crate) sites: [String; 2],
    /// The one that serves its URLs.
    pub(crate) winner: String,
}

impl SiteDirectory {
    /// The names of all sites, sorted.
    pub fn names(&self) -> Vec<String> {
        self.now.load().by_name.keys().map(ToString::to_string).collect()
    }

    /// What each site's plugin did so far, by name; sites that were removed are among them if they were ever asked.
    pub fn report(&self) -> Vec<SiteReport> {
        let now = self.now.load();
        let former = self.former();
        let gone = former.values().map(Former::report).filter(|report| report.instances > 0);
        let mut reports: Vec<SiteReport> = now.by_name.values().map(|site| site.report()).chain(gone).collect();
        reports.sort_by(|a, b| a.site.cmp(&b.site));
        reports
    }

    /// The rules of all sites, each named after its site, as they are registered now: an index of them chooses as this directory.
    pub fn rules(&self) -> Vec<Rule> {
        self.now.load().rules.rules().to_vec()
    }

    /// What is known by this name.
    pub(crate) fn known(&self, name: &str) -> Option<Known> {
        if let Some(site) = self.now.load().by_name.get(name) {
            return Some(Known::Site(site.clone()));
        }
        let former = self.former();
        let former = former.get(name)?;
        Some(former.site.upgrade().map_or_else(|| Known::Lasting(former.lasting.clone()), Known::Site))
    }

    /// The sites that are closed in this map and not in the present one.
    pub(crate) fn newly_closed<'m>(&self, map: &'m SiteMap) -> Vec<&'m ClosedSite> {
        let now = self.now.load();
        let is_known = |site: &ClosedSite| now.closed().any(|known| known.name == site.name && known.reason == site.reason);
        let mut closed: Vec<_> = map.closed().filter(|site| !is_known(site)).collect();
        closed.dedup_by_key(|site| &site.name);
        closed
    }

    /// The patterns that two sites of this map include and those of the present one do not.
    pub(crate) fn newly_contested(&self, map: &SiteMap) -> Vec<Contested> {
        let known = self.now.load().contested();
        map.contested().into_iter().filter(|contested| !known.contains(contested)).collect()
    }

    /// Replaces all sites. Returns the names of those that are no more.
    pub(crate) fn replace(&self, map: SiteMap) -> Vec<String> {
        let mut former = self.former();
        former.retain(|name, _| !map.by_name.contains_key(name.as_str()));
        let old = self.now.swap(Arc::new(map));
        let now = self.now.load();
        let gone = old.by_name.iter().filter(|(name, _)| !now.by_name.contains_key(*name));
        let gone: Vec<_> = gone.map(|(name, site)| (name.to_string(), Former::of(site))).collect();
        let names = gone.iter().map(|(name, _)| name.clone()).collect();
        former.extend(gone);
        names
    }

    fn former(&self) -> MutexGuard<'_, BTreeMap<String, Former>> {
        self.former.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Former {
    fn of(site: &Arc<PluginSite>) -> Self {
        Self { site: Arc::downgrade(site), lasting: site.lasting(), last: site.report() }
    }

    /// Calls that were under way when it left are counted, too.
    fn report(&self) -> SiteReport {
        let counters = self.lasting.counters();
        SiteReport { instances: counters.instances(), hooks: counters.report(), ..self.last.clone() }
    }
}

impl Sites for SiteDirectory {
    type Site = PluginSite;

    fn site(&self, url: &str) -> Option<Arc<PluginSite>> {
        match self.now.load().chosen(url)? {
            Chosen::Site(site) => Some(site.clone()),
            Chosen::Closed(_) => None,
        }
    }

    fn closed(&self, url: &str) -> Option<String> {
        let now = self.now.load();
        // Most crawls have none, and need not look twice.
        let closed = now.has_closed().then(|| now.chosen(url)).flatten()?;
        match closed {
            Chosen::Site(_) => None,
            Chosen::Closed(site) => Some(format!("the site \"{}\" is closed: {}", site.name, site.reason)),
        }
    }

    fn named(&self, name: &str) -> Option<Arc<PluginSite>> {
        self.now.load().by_name.get(name).cloned()
    }
}
