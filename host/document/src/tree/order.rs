//! Writes a draft whose nodes have moved down in document order.

use super::draft::{Draft, DraftId};
use super::{Flavour, Kind, NONE, Node, NodeId, Tree, offset, slice};

/// Makes the tree of a draft, whatever the order of its rows.
pub(super) fn put_in_order(mut draft: Draft, flavour: Flavour, prefixes: Vec<(String, String)>) -> Tree {
    let mut tree = Tree {
        flavour,
        nodes: Vec::with_capacity(draft.len() + 1),
        attributes: Vec::with_capacity(draft.attributes.len()),
        names: Vec::new(),
        text: String::with_capacity(draft.text.len()),
        other: std::mem::take(&mut draft.other),
        prefixes,
    };
    write_down(&draft, &mut tree);
    tree.names = draft.names.into_names();
    tree
}

/// Walks the draft without recursion and writes a row for each node, closing the range of each when it is left.
fn write_down(draft: &Draft, tree: &mut Tree) {
    let mut path = Path { open: Vec::new(), last_child: vec![NONE] };
    let mut at: DraftId = 0;
    loop {
        let id = offset(tree.nodes.len());
        let previous = path.last_child.last_mut().map_or(NONE, |last| std::mem::replace(last, id));
        write_row(draft, at, path.open.last().copied().unwrap_or(NONE), previous, tree);
        let first = draft.link(at).first;
        if first != NONE {
            path.open.push(id);
            path.last_child.push(NONE);
            at = first;
            continue;
        }
        close(tree, id);
        match path.leave(at, draft, tree) {
            Some(next) => at = next,
            None => return,
        }
    }
}

/// The elements that are open while a draft is written down.
struct Path {
    open: Vec<NodeId>,
    /// The child written last, for each open element and for what is outside the root.
    last_child: Vec<NodeId>,
}

impl Path {
    /// Finds the node after a finished one, closing the elements that end in between.
    fn leave(&mut self, mut at: DraftId, draft: &Draft, tree: &mut Tree) -> Option<DraftId> {
        while at != 0 {
            let next = draft.link(at).next;
            if next != NONE {
                return Some(next);
            }
            at = draft.parent(at)?;
            self.last_child.pop();
            if let Some(id) = self.open.pop() {
                close(tree, id);
            }
        }
        None
    }
}

fn write_row(draft: &Draft, at: DraftId, parent: NodeId, previous: NodeId, tree: &mut Tree) {
    let Some(row) = draft.rows.get(at as usize) else { return };
    let (text, attributes) = (offset(tree.text.len()), offset(tree.attributes.len()));
    tree.nodes.push(Node { kind: row.kind, name: row.name, parent, previous, end: NONE, text, attributes });
    if row.kind == Kind::Text {
        tree.text.push_str(slice(&draft.text, row.text, draft.link(at).own_end));
        for part in draft.added.get(&at).into_iter().flatten() {
            tree.text.push_str(slice(&draft.text, part.start, part.end));
        }
    } else {
        tree.attributes.extend_from_slice(draft.attributes.get(draft.own_attributes(at)).unwrap_or_default());
    }
}

fn close(tree: &mut Tree, id: NodeId) {
    let end = offset(tree.nodes.len());
    if let Some(node) = tree.nodes.get_mut(id as usize) {
        node.end = end;
    }
}
