//! A tree while it is built: nodes can still move, as HTML's error recovery demands.
//!
//! The rows are those of the finished tree as long as every node comes after all that were there before, which is so for
//! most pages from start to end. Where it is not, the rows are put in order at the end.

use super::names::Names;
use super::order::put_in_order;
use super::{Attribute, Flavour, Kind, NONE, Node, Tree, offset};
use html5ever::{QualName, local_name, ns};
use std::collections::HashMap;
use std::ops::Range;

/// A node of a draft, in order of creation; the root is 0.
pub(crate) type DraftId = u32;

/// What a node needs besides its row until the tree is finished.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) first: DraftId,
    last: DraftId,
    pub(super) next: DraftId,
    depth: u32,
    /// Where the attributes of a node end, or the text of a text node.
    pub(super) own_end: u32,
}

const UNLINKED: Link = Link { first: NONE, last: NONE, next: NONE, depth: 0, own_end: 0 };
static UNLINKED_NODE: Link = UNLINKED;

/// A tree while it is built.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Each with its `end` only if it has one and the rows are in order.
    pub(super) rows: Vec<Node>,
    pub(super) links: Vec<Link>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) text: String,
    /// Comments, instructions and attribute values.
    pub(super) other: String,
    /// What was added to texts after others had been written, by the text node.
    pub(super) added: HashMap<DraftId, Vec<Range<u32>>>,
    pub(super) names: Names,
    nameless: QualName,
    /// Whether the rows are in document order so far.
    in_order: bool,
}

