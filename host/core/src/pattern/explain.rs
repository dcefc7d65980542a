//! Why a URL is served by the rule that serves it.

use super::rule::Rule;

/// What became of a rule that matches a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It serves the URL.
    Chosen,
    /// It was the best of its group, but another rule replaces it here.
    Replaced,
    /// A better rule that replaces the same site matches too.
    Outranked,
    /// The site that it replaces does not serve this URL.
    Unreached,
}

/// Every rule that matches a URL, in the order in which they are considered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// The rules with what became of them: first those that replace the default config, best first, then those that replace the
    /// winner, and so on, then those that were never considered.
    pub matching: Vec<(&'a Rule, Standing)>,
}

impl<'a> Explanation<'a> {
    /// The rule that serves the URL; nothing where the default config does.
    pub fn chosen(&self) -> Option<&'a Rule> {
        self.matching.iter().find(|(_, standing)| *standing == Standing::Chosen).map(|(rule, _)| *rule)
    }
}

/// Follows the chain through the groups of matching rules, each best first.
pub(super) fn explain<'a>(rules: &'a [Rule], mut groups: Vec<(Option<&str>, Vec<usize>)>) -> Explanation<'a> {
    let mut matching: Vec<(&Rule, Standing)> = Vec::new();
    let mut replaced: Option<&str> = None;
    let mut chosen: Option<usize> = None;
    while let Some(place) = groups.iter().position(|(name, matches)| *name == replaced && !matches.is_empty()) {
        let (_, matches) = groups.remove(place);
        if let Some((_, standing)) = chosen.and_then(|at| matching.get_mut(at)) {
            *standing = Standing::Replaced;
        }
        chosen = Some(matching.len());
        let standings = [Standing::Chosen].into_iter().chain(std::iter::repeat(Standing::Outranked));
        matching.extend(matches.iter().filter_map(|rule| rules.get(*rule)).zip(standings));
        replaced = chosen.and_then(|at| matching.get(at)).map(|(rule, _)| rule.name.as_str());
    }
    let unreached = groups.into_iter().flat_map(|(_, matches)| matches).filter_map(|rule| rules.get(rule));
    matching.extend(unreached.map(|rule| (rule, Standing::Unreached)));
    Explanation { matching }
}
