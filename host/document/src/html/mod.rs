//! HTML to a tree, as browsers build it without scripting, within the limits.

mod guard;
mod sink;
#[cfg(test)]
mod tests;

use crate::tree::{Flavour, Tree};
use crate::{DocumentError, Limits};
use guard::Guard;
use html5ever::TokenizerResult;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use sink::Sink;
use std::time::{Duration, Instant};

/// Bytes fed to the tokenizer between two looks at the limits.
const CHUNK: usize = 16 << 10;

/// Longest time inside one tag. The tokenizer compares every attribute of a tag with all others, so that one tag of a
/// megabyte can take minutes; a tag with a megabyte in a single attribute takes a millisecond.
const TAG_TIME: Duration = Duration::from_millis(250);

/// Parses a whole HTML document.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Tree, DocumentError> {
    let options = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let builder = TreeBuilder::new(Sink::new(text.len(), limits), options);
    let tokenizer = Tokenizer::new(Guard::new(builder, limits.depth), TokenizerOpts::default());
    let queue = BufferQueue::default();
    let mut inside_tag: Option<(Instant, u64)> = None;
    for chunk in chunks(text) {
        queue.push_back(StrTendril::from_slice(chunk));
        while !matches!(tokenizer.feed(&queue), TokenizerResult::Done) {}
        if tokenizer.sink.is_exhausted() {
            return Err(DocumentError::TooComplex);
        }
        let tokens = tokenizer.sink.tokens();
        match inside_tag {
            Some((since, seen)) if seen == tokens => {
                if since.elapsed() > TAG_TIME {
                    return Err(DocumentError::TooComplex);
                }
            }
            _ => inside_tag = Some((Instant::now(), tokens)),
        }
    }
    tokenizer.end();
    match tokenizer.sink.is_exhausted() {
        true => Err(DocumentError::TooComplex),
        false => Ok(tokenizer.sink.finish().finish(Flavour::Html, Vec::new())),
    }
}

/// Cuts a text into pieces of about [`CHUNK`] bytes, between characters.
fn chunks(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (chunk, rest) = text.split_at(text.floor_char_boundary(CHUNK));
        text = rest;
        (!chunk.is_empty()).then_some(chunk)
    })
}
