//! JMESPath and JSON pointers. JSON that nests deeper than 128 levels is refused.

use crate::DocumentError;
use jmespath::ast::Ast;
use jmespath::{Context, DEFAULT_RUNTIME, Expression, Rcvar, Variable, interpret};
use serde::Serialize;
use serde_json::Value;

/// How much more a value costs that is written as text than one that is passed on: it is copied, and its quotes double.
const WRITTEN: u64 = 16;

/// Steps that a copy of a value costs: one to make it, two to write it down.
const COPY: u64 = 3;

/// A compiled JMESPath expression.
pub(crate) struct Jmespath {
    expression: Expression<'static>,
    /// How many times longer than the page an answer can get, at most.
    growth: u64,
    /// How many times more values than the page an answer can have, at most.
    copies: u64,
}

/// Where and why an expression is malformed.
#[derive(Debug)]
pub(crate) struct JmespathError {
    pub(crate) at: usize,
    pub(crate) reason: String,
}

impl Jmespath {
    /// Compiles an expression.
    pub(crate) fn compile(expression: &str) -> Result<Self, JmespathError> {
        let expression =
            jmespath::compile(expression).map_err(|error| JmespathError { at: error.offset, reason: reason(&error.reason) })?;
        let (growth, copies) = (growth(expression.as_ast(), WRITTEN), growth(expression.as_ast(), 1));
        Ok(Self { expression, growth, copies })
    }

    /// About how many steps the expression takes on a page. Copies of many small values cost more than their bytes tell.
    pub(crate) fn cost(&self, text: &str) -> u64 {
        let written = self.growth.saturating_mul(1 + (text.len() as u64 >> 6)) >> 2;
        let copies = self.copies.saturating_sub(1);
        match copies {
            0 => written,
            _ => written.saturating_add(copies.saturating_mul(values(text)).saturating_mul(COPY)),
        }
    }

    /// Evaluates the expression; fails on wrong types and the like. The engine's own `search` would copy the page first.
    pub(crate) fn find(&self, page: &Rcvar) -> Result<Rcvar, String> {
        let mut context = Context::new(self.expression.as_str(), &DEFAULT_RUNTIME);
        interpret(page, self.expression.as_ast(), &mut context).map_err(|error| reason(&error.reason))
    }
}

/// A value that answers a query: one that the page holds, or one that an expression made.
pub(crate) trait Json: Serialize {
    fn is_nothing(&self) -> bool;
    /// Whether it counts as a match, unless it is nothing.
    fn is_match(&self) -> bool;
    /// The members of an array.
    fn members(&self) -> Option<impl Iterator<Item = &Self>>;
}

impl Json for Value {
    fn is_nothing(&self) -> bool {
        self.is_null()
    }

    /// A member that the page has is there, whatever its value.
    fn is_match(&self) -> bool {
        true
    }

    fn members(&self) -> Option<impl Iterator<Item = &Self>> {
        self.as_array().map(|members| members.iter())
    }
}

impl Json for Variable {
    fn is_nothing(&self) -> bool {
        self.is_null()
    }

    /// JMESPath's own truth: not false, an empty text, list or object.
    fn is_match(&self) -> bool {
        self.is_truthy()
    }

    fn members(&self) -> Option<impl Iterator<Item = &Self>> {
        self.as_array().map(|members| members.iter().map(|member| &**member))
    }
}

/// Parses the page for JMESPath.
pub(crate) fn parse_variable(text: &str) -> Result<Rcvar, DocumentError> {
    Variable::from_json(text).map(Rcvar::new).map_err(DocumentError::NotJson)
}

/// Parses the page for JSON pointers.
pub(crate) fn parse_value(text: &str) -> Result<Value, DocumentError> {
    serde_json::from_str(text).map_err(|error| DocumentError::NotJson(error.to_string()))
}

/// Says why a pointer is malformed.
pub(crate) fn check_pointer(pointer: &str) -> Result<(), &'static str> {
    match pointer.is_empty() || pointer.starts_with('/') {
        true => Ok(()),
        false => Err("a JSON pointer is empty or starts with a slash"),
    }
}

/// Bounds how many values a page of JSON holds.
fn values(text: &str) -> u64 {
    1 + text.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count() as u64
}

fn reason(reason: &jmespath::ErrorReason) -> String {
    let text = match reason {
        jmespath::ErrorReason::Parse(text) => text.clone(),
        jmespath::ErrorReason::Runtime(error) => error.to_string(),
    };
    text.trim().to_owned()
}

/// Bounds how many copies of the page an expression can put into its answer: lists of expressions add up, steps that follow
/// one another multiply. What is written as text counts as much as is said here.
fn growth(ast: &Ast, written: u64) -> u64 {
    match ast {
        Ast::Identity { .. } | Ast::Field { .. } | Ast::Index { .. } | Ast::Literal { .. } | Ast::Slice { .. } => 1,
        Ast::Expref { ast, .. } => growth(ast, written),
        Ast::Flatten { node, .. } | Ast::ObjectValues { node, .. } | Ast::Not { node, .. } => growth(node, written),
        Ast::MultiList { elements, .. } => sum(elements.iter(), written),
        Ast::MultiHash { elements, .. } => sum(elements.iter().map(|pair| &pair.value), written),
        Ast::Function { name, args, .. } if matches!(name.as_str(), "to_string" | "join") => {
            sum(args.iter(), written).saturating_mul(written)
        }
        Ast::Function { args, .. } if args.iter().any(|argument| matches!(argument, Ast::Expref { .. })) => {
            args.iter().map(|argument| growth(argument, written)).fold(1, u64::saturating_mul)
        }
        Ast::Function { args, .. } => sum(args.iter(), written),
        Ast::Comparison { lhs, rhs, .. } | Ast::And { lhs, rhs, .. } | Ast::Or { lhs, rhs, .. } => {
            growth(lhs, written).saturating_add(growth(rhs, written))
        }
        Ast::Condition { predicate: lhs, then: rhs, .. } | Ast::Projection { lhs, rhs, .. } | Ast::Subexpr { lhs, rhs, .. } => {
            growth(lhs, written).saturating_mul(growth(rhs, written))
        }
    }
}

fn sum<'a>(parts: impl Iterator<Item = &'a Ast>, written: u64) -> u64 {
    parts.map(|part| growth(part, written)).fold(0, u64::saturating_add).max(1)
}
