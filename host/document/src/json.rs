//! JMESPath and JSON pointers. JSON that nests deeper than 128 levels is refused.

use crate::DocumentError;
use jmespath::ast::Ast;
use jmespath::{Expression, Rcvar, Variable};
use serde_json::Value;

/// How much more a value costs that is written as text than one that is passed on: it is copied, and its quotes double.
const WRITTEN: u64 = 16;

/// A compiled JMESPath expression.
pub(crate) struct Jmespath {
    expression: Expression<'static>,
    /// How many times longer than the page an answer can get, at most.
    growth: u64,
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
        let growth = growth(expression.as_ast());
        Ok(Self { expression, growth })
    }

    /// About how many steps the expression takes on a page of this many bytes.
    pub(crate) fn cost(&self, bytes: usize) -> u64 {
        self.growth.saturating_mul(1 + (bytes as u64 >> 6)) >> 2
    }

    /// Evaluates the expression; fails on wrong types and the like.
    pub(crate) fn find(&self, page: &Rcvar) -> Result<Rcvar, String> {
        self.expression.search(page).map_err(|error| reason(&error.reason))
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

fn reason(reason: &jmespath::ErrorReason) -> String {
    let text = match reason {
        jmespath::ErrorReason::Parse(text) => text.clone(),
        jmespath::ErrorReason::Runtime(error) => error.to_string(),
    };
    text.trim().to_owned()
}

/// Bounds how many copies of the page an expression can put into its answer: lists of expressions add up, steps that follow
/// one another multiply.
fn growth(ast: &Ast) -> u64 {
    match ast {
        Ast::Identity { .. } | Ast::Field { .. } | Ast::Index { .. } | Ast::Literal { .. } | Ast::Slice { .. } => 1,
        Ast::Expref { ast, .. } => growth(ast),
        Ast::Flatten { node, .. } | Ast::ObjectValues { node, .. } | Ast::Not { node, .. } => growth(node),
        Ast::MultiList { elements, .. } => sum(elements.iter()),
        Ast::MultiHash { elements, .. } => sum(elements.iter().map(|pair| &pair.value)),
        Ast::Function { name, args, .. } if matches!(name.as_str(), "to_string" | "join") => {
            sum(args.iter()).saturating_mul(WRITTEN)
        }
        Ast::Function { args, .. } if args.iter().any(|argument| matches!(argument, Ast::Expref { .. })) => {
            args.iter().map(growth).fold(1, u64::saturating_mul)
        }
        Ast::Function { args, .. } => sum(args.iter()),
        Ast::Comparison { lhs, rhs, .. } | Ast::And { lhs, rhs, .. } | Ast::Or { lhs, rhs, .. } => {
            growth(lhs).saturating_add(growth(rhs))
        }
        Ast::Condition { predicate: lhs, then: rhs, .. } | Ast::Projection { lhs, rhs, .. } | Ast::Subexpr { lhs, rhs, .. } => {
            growth(lhs).saturating_mul(growth(rhs))
        }
    }
}

fn sum<'a>(parts: impl Iterator<Item = &'a Ast>) -> u64 {
    parts.map(growth).fold(0, u64::saturating_add).max(1)
}
