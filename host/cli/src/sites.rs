//! The site plugins of a crawl: found, loaded, reported on.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use carousel_core::settings::{OnBad, PluginSettings, Settings};
use carousel_sandbox::{HookReport, LoadError, Loaded, Problem, Sandbox, SiteDirectory, SiteReport, Subject, Watch};
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
    /// Loads the plugin directory, if there is one. Fails if the directory, a file in it or a `[[site]]` table cannot be used: somebody
    /// relies on it, and a page without its check may be a wrong page. Where the settings say so (`on_bad`), a file that is no plugin
    /// is told and left out, and the sites that are known to be its own are closed.
    pub(crate) fn load(flag: Option<&Path>, settings: &Settings) -> anyhow::Result<Self> {
        let dir = settings_file::plugin_dir(flag, settings)?;
        if dir.is_none() && settings.site.is_empty() {
            return Ok(Self { sites: Arc::default(), _sandbox: None, _watch: None });
        }
        let sandbox = Sandbox::new(&PluginSettings { dir, ..settings.plugins.of_profile(settings.profile) })?;
        let loaded = sandbox.load(&settings.site);
        let (skipped, relied_on): (Vec<&LoadError>, Vec<&LoadError>) =
            loaded.errors.iter().partition(|error| settings.plugins.on_bad == OnBad::Skip && is_of_file(error));
        for error in skipped {
            tracing::error!("{error}");
        }
        refuse_errors(&relied_on)?;
        warn_of_idle(&loaded, settings);
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

/// Whether a file that does not work is all that is wrong.
fn is_of_file(error: &LoadError) -> bool {
    matches!((&error.subject, &error.problem), (Subject::File(_), _) | (Subject::Site(_), Problem::BrokenPlugin(_)))
}

fn refuse_errors(errors: &[&LoadError]) -> anyhow::Result<()> {
    let can_be_skipped = !errors.is_empty() && errors.iter().all(|error| is_of_file(error));
    let hint = if can_be_skipped { "; on_bad = \"skip\" in [plugins] crawls without it" } else { "" };
    match errors {
        [] => Ok(()),
        [error] => bail!("{error}{hint}"),
        several => {
            let heading = format!("{} plugins or [[site]] tables cannot be used{hint}", several.len());
            bail!(Listed { heading, items: several.iter().map(ToString::to_string).collect() })
        }
    }
}

/// Says what is there and will never be asked.
fn warn_of_idle(loaded: &Loaded, settings: &Settings) {
    if loaded.plugins.is_empty() && loaded.errors.is_empty() {
        let dir = loaded.reloader.directory().unwrap_or(Path::new("")).display();
        tracing::warn!("no file in the plugin directory {dir} ends in .wasm: the defaults serve every site until one comes");
    }
    let chosen: BTreeSet<String> =
        loaded.sites.rules().into_iter().filter(|rule| !rule.include.is_empty()).map(|rule| rule.name).collect();
    for site in loaded.sites.names() {
        let table = settings.site.iter().find(|table| table.name == site);
        let is_meant = settings.session.checker.as_ref() == Some(&site) || table.is_some_and(|table| table.include.is_some());
        if !is_meant && !chosen.contains(&site) {
            let what = table.map_or("a [[site]] table with include", |_| "include in its [[site]] table");
            tracing::warn!(site, "no URL leads to this plugin: it carries no rules; give it {what}");
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
