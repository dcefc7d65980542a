//! What the settings say of a recorded site today, and where that differs from what they said when it was recorded.

use std::collections::BTreeSet;

use carousel_core::settings::{Instances, SiteTable};
use carousel_core::text::shorten;
use serde_json::{Map, Value};

use super::compare::is_equal;
use crate::plugin::workbench;
use crate::recording::FixtureSite;

/// What is shown of a value.
const SHOWN_CHARS: usize = 80;

/// The differences of one site that are told.
const MOST_TOLD: usize = 20;

/// A recorded site as it is served today.
pub(super) struct Today {
    /// A site with today's plugin and config; no URL chooses it, and its calls may lead wherever they were recorded to lead.
    pub(super) table: SiteTable,
    /// Where that differs from the recording, in words.
    pub(super) differences: Vec<String>,
}

impl Today {
    /// What stands in its `[[site]]` table; what was recorded where there is none.
    pub(super) fn of(site: &FixtureSite, tables: &[SiteTable]) -> Self {
        let table = |plugin: &str, config| workbench::table(&site.site, plugin, config, vec!["*".to_owned()]);
        let Some(today) = tables.iter().find(|table| table.name == site.site) else {
            let gone = site.config.as_ref().map(|_| {
                format!("the settings have no [[site]] with the name \"{}\": the config of the recording is tested", site.site)
            });
            return Self { table: table(&site.plugin, site.config.clone()), differences: gone.into_iter().collect() };
        };
        let mut differences = Vec::new();
        if today.plugin != site.plugin {
            differences.push(format!("plugin was \"{}\", is \"{}\"", site.plugin, today.plugin));
        }
        let (recorded, now) = (site.config.clone().unwrap_or_default(), today.config.clone().unwrap_or_default());
        let config = with_placeholders(now, &recorded);
        differ("config", &recorded, &config, &mut differences);
        let more = differences.len().saturating_sub(MOST_TOLD);
        if more > 0 {
            differences.truncate(MOST_TOLD);
            differences.push(format!("and {more} more"));
        }
        let instances: Instances = today.instances;
        Self {
            table: SiteTable { instances, ..table(&today.plugin, Some(config).filter(|config| !config.is_null())) },
            differences,
        }
    }
}

/// A config with the placeholders of the recording in the place of the secrets that they stand for, so that what is made of them is as
/// it was recorded.
fn with_placeholders(now: Value, recorded: &Value) -> Value {
    match (now, recorded) {
        // What is equal but for the words is equal but for placeholders.
        (now @ (Value::String(_) | Value::Number(_)), recorded) if is_equal(recorded, &now, &BTreeSet::new()) => recorded.clone(),
        (Value::Array(now), Value::Array(recorded)) => {
            let recorded = recorded.iter().map(Some).chain(std::iter::repeat(None));
            now.into_iter()
                .zip(recorded)
                .map(|(now, recorded)| with_placeholders(now, recorded.unwrap_or(&Value::Null)))
                .collect()
        }
        (Value::Object(now), Value::Object(recorded)) => {
            let member = |(name, now): (String, Value)| {
                let now = with_placeholders(now, recorded.get(&name).unwrap_or(&Value::Null));
                (name, now)
            };
            Value::Object(now.into_iter().map(member).collect::<Map<_, _>>())
        }
        (now, _) => now,
    }
}

/// Adds where two values differ.
fn differ(path: &str, recorded: &Value, now: &Value, differences: &mut Vec<String>) {
    match (recorded, now) {
        (Value::Object(before), Value::Object(members)) => {
            let names: BTreeSet<&String> = before.keys().chain(members.keys()).collect();
            let of = |object: &Map<String, Value>, name: &String| object.get(name).cloned().unwrap_or_default();
            for name in names {
                differ(&format!("{path}.{name}"), &of(before, name), &of(members, name), differences);
            }
        }
        (Value::Array(before), Value::Array(items)) if before.len() == items.len() => {
            for (at, (before, item)) in before.iter().zip(items).enumerate() {
                differ(&format!("{path}[{at}]"), before, item, differences);
            }
        }
        _ if recorded == now => {}
        _ => differences.push(format!("{path} was {}, is {}", shown(recorded), shown(now))),
    }
}

fn shown(value: &Value) -> String {
    if value.is_null() { "not there".to_owned() } else { shorten(&value.to_string(), SHOWN_CHARS) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn today(recorded: Value, now: Value) -> Today {
        let site = FixtureSite {
            site: "shop".to_owned(),
            plugin: "declarative".to_owned(),
            config: Some(recorded),
            settings: Map::new().into_iter().collect(),
        };
        Today::of(&site, &[workbench::table("shop", "declarative", Some(now), Vec::new())])
    }

    #[test]
    fn the_config_of_today_is_tested_and_told_where_it_differs() {
        let recorded = json!({"check": [{"require": {"css": ".zip"}}], "usual_check": false, "pool": "a"});
        let now = json!({"check": [{"require": {"css": ".zap"}}], "pool": "a", "edit": []});
        let found = today(recorded, now.clone());
        assert_eq!(found.table.config, Some(now));
        let expected = [
            r#"config.check[0].require.css was ".zip", is ".zap""#,
            "config.edit was not there, is []",
            "config.usual_check was false, is not there",
        ];
        assert_eq!(found.differences, expected);
    }

    #[test]
    fn a_secret_is_no_difference_and_its_placeholder_takes_its_place() {
        let recorded = json!({"form": {"user": "ann", "password": "SECRET1"}, "list": ["Bearer SECRET2"], "pin": 900_003, "body": "cHdkPVNFQ1JFVDE="});
        let now = json!({"form": {"user": "ann", "password": "open"}, "list": ["Bearer xyz", "more"], "pin": 4711, "body": "cHdkPW9wZW4="});
        let found = today(recorded, now);
        let config = json!({"form": {"user": "ann", "password": "SECRET1"}, "list": ["Bearer SECRET2", "more"], "pin": 900_003, "body": "cHdkPVNFQ1JFVDE="});
        assert_eq!(found.table.config, Some(config));
        assert_eq!(found.differences.len(), 1, "{:?}", found.differences);
    }

    #[test]
    fn a_site_that_the_settings_do_not_know_is_tested_as_it_was_recorded() {
        let config = Some(json!({"a": 1}));
        let site = FixtureSite { site: "x".into(), plugin: "p".into(), config: config.clone(), settings: Default::default() };
        let found = Today::of(&site, &[]);
        assert_eq!((found.table.config, found.table.plugin.as_str()), (config, "p"));
        assert!(found.differences[0].contains("no [[site]] with the name \"x\""));
        assert!(Today::of(&FixtureSite { config: None, ..site }, &[]).differences.is_empty(), "it has no table");
    }
}
