//! Turns what the tokenizer reads into the tokens of the tree builder.

use super::guard::Guard;
use super::names::Names;
use super::stretch::{Page, Stretch};
use html5ever::interface::Attribute;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Doctype, Tag, TagKind, Token, TokenSink, TokenSinkResult};
use html5ever::{LocalName, QualName, ns};
use html5gum::{Emitter, Error, State};
use std::collections::HashSet;

/// With more attributes than this, those of a tag are told apart by a table of their names.
const FEW_ATTRIBUTES: usize = 12;

/// The tree would take too much work.
#[derive(Debug)]
pub(super) struct TooMuch;

/// What has been read and not been handed on yet.
pub(super) struct Tokens<'t> {
    guard: &'t Guard,
    page: Page<'t>,
    names: Names,
    text: Stretch,
    comment: Stretch,
    tag: OpenTag,
    doctype: OpenDoctype,
    last_start_tag: LocalName,
}

/// The tag that is being read.
struct OpenTag {
    kind: TagKind,
    name: Vec<u8>,
    self_closing: bool,
    attributes: Vec<Attribute>,
    /// The names of the attributes, if they are many.
    seen: HashSet<LocalName>,
    attribute: Vec<u8>,
    value: Stretch,
}

/// The document type that is being read.
#[derive(Default)]
struct OpenDoctype {
    name: Vec<u8>,
    public: Option<Vec<u8>>,
    system: Option<Vec<u8>>,
    force_quirks: bool,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str, guard: &'t Guard) -> Self {
        let tag = OpenTag {
            kind: TagKind::StartTag,
            name: Vec::new(),
            self_closing: false,
            attributes: Vec::new(),
            seen: HashSet::new(),
            attribute: Vec::new(),
            value: Stretch::default(),
        };
        Self {
            guard,
            page: Page::new(text),
            names: Names::new(),
            text: Stretch::default(),
            comment: Stretch::default(),
            tag,
            doctype: OpenDoctype::default(),
            last_start_tag: LocalName::default(),
        }
    }

    /// Hands on a token, and the text before it first. Says what the content of an element is read as, if it is not markup.
    fn hand_on(&mut self, token: Token) -> Option<State> {
        if let Some(text) = self.text.take(&mut self.page) {
            self.hand_on_alone(Token::CharacterTokens(text));
        }
        self.hand_on_alone(token)
    }

    fn hand_on_alone(&self, token: Token) -> Option<State> {
        match self.guard.process_token(token, 1) {
            TokenSinkResult::Continue | TokenSinkResult::Script(_) | TokenSinkResult::EncodingIndicator(_) => None,
            TokenSinkResult::Plaintext => Some(State::PlainText),
            TokenSinkResult::RawData(RawKind::Rcdata) => Some(State::RcData),
            TokenSinkResult::RawData(RawKind::Rawtext) => Some(State::RawText),
            TokenSinkResult::RawData(RawKind::ScriptData | RawKind::ScriptDataEscaped(_)) => Some(State::ScriptData),
        }
    }

    /// Ends the attribute that is being read, if there is one. The first of a name counts.
    fn finish_attribute(&mut self) {
        let tag = &mut self.tag;
        if tag.attribute.is_empty() {
            return;
        }
        let value = tag.value.take(&mut self.page).unwrap_or_default();
        let local = self.names.name(&tag.attribute);
        tag.attribute.clear();
        if tag.kind == TagKind::StartTag && tag.is_new(&local) {
            tag.attributes.push(Attribute { name: QualName::new(None, ns!(), local), value });
        }
    }
}

impl OpenTag {
    fn open(&mut self, kind: TagKind) {
        self.kind = kind;
        self.name.clear();
        self.self_closing = false;
        self.attributes.clear();
        self.attribute.clear();
        self.value.clear();
    }

    fn is_new(&mut self, attribute: &LocalName) -> bool {
        if self.attributes.len() < FEW_ATTRIBUTES {
            return self.attributes.iter().all(|own| own.name.local != *attribute);
        }
        if self.attributes.len() == FEW_ATTRIBUTES {
            self.seen.clear();
            self.seen.extend(self.attributes.iter().map(|own| own.name.local.clone()));
        }
        self.seen.insert(attribute.clone())
    }
}

