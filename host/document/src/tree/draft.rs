//! A tree while it is built: nodes can still move, as HTML's error recovery demands.

use super::{Attribute, Flavour, Kind, NONE, Node, NodeId, Tree};
use html5ever::tendril::StrTendril;
use html5ever::{QualName, local_name, ns};
use precomputed_hash::PrecomputedHash;
use std::collections::HashMap;

const RECENT: usize = 128;

/// A node of a draft, in order of creation; the root is 0.
pub(crate) type DraftId = u32;

#[derive(Debug)]
struct DraftNode {
    kind: Kind,
    name: u32,
    depth: u32,
    parent: DraftId,
    first: DraftId,
    last: DraftId,
    previous: DraftId,
    next: DraftId,
    text: StrTendril,
    attributes: Vec<(u32, StrTendril)>,
}

/// A tree while it is built.
#[derive(Debug)]
pub(crate) struct Draft {
    nodes: Vec<DraftNode>,
    names: Vec<QualName>,
    known: HashMap<QualName, u32>,
    /// Numbers of names used lately, by their hash: most names of a page are among a few.
    recent: [u32; RECENT],
    nameless: QualName,
}

impl Draft {
    pub(crate) fn new() -> Self {
        let nameless = QualName::new(None, ns!(), local_name!(""));
        let mut draft = Self {
            nodes: Vec::new(),
            names: Vec::new(),
            known: HashMap::new(),
            recent: [NONE; RECENT],
            nameless: nameless.clone(),
        };
        let name = draft.intern(nameless);
        draft.push(Kind::Root, name, StrTendril::new());
        draft
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn element(&mut self, name: QualName, attributes: impl IntoIterator<Item = (QualName, StrTendril)>) -> DraftId {
        let attributes = attributes.into_iter().map(|(name, value)| (self.intern(name), value)).collect();
        let name = self.intern(name);
        let id = self.push(Kind::Element, name, StrTendril::new());
        if let Some(node) = self.node_mut(id) {
            node.attributes = attributes;
        }
        id
    }

    pub(crate) fn comment(&mut self, text: StrTendril) -> DraftId {
        self.push(Kind::Comment, 0, text)
    }

    pub(crate) fn instruction(&mut self, target: &str, data: StrTendril) -> DraftId {
        let name = self.intern(QualName::new(None, ns!(), target.into()));
        self.push(Kind::Instruction, name, data)
    }

    /// The name of an element; that of any other node is empty.
    pub(crate) fn name(&self, id: DraftId) -> &QualName {
        self.node(id).and_then(|node| self.names.get(node.name as usize)).unwrap_or(&self.nameless)
    }

    pub(crate) fn depth(&self, id: DraftId) -> u32 {
        self.node(id).map_or(0, |node| node.depth)
    }

    pub(crate) fn parent(&self, id: DraftId) -> Option<DraftId> {
        self.node(id).map(|node| node.parent).filter(|&parent| parent != NONE)
    }

    pub(crate) fn attribute_count(&self, id: DraftId) -> usize {
        self.node(id).map_or(0, |node| node.attributes.len())
    }

    /// Adds the attributes that the element does not have yet.
    pub(crate) fn add_missing(&mut self, id: DraftId, attributes: impl IntoIterator<Item = (QualName, StrTendril)>) {
        for (name, value) in attributes {
            let name = self.intern(name);
            if let Some(node) = self.node_mut(id)
                && node.attributes.iter().all(|(own, _)| *own != name)
            {
                node.attributes.push((name, value));
            }
        }
    }

    /// Makes a node the last child of another, taking it away from where it is.
    pub(crate) fn append(&mut self, parent: DraftId, id: DraftId) {
        self.detach(id);
        let depth = self.depth(parent) + 1;
        let last = self.node(parent).map_or(NONE, |node| node.last);
        if let Some(node) = self.node_mut(id) {
            (node.parent, node.previous, node.next, node.depth) = (parent, last, NONE, depth);
        }
        match self.node_mut(last) {
            Some(previous) => previous.next = id,
            None => self.set_first(parent, id),
        }
        if let Some(node) = self.node_mut(parent) {
            node.last = id;
        }
    }

    /// Puts a node right before a sibling, taking it away from where it is.
    pub(crate) fn insert_before(&mut self, sibling: DraftId, id: DraftId) {
        self.detach(id);
        let Some((parent, previous)) = self.node(sibling).map(|node| (node.parent, node.previous)) else {
            return;
        };
        if parent == NONE {
            return;
        }
        let depth = self.depth(parent) + 1;
        if let Some(node) = self.node_mut(id) {
            (node.parent, node.previous, node.next, node.depth) = (parent, previous, sibling, depth);
        }
        if let Some(node) = self.node_mut(sibling) {
            node.previous = id;
        }
        match self.node_mut(previous) {
            Some(node) => node.next = id,
            None => self.set_first(parent, id),
        }
    }

    /// Appends text, joining it with a text that is last already.
    pub(crate) fn append_text(&mut self, parent: DraftId, text: &StrTendril) {
        let last = self.node(parent).map_or(NONE, |node| node.last);
        if !self.extend_text(last, text) {
            let id = self.push(Kind::Text, 0, text.clone());
            self.append(parent, id);
        }
    }

    /// Puts text right before a sibling, joining it with a text that is there already.
    pub(crate) fn insert_text_before(&mut self, sibling: DraftId, text: &StrTendril) {
        let previous = self.node(sibling).map_or(NONE, |node| node.previous);
        if !self.extend_text(previous, text) {
            let id = self.push(Kind::Text, 0, text.clone());
            self.insert_before(sibling, id);
        }
    }

    /// Takes a node away from its parent.
    pub(crate) fn detach(&mut self, id: DraftId) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        let (parent, previous, next) = (node.parent, node.previous, node.next);
        if parent == NONE {
            return;
        }
        (node.parent, node.previous, node.next) = (NONE, NONE, NONE);
        match self.node_mut(previous) {
            Some(node) => node.next = next,
            None => self.set_first(parent, next),
        }
        match self.node_mut(next) {
            Some(node) => node.previous = previous,
            None => self.set_last(parent, previous),
        }
    }

