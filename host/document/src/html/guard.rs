//! Stands between tokenizer and tree builder: keeps elements from nesting too deep, and stops when the work is too much.

use super::sink::Sink;
use crate::tree::{Draft, DraftId};
use html5ever::LocalName;
use html5ever::interface::Tracer;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};
use html5ever::tree_builder::TreeBuilder;
use std::cell::{Cell, RefCell};

/// Elements that never contain elements: they cannot deepen the tree, and leaving out one whose content is not markup would
/// turn its content into markup.
const SHALLOW: [&str; 25] = [
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "param",
    "source",
    "track",
    "wbr",
    "script",
    "style",
    "title",
    "textarea",
    "xmp",
    "iframe",
    "noembed",
    "noframes",
    "plaintext",
    "html",
    "body",
];

/// How many of the elements left out last are looked at to find the one that an end tag closes.
const REMEMBERED: usize = 16;

pub(super) struct Guard {
    builder: TreeBuilder<DraftId, Sink>,
    depth: u32,
    /// Whether an end tag may have closed elements without the sink being told.
    stale: Cell<bool>,
    /// The elements left out and not closed yet.
    left_out: RefCell<Vec<LocalName>>,
}

enum Fate {
    Build,
    LeaveOut,
}

impl Guard {
    pub(super) fn new(builder: TreeBuilder<DraftId, Sink>, depth: usize) -> Self {
        let depth = u32::try_from(depth).unwrap_or(u32::MAX);
        Self { builder, depth, stale: Cell::new(false), left_out: RefCell::default() }
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.builder.sink.is_exhausted()
    }

    pub(super) fn finish(self) -> Draft {
        self.builder.sink.into_draft()
    }

    /// May another element be opened?
    fn has_room(&self) -> bool {
        let sink = &self.builder.sink;
        if sink.depth() >= self.depth && self.stale.replace(false) {
            let open = Count(Cell::new(0));
            self.builder.trace_handles(&open);
            sink.correct_depth(open.0.get());
        }
        sink.depth() < self.depth
    }

    fn judge(&self, tag: &Tag) -> Fate {
        let mut left_out = self.left_out.borrow_mut();
        match tag.kind {
            TagKind::StartTag if self.has_room() || SHALLOW.contains(&&*tag.name) => Fate::Build,
            TagKind::StartTag => {
                left_out.push(tag.name.clone());
                Fate::LeaveOut
            }
            TagKind::EndTag if left_out.is_empty() || SHALLOW.contains(&&*tag.name) => Fate::Build,
            TagKind::EndTag => match left_out.iter().rev().take(REMEMBERED).position(|name| *name == tag.name) {
                Some(above) => {
                    let kept = left_out.len().saturating_sub(above + 1);
                    left_out.truncate(kept);
                    Fate::LeaveOut
                }
                None => {
                    left_out.clear();
                    Fate::Build
                }
            },
        }
    }
}

/// Counts the elements that the tree builder holds: those that are open, and a few more.
struct Count(Cell<u32>);

impl Tracer for Count {
    type Handle = DraftId;

    fn trace_handle(&self, _: &DraftId) {
        self.0.set(self.0.get() + 1);
    }
}

impl TokenSink for Guard {
    type Handle = DraftId;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<DraftId> {
        if self.is_exhausted() {
            return TokenSinkResult::Continue;
        }
        if let Token::TagToken(tag) = &token {
            if matches!(self.judge(tag), Fate::LeaveOut) {
                return TokenSinkResult::Continue;
            }
            self.stale.set(true);
        }
        self.builder.process_token(token, line)
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}
