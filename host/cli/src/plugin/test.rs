//! `carousel plugin test`: runs recorded calls offline and compares what the plugins answer now.

mod compare;
mod today;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use carousel_core::exchange::Object;
use carousel_core::hooks::Defaults;
use carousel_core::settings::{PluginSettings, Settings, SiteTable};
use carousel_engine::Sites;
use carousel_sandbox::{Loaded, Look, PluginSite, Sandbox, SiteDirectory, Subject, observe};
use serde_json::{Value, json};

use self::compare::{Difference, compare, placeholders_of_inputs};
use self::today::Today;
use super::replay::{self, Recorded};
use super::{NOT_GOOD, report, workbench};
use crate::args::{Common, TestPlugins};
use crate::logging::{Lines, Screen};
use crate::recording::{Fixture, FixtureSite, SiteFolder, read_fixture, site_folders};
use crate::settings_file;

/// Runs the fixtures: 0 all as expected, 1 some not.
pub(crate) fn test(args: &TestPlugins, common: &Common, screen: &Screen) -> anyhow::Result<ExitCode> {
    let settings = settings_file::load(common.config.as_deref(), screen)?;
    let Some(dir) = settings_file::plugin_dir(common.plugins.as_deref(), &settings)? else {
        bail!("no plugin directory is named: give --plugins DIR, or set dir in [plugins] of the settings file");
    };
    let folders = site_folders(&args.dir)?;
    let plugins = PluginSettings { dir: Some(dir), ..settings.plugins };
    refuse_twins(&folders)?;
    let sites: Vec<Today> = folders.iter().map(|folder| Today::of(&folder.site, &settings.site)).collect();
    for (folder, today) in folders.iter().zip(&sites) {
        for difference in &today.differences {
            report::print(format!("NOTE {}: not as it was recorded: {difference}", folder.path.display()))?;
        }
    }
    let tables: Vec<SiteTable> = sites.into_iter().map(|today| today.table).collect();
    let loaded = Sandbox::new(&plugins)?.load(&tables);
    let stage = Stage { broken: broken(&loaded), sites: loaded.sites, runtime: workbench::runtime()? };
    let mut tally = Tally::default();
    for folder in &folders {
        stage.run(folder, &args.dir, &mut tally)?;
    }
    report::print(tally.summary(folders.len()))?;
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(NOT_GOOD) })
}

/// Calls of one site in two folders may be of two configs.
fn refuse_twins(folders: &[SiteFolder]) -> anyhow::Result<()> {
    let mut named: BTreeMap<&str, &Path> = BTreeMap::new();
    for folder in folders {
        if let Some(other) = named.insert(&folder.site.site, &folder.path) {
            let (one, two) = (other.display(), folder.path.display());
            bail!("{one} and {two} are both of the site \"{}\": test one at a time", folder.site.site);
        }
    }
    Ok(())
}

/// Why sites cannot be served.
fn broken(loaded: &Loaded) -> BTreeMap<String, String> {
    let mut broken = BTreeMap::new();
    for error in &loaded.errors {
        match &error.subject {
            Subject::Site(name) => drop(broken.insert(name.clone(), workbench::problem(&error.problem))),
            Subject::File(_) | Subject::Directory(_) => tracing::warn!("{error}"),
        }
    }
    broken
}

/// The plugins, ready to be asked.
struct Stage {
    sites: Arc<SiteDirectory>,
    broken: BTreeMap<String, String>,
    runtime: tokio::runtime::Runtime,
}

#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
}

impl Stage {
    /// Runs the calls of one site and prints those that do not come out as expected.
    fn run(&self, folder: &SiteFolder, root: &Path, tally: &mut Tally) -> anyhow::Result<()> {
        let Some(site) = self.sites.named(&folder.site.site) else {
            let why = self.broken.get(&folder.site.site).map_or("its plugin is not loaded", String::as_str);
            tally.failed += folder.calls.len();
            return report::print(format!("FAILED {}: the site cannot be served: {why}", folder.path.display()));
        };
        let defaults = self.defaults(&folder.site).with_context(|| folder.path.display().to_string())?;
        for path in &folder.calls {
            let fixture = read_fixture(path)?;
            let ran = self.ask(&site, &fixture, &defaults).with_context(|| path.display().to_string())?;
            let differences = ran.differences(&fixture, &folder.site);
            if differences.is_empty() {
                tally.passed += 1;
                continue;
            }
            tally.failed += 1;
            let name = path.strip_prefix(root).unwrap_or(path);
            report::print(failure(&name.display().to_string(), &fixture, &differences, &ran.looks))?;
        }
        Ok(())
    }

