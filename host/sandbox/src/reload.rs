//! Keeps the sites as the plugin directory says, whenever it is asked to look again.

use std::collections::BTreeSet;
use std::sync::Arc;

use carousel_core::settings::SiteTable;
use carousel_engine::Sites;

use crate::errors::{LoadError, Problem, Subject};
use crate::library::{Library, Look, Patience};
use crate::load::PluginInfo;
use crate::roster::{Plan, Roster};
use crate::sites::SiteDirectory;
use crate::stamp;
use crate::workshop::Workshop;

/// The plugin directory and the sites made of it.
///
/// A change takes effect as a whole: other versions for sites that stay, sites that come, sites that go. Calls that are under way
/// end on the version that they began with. Sessions, their data, a site's shared data and its counters stay. What does not load
/// leaves everything as it was.
pub struct Reloader {
    workshop: Arc<Workshop>,
    library: Library,
    tables: Vec<SiteTable>,
    sites: Arc<SiteDirectory>,
    /// What was said of the sites, so that it is said once.
    told: BTreeSet<String>,
    /// What was said of versions that are held back.
    told_of_held_back: BTreeSet<String>,
}

/// What a look at the directory brought.
#[derive(Debug, Default)]
pub struct Reloaded {
    /// Whether anything took effect.
    pub is_changed: bool,
    /// Whether a file may still be growing, so that another look is wanted soon.
    pub is_unsettled: bool,
    /// What was left out and why, said once for each content of a file. The version that was there before stays at work.
    pub errors: Vec<LoadError>,
}

impl Reloader {
    /// Knows no files yet.
    pub(crate) fn new(workshop: Arc<Workshop>, library: Library, tables: &[SiteTable]) -> Self {
        Self {
            workshop,
            library,
            tables: tables.to_vec(),
            sites: Arc::default(),
            told: BTreeSet::new(),
            told_of_held_back: BTreeSet::new(),
        }
    }

    pub(crate) fn sites(&self) -> Arc<SiteDirectory> {
        self.sites.clone()
    }

    /// The directory of plugins.
    pub fn directory(&self) -> Option<&std::path::Path> {
        self.library.directory()
    }

    /// What the plugins at work say of themselves, by file name.
    pub(crate) fn plugins(&self) -> Vec<PluginInfo> {
        self.library.plugins().values().map(|plugin| PluginInfo::of(plugin)).collect()
    }

    /// Loads everything for the first time.
    pub(crate) fn load(&mut self) -> Vec<LoadError> {
        let look = self.look(Patience::None);
        let plan = self.plan();
        let mut errors = look.errors;
        errors.extend(self.install(plan));
        self.library.settle();
        errors
    }

    /// Looks at the directory again and puts in force what changed. Blocks while it compiles, so it does not belong on a thread that
    /// runs futures.
    pub fn refresh(&mut self) -> Reloaded {
        let look = self.look(Patience::OneLook);
        let mut reloaded = Reloaded { is_changed: false, is_unsettled: look.is_unsettled, errors: look.errors };
        if !look.is_news {
            return reloaded;
        }
        let plan = self.plan();
        let plan = match self.is_fit(&plan) {
            true => {
                self.told_of_held_back.clear();
                plan
            }
            false => self.without_culprits(plan, &mut reloaded.errors),
        };
        reloaded.errors.extend(self.install(plan));
        self.library.settle();
        reloaded.is_changed = true;
        reloaded
    }

    /// Whether a plan leaves out nothing that worked until now.
    fn is_fit(&self, plan: &Plan) -> bool {
        plan.errors.iter().all(|error| self.told.contains(&error.to_string()))
    }

    /// Where something new does not go with the rest, the versions that were at work stay: those of the plugins that the plan blames,
    /// and if that does not help, all. The new ones are tried again when something else changes.
    fn without_culprits(&mut self, plan: Plan, errors: &mut Vec<LoadError>) -> Plan {
        let blamed: BTreeSet<String> = plan.errors.iter().flat_map(|error| self.blamed(error)).collect();
        errors.extend(self.untold_of_held_back(plan.errors));
        self.library.take_back(|file| blamed.contains(file));
        let plan = self.plan();
        if self.is_fit(&plan) {
            return plan;
        }
        self.library.take_back(|_| true);
        self.plan()
    }

    /// What is new of the errors that hold versions back.
    fn untold_of_held_back(&mut self, errors: Vec<LoadError>) -> Vec<LoadError> {
        let mut now = BTreeSet::new();
        let mut untold = Vec::new();
        for error in errors.into_iter().filter(|error| !self.told.contains(&error.to_string())) {
            let words = error.to_string();
            if !self.told_of_held_back.contains(&words) {
                untold.push(error);
            }
            now.insert(words);
        }
        self.told_of_held_back = now;
        untold
    }

    /// The plugins that may have brought about an error, by the names of their files.
    fn blamed(&self, error: &LoadError) -> impl Iterator<Item = String> + use<> {
        let taker = if let Problem::NameTaken { by, .. } = &error.problem { Some(by.clone()) } else { None };
        self.file_of(&error.subject).into_iter().chain(taker)
    }

    /// The plugin that an error is about, by the name of its file.
    fn file_of(&self, subject: &Subject) -> Option<String> {
        match subject {
            Subject::File(path) => Some(stamp::stem(path)),
            Subject::Site(name) => {
                let table = self.tables.iter().find(|table| table.name == *name).map(|table| table.plugin.clone());
                table.or_else(|| self.sites.named(name).map(|site| site.plugin().file.to_string()))
            }
            Subject::Directory(_) => None,
        }
    }

    fn look(&mut self, patience: Patience) -> Look {
        let named: BTreeSet<&str> = self.tables.iter().map(|table| table.plugin.as_str()).collect();
        self.library.look(&self.workshop, patience, |file| named.contains(file))
    }

    fn plan(&self) -> Plan {
        let (plugins, broken) = (self.library.plugins(), self.library.broken());
        let roster = Roster {
            host: &self.workshop.host,
            tables: &self.tables,
            directory: self.library.directory(),
            plugins: &plugins,
            broken: &broken,
            sites: &self.sites,
        };
        roster.plan()
    }

    /// Puts a plan in force and returns what it had to leave out, if that was not said before.
    fn install(&mut self, mut plan: Plan) -> Vec<LoadError> {
        let errors = std::mem::take(&mut plan.errors);
        plan.install(&self.sites);
        self.workshop.optimise();
        let all = errors.iter().map(ToString::to_string).collect();
        let untold = self.untold(errors);
        self.told = all;
        untold
    }

    fn untold(&mut self, errors: Vec<LoadError>) -> Vec<LoadError> {
        errors.into_iter().filter(|error| self.told.insert(error.to_string())).collect()
    }
}
