//! JMESPath and JSON pointers, on a tree that takes four times the memory of its text at most. JSON that nests deeper than 500
//! levels is refused.

mod eval;
mod functions;
#[cfg(test)]
mod tests;
mod tree;
mod value;

use crate::budget::Budget;
use eval::{Eval, Told};
use jmespath::Expression;
use serde_json::Value;

pub(crate) use tree::{Id, Page, Tree};
pub(crate) use value::Val;

/// A compiled JMESPath expression.
pub(crate) struct Jmespath(Expression<'static>);

/// Where and why an expression is malformed.
#[derive(Debug)]
pub(crate) struct JmespathError {
    pub(crate) at: usize,
    pub(crate) reason: String,
}

impl Jmespath {
    /// Compiles an expression.
    pub(crate) fn compile(expression: &str) -> Result<Self, JmespathError> {
        let wrong = |error: jmespath::JmespathError| JmespathError { at: error.offset, reason: reason(&error.reason) };
        jmespath::compile(expression).map(Self).map_err(wrong)
    }

    /// Evaluates the expression; fails on wrong types and the like.
    pub(crate) fn find<'e>(&'e self, page: Page<'e>, budget: &Budget) -> Told<Found<'e>> {
        let value = Eval::new(page, budget).find(&Val::node(page, 0), self.0.as_ast())?;
        Ok(Found { page, value, is_path: false })
    }
}

/// A value that answers a query.
pub(crate) trait Json: Sized {
    fn is_nothing(&self) -> bool;
    /// Whether it counts as a match, unless it is nothing.
    fn is_match(&self) -> bool;
    /// The members of an array.
    fn members(&self) -> Option<impl Iterator<Item = Self>>;
    /// The value as JSON text; none where it has more than so many bytes.
    fn write(&self, most: usize) -> Option<String>;
}

/// What a question to a page has found.
pub(crate) struct Found<'p> {
    page: Page<'p>,
    value: Val<'p>,
    /// Was it asked for by its place?
    is_path: bool,
}

impl<'p> Found<'p> {
    /// The value at a JSON pointer.
    pub(crate) fn pointer(page: Page<'p>, pointer: &str) -> Option<Self> {
        page.pointer(pointer).map(|id: Id| Self { page, value: Val::node(page, id), is_path: true })
    }
}

impl Json for Found<'_> {
    fn is_nothing(&self) -> bool {
        self.value.is_null()
    }

    /// JMESPath's own truth: not false, an empty text, list or object. What a pointer leads to is there, whatever it is.
    fn is_match(&self) -> bool {
        self.is_path || self.value.is_true(self.page)
    }

    fn members(&self) -> Option<impl Iterator<Item = Self>> {
        let Self { page, is_path, .. } = *self;
        self.value.items(page).map(|items| items.map(move |value| Self { page, value, is_path }))
    }

    fn write(&self, most: usize) -> Option<String> {
        let mut text = String::new();
        self.value.write(self.page, &mut text, most).then_some(text)
    }
}

/// What an XPath expression has found that is no node.
impl Json for Value {
    fn is_nothing(&self) -> bool {
        self.is_null()
    }

    fn is_match(&self) -> bool {
        true
    }

    fn members(&self) -> Option<impl Iterator<Item = Self>> {
        None::<std::iter::Empty<Self>>
    }

    fn write(&self, _most: usize) -> Option<String> {
        Some(self.to_string())
    }
}

/// Says why a pointer is malformed.
pub(crate) fn check_pointer(pointer: &str) -> Result<(), &'static str> {
    match pointer.is_empty() || pointer.starts_with('/') {
        true => Ok(()),
        false => Err("a JSON pointer is empty or starts with a slash"),
    }
}

fn reason(reason: &jmespath::ErrorReason) -> String {
    let text = match reason {
        jmespath::ErrorReason::Parse(text) => text.clone(),
        jmespath::ErrorReason::Runtime(error) => error.to_string(),
    };
    text.trim().to_owned()
}
