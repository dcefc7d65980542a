//! `carousel plugin check`: can these components be used, what do they want, and whom do they compete with?

mod advice;

use std::collections::BTreeSet;
use std::process::ExitCode;

use carousel_core::pattern::{Rule, RuleIndex, Standing, overlap};
use carousel_core::settings::{PluginSettings, Settings};
use carousel_sandbox::{PluginInfo, Sandbox, Standing as PortStanding};
use serde_json::{Value, json};

use super::facts::{Facts, hooks};
use super::{NOT_GOOD, report, workbench};
use crate::args::{CheckPlugins, Common};
use crate::logging::{Lines, Screen};
use crate::settings_file;

/// A URL that another rule matches, too.
#[derive(Debug, PartialEq)]
struct Overlap {
    url: String,
    /// The site of the other rule.
    other: String,
    /// The site that serves the URL.
    winner: String,
    /// Why.
    why: String,
}

/// Checks the files: 0 all can be used, 1 some cannot.
pub(crate) fn check(args: &CheckPlugins, common: &Common, screen: &Screen) -> anyhow::Result<ExitCode> {
    let settings = settings_file::load(common.config.as_deref(), screen)?;
    args.files.iter().filter(|file| !file.is_symlink() && !file.exists()).try_for_each(|file| workbench::must_be_a_file(file))?;
    let facts = args.files.iter().map(|file| Facts::of(file, &settings)).collect::<anyhow::Result<Vec<_>>>()?;
    let neighbours = neighbours(&facts, common, &settings)?;
    for (at, plugin) in facts.iter().enumerate() {
        let overlaps =
            plugin.plugin.as_ref().map_or_else(|_| Vec::new(), |info| overlaps(info, &others(&facts, at, &neighbours)));
        let warnings = if plugin.plugin.is_ok() { advice::warnings(&plugin.file, &settings)? } else { Vec::new() };
        match args.json {
            true => report::print(to_json(plugin, &overlaps, &warnings).to_string())?,
            false => report::print(text(plugin, &overlaps, &warnings))?,
        }
    }
    let all_good = facts.iter().all(|plugin| plugin.plugin.is_ok());
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::from(NOT_GOOD) })
}

/// The rules of the directory's sites, without those of the files that are checked.
fn neighbours(facts: &[Facts], common: &Common, settings: &Settings) -> anyhow::Result<Vec<Rule>> {
    let Some(dir) = settings_file::plugin_dir(common.plugins.as_deref(), settings)? else { return Ok(Vec::new()) };
    let sandbox = Sandbox::new(&PluginSettings { dir: Some(dir), ..settings.plugins.clone() })?;
    let loaded = sandbox.load(&settings.site);
    let checked: BTreeSet<&str> =
        facts.iter().filter_map(|plugin| plugin.plugin.as_ref().ok()).map(|info| info.file.as_str()).collect();
    let own: BTreeSet<String> =
        loaded.sites.report().into_iter().filter(|site| checked.contains(site.plugin.as_str())).map(|site| site.site).collect();
    Ok(loaded.sites.rules().into_iter().filter(|rule| !own.contains(&rule.name)).collect())
}

/// All rules but those of the file at this place.
fn others(facts: &[Facts], at: usize, neighbours: &[Rule]) -> Vec<Rule> {
    let beside = facts.iter().enumerate().filter(|(place, _)| *place != at).filter_map(|(_, other)| other.plugin.as_ref().ok());
    neighbours.iter().cloned().chain(beside.flat_map(named_rules)).collect()
}

fn named_rules(info: &PluginInfo) -> Vec<Rule> {
    let name = if info.name.is_empty() { &info.file } else { &info.name };
    info.rules.iter().map(|rule| Rule { name: name.clone(), ..rule.clone() }).collect()
}

