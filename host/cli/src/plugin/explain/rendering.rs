//! An explanation as text and as JSON.

use std::time::Duration;

use carousel_core::settings::{Growth, PoolOptions, Rotation};
use serde_json::{Map, Value, json};

use super::{Explained, ExplainedRule};
use crate::logging::Lines;
use crate::plugin::report;

/// For people.
pub(super) fn lines(explained: &Explained) -> Lines {
    let mut lines = Lines::from(explained.url.as_str());
    let mut section = |heading: &str, content: Vec<String>| {
        lines.extend([String::new(), heading.to_owned()]);
        lines.extend(content);
    };
    section("rules that match", rules(&explained.rules));
    let site = match &explained.site {
        Some((site, plugin)) => format!("  {site}, served by {plugin}.wasm"),
        None => "  none: the defaults serve".to_owned(),
    };
    section("site", vec![site]);
    if !explained.hooks.is_empty() {
        let rows = explained.hooks.iter().map(|(hook, value, source)| {
            let value = if value.is_null() { "-".to_owned() } else { value.to_string() };
            vec![format!("  {}", hook.name().replace('-', "_")), source.clone(), value]
        });
        section("hook by hook", report::table(&rows.collect::<Vec<_>>()));
    }
    if let Some(pool) = &explained.pool {
        let options: Vec<String> = pool_members(pool).into_iter().map(|(name, value)| format!("{name} {value}")).collect();
        section("pool, if this request is the first of it", vec![format!("  {}", options.join(", "))]);
    }
    if let Some(failure) = &explained.failure {
        section("such a request fails before it is sent", vec![format!("  {failure}")]);
    }
    lines
}

fn rules(rules: &[ExplainedRule]) -> Vec<String> {
    if rules.is_empty() {
        return vec!["  none".to_owned()];
    }
    let rows = rules.iter().enumerate().map(|(at, ExplainedRule { rule, standing, why })| {
        vec![format!("  {}", at + 1), rule.name.clone(), (*standing).to_owned(), report::rule(rule), why.clone()]
    });
    report::table(&rows.collect::<Vec<_>>())
}

/// For machines.
pub(super) fn to_json(explained: &Explained) -> Value {
    let rules = explained.rules.iter().map(|ExplainedRule { rule, standing, why }| {
        json!({
            "site": rule.name, "standing": standing, "why": why, "include": rule.include, "exclude": rule.exclude,
            "priority": rule.priority, "instead_of": rule.instead_of,
        })
    });
    let hooks: Map<String, Value> = explained
        .hooks
        .iter()
        .map(|(hook, value, source)| (hook.name().replace('-', "_"), json!({"value": value, "from": source})))
        .collect();
    json!({
        "url": explained.url,
        "rules": rules.collect::<Vec<_>>(),
        "site": explained.site.as_ref().map(|(site, _)| site),
        "plugin": explained.site.as_ref().map(|(_, plugin)| plugin),
        "hooks": hooks,
        "pool": explained.pool.as_ref().map(|pool| Value::Object(pool_members(pool).into_iter().collect())),
        "failure": explained.failure,
    })
}

/// The options under the names of their settings; null stands for no limit.
fn pool_members(pool: &PoolOptions) -> Vec<(String, Value)> {
    let seconds = |time: Duration| json!(time.as_secs_f64());
    let growth = match pool.growth {
        Growth::Thrifty => "thrifty",
        Growth::OnDemand => "on-demand",
        Growth::Eager => "eager",
    };
    let rotation = match pool.rotation {
        Rotation::Recent => "recent",
        Rotation::Fifo => "fifo",
    };
    let members = [
        ("size", json!(pool.size)),
        ("max_in_flight", json!(pool.max_in_flight)),
        ("delay", seconds(pool.delay)),
        ("randomize_delay", json!(pool.randomize_delay)),
        ("growth", json!(growth)),
        ("rotation", json!(rotation)),
        ("max_age", json!(pool.max_age.map(|time| time.as_secs_f64()))),
        ("max_idle", json!(pool.max_idle.map(|time| time.as_secs_f64()))),
        ("max_bad_inits", json!(pool.max_bad_inits)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
