//! The site plugins of a crawl: found, loaded, reported on.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use carousel_core::settings::{PluginSettings, Settings};
use carousel_sandbox::{HookReport, LoadError, Sandbox, SiteDirectory, SiteReport, Subject, Watch};
use serde_json::{Map, Value, json};

use crate::logging::Listed;
use crate::settings_file;

/// The plugins that were found, ready to be asked.
pub(crate) struct Plugins {
    sites: Arc<SiteDirectory>,
    /// Plugins that are new get better code as long as it lives.
    _sandbox: Option<Sandbox>,
    /// The directory is watched as long as it lives.
    _watch: Option<Watch>,
}

impl Plugins {
    /// Loads the plugin directory, if there is one. A file in it that is no plugin is reported and left out. Fails if the directory
    /// or a `[[site]]` table cannot be used: somebody relies on it, and a page without its check may be a wrong page.
    pub(crate) fn load(flag: Option<&Path>, settings: &Settings) -> anyhow::Result<Self> {
        let dir = settings_file::plugin_dir(flag, settings)?;
        if dir.is_none() && settings.site.is_empty() {
            return Ok(Self { sites: Arc::default(), _sandbox: None, _watch: None });
        }
        let sandbox = Sandbox::new(&PluginSettings { dir, ..settings.plugins.of_profile(settings.profile) })?;
        let loaded = sandbox.load(&settings.site);
        let (files, relied_on): (Vec<LoadError>, Vec<LoadError>) =
            loaded.errors.into_iter().partition(|error| matches!(error.subject, Subject::File(_)));
        for error in &files {
            tracing::error!("{error}");
        }
        refuse_errors(&relied_on)?;
        let watch = settings.plugins.watch.then(|| loaded.reloader.watch()).transpose();
        let watch = watch.context("cannot watch the plugin directory; set watch = false in [plugins]")?;
        Ok(Self { sites: loaded.sites, _sandbox: Some(sandbox), _watch: watch })
    }

    /// Who knows about sites.
    pub(crate) fn sites(&self) -> Arc<SiteDirectory> {
        Arc::clone(&self.sites)
    }

    /// The names of all sites.
    pub(crate) fn names(&self) -> Vec<String> {
        self.sites.report().into_iter().map(|site| site.site).collect()
    }

    /// What each site's plugin did so far, as in the stats file.
    pub(crate) fn report(&self) -> Value {
        self.sites.report().iter().map(|site| (site.site.clone(), site_to_json(site))).collect::<Map<_, _>>().into()
    }
}

fn refuse_errors(errors: &[LoadError]) -> anyhow::Result<()> {
    match errors {
        [] => Ok(()),
        [error] => bail!("{error}"),
        several => {
            let heading = format!("{} plugins or [[site]] tables cannot be used", several.len());
            bail!(Listed { heading, items: several.iter().map(ToString::to_string).collect() })
        }
    }
}

fn site_to_json(site: &SiteReport) -> Value {
    let hooks: Map<String, Value> = site.hooks.iter().map(|hook| (hook.hook.to_string(), hook_to_json(hook))).collect();
    json!({"plugin": site.plugin, "version": site.version, "instances": site.instances, "hooks": hooks})
}

fn hook_to_json(hook: &HookReport) -> Value {
    json!({"calls": hook.calls, "failures": hook.failures, "traps": hook.traps, "seconds": hook.time.as_secs_f64()})
}
