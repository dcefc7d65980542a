//! A node as the XPath engine sees it; every look at the tree is paid for.

use super::Xpath;
use super::expression::{Prepared, Weights};
use crate::budget::{Budget, steps_of};
use crate::pattern::Pattern;
use crate::tree::{Flavour, Item, Kind, Tree, is_declaration};
use html5ever::QualName;
use std::cell::Cell;
use std::cmp::Ordering;
use xpath_eval::{ExpandedName, Node, NodeKind, QName, Value};

/// Steps that a copy of a text costs, besides its length.
const COPY_STEPS: u64 = 8;

/// Steps that a copy of a name costs.
const NAME_STEPS: u64 = 4;

/// Comparisons of two texts that one step pays for.
const PAIRS_PER_STEP: u64 = 4;

/// Stands for the text of a node that matches a pattern.
const MATCHED: &str = "matched";

/// What all nodes of one evaluation share.
pub(super) struct Place<'t> {
    tree: &'t Tree,
    budget: &'t Budget,
    weights: Weights,
    patterns: &'t [Pattern],
    /// What the text of the next node is to be compared with instead of a string.
    tested: Cell<Option<&'t Pattern>>,
    /// For an expression that compares sets: how many texts were read since the last move in the tree. The engine
    /// compares all of them with each other before it moves again.
    read: Option<Cell<u64>>,
}

impl<'t> Place<'t> {
    pub(super) fn new(tree: &'t Tree, budget: &'t Budget, xpath: &'t Xpath) -> Self {
        let read = xpath.compares_sets.then(Cell::default);
        let Prepared { weights, patterns } = &xpath.prepared;
        Self { tree, budget, weights: *weights, patterns, tested: Cell::default(), read }
    }

    /// The value of a variable: that of a number makes the node that it is compared with look for a pattern.
    pub(super) fn variable<N>(&self, name: &QName) -> Option<Value<N>> {
        let number = name.local.parse().ok().filter(|_| name.prefix.is_none());
        let pattern = number.and_then(|number: usize| self.patterns.get(number))?;
        self.tested.set(Some(pattern));
        Some(Value::String(MATCHED.to_owned()))
    }

    fn spend_move(&self) {
        self.budget.spend(self.weights.step);
        if let Some(read) = &self.read {
            read.set(0);
        }
    }

    fn spend_text(&self, bytes: usize) {
        self.budget.spend(self.weights.text * steps_of(bytes));
        if let Some(read) = &self.read {
            read.set(read.get() + 1);
            self.budget.spend(read.get() / PAIRS_PER_STEP);
        }
    }
}

/// A node or an attribute.
#[derive(Clone, Copy)]
pub(super) struct Spot<'a> {
    place: &'a Place<'a>,
    item: Item,
    role: Role,
}

/// What a node or an attribute stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Itself,
    /// The namespace that the attribute declares.
    Namespace,
}

impl PartialEq for Spot<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.item == other.item && self.role == other.role
    }
}

impl Eq for Spot<'_> {}

impl<'a> Spot<'a> {
    /// The root element, which is where relative paths start; the root itself if there is no element.
    pub(super) fn start(place: &'a Place<'a>) -> Self {
        let element = place.tree.children(0).find(|&child| place.tree.kind(child) == Kind::Element);
        Self { place, item: Item { node: element.unwrap_or(0), attribute: 0 }, role: Role::Itself }
    }

    pub(super) fn item(&self) -> Item {
        self.item
    }

    fn at(self, node: u32, attribute: u32) -> Self {
        self.place.spend_move();
        Self { item: Item { node, attribute }, role: Role::Itself, ..self }
    }

