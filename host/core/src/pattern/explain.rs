//! Why a URL is served by the rule that serves it.

use std::fmt;

use super::rule::Rule;

/// What became of a rule that matches a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It serves the URL.
    Chosen,
    /// It was the best of its group, but another rule replaces it here.
    Replaced,
    /// A better rule that replaces the same site matches too; why that one is better.
    Outranked(Reason),
    /// The site that it replaces does not serve this URL.
    Unreached,
}

/// Why one rule is better than another that matches the same URL and replaces the same site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The other matches every URL, and such rules come last.
    Universal,
    /// It has the higher priority.
    Priority,
    /// Its includes are more specific.
    Specificity,
    /// They rank equally, and it was registered later.
    Registration,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Universal => "a rule that matches every URL comes last",
            Self::Priority => "another one has the higher priority",
            Self::Specificity => "another one has the more specific includes",
            Self::Registration => "another one ranks equally and was registered later",
        })
    }
}

/// Every rule that matches a URL, in the order in which they are considered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// The rules with what became of them: first those that replace the default config, best first, then those that replace the
    /// winner, and so on, then those that were never considered.
    pub matching: Vec<(&'a Rule, Standing)>,
    /// The rules that would match but for one of their excludes, with that pattern.
    pub excluded: Vec<(&'a Rule, &'a str)>,
}

impl<'a> Explanation<'a> {
    /// The rule that serves the URL; nothing where the default config does.
    pub fn chosen(&self) -> Option<&'a Rule> {
        self.matching.iter().find(|(_, standing)| *standing == Standing::Chosen).map(|(rule, _)| *rule)
    }
}

/// The rules that match and replace one and the same site, best first, each with the reason why the best is better.
pub(super) struct Contest<'a> {
    pub(super) replaced: Option<&'a str>,
    pub(super) matches: Vec<(&'a Rule, Reason)>,
}

/// Follows the chain through the groups of matching rules.
pub(super) fn follow(mut contests: Vec<Contest<'_>>) -> Vec<(&Rule, Standing)> {
    let mut matching: Vec<(&Rule, Standing)> = Vec::new();
    let mut replaced: Option<&str> = None;
    let mut chosen: Option<usize> = None;
    while let Some(place) = contests.iter().position(|contest| contest.replaced == replaced && !contest.matches.is_empty()) {
        let Contest { matches, .. } = contests.remove(place);
        if let Some((_, standing)) = chosen.and_then(|at| matching.get_mut(at)) {
            *standing = Standing::Replaced;
        }
        let at = matching.len();
        matching.extend(matches.into_iter().map(|(rule, reason)| (rule, Standing::Outranked(reason))));
        if let Some((rule, standing)) = matching.get_mut(at) {
            *standing = Standing::Chosen;
            replaced = Some(rule.name.as_str());
        }
        chosen = Some(at);
    }
    let unreached = contests.into_iter().flat_map(|contest| contest.matches);
    matching.extend(unreached.map(|(rule, _)| (rule, Standing::Unreached)));
    matching
}
