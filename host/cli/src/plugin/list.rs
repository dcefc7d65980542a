//! `carousel plugin list`: the plugins of a directory.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use carousel_core::settings::PluginSettings;
use carousel_sandbox::{Sandbox, Subject};

use super::facts::{Facts, hooks};
use super::{NOT_GOOD, report, workbench};
use crate::args::{Common, ListPlugins};
use crate::logging::{Lines, Screen};
use crate::settings_file;

/// Lists the files: 0 all can be used, 1 some cannot.
pub(crate) fn list(args: &ListPlugins, common: &Common, screen: &Screen) -> anyhow::Result<ExitCode> {
    let settings = settings_file::load(common.config.as_deref(), screen)?;
    let flag = args.dir.as_deref().or(common.plugins.as_deref());
    let Some(dir) = settings_file::plugin_dir(flag, &settings)? else {
        bail!("no plugin directory is named: give DIR, or --plugins DIR, or set dir in [plugins] of the settings file");
    };
    let loaded = Sandbox::new(&PluginSettings { dir: Some(dir.clone()), ..settings.plugins })?.load(&[]);
    let mut plugins = BTreeMap::new();
    for error in loaded.errors {
        match error.subject {
            Subject::File(file) => drop(plugins.insert(file, Err(workbench::problem(&error.problem)))),
            Subject::Directory(_) | Subject::Site(_) => bail!("{error}"),
        }
    }
    for info in loaded.plugins {
        // Whoever has an error besides, such as a name that is taken, is no site.
        plugins.entry(dir.join(format!("{}.wasm", info.file))).or_insert(Ok(info));
    }
    let facts: Vec<Facts> = plugins.into_iter().map(|(file, plugin): (PathBuf, _)| Facts::with(&file, plugin)).collect();
    match args.json {
        true => facts.iter().try_for_each(|plugin| report::print(plugin.to_json().to_string()))?,
        false if facts.is_empty() => report::print(format!("no plugins in {}", dir.display()))?,
        false => report::print(table(&facts))?,
    }
    let all_good = facts.iter().all(|plugin| plugin.plugin.is_ok());
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::from(NOT_GOOD) })
}

fn table(facts: &[Facts]) -> Lines {
    let heading = ["file", "name", "version", "size", "hooks", "rules"].map(str::to_owned).to_vec();
    let rows = facts.iter().map(|plugin| {
        let file = plugin.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let size = report::bytes(plugin.bytes);
        match &plugin.plugin {
            Ok(info) => {
                let rules = report::rules(&info.rules);
                vec![file, info.name.clone(), info.version.clone(), size, hooks(info), rules]
            }
            Err(_) => vec![file, "-".to_owned(), "-".to_owned(), size, "cannot be used, see below".to_owned()],
        }
    });
    let mut lines = Lines::from(report::table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
    for plugin in facts {
        if let Err(why) = &plugin.plugin {
            lines.extend([String::new(), format!("{}: {why}", plugin.file.display())]);
        }
    }
    lines
}
