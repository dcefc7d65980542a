//! From a directory of `.wasm` files and `[[site]]` tables to sites. What cannot be used is reported, the rest works.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use carousel_core::pattern::{Rule, RuleIndex};
use carousel_core::settings::{PluginSettings, SiteTable};

use crate::bindings::carousel::session::types;
use crate::cache::Cache;
use crate::errors::{LoadError, Problem, Subject};
use crate::host::Host;
use crate::inspect;
use crate::plugin::Plugin;
use crate::reach::Reach;
use crate::site::PluginSite;
use crate::sites::{SiteDirectory, SiteMap};

/// Runs plugins: the compiler, the limits and the places that all sites share.
pub struct Sandbox {
    host: Arc<Host>,
    cache: Cache,
    directory: Option<PathBuf>,
}

/// What came of loading.
pub struct Loaded {
    /// The sites that work.
    pub sites: SiteDirectory,
    /// What the plugins say of themselves, by file name.
    pub plugins: Vec<PluginInfo>,
    /// What was left out and why.
    pub errors: Vec<LoadError>,
}

/// What a plugin says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginInfo {
    /// The file name without `.wasm`.
    pub file: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The names of the hooks that it overrides.
    pub hooks: Vec<String>,
    /// The URL rules that it carries; they hold where no `[[site]]` table says otherwise.
    pub rules: Vec<Rule>,
}

/// The machinery for plugins cannot be set up on this machine.
#[derive(Debug)]
pub struct SandboxError(wasmtime::Error);

impl std::fmt::Display for SandboxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "plugins cannot be run here: {:#}", self.0)
    }
}

impl std::error::Error for SandboxError {}

type Sites = Vec<(Arc<PluginSite>, Vec<Rule>)>;

impl Sandbox {
    /// Sets up what plugins need; loads none yet.
    pub fn new(settings: &PluginSettings) -> Result<Self, SandboxError> {
        Ok(Self {
            host: Arc::new(Host::new(settings).map_err(SandboxError)?),
            cache: Cache::open(settings.cache.as_deref()),
            directory: settings.dir.clone(),
        })
    }

    /// Loads the plugins of the directory and makes the sites. A table's `config` is the value itself, not the path of a file.
    ///
    /// Compiles on all processors and blocks until it is done (tens of milliseconds for a new plugin, tenths of one for a cached
    /// one), so it does not belong on a thread that runs futures.
    pub fn load(&self, tables: &[SiteTable]) -> Loaded {
        let mut errors = Vec::new();
        let files = self.files(&mut errors);
        let mut plugins = BTreeMap::new();
        for (file, plugin) in self.compile(&files) {
            match plugin {
                Ok(plugin) => drop(plugins.insert(plugin.file.to_string(), Arc::new(plugin))),
                Err(problem) => errors.push(LoadError { subject: Subject::File(file.to_owned()), problem }),
            }
        }
        let mut sites = self.sites_of_tables(tables, &files, &plugins, &mut errors);
        self.add_unnamed(tables, &plugins, &mut sites, &mut errors);
        let plugins = plugins.values().map(|plugin| info(plugin)).collect();
        Loaded { sites: SiteDirectory::new(index(sites, &mut errors)), plugins, errors }
    }

    /// The `.wasm` files of the directory, sorted.
    fn files(&self, errors: &mut Vec<LoadError>) -> Vec<PathBuf> {
        let Some(directory) = &self.directory else { return Vec::new() };
        match list(directory) {
            Ok(files) => files,
            Err(error) => {
                let subject = Subject::Directory(directory.clone());
                errors.push(LoadError { subject, problem: Problem::Unreadable(error) });
                Vec::new()
            }
        }
    }