    fn name(self) -> Option<&'a QualName> {
        match self.item.attribute.checked_sub(1) {
            None => self.place.tree.name(self.item.node),
            Some(index) => self.place.tree.attribute(self.item.node, index).map(|(name, _)| name),
        }
    }

    /// The local part of the name; that of a namespace is its prefix.
    fn local_name(self, name: &QualName) -> &str {
        match self.role {
            Role::Namespace if name.prefix.is_none() => "",
            Role::Namespace | Role::Itself => &name.local,
        }
    }

    /// The namespace as XPath sees it: none for any element of an HTML page.
    fn namespace(self, name: &QualName) -> Option<&str> {
        let hidden = name.ns.is_empty() || self.role == Role::Namespace || self.place.tree.flavour() == Flavour::Html;
        (!hidden).then_some(&*name.ns)
    }

    fn text(self) -> &'a str {
        let text = match self.item.attribute.checked_sub(1) {
            None => self.place.tree.string_value(self.item.node),
            Some(index) => self.place.tree.attribute(self.item.node, index).map_or("", |(_, value)| value),
        };
        self.place.spend_text(text.len());
        text
    }
}

impl<'a> Node<'a> for Spot<'a> {
    fn kind(self) -> NodeKind {
        if self.role != Role::Itself {
            return NodeKind::Namespace;
        }
        if self.item.attribute > 0 {
            return NodeKind::Attribute;
        }
        match self.place.tree.kind(self.item.node) {
            Kind::Root => NodeKind::Root,
            Kind::Element => NodeKind::Element,
            Kind::Text => NodeKind::Text,
            Kind::Comment => NodeKind::Comment,
            Kind::Instruction => NodeKind::ProcessingInstruction,
        }
    }

    fn parent(self) -> Option<Self> {
        match self.item.attribute {
            0 => self.place.tree.parent(self.item.node).map(|node| self.at(node, 0)),
            _ => Some(self.at(self.item.node, 0)),
        }
    }

    fn children(self) -> impl Iterator<Item = Self> + 'a {
        let first = (self.item.attribute == 0).then(|| self.place.tree.first_child(self.item.node)).flatten();
        std::iter::successors(first, move |&node| self.place.tree.next(node)).map(move |node| self.at(node, 0))
    }

    fn attributes(self) -> impl Iterator<Item = Self> + 'a {
        let count = match self.item.attribute {
            0 => self.place.tree.attribute_count(self.item.node),
            _ => 0,
        };
        (1..=count)
            .map(move |attribute| self.at(self.item.node, attribute))
            .filter(|spot| spot.name().is_some_and(|name| !is_declaration(name)))
    }

    /// The declarations in force, those of the element itself first.
    fn namespaces(self) -> impl Iterator<Item = Self> + 'a {
        let tree = self.place.tree;
        let mut found: Vec<Self> = Vec::new();
        if tree.flavour() == Flavour::Xml && tree.kind(self.item.node) == Kind::Element {
            for node in std::iter::successors(Some(self.item.node), |&node| tree.parent(node)) {
                self.place.spend_move();
                for (index, name, _) in tree.attributes(node).filter(|(_, name, _)| is_declaration(name)) {
                    let spot = Self { role: Role::Namespace, ..self.at(node, index + 1) };
                    if !found.iter().any(|inner| inner.name() == Some(name)) {
                        found.push(spot);
                    }
                }
            }
        }
        found.into_iter()
    }

    fn expanded_name(self) -> Option<ExpandedName> {
        self.place.budget.spend(NAME_STEPS);
        self.name().map(|name| ExpandedName {
            namespace_uri: self.namespace(name).map(str::to_owned),
            local_name: self.local_name(name).to_owned(),
        })
    }

    fn string_value(self) -> String {
        self.place.budget.spend(COPY_STEPS);
        self.text().to_owned()
    }

    fn document_order(self, other: Self) -> Ordering {
        self.place.budget.spend(1);
        self.item.cmp(&other.item)
    }

    fn has_expanded_name(self, namespace: Option<&str>, local: &str) -> bool {
        self.name().is_some_and(|name| self.local_name(name) == local && self.namespace(name) == namespace)
    }

    fn with_string_value<R>(self, read: impl FnOnce(&str) -> R) -> R {
        match self.place.tested.take() {
            Some(pattern) => read(if pattern.is_match(self.text(), self.place.budget) { MATCHED } else { "" }),
            None => read(self.text()),
        }
    }

    fn is_id_attribute(self) -> bool {
        self.name().is_some_and(|name| &*name.local == "id")
    }
}
