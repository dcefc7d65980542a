//! Query strings as names with their values.

use super::wildcard::{Wildcard, fold};
use percent_encoding::percent_decode_str;
use std::collections::HashMap;

/// The parameters of a URL's query by lower-case name, values folded.
#[derive(Debug, Default)]
pub(super) struct Query(HashMap<String, Vec<String>>);

impl Query {
    /// Reads a query string; of names that differ only in case, the one that appears last at first sight counts.
    pub(super) fn parse(query: &str) -> Self {
        let by_name = parse(query).into_iter();
        Self(by_name.map(|(name, values)| (name.to_lowercase(), values.iter().map(|value| fold(value)).collect())).collect())
    }
}

/// What a pattern asks of a URL's query: every name must be there with one of the values.
#[derive(Debug, Clone)]
pub(super) struct QueryPattern(HashMap<String, Vec<Wildcard>>);

impl QueryPattern {
    /// Reads the query of a pattern; `*` counts in values only and is dropped from names.
    pub(super) fn parse(query: &str) -> Self {
        let by_name = parse(query).into_iter().map(|(name, values)| (name.to_lowercase().replace('*', ""), values));
        let named = by_name.filter(|(name, _)| !name.is_empty());
        Self(named.map(|(name, values)| (name, values.iter().map(|value| Wildcard::whole(value)).collect())).collect())
    }

    /// Tells whether a URL's query has it all.
    pub(super) fn matches(&self, query: &Query) -> bool {
        self.0.iter().all(|(name, wanted)| {
            query.0.get(name).is_some_and(|values| values.iter().any(|value| wanted.iter().any(|one| one.matches(value))))
        })
    }

    /// Tells whether nothing is asked.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Names with their values, unescaped, in order of first appearance.
fn parse(query: &str) -> Vec<(String, Vec<String>)> {
    let mut names: Vec<(String, Vec<String>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (unescape(name), unescape(value));
        match places.get(&name).and_then(|place| names.get_mut(*place)) {
            Some((_, values)) => values.push(value),
            None => {
                places.insert(name.clone(), names.len());
                names.push((name, vec![value]));
            }
        }
    }
    names
}

fn unescape(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}
