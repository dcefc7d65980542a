//! One component by itself, at work for one site: loaded as a crawl would load it, asked through the engine's port.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use carousel_core::exchange::{Answer, CallError, Object};
use carousel_core::hooks::Defaults;
use carousel_core::settings::{Instances, PluginSettings, Settings, SiteTable};
use carousel_engine::{Engine, EngineOptions, Sites, Transport};
use carousel_sandbox::{Loaded, PluginInfo, PluginSite, Problem, Sandbox, SiteDirectory};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;

use crate::text_file;

/// A plugin at work for one site.
pub(crate) struct Workbench {
    /// The site.
    pub(crate) site: Arc<PluginSite>,
    /// What the plugin says of itself.
    pub(crate) plugin: PluginInfo,
    /// What the engine would do where the plugin does not.
    pub(crate) defaults: Arc<dyn Defaults>,
    /// Runs the hooks that download; all on this thread.
    pub(crate) runtime: tokio::runtime::Runtime,
}

/// The site that a plugin is put to work for.
#[derive(Debug, Default)]
pub(crate) struct Place {
    /// Its name; the plugin's own if there is none.
    pub(crate) name: Option<String>,
    /// Its config.
    pub(crate) config: Option<Value>,
    /// Where it may lead calls besides the plugin's own rules: what its table includes and names for downloads.
    pub(crate) hosts: Vec<String>,
}

impl Place {
    /// What the flags `--site` and `--site-config` say.
    pub(crate) fn of(site: Option<&str>, config: Option<&str>, settings: &Settings) -> anyhow::Result<Self> {
        let Some(name) = site else {
            return Ok(Self { config: config.map(|text| json("--site-config", text)).transpose()?, ..Self::default() });
        };
        let table = settings.site.iter().find(|table| table.name == name);
        let table = table.with_context(|| format!("the settings file has no [[site]] with the name \"{name}\""))?;
        let hosts = table.include.iter().chain(&table.download_hosts).flatten().cloned().collect();
        Ok(Self { name: Some(name.to_owned()), config: table.config.clone(), hosts })
    }
}

impl Workbench {
    /// Puts a component to work. The inner error is why it cannot be used.
    pub(crate) fn open(file: &Path, place: Place, settings: &Settings) -> anyhow::Result<Result<Self, String>> {
        let alone = Alone::of(file, settings)?;
        let plugin = match describe_loaded(&alone.load(&[])) {
            Ok(plugin) => plugin,
            Err(why) => return Ok(Err(why)),
        };
        let own_name = if plugin.name.is_empty() { &plugin.file } else { &plugin.name };
        let hosts = plugin.rules.iter().flat_map(|rule| rule.include.clone()).chain(place.hosts).collect();
        let table = table(place.name.as_ref().unwrap_or(own_name), &plugin.file, place.config, hosts);
        let loaded = alone.load(std::slice::from_ref(&table));
        let Some(site) = loaded.sites.named(&table.name) else {
            return Ok(Err(errors(&loaded)));
        };
        let runtime = runtime()?;
        let settings = Arc::new(Settings { session: settings.session.clone(), profile: settings.profile, ..Settings::default() });
        let defaults = defaults(&runtime, settings, loaded.sites)?;
        Ok(Ok(Self { site, plugin, defaults, runtime }))
    }
}

/// A site of this name that no URL chooses and whose calls may lead to these hosts.
pub(crate) fn table(name: &str, plugin: &str, config: Option<Value>, hosts: Vec<String>) -> SiteTable {
    SiteTable {
        name: name.to_owned(),
        plugin: plugin.to_owned(),
        include: Some(Vec::new()),
        exclude: None,
        priority: None,
        instead_of: None,
        download_hosts: Some(hosts),
        instances: Instances::default(),
        init: None,
        config,
    }
}

/// A runtime whose work is done on the thread that waits for it.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    crate::runtime(tokio::runtime::Builder::new_current_thread())
}

/// What an engine with these settings and sites does where no plugin says otherwise.
pub(crate) fn defaults(
    runtime: &tokio::runtime::Runtime,
    settings: Arc<Settings>,
    sites: Arc<SiteDirectory>,
) -> anyhow::Result<Arc<dyn Defaults>> {
    let _inside = runtime.enter();
    Ok(Engine::new(settings, Nowhere, sites, EngineOptions::default())?.defaults())
}

/// An API that is never asked.
struct Nowhere;

impl Transport for Nowhere {
    async fn send(&self, _params: &Object) -> Result<Answer, CallError> {
        std::future::pending().await
    }
}

/// Loads one component as a crawl would and tells what it says of itself, or why it cannot be used.
pub(crate) fn describe(file: &Path, settings: &Settings) -> anyhow::Result<Result<PluginInfo, String>> {
    match file.metadata() {
        Ok(found) if !found.is_file() => return Ok(Err(problem(&Problem::NotAFile))),
        Err(error) => return Ok(Err(problem(&Problem::Unreadable(error)))),
        Ok(_) => {}
    }
    Ok(describe_loaded(&Alone::of(file, settings)?.load(&[])))
}

fn describe_loaded(loaded: &Loaded) -> Result<PluginInfo, String> {
    match loaded.plugins.first() {
        Some(plugin) if loaded.errors.is_empty() => Ok(plugin.clone()),
        _ => Err(errors(loaded)),
    }
}

fn errors(loaded: &Loaded) -> String {
    let told: Vec<String> = loaded.errors.iter().map(|error| problem(&error.problem)).collect();
    if told.is_empty() { "there is no plugin in it".to_owned() } else { told.join("; ") }
}

/// Why something cannot be used, and what to do about it.
pub(crate) fn problem(problem: &Problem) -> String {
    let remedy = problem.remedy().map(|remedy| format!("; {remedy}"));
    format!("{problem}{}", remedy.unwrap_or_default())
}

/// A directory with one component in it, for as long as it is looked at.
struct Alone {
    _dir: TempDir,
    sandbox: Sandbox,
}

impl Alone {
    fn of(file: &Path, settings: &Settings) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir().context("cannot make a temporary directory")?;
        let name = file.file_stem().with_context(|| format!("{} is no file", file.display()))?;
        let copy: PathBuf = dir.path().join(format!("{}.wasm", name.to_string_lossy()));
        std::fs::copy(file, copy).with_context(|| format!("cannot read {}", file.display()))?;
        let settings = PluginSettings { dir: Some(dir.path().to_path_buf()), ..settings.plugins.clone() };
        Ok(Self { _dir: dir, sandbox: Sandbox::new(&settings)? })
    }

    fn load(&self, tables: &[SiteTable]) -> Loaded {
        self.sandbox.load(tables)
    }
}

/// Reads JSON of a flag.
pub(crate) fn json<T: DeserializeOwned>(flag: &str, text: &str) -> anyhow::Result<T> {
    serde_json::from_str(text).map_err(|error| anyhow!("{flag} is not the JSON that is wanted: {error}"))
}

/// Reads a JSON file.
pub(crate) fn json_file<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = text_file::read(path, "")?;
    serde_json::from_str(&text).map_err(|error| anyhow!("{}: not the JSON that is wanted: {error}", path.display()))
}

/// Refuses what is not a file, before anything costly begins.
pub(crate) fn must_be_a_file(path: &Path) -> anyhow::Result<()> {
    if !path.is_file() {
        bail!("there is no file {}: `carousel plugin build` makes components", path.display());
    }
    Ok(())
}
