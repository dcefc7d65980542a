//! The site plugins of a crawl: found, loaded, reported on.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use carousel_core::hooks::Hook;
use carousel_core::settings::{KindRule, OnBad, PluginSettings, Settings};
use carousel_engine::{Site as _, Sites as _};
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
        refuse_unkept(&loaded.sites, settings)?;
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

/// Refuses plugins that initialise sessions where Zyte is to keep all of them. Where a pool's table says otherwise it may be theirs: then
/// each request is told.
fn refuse_unkept(sites: &SiteDirectory, settings: &Settings) -> anyhow::Result<()> {
    let session = &settings.session;
    if session.kind != Some(KindRule::Zyte) || session.pools.values().any(|table| table.kind.is_some()) {
        return Ok(());
    }
    let hooks = [(Hook::InitSession, "init_session"), (Hook::Params, "params")];
    let initialises =
        |site: &str| hooks.into_iter().find(|(hook, _)| sites.named(site).is_some_and(|site| site.overrides(*hook)));
    match sites.names().iter().find_map(|site| Some((site, initialises(site)?.1))) {
        Some((site, hook)) => bail!(
            "session.kind = \"zyte\": the {hook} of site \"{site}\" initialises sessions, and nobody but Zyte initialises those that it \
             keeps: use auto, or kind = \"user\" in a [session.pools] table for its pools"
        ),
        None => Ok(()),
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