impl OpenDoctype {
    fn close(&mut self) -> Doctype {
        let Self { name, public, system, force_quirks } = std::mem::take(self);
        let text = |bytes: Vec<u8>| StrTendril::from_slice(&String::from_utf8_lossy(&bytes));
        Doctype {
            name: Some(name).filter(|name| !name.is_empty()).map(text),
            public_id: public.map(text),
            system_id: system.map(text),
            force_quirks,
        }
    }
}

impl Emitter for Tokens<'_> {
    /// The only thing that the tokenizer stops for.
    type Token = TooMuch;

    fn set_last_start_tag(&mut self, _: Option<&[u8]>) {}

    fn emit_eof(&mut self) {
        self.hand_on(Token::EOFToken);
        self.guard.end();
    }

    fn emit_error(&mut self, _: Error) {}

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn pop_token(&mut self) -> Option<TooMuch> {
        self.guard.is_exhausted().then_some(TooMuch)
    }

    fn emit_string(&mut self, text: &[u8]) {
        for (number, part) in text.split(|&byte| byte == 0).enumerate() {
            if number > 0 {
                self.hand_on(Token::NullCharacterToken);
            }
            self.text.push(part, &self.page);
        }
    }

    fn init_start_tag(&mut self) {
        self.tag.open(TagKind::StartTag);
    }

    fn init_end_tag(&mut self) {
        self.tag.open(TagKind::EndTag);
    }

    fn init_comment(&mut self) {
        self.comment.clear();
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        self.finish_attribute();
        let name = self.names.name(&self.tag.name);
        if self.tag.kind == TagKind::StartTag {
            self.last_start_tag = name.clone();
        }
        let tag = Tag {
            kind: self.tag.kind,
            name,
            self_closing: self.tag.self_closing,
            attrs: std::mem::take(&mut self.tag.attributes),
            had_duplicate_attributes: false,
        };
        self.hand_on(Token::TagToken(tag))
    }

    fn emit_current_comment(&mut self) {
        let comment = self.comment.take(&mut self.page).unwrap_or_default();
        self.hand_on(Token::CommentToken(comment));
    }

    fn emit_current_doctype(&mut self) {
        let doctype = self.doctype.close();
        self.hand_on(Token::DoctypeToken(doctype));
    }

    fn set_self_closing(&mut self) {
        self.tag.self_closing = true;
    }

    fn set_force_quirks(&mut self) {
        self.doctype.force_quirks = true;
    }

    fn push_tag_name(&mut self, name: &[u8]) {
        self.tag.name.extend_from_slice(name);
    }

    fn push_comment(&mut self, text: &[u8]) {
        self.comment.push(text, &self.page);
    }

    fn push_doctype_name(&mut self, name: &[u8]) {
        self.doctype.name.extend_from_slice(name);
    }

    fn init_doctype(&mut self) {
        self.doctype = OpenDoctype::default();
    }

    fn init_attribute(&mut self) {
        self.finish_attribute();
    }

    fn push_attribute_name(&mut self, name: &[u8]) {
        self.tag.attribute.extend_from_slice(name);
    }

    fn push_attribute_value(&mut self, value: &[u8]) {
        self.tag.value.push(value, &self.page);
    }

    fn set_doctype_public_identifier(&mut self, value: &[u8]) {
        self.doctype.public = Some(value.to_owned());
    }

    fn set_doctype_system_identifier(&mut self, value: &[u8]) {
        self.doctype.system = Some(value.to_owned());
    }

    fn push_doctype_public_identifier(&mut self, value: &[u8]) {
        self.doctype.public.get_or_insert_default().extend_from_slice(value);
    }

    fn push_doctype_system_identifier(&mut self, value: &[u8]) {
        self.doctype.system.get_or_insert_default().extend_from_slice(value);
    }

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.tag.kind == TagKind::EndTag && !self.tag.name.is_empty() && self.last_start_tag.as_bytes() == self.tag.name
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&mut self) -> bool {
        self.guard.adjusted_current_node_present_but_not_in_html_namespace()
    }
}
