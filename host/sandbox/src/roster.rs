//! Who serves which URLs: plugins and `[[site]]` tables become sites, or keep those that are there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use carousel_core::pattern::{Rule, RuleIndex};
use carousel_core::settings::SiteTable;
use carousel_engine::Site;

use crate::description::Description;
use crate::errors::{LoadError, Problem, Subject};
use crate::host::Host;
use crate::plugin::Plugin;
use crate::reach::Reach;
use crate::site::{Lasting, PluginSite, Terms, Version};
use crate::sites::{ClosedSite, Contested, Known, SiteDirectory, SiteMap};

/// What the sites are made of.
pub(crate) struct Roster<'r> {
    pub(crate) host: &'r Arc<Host>,
    pub(crate) tables: &'r [SiteTable],
    pub(crate) directory: Option<&'r Path>,
    /// Those that work, by the names of their files.
    pub(crate) plugins: &'r BTreeMap<String, Arc<Plugin>>,
    /// Those that do not, by the same, with what the last version that did said of itself.
    pub(crate) broken: &'r BTreeMap<String, Option<Description>>,
    /// The sites that are there.
    pub(crate) sites: &'r SiteDirectory,
}

/// Sites as they are to be, checked but not yet in force.
#[derive(Default)]
pub(crate) struct Plan {
    places: Vec<Place>,
    /// The place of each name.
    by_name: HashMap<String, usize>,
    /// Those that nobody can serve and the defaults must not.
    closed: Vec<Arc<ClosedSite>>,
    /// What had to be left out.
    pub(crate) errors: Vec<LoadError>,
}

/// A site with its rules.
struct Place {
    site: Arc<PluginSite>,
    rules: Vec<Rule>,
    news: News,
}

/// What is new about a site.
enum News {
    Nothing,
    Site,
    Version(Box<Version>),
}

impl Roster<'_> {
    /// Makes a plan; changes nothing.
    pub(crate) fn plan(&self) -> Plan {
        let mut plan = Plan::default();
        for table in self.tables {
            if let Err(problem) = self.add_table(&mut plan, table) {
                let description = self.broken.get(&table.plugin).cloned().flatten();
                let rules = rules(&description.unwrap_or_default(), Some(table));
                plan.close(&table.name, rules, problem.to_string());
                plan.errors.push(LoadError { subject: Subject::Site(table.name.clone()), problem });
            }
        }
        self.add_unnamed(&mut plan);
        plan.leave_out_circles();
        plan
    }

    fn add_table(&self, plan: &mut Plan, table: &SiteTable) -> Result<(), Problem> {
        match self.plugins.get(&table.plugin) {
            Some(plugin) => {
                let rules = rules(&plugin.description, Some(table));
                self.add(plan, &table.name, Some(table), plugin, rules)
            }
            None if self.directory.is_none() => Err(Problem::NoDirectory),
            None if self.broken.contains_key(&table.plugin) => Err(Problem::BrokenPlugin(table.plugin.clone())),
            None => Err(Problem::UnknownPlugin { plugin: table.plugin.clone(), known: self.plugins.keys().cloned().collect() }),
        }
    }

    /// A plugin that no table names is a site of its own.
    fn add_unnamed(&self, plan: &mut Plan) {
        let named: BTreeSet<&str> = self.tables.iter().map(|table| table.plugin.as_str()).collect();
        for (file, plugin) in self.plugins.iter().filter(|(file, _)| !named.contains(file.as_str())) {
            let name = if plugin.description.name.is_empty() { file } else { &plugin.description.name };
            if let Err(problem) = self.add(plan, name, None, plugin, rules(&plugin.description, None)) {
                plan.errors.push(LoadError { subject: Subject::File(self.path(file)), problem });
            }
        }
        for (file, description) in self.broken.iter().filter(|(file, _)| !named.contains(file.as_str())) {
            let Some(description) = description else { continue };
            let name = if description.name.is_empty() { file } else { &description.name };
            plan.close(name, rules(description, None), Problem::BrokenPlugin(file.clone()).to_string());
        }
    }

    fn add(
        &self,
        plan: &mut Plan,
        name: &str,
        table: Option<&SiteTable>,
        plugin: &Arc<Plugin>,
        mut rules: Vec<Rule>,
    ) -> Result<(), Problem> {
        if let Some(place) = plan.by_name.get(name).and_then(|place| plan.places.get(*place)) {
            return Err(Problem::NameTaken { name: name.to_owned(), by: place.plugin().to_string() });
        }
        for rule in &mut rules {
            name.clone_into(&mut rule.name);
        }
        RuleIndex::new(rules.clone()).map_err(Problem::Rules)?;
        let hosts = table.and_then(|table| table.download_hosts.as_ref()).into_iter().flatten();
        let reach = Reach::new(&rules, hosts.chain(&self.host.download_hosts)).map_err(Problem::Rules)?;
        let terms = Terms {
            config: table.and_then(|table| table.config.as_ref()),
            reach,
            instances: table.map(|table| table.instances).unwrap_or_default(),
            init: table.and_then(|table| table.init),
        };
        let (site, news) = self.site(name, terms, plugin)?;
        plan.by_name.insert(name.to_owned(), plan.places.len());
        plan.places.push(Place { site, rules, news });
        Ok(())
    }

    fn site(&self, name: &str, terms: Terms<'_>, plugin: &Arc<Plugin>) -> Result<(Arc<PluginSite>, News), Problem> {
        let lasting = match self.sites.known(name) {
            Some(Known::Site(site)) => {
                let news = site.version(plugin, terms.reach)?.map_or(News::Nothing, |version| News::Version(Box::new(version)));
                return Ok((site, news));
            }
            Some(Known::Lasting(lasting)) => lasting,
            None => Arc::new(Lasting::new(self.host)),
        };
        let site = PluginSite::new(name, terms, plugin.clone(), self.host.clone(), lasting)?;
        Ok((Arc::new(site), News::Site))
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.unwrap_or(Path::new("")).join(format!("{file}.wasm"))
    }
}

