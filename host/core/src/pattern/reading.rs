//! A rule with its patterns read, refused if it could never be followed.

use super::matcher::{Pattern, Target};
use super::rule::{Rule, RuleError};
use std::collections::HashSet;

/// A rule's patterns, read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    /// The rank among the rules of its group (0 is best) in each registered domain that its includes name.
    pub(super) ranks: Vec<(String, usize)>,
}

impl Reading {
    pub(super) fn of(rule: &Rule) -> Result<Self, RuleError> {
        let read = |pattern: &String| {
            Pattern::parse(pattern).map_err(|reason| RuleError::BadPattern {
                rule: rule.name.clone(),
                pattern: pattern.clone(),
                reason,
            })
        };
        let include = rule.include.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let exclude = rule.exclude.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        refuse_hostless(rule, &include)?;
        Ok(Self { include, exclude, ranks: Vec::new() })
    }

    pub(super) fn matches(&self, target: &Target) -> bool {
        self.include.iter().any(|pattern| pattern.matches_target(target))
            && !self.exclude.iter().any(|pattern| pattern.matches_target(target))
    }

    /// The exclude pattern, as its rule writes it, that keeps the rule from matching; none where an include does not match anyway.
    pub(super) fn excluded_by<'r>(&self, target: &Target, rule: &'r Rule) -> Option<&'r str> {
        let is_included = self.include.iter().any(|pattern| pattern.matches_target(target));
        let at = self.exclude.iter().position(|pattern| pattern.matches_target(target)).filter(|_| is_included)?;
        rule.exclude.get(at).map(String::as_str)
    }

    pub(super) fn domains(&self) -> HashSet<String> {
        self.include.iter().filter_map(Pattern::domain).filter(|domain| !domain.is_empty()).map(str::to_owned).collect()
    }

    pub(super) fn sort_keys(&self, domain: &str) -> Vec<String> {
        let of_domain = self.include.iter().filter(|pattern| pattern.domain() == Some(domain));
        let mut keys: Vec<String> = of_domain.map(|pattern| pattern.sort_key().to_owned()).collect();
        keys.sort_unstable();
        keys
    }
}

/// Tells whether a rule matches every host.
pub(super) fn is_universal(rule: &Rule) -> bool {
    !rule.include.is_empty() && rule.include.iter().all(String::is_empty)
}

fn refuse_hostless(rule: &Rule, include: &[Pattern]) -> Result<(), RuleError> {
    if is_universal(rule) {
        return Ok(());
    }
    let name = || rule.name.clone();
    let hostless = || rule.include.iter().zip(include).filter(|(_, pattern)| pattern.domain().is_none()).map(|(text, _)| text);
    if let Some(pattern) = hostless().find(|text| !text.is_empty()) {
        return Err(RuleError::IncludeWithoutHost { rule: name(), pattern: pattern.clone() });
    }
    match (hostless().next(), rule.include.iter().find(|text| !text.is_empty())) {
        (Some(_), Some(pattern)) => Err(RuleError::EmptyIncludeBesideOthers { rule: name(), pattern: pattern.clone() }),
        _ => Ok(()),
    }
}
