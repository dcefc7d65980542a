//! CSS selectors on a tree, with `::text` and `::attr(name)` after the habit of Scrapy's users.

mod element;
mod parts;
mod rules;
#[cfg(test)]
mod tests;

use crate::Want;
use crate::budget::Budget;
use crate::tree::{Flavour, Item, Kind, NodeId, Tree};
use element::Element;
use html5ever::{LocalName, QualName};
use parts::Taken;
use rules::{Names, Rules};
use selectors::matching::{
    MatchingContext, MatchingForInvalidation, MatchingMode, NeedsSelectorFlags, QuirksMode, SelectorCaches, matches_selector_list,
};
use selectors::parser::{ParseRelative, SelectorList};

/// A compiled CSS expression.
#[derive(Debug)]
pub(crate) struct Css {
    groups: Vec<Group>,
}

/// The selectors that take the same thing of a matching element.
#[derive(Debug)]
struct Group {
    taken: Taken,
    selectors: Vec<SelectorList<Names>>,
}

/// Where and why a selector is malformed.
#[derive(Debug)]
pub(crate) struct CssError {
    pub(crate) at: usize,
    pub(crate) reason: String,
}

impl Css {
    /// Compiles an expression.
    pub(crate) fn compile(expression: &str) -> Result<Self, CssError> {
        let mut groups: Vec<Group> = Vec::new();
        for part in parts::split(expression)? {
            let mut parser = cssparser::Parser::new(&part.selector);
            let selectors = SelectorList::parse(&Rules, &mut parser, ParseRelative::No).map_err(|error| CssError {
                at: expression.len().min(part.start + parser.position().byte_index()),
                reason: rules::reason(&error),
            })?;
            match groups.iter_mut().find(|group| group.taken == part.taken) {
                Some(group) => group.selectors.push(selectors),
                None => groups.push(Group { taken: part.taken, selectors: vec![selectors] }),
            }
        }
        Ok(Self { groups })
    }

    /// Finds the matches in document order; where one is wanted, at least the first.
    pub(crate) fn find(&self, tree: &Tree, budget: &Budget, want: Want) -> Vec<Item> {
        let mut caches = SelectorCaches::default();
        let mut context = MatchingContext::new(
            MatchingMode::Normal,
            None,
            &mut caches,
            QuirksMode::NoQuirks,
            NeedsSelectorFlags::No,
            MatchingForInvalidation::No,
        );
        let mut found = Vec::new();
        let mut first: Option<Item> = None;
        for node in 1..tree.len() {
            if matches!(want, Want::First | Want::Exists | Want::Value) && first.is_some_and(|first| first.node < node) {
                break;
            }
            if tree.kind(node) != Kind::Element {
                continue;
            }
            budget.spend(1);
            let element = Element::new(tree, node, budget);
            for group in &self.groups {
                if group.selectors.iter().any(|list| matches_selector_list(list, element, &mut context)) {
                    group.taken.take(tree, node, &mut found);
                }
            }
            if let Some(&last) = found.last() {
                first = Some(first.map_or(last, |first| first.min(last)));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl Taken {
    fn take(&self, tree: &Tree, node: NodeId, found: &mut Vec<Item>) {
        match self {
            Self::Element => found.push(Item { node, attribute: 0 }),
            Self::Text => found.extend(
                tree.children(node).filter(|&child| tree.kind(child) == Kind::Text).map(|node| Item { node, attribute: 0 }),
            ),
            Self::Attribute(name) => found.extend(
                tree.attributes(node)
                    .filter(|(_, own, _)| is_named(own, name, tree.flavour()))
                    .map(|(index, _, _)| Item { node, attribute: index + 1 }),
            ),
        }
    }
}

fn is_named(own: &QualName, name: &LocalName, flavour: Flavour) -> bool {
    let is = |own: &str, name: &str| own == name || (flavour == Flavour::Html && own.eq_ignore_ascii_case(name));
    match &own.prefix {
        Some(prefix) => name.split_once(':').is_some_and(|(before, local)| is(prefix, before) && is(&own.local, local)),
        None => is(&own.local, name),
    }
}
