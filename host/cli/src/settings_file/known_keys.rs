//! Which keys exist, and which of them a misspelt one was meant to be.

use std::fmt;

use carousel_core::settings::{
    ApiSettings, BudgetSettings, CrawlSettings, PluginSettings, PoolTable, SessionSettings, Settings, SiteTable,
};
use serde::de::DeserializeOwned;

/// A key, or a word in the place of a value, that does not exist.
pub(super) struct UnknownKey {
    /// The table or key that it stands in, with a final dot; empty at the top.
    prefix: String,
    word: String,
    kind: Kind,
    known: Vec<String>,
}

#[derive(PartialEq)]
enum Kind {
    Key,
    Value,
}

impl UnknownKey {
    /// Recognises serde's message about an unknown field or variant.
    pub(super) fn of(message: &str, path: &str) -> Option<Self> {
        let kind = if message.starts_with("unknown field `") {
            Kind::Key
        } else if message.starts_with("unknown variant `") {
            Kind::Value
        } else {
            return None;
        };
        let mut words = quoted(message);
        let word = words.next()?;
        let known = words.collect();
        let table = match kind {
            Kind::Key => path.strip_suffix(&word).unwrap_or(path).trim_end_matches('.'),
            Kind::Value => path,
        };
        let prefix = if table.is_empty() { String::new() } else { format!("{table}.") };
        Some(Self { prefix, word, kind, known })
    }

    fn nearest(&self) -> Option<String> {
        let word = plain(&self.word);
        let here = nearest_of(&word, &self.known, 0.75).map(|key| match self.kind {
            Kind::Key => format!("{}{key}", self.prefix),
            Kind::Value => key.to_owned(),
        });
        if here.is_some() || self.kind == Kind::Value {
            return here;
        }
        let elsewhere = all_keys();
        elsewhere.iter().find(|key| key.rsplit('.').next() == Some(word.as_str())).cloned()
    }
}

impl fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Key => write!(f, "unknown key \"{}{}\"", self.prefix, self.word)?,
            Kind::Value => write!(f, "{}: unknown value \"{}\"", self.prefix.trim_end_matches('.'), self.word)?,
        }
        match self.nearest() {
            Some(nearest) => write!(f, "; did you mean \"{nearest}\"?"),
            None if self.known.is_empty() => Ok(()),
            None => write!(f, "; known here: {}", self.known.join(", ")),
        }
    }
}

/// The nearest key, if it is near enough to have been meant.
pub(crate) fn nearest_of<'k>(word: &str, keys: &'k [String], least: f64) -> Option<&'k str> {
    let near = keys.iter().filter(|key| strsim::jaro_winkler(word, key) >= least);
    near.min_by_key(|key| strsim::damerau_levenshtein(word, key)).map(String::as_str)
}

/// The key without the peer's prefix: who moves over writes `ZYTE_API_SESSION_POOL_SIZE`.
fn plain(word: &str) -> String {
    let word = word.to_lowercase().replace('-', "_");
    let rest = word.strip_prefix("zyte_api_session_").or_else(|| word.strip_prefix("zyte_api_"));
    rest.unwrap_or(&word).to_owned()
}

fn all_keys() -> Vec<String> {
    let tables = [
        ("", keys_of::<Settings>()),
        ("session.", keys_of::<SessionSettings>()),
        ("api.", keys_of::<ApiSettings>()),
        ("crawl.", keys_of::<CrawlSettings>()),
        ("plugins.", keys_of::<PluginSettings>()),
        ("budget.", keys_of::<BudgetSettings>()),
        ("site.", keys_of::<SiteTable>()),
        ("session.pools.NAME.", keys_of::<PoolTable>()),
    ];
    tables.into_iter().flat_map(|(table, keys)| keys.into_iter().map(move |key| format!("{table}{key}"))).collect()
}

/// Asks the type itself: its refusal of a key that cannot exist names those that do.
fn keys_of<T: DeserializeOwned>() -> Vec<String> {
    let refusal = toml::from_str::<T>("'?' = 0").err();
    refusal.map(|error| quoted(error.message()).skip(1).collect()).unwrap_or_default()
}

/// The words between backticks.
fn quoted(message: &str) -> impl Iterator<Item = String> + '_ {
    message.split('`').skip(1).step_by(2).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_come_from_the_types_themselves() {
        let keys = all_keys();
        for key in ["profile", "session.pool_size", "api.url", "crawl.concurrency", "site.include", "budget.billed"] {
            assert!(keys.iter().any(|known| known == key), "{key} in {keys:?}");
        }
    }
}
