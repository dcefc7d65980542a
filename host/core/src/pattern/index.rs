//! Rules indexed by host, and the choice among those that match.

use super::circle::refuse_circles;
use super::explain::{Contest, Explanation, Reason, follow};
use super::host::registered_domain;
use super::matcher::{Pattern, Target};
use super::reading::{Reading, is_universal};
use super::rule::{Rule, RuleError};
use super::wildcard::domain_suffixes;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A set of rules that answers which one serves a URL, at a cost that grows with the labels of the host, not with the rules.
#[derive(Debug, Default)]
pub struct RuleIndex {
    rules: Vec<Rule>,
    readings: Vec<Reading>,
    /// Rules that replace the default config.
    first: Group,
    /// Rules that replace another site, by its name.
    replacing: BTreeMap<String, Group>,
}

/// The rules that replace one and the same site.
#[derive(Debug, Default)]
struct Group {
    by_host: HashMap<String, Vec<usize>>,
    longest_host_bytes: usize,
    /// Rules that match every host, best first.
    universal: Vec<usize>,
}

/// What decides between the rules of one group in one registered domain; the order of the fields matters.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Contender {
    priority: i32,
    /// The includes for this domain, host-reversed and sorted.
    includes: Vec<String>,
    position: usize,
}

/// A URL prepared for all groups.
struct Lookup {
    target: Target,
    domain: String,
}

impl RuleIndex {
    /// Reads and sorts all rules; where two rank equally, the later one will win.
    pub fn new(rules: Vec<Rule>) -> Result<Self, RuleError> {
        refuse_circles(&rules)?;
        let readings = rules.iter().map(Reading::of).collect::<Result<Vec<_>, _>>()?;
        let mut index = Self { rules, readings, ..Self::default() };
        index.fill_groups();
        index.rank();
        Ok(index)
    }

    /// The rules as given, in their order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The position in [`rules`](Self::rules) of the rule that serves a URL, or nothing where the default config does.
    pub fn find(&self, url: &str) -> Option<usize> {
        let lookup = Lookup::of(url)?;
        let mut found = self.best(&self.first, &lookup)?;
        // Construction refuses circles, so the chain is no longer than the groups.
        for _ in 0..self.replacing.len() {
            let name = &self.rules.get(found)?.name;
            let Some(better) = self.replacing.get(name).and_then(|group| self.best(group, &lookup)) else {
                break;
            };
            found = better;
        }
        Some(found)
    }