impl Draft {
    pub(crate) fn new() -> Self {
        let nameless = QualName::new(None, ns!(), local_name!(""));
        let mut draft = Self {
            rows: Vec::new(),
            links: Vec::new(),
            attributes: Vec::new(),
            text: String::new(),
            other: String::new(),
            added: HashMap::new(),
            names: Names::new(),
            nameless: nameless.clone(),
            in_order: true,
        };
        let name = draft.names.number(nameless);
        draft.push(Kind::Root, name);
        draft
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn element<V: AsRef<str>>(
        &mut self,
        name: QualName,
        attributes: impl IntoIterator<Item = (QualName, V)>,
    ) -> DraftId {
        let name = self.names.number(name);
        let id = self.push(Kind::Element, name);
        for (name, value) in attributes {
            let name = self.names.number(name);
            self.push_attribute(name, value.as_ref());
        }
        let end = offset(self.attributes.len());
        self.set_own_end(id, end);
        id
    }

    pub(crate) fn comment(&mut self, text: &str) -> DraftId {
        self.content(Kind::Comment, 0, text)
    }

    pub(crate) fn instruction(&mut self, target: &str, data: &str) -> DraftId {
        let name = self.names.number(QualName::new(None, ns!(), target.into()));
        self.content(Kind::Instruction, name, data)
    }

    /// The name of an element; that of any other node is empty.
    pub(crate) fn name(&self, id: DraftId) -> &QualName {
        self.rows.get(id as usize).and_then(|row| self.names.name(row.name)).unwrap_or(&self.nameless)
    }

    pub(crate) fn depth(&self, id: DraftId) -> u32 {
        self.link(id).depth
    }

    pub(crate) fn parent(&self, id: DraftId) -> Option<DraftId> {
        self.rows.get(id as usize).map(|row| row.parent).filter(|&parent| parent != NONE)
    }

    pub(crate) fn attribute_count(&self, id: DraftId) -> usize {
        self.own_attributes(id).len()
    }

    /// Adds the attributes that the element does not have yet.
    pub(crate) fn add_missing<V: AsRef<str>>(&mut self, id: DraftId, attributes: impl IntoIterator<Item = (QualName, V)>) {
        let start = offset(self.attributes.len());
        self.attributes.extend_from_within(self.own_attributes(id));
        let own = self.attributes.len();
        for (name, value) in attributes {
            let name = self.names.number(name);
            if self.attributes.iter().skip(start as usize).all(|own| own.name != name) {
                self.push_attribute(name, value.as_ref());
            }
        }
        if self.attributes.len() == own {
            self.attributes.truncate(start as usize);
            return;
        }
        self.in_order = false;
        let end = offset(self.attributes.len());
        self.set_own_end(id, end);
        if let Some(row) = self.rows.get_mut(id as usize) {
            row.attributes = start;
        }
    }

    /// Makes a node the last child of another, taking it away from where it is.
    pub(crate) fn append(&mut self, parent: DraftId, id: DraftId) {
        self.detach(id);
        self.in_order = self.in_order && self.follows(parent, id);
        let last = self.link(parent).last;
        self.place(id, parent, last, NONE);
        match self.links.get_mut(last as usize) {
            Some(previous) => previous.next = id,
            None => self.set_first(parent, id),
        }
        self.set_last(parent, id);
    }

    /// Puts a node right before a sibling, taking it away from where it is.
    pub(crate) fn insert_before(&mut self, sibling: DraftId, id: DraftId) {
        self.detach(id);
        let Some((parent, previous)) = self.rows.get(sibling as usize).map(|row| (row.parent, row.previous)) else {
            return;
        };
        if parent == NONE {
            return;
        }
        self.in_order = false;
        self.place(id, parent, previous, sibling);
        if let Some(row) = self.rows.get_mut(sibling as usize) {
            row.previous = id;
        }
        match self.links.get_mut(previous as usize) {
            Some(link) => link.next = id,
            None => self.set_first(parent, id),
        }
    }

    /// Appends text, joining it with a text that is last already.
    pub(crate) fn append_text(&mut self, parent: DraftId, text: &str) {
        if !self.extend_text(self.link(parent).last, text) {
            let id = self.push_text(text);
            self.append(parent, id);
        }
    }

    /// Puts text right before a sibling, joining it with a text that is there already.
    pub(crate) fn insert_text_before(&mut self, sibling: DraftId, text: &str) {
        let previous = self.rows.get(sibling as usize).map_or(NONE, |row| row.previous);
        if !self.extend_text(previous, text) {
            let id = self.push_text(text);
            self.insert_before(sibling, id);
        }
    }

    /// Takes a node away from its parent.
    pub(crate) fn detach(&mut self, id: DraftId) {
        let next = self.link(id).next;
        let Some(row) = self.rows.get_mut(id as usize).filter(|row| row.parent != NONE) else {
            return;
        };
        let (parent, previous) = (row.parent, row.previous);
        (row.parent, row.previous) = (NONE, NONE);
        self.in_order = false;
        if let Some(link) = self.links.get_mut(id as usize) {
            link.next = NONE;
        }
        match self.links.get_mut(previous as usize) {
            Some(link) => link.next = next,
            None => self.set_first(parent, next),
        }
        match self.rows.get_mut(next as usize) {
            Some(row) => row.previous = previous,
            None => self.set_last(parent, previous),
        }
    }

    /// Moves all children of one node to the end of another; returns how many.
    pub(crate) fn move_children(&mut self, from: DraftId, to: DraftId) -> u64 {
        let mut moved = 0;
        while let Some(child) = Some(self.link(from).first).filter(|&child| child != NONE) {
            self.append(to, child);
            moved += 1;
        }
        moved
    }

    /// Makes the tree, in document order.
    pub(crate) fn finish(mut self, flavour: Flavour, prefixes: Vec<(String, String)>) -> Tree {
        let last = offset(self.rows.len()).saturating_sub(1);
        self.in_order = self.in_order && (last == 0 || self.parent(last).is_some());
        let mut tree = match self.in_order {
            true => {
                self.close_below(NONE, last);
                let Self { rows, attributes, names, text, other, .. } = self;
                Tree { flavour, nodes: rows, attributes, names: names.into_names(), text, other, prefixes }
            }
            false => put_in_order(self, flavour, prefixes),
        };
        tree.nodes.push(tree.closing_row());
        tree
    }

    pub(super) fn link(&self, id: DraftId) -> &Link {
        self.links.get(id as usize).unwrap_or(&UNLINKED_NODE)
    }

    /// Where the attributes of an element are.
    pub(super) fn own_attributes(&self, id: DraftId) -> Range<usize> {
        let start = self.rows.get(id as usize).map_or(0, |row| row.attributes) as usize;
        start..(self.link(id).own_end as usize).max(start)
    }

    /// Does the node come after all others once it is the last child of this one? Closes the elements that end before it.
    fn follows(&mut self, parent: DraftId, id: DraftId) -> bool {
        id as usize + 1 == self.rows.len() && self.close_below(parent, id.saturating_sub(1))
    }

    /// Ends a node and the ones that it is in, up to but without the one given; says whether that one was met.
    fn close_below(&mut self, above: DraftId, mut at: DraftId) -> bool {
        let end = at.saturating_add(1);
        while at != above {
            let Some(row) = self.rows.get_mut(at as usize) else {
                return false;
            };
            row.end = end;
            at = row.parent;
        }
        true
    }

    fn place(&mut self, id: DraftId, parent: DraftId, previous: DraftId, next: DraftId) {
        let depth = self.depth(parent) + 1;
        if let Some(row) = self.rows.get_mut(id as usize) {
            (row.parent, row.previous) = (parent, previous);
        }
        if let Some(link) = self.links.get_mut(id as usize) {
            (link.next, link.depth) = (next, depth);
        }
    }

    fn set_first(&mut self, parent: DraftId, id: DraftId) {
        if let Some(link) = self.links.get_mut(parent as usize) {
            link.first = id;
        }
    }

    fn set_last(&mut self, parent: DraftId, id: DraftId) {
        if let Some(link) = self.links.get_mut(parent as usize) {
            link.last = id;
        }
    }

    fn set_own_end(&mut self, id: DraftId, end: u32) {
        if let Some(link) = self.links.get_mut(id as usize) {
            link.own_end = end;
        }
    }

    fn extend_text(&mut self, id: DraftId, text: &str) -> bool {
        if self.rows.get(id as usize).is_none_or(|row| row.kind != Kind::Text) {
            return false;
        }
        let start = offset(self.text.len());
        self.text.push_str(text);
        let end = offset(self.text.len());
        let is_last = id as usize + 1 == self.rows.len();
        self.in_order = self.in_order && is_last;
        match is_last {
            true => self.set_own_end(id, end),
            false => self.added.entry(id).or_default().push(start..end),
        }
        true
    }

    fn push_text(&mut self, text: &str) -> DraftId {
        let id = self.push(Kind::Text, 0);
        self.text.push_str(text);
        let end = offset(self.text.len());
        self.set_own_end(id, end);
        id
    }

    fn content(&mut self, kind: Kind, name: u32, text: &str) -> DraftId {
        let id = self.push(kind, name);
        self.push_attribute(0, text);
        let end = offset(self.attributes.len());
        self.set_own_end(id, end);
        id
    }

    fn push_attribute(&mut self, name: u32, value: &str) {
        let start = offset(self.other.len());
        self.other.push_str(value);
        self.attributes.push(Attribute { name, start, end: offset(self.other.len()) });
    }

    fn push(&mut self, kind: Kind, name: u32) -> DraftId {
        let id = u32::try_from(self.rows.len()).unwrap_or(NONE);
        self.rows.push(Node {
            kind,
            name,
            parent: NONE,
            previous: NONE,
            end: NONE,
            text: offset(self.text.len()),
            attributes: offset(self.attributes.len()),
        });
        self.links.push(UNLINKED);
        id
    }
}