/// One URL for each of the others' rules that competes with one of the plugin's own.
fn overlaps(info: &PluginInfo, others: &[Rule]) -> Vec<Overlap> {
    let own = named_rules(info);
    let mut all = others.to_vec();
    all.extend(own.iter().cloned());
    let Ok(index) = RuleIndex::new(all) else { return Vec::new() };
    let competing = others.iter().filter_map(|other| {
        let same = own.iter().filter(|own| own.instead_of == other.instead_of && own.name != other.name);
        let url = same.into_iter().find_map(|own| overlap(own, other))?;
        let explanation = index.explain(&url);
        let reason = explanation.matching.iter().find_map(|(rule, standing)| {
            let Standing::Outranked(reason) = standing else { return None };
            let is_ours = rule.name == other.name || own.iter().any(|own| own.name == rule.name);
            is_ours.then(|| reason.to_string())
        });
        let winner = explanation.chosen().map(|rule| rule.name.clone()).unwrap_or_default();
        Some(Overlap { url, other: other.name.clone(), winner, why: reason.unwrap_or_default() })
    });
    competing.collect()
}

fn text(facts: &Facts, overlaps: &[Overlap], warnings: &[String]) -> Lines {
    let mut lines = Lines::from(facts.file.display().to_string());
    let mut line = |name: &str, value: &str| lines.push(format!("  {name:<10} {value}"));
    if let Ok(info) = &facts.plugin {
        line("plugin", &format!("{} {}", info.name, info.version));
    }
    line("interface", &facts.interface());
    line("size", &report::bytes(facts.bytes));
    if let Ok(info) = &facts.plugin {
        line("hooks", &hooks(info));
        line("rules", &report::rules(&info.rules));
    }
    for (standing, word) in [(PortStanding::Allowed, "allowed"), (PortStanding::Denied, "denied")] {
        let imports = facts.foreign_words(standing);
        if !imports.is_empty() {
            line("imports", &format!("{word}: {imports}"));
        }
    }
    for Overlap { url, other, winner, why } in overlaps {
        line("overlap", &format!("{url} is matched by {other}, too; {winner} serves it: {why}"));
    }
    for warning in warnings {
        line("warning", warning);
    }
    match &facts.plugin {
        Ok(_) => line("result", "can be used"),
        Err(why) => line("result", &format!("cannot be used: {why}")),
    }
    lines
}

fn to_json(facts: &Facts, overlaps: &[Overlap], warnings: &[String]) -> Value {
    let mut object = facts.to_json();
    let overlaps: Vec<Value> = overlaps
        .iter()
        .map(|Overlap { url, other, winner, why }| json!({"url": url, "site": other, "served_by": winner, "why": why}))
        .collect();
    if let Some(members) = object.as_object_mut() {
        members.insert("overlaps".to_owned(), Value::Array(overlaps));
        members.insert("warnings".to_owned(), json!(warnings));
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(name: &str, rule: Rule) -> PluginInfo {
        PluginInfo { file: name.into(), name: name.into(), version: "1".into(), hooks: vec![], rules: vec![rule] }
    }

    fn rule(include: &str) -> Rule {
        Rule { include: vec![include.into()], ..Rule::default() }
    }

    #[test]
    fn rules_that_replace_the_same_site_compete_and_the_winner_is_named() {
        let other = |name: &str, rule: Rule| Rule { name: name.into(), ..rule };
        let others = [
            other("wide", rule("shop.example")),
            other("first", Rule { priority: 900, ..rule("shop.example/sale/shoes") }),
            other("elsewhere", rule("other.example")),
            other("replacing", Rule { instead_of: Some("sale".into()), ..rule("shop.example") }),
        ];
        let found = overlaps(&plugin("sale", rule("shop.example/sale")), &others);
        let told: Vec<_> = found.iter().map(|it| (it.other.as_str(), it.winner.as_str())).collect();
        assert_eq!(told, [("wide", "replacing"), ("first", "first")]);
        assert!(found[0].why.contains("more specific") && found[1].why.contains("higher priority"), "{found:?}");
    }
}
