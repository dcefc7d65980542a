//! A node as the XPath engine sees it; every look at the tree is paid for.

use crate::budget::Budget;
use crate::tree::{Flavour, Item, Kind, Tree, is_declaration};
use html5ever::QualName;
use std::cell::Cell;
use std::cmp::Ordering;
use xpath_eval::{ExpandedName, Node, NodeKind};

/// Steps that a copy of a text costs, besides its length.
const COPY_STEPS: u64 = 8;

/// Comparisons of two texts that one step pays for.
const PAIRS_PER_STEP: u64 = 4;

/// What all nodes of one evaluation share.
pub(super) struct Place<'t> {
    tree: &'t Tree,
    budget: &'t Budget,
    /// For an expression that compares sets: how many texts were read since the last move in the tree. The engine
    /// compares all of them with each other before it moves again.
    read: Option<Cell<u64>>,
}

impl<'t> Place<'t> {
    pub(super) fn new(tree: &'t Tree, budget: &'t Budget, compares_sets: bool) -> Self {
        Self { tree, budget, read: compares_sets.then(Cell::default) }
    }

    fn spend_move(&self) {
        self.budget.spend(1);
        if let Some(read) = &self.read {
            read.set(0);
        }
    }

    fn spend_text(&self, bytes: usize) {
        self.budget.spend_bytes(bytes);
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
}

impl PartialEq for Spot<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.item == other.item
    }
}

impl Eq for Spot<'_> {}

impl<'a> Spot<'a> {
    pub(super) fn root(place: &'a Place<'a>) -> Self {
        Self { place, item: Item { node: 0, attribute: 0 } }
    }

    pub(super) fn item(&self) -> Item {
        self.item
    }

    fn at(self, node: u32, attribute: u32) -> Self {
        self.place.spend_move();
        Self { item: Item { node, attribute }, ..self }
    }

    fn name(self) -> Option<&'a QualName> {
        match self.item.attribute.checked_sub(1) {
            None => self.place.tree.name(self.item.node),
            Some(index) => self.place.tree.attribute(self.item.node, index).map(|(name, _)| name),
        }
    }

    /// The namespace as XPath sees it: none for any element of an HTML page.
    fn namespace(self, name: &QualName) -> Option<&str> {
        let hidden = name.ns.is_empty() || self.place.tree.flavour() == Flavour::Html;
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

    fn namespaces(self) -> impl Iterator<Item = Self> + 'a {
        std::iter::empty()
    }

    fn expanded_name(self) -> Option<ExpandedName> {
        self.name().map(|name| ExpandedName {
            namespace_uri: self.namespace(name).map(str::to_owned),
            local_name: name.local.to_string(),
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
        self.name().is_some_and(|name| *name.local == *local && self.namespace(name) == namespace)
    }

    fn with_string_value<R>(self, read: impl FnOnce(&str) -> R) -> R {
        read(self.text())
    }

    fn is_id_attribute(self) -> bool {
        self.name().is_some_and(|name| &*name.local == "id")
    }
}