    /// Every rule that matches a URL, in the order in which they were considered, and what became of each.
    pub fn explain(&self, url: &str) -> Explanation<'_> {
        let Some(lookup) = Lookup::of(url) else { return Explanation::default() };
        let readings = self.rules.iter().zip(&self.readings);
        let excluded = readings.filter_map(|(rule, reading)| Some((rule, reading.excluded_by(&lookup.target, rule)?)));
        Explanation { matching: follow(self.contests(&lookup)), excluded: excluded.collect() }
    }

    /// The rules whose `instead_of` names a site that no rule has: they are never picked, which is worth a warning.
    pub fn unreachable(&self) -> impl Iterator<Item = &Rule> {
        let names: HashSet<&str> = self.rules.iter().map(|rule| rule.name.as_str()).collect();
        self.rules.iter().filter(move |rule| rule.instead_of.as_deref().is_some_and(|name| !names.contains(name)))
    }

    fn contests(&self, lookup: &Lookup) -> Vec<Contest<'_>> {
        let others = self.replacing.iter().map(|(replaced, group)| self.contest(Some(replaced), group, lookup));
        std::iter::once(self.contest(None, &self.first, lookup)).chain(others).collect()
    }

    fn contest<'a>(&'a self, replaced: Option<&'a str>, group: &Group, lookup: &Lookup) -> Contest<'a> {
        let mut ranked = self.ranked_matches(group, lookup);
        ranked.sort_unstable();
        let universal = group.universal.iter().copied().filter(|rule| self.is_match(*rule, lookup));
        let matches: Vec<usize> = ranked.into_iter().map(|(_, rule)| rule).chain(universal).collect();
        let best = matches.first().copied().unwrap_or_default();
        let told = matches.into_iter().filter_map(|rule| Some((self.rules.get(rule)?, self.reason(best, rule, lookup))));
        Contest { replaced, matches: told.collect() }
    }

    /// Why one rule is better than another of its group.
    fn reason(&self, better: usize, worse: usize, lookup: &Lookup) -> Reason {
        let rule = |at: usize| self.rules.get(at);
        let is_universal = |at: usize| rule(at).is_some_and(is_universal);
        let keys = |at: usize| self.readings.get(at).map(|reading| reading.sort_keys(&lookup.domain));
        if is_universal(worse) && !is_universal(better) {
            Reason::Universal
        } else if rule(better).map(|rule| rule.priority) != rule(worse).map(|rule| rule.priority) {
            Reason::Priority
        } else if keys(better) != keys(worse) {
            Reason::Specificity
        } else {
            Reason::Registration
        }
    }

    fn best(&self, group: &Group, lookup: &Lookup) -> Option<usize> {
        let mut best: Option<(usize, usize)> = None;
        for rule in group.candidates(lookup) {
            let Some(rank) = self.rank_of(rule, lookup) else {
                continue;
            };
            if best.is_none_or(|(best_rank, _)| rank < best_rank) && self.is_match(rule, lookup) {
                best = Some((rank, rule));
            }
        }
        let universal = || group.universal.iter().copied().find(|rule| self.is_match(*rule, lookup));
        best.map(|(_, rule)| rule).or_else(universal)
    }

    fn ranked_matches(&self, group: &Group, lookup: &Lookup) -> Vec<(usize, usize)> {
        let candidates: HashSet<usize> = group.candidates(lookup).collect();
        let matching = candidates.into_iter().filter(|rule| self.is_match(*rule, lookup));
        matching.filter_map(|rule| Some((self.rank_of(rule, lookup)?, rule))).collect()
    }

    fn is_match(&self, rule: usize, lookup: &Lookup) -> bool {
        self.readings.get(rule).is_some_and(|reading| reading.matches(&lookup.target))
    }

    fn rank_of(&self, rule: usize, lookup: &Lookup) -> Option<usize> {
        let mut ranks = self.readings.get(rule)?.ranks.iter();
        ranks.find(|(domain, _)| *domain == lookup.domain).map(|(_, rank)| *rank)
    }

    fn fill_groups(&mut self) {
        for (position, (rule, reading)) in self.rules.iter().zip(&self.readings).enumerate() {
            let group = match &rule.instead_of {
                Some(replaced) => self.replacing.entry(replaced.clone()).or_default(),
                None => &mut self.first,
            };
            if is_universal(rule) {
                group.universal.push(position);
            }
            for host in reading.include.iter().filter_map(Pattern::folded_host) {
                group.add(host, position);
            }
        }
        for group in self.replacing.values_mut().chain([&mut self.first]) {
            group.universal.sort_by_key(|position| Reverse((self.rules.get(*position).map(|rule| rule.priority), *position)));
        }
    }

    /// Ranks the rules of each group in each registered domain.
    fn rank(&mut self) {
        let mut contests: HashMap<(Option<String>, String), Vec<Contender>> = HashMap::new();
        for (position, (rule, reading)) in self.rules.iter().zip(&self.readings).enumerate() {
            for domain in reading.domains() {
                let includes = reading.sort_keys(&domain);
                let contest = contests.entry((rule.instead_of.clone(), domain)).or_default();
                contest.push(Contender { priority: rule.priority, includes, position });
            }
        }
        for ((_, domain), mut contest) in contests {
            contest.sort_unstable_by(|a, b| b.cmp(a));
            for (rank, contender) in contest.iter().enumerate() {
                if let Some(reading) = self.readings.get_mut(contender.position) {
                    reading.ranks.push((domain.clone(), rank));
                }
            }
        }
    }
}

impl Group {
    fn add(&mut self, host: &str, position: usize) {
        self.longest_host_bytes = self.longest_host_bytes.max(host.len());
        let rules = self.by_host.entry(host.to_owned()).or_default();
        if rules.last() != Some(&position) {
            rules.push(position);
        }
    }

    fn candidates(&self, lookup: &Lookup) -> impl Iterator<Item = usize> {
        let short_enough = domain_suffixes(&lookup.target.host).filter(|host| host.len() <= self.longest_host_bytes);
        short_enough.filter_map(|host| self.by_host.get(host)).flatten().copied()
    }
}

impl Lookup {
    fn of(url: &str) -> Option<Self> {
        Some(Self { target: Target::parse(url)?, domain: registered_domain(url) })
    }
}
