//! A parsed page as one flat, immutable table of nodes in document order.

mod draft;
mod markup;
mod names;
mod order;

#[cfg(test)]
mod tests;

pub(crate) use draft::{Draft, DraftId};
pub(crate) use markup::is_declaration;

use html5ever::{LocalName, Namespace, QualName};

/// The rules by which names match and markup is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    Html,
    Xml,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Root,
    Element,
    Text,
    Comment,
    Instruction,
}

/// A node by its place in document order; the root is 0.
pub(crate) type NodeId = u32;

/// A match: a node (`attribute` 0) or one of its attributes (from 1). The order is document order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Item {
    pub(crate) node: NodeId,
    pub(crate) attribute: u32,
}

/// One row of the table. A subtree is the range from a node to its `end`, and so are its texts and its attributes, because
/// each of the three tables is written in document order. The content of a comment or an instruction is kept as an attribute.
#[derive(Debug)]
struct Node {
    kind: Kind,
    name: u32,
    parent: NodeId,
    previous: NodeId,
    end: NodeId,
    text: u32,
    attributes: u32,
}

#[derive(Debug, Clone, Copy)]
struct Attribute {
    name: u32,
    start: u32,
    end: u32,
}

/// A parsed page. `Send` and `Sync`, never changed after it is built.
#[derive(Debug)]
pub(crate) struct Tree {
    flavour: Flavour,
    /// One more row than there are nodes: the last one closes the ranges.
    nodes: Vec<Node>,
    attributes: Vec<Attribute>,
    names: Vec<QualName>,
    /// The text nodes, one after the other.
    text: String,
    /// Comments, instructions and attribute values, in any order.
    other: String,
    /// Prefixes of XML namespaces with their addresses, as declared anywhere; the first declaration wins.
    prefixes: Vec<(String, String)>,
}

const NOWHERE: Node = Node { kind: Kind::Root, name: 0, parent: NONE, previous: NONE, end: 0, text: 0, attributes: 0 };
static NOWHERE_ROW: Node = NOWHERE;

/// What the prefix `xml` stands for without being declared.
const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// Stands for "no node".
const NONE: NodeId = u32::MAX;

impl Tree {
    fn row(&self, node: NodeId) -> &Node {
        self.nodes.get(node as usize).unwrap_or(&NOWHERE_ROW)
    }

    /// The row after the last node, which closes the ranges.
    fn closing_row(&self) -> Node {
        let (end, text, attributes) = (self.nodes.len(), self.text.len(), self.attributes.len());
        Node { end: offset(end), text: offset(text), attributes: offset(attributes), ..NOWHERE }
    }

    pub(crate) fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// The number of nodes, the root included.
    pub(crate) fn len(&self) -> u32 {
        self.row(0).end
    }

    pub(crate) fn kind(&self, node: NodeId) -> Kind {
        self.row(node).kind
    }

    /// An address that is the node's own for as long as the tree lives.
    pub(crate) fn address(&self, node: NodeId) -> &impl Sized {
        self.row(node)
    }

    pub(crate) fn parent(&self, node: NodeId) -> Option<NodeId> {
        some(self.row(node).parent)
    }

    pub(crate) fn previous(&self, node: NodeId) -> Option<NodeId> {
        some(self.row(node).previous)
    }

    pub(crate) fn next(&self, node: NodeId) -> Option<NodeId> {
        let row = self.row(node);
        let parent = some(row.parent)?;
        (row.end < self.row(parent).end).then_some(row.end)
    }

    pub(crate) fn first_child(&self, node: NodeId) -> Option<NodeId> {
        let child = node.saturating_add(1);
        (child < self.row(node).end).then_some(child)
    }

    /// The node after the last descendant.
    pub(crate) fn end(&self, node: NodeId) -> NodeId {
        self.row(node).end
    }

