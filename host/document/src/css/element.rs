//! An element as the selector engine sees it; every look at the tree is paid for.

use super::rules::{Name, Names, NoPseudoElement, PseudoClass, Text};
use crate::budget::Budget;
use crate::tree::{Flavour, Kind, NodeId, Tree};
use html5ever::{LocalName, Namespace, local_name, ns};
use selectors::OpaqueElement;
use selectors::attr::{AttrSelectorOperation, CaseSensitivity, NamespaceConstraint};
use selectors::bloom::BloomFilter;
use selectors::matching::{ElementSelectorFlags, MatchingContext};
use std::fmt;

#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    tree: &'a Tree,
    node: NodeId,
    budget: &'a Budget,
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Element").field(&self.node).finish()
    }
}

impl<'a> Element<'a> {
    pub(super) fn new(tree: &'a Tree, node: NodeId, budget: &'a Budget) -> Self {
        Self { tree, node, budget }
    }

    fn at(&self, node: NodeId) -> Self {
        Self { node, ..*self }
    }

    fn nearest(&self, start: Option<NodeId>, step: impl Fn(NodeId) -> Option<NodeId>) -> Option<Self> {
        std::iter::successors(start, |&node| step(node))
            .inspect(|_| self.budget.spend(1))
            .find(|&node| self.tree.kind(node) == Kind::Element)
            .map(|node| self.at(node))
    }

    fn value(&self, name: &LocalName) -> Option<&'a str> {
        self.budget.spend(1 + u64::from(self.tree.attribute_count(self.node)));
        let value = self.tree.attribute_value(self.node, name)?;
        self.budget.spend_bytes(value.len());
        Some(value)
    }

    fn is_any(&self, names: &[LocalName]) -> bool {
        self.tree.name(self.node).is_some_and(|name| names.contains(&name.local))
    }

    fn is_control(&self) -> bool {
        self.is_any(&[
            local_name!("input"),
            local_name!("button"),
            local_name!("select"),
            local_name!("textarea"),
            local_name!("option"),
            local_name!("optgroup"),
            local_name!("fieldset"),
        ])
    }

    fn is_checked(&self) -> bool {
        let ticked = || self.value(&local_name!("type")).is_some_and(|kind| matches!(kind, "checkbox" | "radio"));
        (self.is_any(&[local_name!("input")]) && ticked() && self.value(&local_name!("checked")).is_some())
            || (self.is_any(&[local_name!("option")]) && self.value(&local_name!("selected")).is_some())
    }
}

impl selectors::Element for Element<'_> {
    type Impl = Names;

    /// Asked for where the engine looks into its caches, which costs more than a step in the tree.
    fn opaque(&self) -> OpaqueElement {
        self.budget.spend(4);
        OpaqueElement::new(self.tree.address(self.node))
    }

    fn parent_element(&self) -> Option<Self> {
        self.budget.spend(1);
        self.tree.parent(self.node).filter(|&node| self.tree.kind(node) == Kind::Element).map(|node| self.at(node))
    }

    fn parent_node_is_shadow_root(&self) -> bool {
        false
    }

    fn containing_shadow_host(&self) -> Option<Self> {
        None
    }

    fn is_pseudo_element(&self) -> bool {
        false
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        self.nearest(self.tree.previous(self.node), |node| self.tree.previous(node))
    }

    fn next_sibling_element(&self) -> Option<Self> {
        self.nearest(self.tree.next(self.node), |node| self.tree.next(node))
    }

    fn first_element_child(&self) -> Option<Self> {
        self.nearest(self.tree.first_child(self.node), |node| self.tree.next(node))
    }

    fn is_html_element_in_html_document(&self) -> bool {
        self.tree.flavour() == Flavour::Html && self.has_namespace(&ns!(html))
    }

    fn has_local_name(&self, name: &Name) -> bool {
        self.budget.spend(1);
        self.tree.name(self.node).is_some_and(|own| own.local == name.0)
    }

    fn has_namespace(&self, namespace: &Namespace) -> bool {
        self.tree.name(self.node).is_some_and(|own| own.ns == *namespace)
    }

    fn is_same_type(&self, other: &Self) -> bool {
        self.budget.spend(1);
        match (self.tree.name(self.node), self.tree.name(other.node)) {
            (Some(own), Some(other)) => own.local == other.local && own.ns == other.ns,
            _ => false,
        }
    }

    fn attr_matches(
        &self,
        namespace: &NamespaceConstraint<&Namespace>,
        name: &Name,
        operation: &AttrSelectorOperation<&Text>,
    ) -> bool {
        self.budget.spend(1 + u64::from(self.tree.attribute_count(self.node)));
        self.tree
            .attributes(self.node)
            .filter(|(_, own, _)| own.local == name.0)
            .filter(|(_, own, _)| match namespace {
                NamespaceConstraint::Any => true,
                NamespaceConstraint::Specific(namespace) => own.ns == **namespace,
            })
            .any(|(_, _, value)| {
                self.budget.spend_bytes(value.len());
                operation.eval_str(value)
            })
    }

    fn match_non_ts_pseudo_class(&self, class: &PseudoClass, _: &mut MatchingContext<'_, Names>) -> bool {
        match class {
            PseudoClass::Contains(text) => {
                let own = self.tree.string_value(self.node);
                self.budget.spend_bytes(own.len());
                own.contains(text.as_str())
            }
            PseudoClass::Link => self.is_link(),
            PseudoClass::Checked => self.is_checked(),
            PseudoClass::Disabled => self.is_control() && self.value(&local_name!("disabled")).is_some(),
            PseudoClass::Enabled => self.is_control() && self.value(&local_name!("disabled")).is_none(),
            PseudoClass::Never => false,
        }
    }

    fn match_pseudo_element(&self, element: &NoPseudoElement, _: &mut MatchingContext<'_, Names>) -> bool {
        match *element {}
    }

    fn apply_selector_flags(&self, _: ElementSelectorFlags) {}

    fn is_link(&self) -> bool {
        self.is_any(&[local_name!("a"), local_name!("area"), local_name!("link")]) && self.value(&local_name!("href")).is_some()
    }

    fn is_html_slot_element(&self) -> bool {
        false
    }

    fn has_id(&self, id: &Name, case: CaseSensitivity) -> bool {
        self.value(&local_name!("id")).is_some_and(|own| case.eq(own.as_bytes(), id.0.as_bytes()))
    }

    fn has_class(&self, name: &Name, case: CaseSensitivity) -> bool {
        self.value(&local_name!("class"))
            .is_some_and(|own| own.split_ascii_whitespace().any(|own| case.eq(own.as_bytes(), name.0.as_bytes())))
    }

    fn has_custom_state(&self, _: &Name) -> bool {
        false
    }

    fn imported_part(&self, _: &Name) -> Option<Name> {
        None
    }

    fn is_part(&self, _: &Name) -> bool {
        false
    }

    fn is_empty(&self) -> bool {
        self.budget.spend(1);
        !self.tree.children(self.node).any(|child| matches!(self.tree.kind(child), Kind::Element | Kind::Text))
    }

    fn is_root(&self) -> bool {
        self.tree.parent(self.node).is_some_and(|parent| self.tree.kind(parent) == Kind::Root)
    }

    fn add_element_unique_hashes(&self, _: &mut BloomFilter) -> bool {
        false
    }
}
