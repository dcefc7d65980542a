//! Receives the tree builder's commands and counts their cost.

use crate::Limits;
use crate::tree::{Draft, DraftId};
use html5ever::interface::{ElemName, ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, Namespace, QualName, ns};
use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell};

/// Steps that making an element costs, next to looking at one.
const ELEMENT_STEPS: u64 = 16;

/// Steps that one attribute of an element costs: the tree builder may copy it many times.
const ATTRIBUTE_STEPS: u64 = 16;

/// Most attributes that a repeated `<html>` or `<body>` can add to an element.
const MERGED_ATTRIBUTES: usize = 256;

#[derive(Debug)]
pub(super) struct Sink {
    draft: RefCell<Draft>,
    /// Depth of the element that is open now.
    depth: Cell<u32>,
    steps: Cell<u64>,
    nodes: usize,
}

#[derive(Debug)]
pub(super) struct Name<'a>(Ref<'a, QualName>);

impl ElemName for Name<'_> {
    fn ns(&self) -> &Namespace {
        &self.0.ns
    }

    fn local_name(&self) -> &LocalName {
        &self.0.local
    }
}

impl Sink {
    pub(super) fn new(bytes: usize, limits: &Limits) -> Self {
        let steps = limits.parse_steps.saturating_add(4 * bytes as u64);
        Self { draft: RefCell::new(Draft::new()), depth: Cell::new(0), steps: Cell::new(steps), nodes: limits.nodes }
    }

    pub(super) fn depth(&self) -> u32 {
        self.depth.get()
    }

    /// Takes note that at most this many elements are open; finding that out cost as many steps.
    pub(super) fn correct_depth(&self, open: u32) {
        self.spend(u64::from(open));
        self.depth.set(self.depth.get().min(open));
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.steps.get() == 0 || self.draft.borrow().len() > self.nodes
    }

    pub(super) fn into_draft(self) -> Draft {
        self.draft.into_inner()
    }

    fn spend(&self, steps: u64) {
        self.steps.set(self.steps.get().saturating_sub(steps));
    }

    fn place(&self, parent: DraftId, child: NodeOrText<DraftId>) {
        let mut draft = self.draft.borrow_mut();
        match child {
            NodeOrText::AppendNode(id) => {
                draft.append(parent, id);
                self.depth.set(draft.depth(id));
            }
            NodeOrText::AppendText(text) => draft.append_text(parent, &text),
        }
    }
}

fn pairs(attributes: Vec<Attribute>) -> impl Iterator<Item = (QualName, StrTendril)> {
    attributes.into_iter().map(|attribute| (plain(attribute.name), attribute.value))
}

/// Attributes have no namespaces in a page of HTML: `xlink:href` is a name with a colon, and not another `href`.
fn plain(name: QualName) -> QualName {
    match &name.prefix {
        Some(prefix) if !prefix.is_empty() => QualName::new(None, ns!(), format!("{prefix}:{}", name.local).into()),
        _ => QualName::new(None, ns!(), name.local),
    }
}

impl TreeSink for Sink {
    type Handle = DraftId;
    type Output = Draft;
    type ElemName<'a> = Name<'a>;

    fn finish(self) -> Draft {
        self.into_draft()
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> DraftId {
        0
    }

    fn elem_name<'a>(&'a self, target: &'a DraftId) -> Name<'a> {
        self.spend(1);
        Name(Ref::map(self.draft.borrow(), |draft| draft.name(*target)))
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _: ElementFlags) -> DraftId {
        self.spend(ELEMENT_STEPS + ATTRIBUTE_STEPS * attributes.len() as u64);
        self.draft.borrow_mut().element(name, pairs(attributes))
    }

    fn create_comment(&self, text: StrTendril) -> DraftId {
        self.draft.borrow_mut().comment(&text)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> DraftId {
        self.draft.borrow_mut().instruction(&target, &data)
    }

    fn append(&self, parent: &DraftId, child: NodeOrText<DraftId>) {
        self.place(*parent, child);
    }

    fn append_based_on_parent_node(&self, element: &DraftId, previous: &DraftId, child: NodeOrText<DraftId>) {
        let has_parent = self.draft.borrow().parent(*element).is_some();
        match has_parent {
            true => self.append_before_sibling(element, child),
            false => self.append(previous, child),
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn pop(&self, node: &DraftId) {
        self.depth.set(self.draft.borrow().depth(*node).saturating_sub(1));
    }

    /// The contents of a template are its children: queries find them as in any other element.
    fn get_template_contents(&self, target: &DraftId) -> DraftId {
        *target
    }

    fn same_node(&self, x: &DraftId, y: &DraftId) -> bool {
        self.spend(1);
        x == y
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &DraftId, new: NodeOrText<DraftId>) {
        let mut draft = self.draft.borrow_mut();
        match new {
            NodeOrText::AppendNode(id) => {
                draft.insert_before(*sibling, id);
                self.depth.set(draft.depth(id));
            }
            NodeOrText::AppendText(text) => draft.insert_text_before(*sibling, &text),
        }
    }

    fn add_attrs_if_missing(&self, target: &DraftId, attributes: Vec<Attribute>) {
        let mut draft = self.draft.borrow_mut();
        let own = draft.attribute_count(*target);
        self.spend((own * attributes.len()) as u64);
        if own < MERGED_ATTRIBUTES {
            draft.add_missing(*target, pairs(attributes));
        }
    }

    fn remove_from_parent(&self, target: &DraftId) {
        self.draft.borrow_mut().detach(*target);
    }

    fn reparent_children(&self, node: &DraftId, new_parent: &DraftId) {
        let moved = self.draft.borrow_mut().move_children(*node, *new_parent);
        self.spend(moved);
    }
}