    /// Moves all children of one node to the end of another; returns how many.
    pub(crate) fn move_children(&mut self, from: DraftId, to: DraftId) -> u64 {
        let mut moved = 0;
        while let Some(child) = self.node(from).map(|node| node.first).filter(|&child| child != NONE) {
            self.append(to, child);
            moved += 1;
        }
        moved
    }

    /// Writes the tree down in document order.
    pub(crate) fn finish(self, flavour: Flavour, prefixes: Vec<(String, String)>) -> Tree {
        let mut tree = Tree {
            flavour,
            nodes: Vec::with_capacity(self.nodes.len() + 1),
            attributes: Vec::new(),
            names: Vec::new(),
            text: String::new(),
            other: String::new(),
            prefixes,
        };
        let Self { mut nodes, names, .. } = self;
        tree.names = names;
        write_down(&mut nodes, &mut tree);
        tree
    }

    fn node(&self, id: DraftId) -> Option<&DraftNode> {
        self.nodes.get(id as usize)
    }

    fn node_mut(&mut self, id: DraftId) -> Option<&mut DraftNode> {
        self.nodes.get_mut(id as usize)
    }

    fn set_first(&mut self, parent: DraftId, id: DraftId) {
        if let Some(node) = self.node_mut(parent) {
            node.first = id;
        }
    }

    fn set_last(&mut self, parent: DraftId, id: DraftId) {
        if let Some(node) = self.node_mut(parent) {
            node.last = id;
        }
    }

    fn extend_text(&mut self, id: DraftId, text: &StrTendril) -> bool {
        match self.node_mut(id).filter(|node| node.kind == Kind::Text) {
            Some(node) => {
                node.text.push_tendril(text);
                true
            }
            None => false,
        }
    }

