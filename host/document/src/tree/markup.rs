//! A subtree written as HTML or XML.

use super::{Flavour, Kind, NodeId, Tree};
use html5ever::QualName;

const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
const RAW: [&str; 7] = ["script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext"];

impl Tree {
    /// The node and its descendants as markup.
    pub(crate) fn markup(&self, node: NodeId) -> String {
        let mut out = String::new();
        let mut open: Vec<(NodeId, NodeId)> = Vec::new();
        let mut at = node;
        while at < self.end(node) {
            while let Some(&(id, end)) = open.last()
                && end <= at
            {
                self.write_end(id, &mut out);
                open.pop();
            }
            self.write_start(at, at == node, &mut out);
            if self.kind(at) == Kind::Element {
                open.push((at, self.end(at)));
            }
            at += 1;
        }
        while let Some((id, _)) = open.pop() {
            self.write_end(id, &mut out);
        }
        out
    }

    fn write_start(&self, node: NodeId, outermost: bool, out: &mut String) {
        match self.kind(node) {
            Kind::Root => {}
            Kind::Text => self.write_text(node, out),
            Kind::Comment => out.extend(["<!--", self.string_value(node), "-->"]),
            Kind::Instruction => {
                let target = self.name(node).map_or("", |name| &*name.local);
                out.extend(["<?", target, " ", self.string_value(node), "?>"]);
            }
            Kind::Element => self.write_start_tag(node, outermost, out),
        }
    }

    fn write_start_tag(&self, node: NodeId, outermost: bool, out: &mut String) {
        let Some(name) = self.name(node) else { return };
        out.push('<');
        write_name(name, out);
        for (_, name, value) in self.attributes(node) {
            out.push(' ');
            write_name(name, out);
            out.push_str("=\"");
            escape(value, Place::Attribute, out);
            out.push('"');
        }
        if outermost && self.flavour == Flavour::Xml {
            self.write_inherited_namespaces(node, out);
        }
        if self.flavour == Flavour::Xml && self.first_child(node).is_none() {
            out.push('/');
        }
        out.push('>');
    }

    /// Repeats the namespace declarations of the ancestors, without which the markup could not be read on its own.
    fn write_inherited_namespaces(&self, node: NodeId, out: &mut String) {
        let mut seen: Vec<&QualName> = self.attributes(node).map(|(_, name, _)| name).collect();
        for above in std::iter::successors(self.parent(node), |&above| self.parent(above)) {
            for (_, name, value) in self.attributes(above).filter(|(_, name, _)| is_declaration(name)) {
                if !seen.contains(&name) {
                    seen.push(name);
                    out.push(' ');
                    write_name(name, out);
                    out.push_str("=\"");
                    escape(value, Place::Attribute, out);
                    out.push('"');
                }
            }
        }
    }

    fn write_text(&self, node: NodeId, out: &mut String) {
        let raw = self.flavour == Flavour::Html
            && self.parent(node).and_then(|parent| self.name(parent)).is_some_and(|name| RAW.contains(&&*name.local));
        match raw {
            true => out.push_str(self.string_value(node)),
            false => escape(self.string_value(node), Place::Text, out),
        }
    }

    fn write_end(&self, node: NodeId, out: &mut String) {
        let Some(name) = self.name(node) else { return };
        let closed = match self.flavour {
            Flavour::Html => VOID.contains(&&*name.local),
            Flavour::Xml => self.first_child(node).is_none(),
        };
        if !closed {
            out.push_str("</");
            write_name(name, out);
            out.push('>');
        }
    }
}

/// Is this the name of an attribute that declares a namespace?
pub(crate) fn is_declaration(name: &QualName) -> bool {
    name.ns == html5ever::ns!(xmlns)
}

fn write_name(name: &QualName, out: &mut String) {
    if let Some(prefix) = name.prefix.as_ref().filter(|prefix| !prefix.is_empty()) {
        out.extend([prefix, ":"]);
    }
    out.push_str(&name.local);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Attribute,
}

fn escape(text: &str, place: Place, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(|c| matches!(c, '&' | '<' | '>') || (c == '"' && place == Place::Attribute)) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let mut characters = after.chars();
        out.push_str(match characters.next() {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            _ => "&quot;",
        });
        rest = characters.as_str();
    }
    out.push_str(rest);
}
