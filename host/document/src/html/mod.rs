//! HTML to a tree, as browsers build it without scripting, within the limits.

mod guard;
mod names;
mod sink;
mod stretch;
#[cfg(test)]
mod tests;
mod tokens;

use crate::tree::{Flavour, Tree};
use crate::{DocumentError, Limits};
use guard::Guard;
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5gum::Tokenizer;
use sink::Sink;
use tokens::{Tokens, TooMuch};

/// Parses a whole HTML document.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Tree, DocumentError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let guard = guard(text, limits);
    let stopped = Tokenizer::new_with_emitter(text, Tokens::new(text, &guard)).next();
    match stopped {
        Some(Ok(TooMuch)) => Err(DocumentError::TooComplex),
        None => Ok(guard.finish().finish(Flavour::Html, Vec::new())),
    }
}

fn guard(text: &str, limits: &Limits) -> Guard {
    let options = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    Guard::new(TreeBuilder::new(Sink::new(text.len(), limits), options), limits.depth)
}
