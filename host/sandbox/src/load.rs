//! From a directory of `.wasm` files and `[[site]]` tables to sites. What cannot be used is reported, the rest works.

use std::path::PathBuf;
use std::sync::Arc;

use carousel_core::pattern::Rule;
use carousel_core::settings::{PluginSettings, SiteTable};

use crate::cache::Cache;
use crate::errors::LoadError;
use crate::host::Host;
use crate::library::Library;
use crate::plugin::Plugin;
use crate::reload::Reloader;
use crate::roster;
use crate::sites::SiteDirectory;
use crate::workshop::Workshop;

/// Runs plugins: the compilers, the limits and the places that all sites share.
///
/// While it lives, plugins that are new get optimised code in the background.
pub struct Sandbox {
    workshop: Arc<Workshop>,
    directory: Option<PathBuf>,
}

/// What came of loading.
pub struct Loaded {
    /// The sites that work.
    pub sites: Arc<SiteDirectory>,
    /// What the plugins say of themselves, by file name.
    pub plugins: Vec<PluginInfo>,
    /// What was left out and why.
    pub errors: Vec<LoadError>,
    /// Looks at the directory again.
    pub reloader: Reloader,
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

impl Sandbox {
    /// Sets up what plugins need; loads none yet.
    pub fn new(settings: &PluginSettings) -> Result<Self, SandboxError> {
        let host = Arc::new(Host::new(settings).map_err(SandboxError)?);
        let workshop = Arc::new(Workshop::new(host, Cache::open(settings.cache.as_deref())));
        Ok(Self { workshop, directory: settings.dir.clone() })
    }

    /// Loads the plugins of the directory and makes the sites. A table's `config` is the value itself, not the path of a file.
    ///
    /// Compiles on all processors and blocks until every plugin can work (tens of milliseconds for a new one, tenths of one for a
    /// cached one), so it does not belong on a thread that runs futures.
    pub fn load(&self, tables: &[SiteTable]) -> Loaded {
        let library = Library::new(self.directory.clone());
        let mut reloader = Reloader::new(self.workshop.clone(), library, tables);
        let errors = reloader.load();
        Loaded { sites: reloader.sites(), plugins: reloader.plugins(), errors, reloader }
    }

    /// Waits until every plugin that was loaded runs on optimised code, which is kept for the next time.
    pub fn finish_optimising(&self) {
        self.workshop.finish_optimising();
    }
}

impl PluginInfo {
    pub(crate) fn of(plugin: &Plugin) -> Self {
        let description = &plugin.description;
        Self {
            file: plugin.file.to_string(),
            name: description.name.clone(),
            version: description.version.clone(),
            hooks: description.hooks.clone(),
            rules: roster::rules(description, None),
        }
    }
}