    fn push(&mut self, kind: Kind, name: u32, text: StrTendril) -> DraftId {
        let id = u32::try_from(self.nodes.len()).unwrap_or(NONE);
        self.nodes.push(DraftNode {
            kind,
            name,
            depth: 0,
            parent: NONE,
            first: NONE,
            last: NONE,
            previous: NONE,
            next: NONE,
            text,
            attributes: Vec::new(),
        });
        id
    }

    fn intern(&mut self, name: QualName) -> u32 {
        let slot = name.local.precomputed_hash() as usize % RECENT;
        let recent = self.recent.get(slot).copied().unwrap_or(NONE);
        if self.names.get(recent as usize) == Some(&name) {
            return recent;
        }
        let id = self.look_up(name);
        if let Some(recent) = self.recent.get_mut(slot) {
            *recent = id;
        }
        id
    }

    fn look_up(&mut self, name: QualName) -> u32 {
        if let Some(&id) = self.known.get(&name) {
            return id;
        }
        let id = offset(self.names.len());
        self.names.push(name.clone());
        self.known.insert(name, id);
        id
    }
}

/// Walks the draft without recursion and writes a row for each node, closing the range of each when it is left.
fn write_down(nodes: &mut [DraftNode], tree: &mut Tree) {
    let mut path = Path { open: Vec::new(), last_child: vec![NONE] };
    let mut at: DraftId = 0;
    while let Some(node) = nodes.get_mut(at as usize) {
        let id = offset(tree.nodes.len());
        let previous = path.last_child.last_mut().map_or(NONE, |last| std::mem::replace(last, id));
        write_row(node, path.open.last().copied().unwrap_or(NONE), previous, tree);
        if node.first != NONE {
            path.open.push(id);
            path.last_child.push(NONE);
            at = node.first;
            continue;
        }
        close(tree, id);
        match path.leave(at, nodes, tree) {
            Some(next) => at = next,
            None => break,
        }
    }
    let end = offset(tree.nodes.len());
    let (text, other) = (offset(tree.text.len()), offset(tree.other.len()));
    let attributes = offset(tree.attributes.len());
    tree.nodes.push(Node { kind: Kind::Root, name: 0, parent: NONE, previous: NONE, end, text, other, attributes });
}

/// The elements that are open while a draft is written down.
struct Path {
    open: Vec<NodeId>,
    /// The child written last, for each open element and for what is outside the root.
    last_child: Vec<NodeId>,
}

impl Path {
    /// Finds the node after a finished one, closing the elements that end in between.
    fn leave(&mut self, mut at: DraftId, nodes: &[DraftNode], tree: &mut Tree) -> Option<DraftId> {
        while at != 0 {
            let node = nodes.get(at as usize)?;
            if node.next != NONE {
                return Some(node.next);
            }
            at = node.parent;
            self.last_child.pop();
            if let Some(id) = self.open.pop() {
                close(tree, id);
            }
        }
        None
    }
}

fn write_row(node: &mut DraftNode, parent: NodeId, previous: NodeId, tree: &mut Tree) {
    tree.nodes.push(Node {
        kind: node.kind,
        name: node.name,
        parent,
        previous,
        end: NONE,
        text: offset(tree.text.len()),
        other: offset(tree.other.len()),
        attributes: offset(tree.attributes.len()),
    });
    let text = std::mem::take(&mut node.text);
    match node.kind {
        Kind::Text => tree.text.push_str(&text),
        Kind::Comment | Kind::Instruction => tree.other.push_str(&text),
        Kind::Root | Kind::Element => {}
    }
    for (name, value) in std::mem::take(&mut node.attributes) {
        let start = offset(tree.other.len());
        tree.other.push_str(&value);
        tree.attributes.push(Attribute { name, start, end: offset(tree.other.len()) });
    }
}

fn close(tree: &mut Tree, id: NodeId) {
    let end = offset(tree.nodes.len());
    if let Some(node) = tree.nodes.get_mut(id as usize) {
        node.end = end;
    }
}

/// Pages are far shorter than 4 GiB: the limits see to that.
fn offset(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