    fn defaults(&self, site: &FixtureSite) -> anyhow::Result<Arc<dyn Defaults>> {
        let settings: Settings = serde_json::from_value(Value::Object(site.settings.clone()))
            .map_err(|error| anyhow!("\"settings\" of site.json: {error}"))?;
        workbench::defaults(&self.runtime, Arc::new(settings), Arc::clone(&self.sites))
    }

    fn ask(&self, site: &PluginSite, fixture: &Fixture, defaults: &Arc<dyn Defaults>) -> anyhow::Result<Ran> {
        let call = fixture.call(Arc::clone(defaults))?;
        let session = call.session.clone();
        let answer = fixture.answer()?;
        let downloads = Recorded::new(fixture.downloads.clone());
        let work = replay::ask(site, fixture.hook, call, answer, Arc::clone(&downloads) as _);
        let (outcome, trace) = observe(|| self.runtime.block_on(work));
        let stored = session.map(|session| session.snapshot()).unwrap_or_default();
        Ok(Ran { outcome: outcome?, stored, downloads: downloads.asked(), looks: trace.looks })
    }
}

/// What came of a call.
struct Ran {
    outcome: Object,
    stored: Object,
    downloads: Vec<Object>,
    looks: Vec<Look>,
}

impl Ran {
    fn differences(&self, fixture: &Fixture, site: &FixtureSite) -> Vec<Difference> {
        let inputs = placeholders_of_inputs(fixture, site);
        let mut got = self.outcome.clone();
        got.insert("session_data".to_owned(), Value::Object(self.stored.clone()));
        let mut expect = fixture.expect.clone();
        // What nobody expects to change must not change.
        let before = fixture.session.as_ref().map(|session| session.data.clone()).unwrap_or_default();
        expect.entry("session_data").or_insert_with(|| Value::Object(before));
        let mut differences = compare(&Value::Object(expect), &Value::Object(got), &inputs);
        let expected: Vec<Option<&Object>> = fixture.downloads.iter().map(|download| download.params.as_ref()).collect();
        if self.downloads.len() != expected.len() {
            let count = |count: usize| json!(format!("{count} downloads"));
            differences.push(Difference::new("downloads", &count(expected.len()), &count(self.downloads.len())));
        }
        for (at, (expected, got)) in expected.into_iter().zip(&self.downloads).enumerate() {
            let Some(expected) = expected else { continue };
            let found = compare(&json!(expected), &json!(got), &inputs);
            differences.extend(found.into_iter().map(|difference| difference.below(&format!("download {}", at + 1))));
        }
        differences
    }
}

impl Tally {
    fn summary(&self, sites: usize) -> String {
        let Self { passed, failed } = self;
        format!("{} calls of {sites} sites: {passed} as expected, {failed} not", passed + failed)
    }
}

/// What was expected, what came instead, and what the plugin looked at.
fn failure(name: &str, fixture: &Fixture, differences: &[Difference], looks: &[Look]) -> Lines {
    let kind = if fixture.init { " of an initialisation" } else { "" };
    let mut lines = Lines::from(format!("FAILED {name}: {}{kind}, {}", fixture.hook.word(), fixture.url()));
    for difference in differences {
        lines.extend(difference.lines().into_iter().map(|line| format!("  {line}")));
    }
    if !looks.is_empty() {
        lines.push("  the plugin looked at");
    }
    for Look { asked, told, excerpt } in looks {
        lines.push(format!("    {asked} → {told}"));
        if !excerpt.is_empty() {
            lines.push(format!("      {excerpt}"));
        }
    }
    lines
}
