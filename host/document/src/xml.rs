//! XML to a tree. Entities other than the five of XML are never expanded; where the text stops being well-formed, the tree
//! ends.

use crate::tree::{Draft, DraftId, Flavour, Tree};
use crate::{DocumentError, Limits};
use html5ever::{LocalName, Namespace, Prefix, QualName, ns};
use quick_xml::Reader;
use quick_xml::escape::{resolve_xml_entity, unescape_with};
use quick_xml::events::{BytesRef, BytesStart, Event};
use std::borrow::Cow;
use std::collections::HashMap;

/// Most attributes of one element that are kept.
const ATTRIBUTES: usize = 1024;

/// Most declarations in force, summed over all elements: queries may look through them at each.
const IN_FORCE: usize = 4_000_000;

/// Parses a whole XML document.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Tree, DocumentError> {
    let mut builder = Builder {
        draft: Draft::new(),
        open: Vec::new(),
        declared: Vec::new(),
        in_force: 0,
        scopes: HashMap::new(),
        prefixes: Vec::new(),
        hidden: 0,
    };
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    while let Ok(event) = reader.read_event() {
        if matches!(event, Event::Eof) {
            break;
        }
        builder.handle(event, limits);
        if builder.draft.len() > limits.nodes || builder.in_force > IN_FORCE {
            return Err(DocumentError::TooComplex);
        }
    }
    Ok(builder.draft.finish(Flavour::Xml, builder.prefixes))
}

struct Open {
    id: DraftId,
    name: String,
    /// How many declarations were in force around it.
    declared: usize,
}

struct Builder {
    draft: Draft,
    open: Vec<Open>,
    /// The prefixes of the declarations in force, the innermost last.
    declared: Vec<String>,
    /// The same, counted once more at each element.
    in_force: usize,
    /// What each prefix stands for, the innermost last: a page may declare a hundred thousand of them and use each as often.
    scopes: HashMap<String, Vec<Namespace>>,
    /// All declarations with a prefix, for queries.
    prefixes: Vec<(String, String)>,
    /// How many elements below the deepest one kept are open.
    hidden: usize,
}

impl Builder {
    fn handle(&mut self, event: Event<'_>, limits: &Limits) {
        match event {
            Event::Start(tag) if self.open.len() < limits.depth => self.start(&tag),
            Event::Start(_) => self.hidden += 1,
            Event::Empty(tag) if self.open.len() < limits.depth => {
                self.start(&tag);
                self.leave();
            }
            Event::End(tag) => self.end(tag.name().into_inner()),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => self.reference(&reference),
            Event::Comment(text) => {
                let id = self.draft.comment(&text.xml10_content());
                self.draft.append(self.parent(), id);
            }
            Event::PI(instruction) => {
                let id = self.draft.instruction(instruction.target(), instruction.content().trim_start());
                self.draft.append(self.parent(), id);
            }
            Event::Empty(_) | Event::Decl(_) | Event::DocType(_) | Event::Eof => {}
        }
    }

    fn parent(&self) -> DraftId {
        self.open.last().map_or(0, |open| open.id)
    }

    fn start(&mut self, tag: &BytesStart<'_>) {
        let declared = self.declared.len();
        let attributes: Vec<(&str, Cow<'_, str>)> = tag
            .attributes()
            .with_checks(false)
            .take(ATTRIBUTES)
            .filter_map(Result::ok)
            .map(|attribute| (attribute.key.into_inner(), value(attribute.value)))
            .collect();
        for (name, address) in &attributes {
            if let Some(prefix) = declared_prefix(name) {
                self.declare(prefix, address);
            }
        }
        self.in_force += self.declared.len();
        let own: Vec<_> = attributes.iter().map(|(name, value)| (self.attribute_name(name), value)).collect();
        let full = tag.name().into_inner();
        let name = self.element_name(full);
        let id = self.draft.element(name, own);
        self.draft.append(self.parent(), id);
        self.open.push(Open { id, name: full.to_owned(), declared });
    }

    /// Closes an element; one that was left open inside it is closed with it, an end tag without a start is left out.
    fn end(&mut self, name: &str) {
        if self.hidden > 0 {
            self.hidden -= 1;
            return;
        }
        if let Some(at) = self.open.iter().rposition(|open| open.name == name) {
            while self.open.len() > at {
                self.leave();
            }
        }
    }

    fn leave(&mut self) {
        let Some(open) = self.open.pop() else { return };
        for prefix in self.declared.drain(open.declared..) {
            if let Some(meanings) = self.scopes.get_mut(&prefix) {
                meanings.pop();
            }
        }
    }

    /// Text outside the root element is not part of a document.
    fn text(&mut self, text: &str) {
        if !self.open.is_empty() && !text.is_empty() {
            self.draft.append_text(self.parent(), text);
        }
    }

    fn reference(&mut self, reference: &BytesRef<'_>) {
        match reference.resolve_char_ref() {
            Ok(Some(character)) => self.text(character.encode_utf8(&mut [0; 4])),
            Ok(None) | Err(_) => {
                let name = reference.xml10_content();
                match resolve_xml_entity(&name) {
                    Some(text) => self.text(text),
                    None => self.text(&format!("&{name};")),
                }
            }
        }
    }

    fn declare(&mut self, prefix: &str, address: &str) {
        self.declared.push(prefix.to_owned());
        self.scopes.entry(prefix.to_owned()).or_default().push(Namespace::from(address));
        if !prefix.is_empty() && self.prefixes.len() < ATTRIBUTES && self.prefixes.iter().all(|(own, _)| own != prefix) {
            self.prefixes.push((prefix.to_owned(), address.to_owned()));
        }
    }

    fn resolve(&self, prefix: &str) -> Namespace {
        if prefix == "xml" {
            return ns!(xml);
        }
        self.scopes.get(prefix).and_then(|meanings| meanings.last()).map_or_else(|| ns!(), Clone::clone)
    }

    fn element_name(&self, full: &str) -> QualName {
        match full.split_once(':') {
            Some((prefix, local)) => QualName::new(Some(Prefix::from(prefix)), self.resolve(prefix), local.into()),
            None => QualName::new(None, self.resolve(""), full.into()),
        }
    }

    fn attribute_name(&self, full: &str) -> QualName {
        match full.split_once(':') {
            Some(("xmlns", local)) => QualName::new(Some(Prefix::from("xmlns")), ns!(xmlns), local.into()),
            Some((prefix, local)) => QualName::new(Some(Prefix::from(prefix)), self.resolve(prefix), local.into()),
            None if full == "xmlns" => QualName::new(None, ns!(xmlns), LocalName::from(full)),
            None => QualName::new(None, ns!(), full.into()),
        }
    }
}

fn declared_prefix(name: &str) -> Option<&str> {
    if name == "xmlns" { Some("") } else { name.strip_prefix("xmlns:") }
}

fn value(raw: Cow<'_, str>) -> Cow<'_, str> {
    match unescape_with(&raw, resolve_xml_entity) {
        Ok(Cow::Owned(text)) => Cow::Owned(text),
        Ok(Cow::Borrowed(_)) | Err(_) => raw,
    }
}