impl Plan {
    /// Keeps the defaults from serving the URLs of a site that cannot be served as it should be, if there is none of its name.
    fn close(&mut self, name: &str, mut rules: Vec<Rule>, reason: String) {
        for rule in &mut rules {
            name.clone_into(&mut rule.name);
        }
        if !self.by_name.contains_key(name) && RuleIndex::new(rules.clone()).is_ok() {
            self.closed.push(Arc::new(ClosedSite { name: name.to_owned(), rules, reason }));
        }
    }

    /// Where rules contradict each other (they replace each other in a circle), the sites with rules that replace others are left
    /// out.
    fn leave_out_circles(&mut self) {
        let Err(error) = self.map() else { return };
        let replacing = |place: &mut Place| place.rules.iter().any(|rule| rule.instead_of.is_some());
        for place in self.places.extract_if(.., replacing) {
            let subject = Subject::Site(place.site.name().to_owned());
            self.errors.push(LoadError { subject, problem: Problem::Rules(error.clone()) });
        }
    }

    fn map(&self) -> Result<SiteMap, carousel_core::pattern::RuleError> {
        SiteMap::new(self.places.iter().map(|place| (&place.site, place.rules.as_slice())), &self.closed)
    }

    /// Puts the plan in force: first the new versions, then the URLs that lead to them.
    pub(crate) fn install(self, sites: &SiteDirectory) {
        let map = self.map().unwrap_or_default();
        for closed in sites.newly_closed(&map) {
            tracing::error!(site = closed.name, "its requests fail, because the site cannot be served: {}", closed.reason);
        }
        for Place { site, news, .. } in self.places {
            match news {
                News::Nothing => {}
                News::Site => {
                    let report = site.report();
                    tracing::info!(site = report.site, plugin = report.plugin, version = report.version, "plugin loaded");
                }
                News::Version(version) => swap(&site, *version),
            }
        }
        for rule in map.unreachable() {
            tracing::warn!(
                site = rule.name,
                instead_of = rule.instead_of,
                "the site replaces one that does not exist: it is never chosen"
            );
        }
        for Contested { pattern, sites: [one, other], winner } in sites.newly_contested(&map) {
            tracing::warn!(
                site = winner,
                "{one} and {other} both include {pattern:?}: {winner} serves it (see carousel plugin explain)"
            );
        }
        for site in sites.replace(map) {
            tracing::info!(site, "plugin removed: the site is served by the defaults from now on");
        }
    }
}

impl Place {
    /// The file of the plugin that is to serve the site.
    fn plugin(&self) -> Arc<str> {
        match &self.news {
            News::Version(version) => version.plugin().file.clone(),
            News::Nothing | News::Site => self.site.plugin().file.clone(),
        }
    }
}

fn swap(site: &PluginSite, version: Version) {
    let plugin = version.plugin().clone();
    let old = site.replace(version);
    let (from, to) = (&old.description.version, &plugin.description.version);
    tracing::info!(site = site.name(), plugin = &*plugin.file, "plugin swapped: {from} → {to}");
}

/// A site's rules: the plugin's, each part replaced by what the table says.
pub(crate) fn rules(description: &Description, table: Option<&SiteTable>) -> Vec<Rule> {
    let own = description.rules.clone();
    let Some(table) = table else { return own };
    let mut rules = match &table.include {
        Some(include) => vec![Rule { include: include.clone(), ..own.into_iter().next().unwrap_or_default() }],
        None => own,
    };
    for rule in &mut rules {
        if let Some(exclude) = &table.exclude {
            rule.exclude.clone_from(exclude);
        }
        rule.priority = table.priority.unwrap_or(rule.priority);
        if table.instead_of.is_some() {
            rule.instead_of.clone_from(&table.instead_of);
        }
    }
    rules
}