    /// The children in document order.
    pub(crate) fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(self.first_child(node), move |&child| self.next(child))
    }

    pub(crate) fn name(&self, node: NodeId) -> Option<&QualName> {
        matches!(self.kind(node), Kind::Element | Kind::Instruction)
            .then(|| self.names.get(self.row(node).name as usize))
            .flatten()
    }

    /// The text of a node and all its descendants; that of a comment or an instruction is its content.
    pub(crate) fn string_value(&self, node: NodeId) -> &str {
        let row = self.row(node);
        match row.kind {
            Kind::Root | Kind::Element | Kind::Text => slice(&self.text, row.text, self.row(row.end).text),
            Kind::Comment | Kind::Instruction => {
                self.attributes.get(row.attributes as usize).map_or("", |content| slice(&self.other, content.start, content.end))
            }
        }
    }

    /// The number of attributes of a node.
    pub(crate) fn attribute_count(&self, node: NodeId) -> u32 {
        let row = self.row(node);
        match row.kind {
            Kind::Element => self.row(node.saturating_add(1)).attributes.saturating_sub(row.attributes),
            Kind::Root | Kind::Text | Kind::Comment | Kind::Instruction => 0,
        }
    }

    /// An attribute of a node, counted from 0.
    pub(crate) fn attribute(&self, node: NodeId, index: u32) -> Option<(&QualName, &str)> {
        (index < self.attribute_count(node)).then_some(())?;
        let attribute = self.attributes.get((self.row(node).attributes + index) as usize)?;
        let name = self.names.get(attribute.name as usize)?;
        Some((name, slice(&self.other, attribute.start, attribute.end)))
    }

    /// The attributes of a node with their numbers, those that declare namespaces included.
    pub(crate) fn attributes(&self, node: NodeId) -> impl Iterator<Item = (u32, &QualName, &str)> {
        (0..self.attribute_count(node))
            .filter_map(move |index| self.attribute(node, index).map(|(name, value)| (index, name, value)))
    }

    /// The value of the attribute of this name in no namespace.
    pub(crate) fn attribute_value(&self, node: NodeId, name: &LocalName) -> Option<&str> {
        self.attributes(node).find(|(_, own, _)| own.local == *name && own.ns == Namespace::default()).map(|(_, _, value)| value)
    }

    /// The address that a namespace prefix stands for.
    pub(crate) fn namespace_of(&self, prefix: &str) -> Option<&str> {
        if prefix == "xml" {
            return Some(XML_NAMESPACE);
        }
        self.prefixes.iter().find(|(own, _)| own == prefix).map(|(_, address)| address.as_str())
    }

    /// A match as text: an attribute's value, a text node's text, an element's markup.
    pub(crate) fn item_text(&self, item: Item) -> String {
        if let Some(index) = item.attribute.checked_sub(1) {
            return self.attribute(item.node, index).map_or_else(String::new, |(_, value)| value.to_owned());
        }
        match self.kind(item.node) {
            Kind::Text => self.string_value(item.node).to_owned(),
            Kind::Root | Kind::Element | Kind::Comment | Kind::Instruction => self.markup(item.node),
        }
    }

    /// A lower bound of the bytes that [`Tree::item_text`] will return.
    pub(crate) fn item_bytes(&self, item: Item) -> usize {
        if item.attribute > 0 {
            return 0;
        }
        let (row, end) = (self.row(item.node), self.row(self.end(item.node)));
        let many = |start: u32, end: u32| end.saturating_sub(start) as usize;
        many(row.text, end.text) + 3 * many(row.attributes, end.attributes) + 2 * many(item.node, row.end).saturating_sub(1)
    }
}

fn some(node: NodeId) -> Option<NodeId> {
    (node != NONE).then_some(node)
}

/// Pages are far shorter than 4 GiB: the limits see to that.
fn offset(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn slice(text: &str, start: u32, end: u32) -> &str {
    text.get(start as usize..end as usize).unwrap_or_default()
}