    /// Compiles the files, one on each processor at a time.
    fn compile<'f>(&self, files: &'f [PathBuf]) -> Vec<(&'f Path, Result<Plugin, Problem>)> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::new());
        let work = || {
            while let Some(file) = files.get(next.fetch_add(1, Relaxed)) {
                let plugin = self.plugin(file);
                done.lock().unwrap_or_else(PoisonError::into_inner).push((file.as_path(), plugin));
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(files.len());
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(file, _)| *file);
        done
    }

    fn plugin(&self, file: &Path) -> Result<Plugin, Problem> {
        let bytes = std::fs::read(file).map_err(Problem::Unreadable)?;
        inspect::check_bytes(&bytes)?;
        let engine = &self.host.runtime.engine;
        let component = self.cache.component(engine, &bytes).map_err(|error| Problem::Damaged(format!("{error:#}")))?;
        inspect::check_interface(engine, &component)?;
        Plugin::new(&self.host, &stem(file), &component)
    }

    fn sites_of_tables(
        &self,
        tables: &[SiteTable],
        files: &[PathBuf],
        plugins: &BTreeMap<String, Arc<Plugin>>,
        errors: &mut Vec<LoadError>,
    ) -> Sites {
        let mut sites = Sites::new();
        for table in tables {
            let problem = match plugins.get(&table.plugin) {
                Some(plugin) => match self.add(&mut sites, &table.name, Some(table), plugin, rules(plugin, Some(table))) {
                    Ok(()) => continue,
                    Err(problem) => problem,
                },
                None if self.directory.is_none() => Problem::NoDirectory,
                None if files.iter().any(|file| stem(file) == table.plugin) => Problem::BrokenPlugin(table.plugin.clone()),
                None => Problem::UnknownPlugin { plugin: table.plugin.clone(), known: plugins.keys().cloned().collect() },
            };
            errors.push(LoadError { subject: Subject::Site(table.name.clone()), problem });
        }
        sites
    }

    /// A plugin that no table names is a site of its own.
    fn add_unnamed(
        &self,
        tables: &[SiteTable],
        plugins: &BTreeMap<String, Arc<Plugin>>,
        sites: &mut Sites,
        errors: &mut Vec<LoadError>,
    ) {
        let named: BTreeSet<&str> = tables.iter().map(|table| table.plugin.as_str()).collect();
        for (file, plugin) in plugins.iter().filter(|(file, _)| !named.contains(file.as_str())) {
            let name = if plugin.description.name.is_empty() { file } else { &plugin.description.name };
            if let Err(problem) = self.add(sites, name, None, plugin, rules(plugin, None)) {
                let path = self.directory.clone().unwrap_or_default().join(format!("{file}.wasm"));
                errors.push(LoadError { subject: Subject::File(path), problem });
            }
        }
    }

    fn add(
        &self,
        sites: &mut Sites,
        name: &str,
        table: Option<&SiteTable>,
        plugin: &Arc<Plugin>,
        mut rules: Vec<Rule>,
    ) -> Result<(), Problem> {
        if let Some((site, _)) = sites.iter().find(|(site, _)| *site.facts().name == *name) {
            return Err(Problem::NameTaken { name: name.to_owned(), by: site.facts().plugin.to_string() });
        }
        for rule in &mut rules {
            name.clone_into(&mut rule.name);
        }
        RuleIndex::new(rules.clone()).map_err(Problem::Rules)?;
        let hosts = table.and_then(|table| table.download_hosts.as_ref()).into_iter().flatten();
        let reach = Reach::new(&rules, hosts.chain(&self.host.download_hosts)).map_err(Problem::Rules)?;
        let config = table.and_then(|table| table.config.as_ref());
        let site = PluginSite::new(name, config, reach, plugin.clone(), self.host.clone())?;
        tracing::info!(site = name, plugin = &*plugin.file, version = plugin.description.version, "plugin loaded");
        sites.push((Arc::new(site), rules));
        Ok(())
    }
}

/// Indexes all sites; where rules contradict each other (they replace each other in a circle), the sites with rules that replace
/// others are left out.
fn index(sites: Sites, errors: &mut Vec<LoadError>) -> SiteMap {
    let map = SiteMap::new(&sites).or_else(|error| {
        let (replacing, plain): (Sites, Sites) =
            sites.into_iter().partition(|(_, rules)| rules.iter().any(|rule| rule.instead_of.is_some()));
        for (site, _) in replacing {
            let subject = Subject::Site(site.facts().name.to_string());
            errors.push(LoadError { subject, problem: Problem::Rules(error.clone()) });
        }
        SiteMap::new(&plain)
    });
    let map = map.unwrap_or_default();
    for rule in map.unreachable() {
        tracing::warn!(
            site = rule.name,
            instead_of = rule.instead_of,
            "the site replaces one that does not exist: it is never chosen"
        );
    }
    map
}

/// A site's rules: the plugin's, each part replaced by what the table says.
fn rules(plugin: &Plugin, table: Option<&SiteTable>) -> Vec<Rule> {
    let own = plugin.description.rules.iter().map(own_rule).collect::<Vec<_>>();
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

fn own_rule(rule: &types::Rule) -> Rule {
    Rule {
        name: String::new(),
        include: rule.include.clone(),
        exclude: rule.exclude.clone(),
        priority: rule.priority,
        instead_of: rule.instead_of.clone(),
    }
}

fn info(plugin: &Plugin) -> PluginInfo {
    let description = &plugin.description;
    PluginInfo {
        file: plugin.file.to_string(),
        name: description.name.clone(),
        version: description.version.clone(),
        hooks: description.hooks.clone(),
        rules: rules(plugin, None),
    }
}

fn list(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
