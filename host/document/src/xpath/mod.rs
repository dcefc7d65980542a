//! XPath 1.0 on a tree. Elements of an HTML page have no namespace here, as in lxml; in XML the prefixes that the page
//! declares can be used.

mod node;
mod sets;
#[cfg(test)]
mod tests;

use crate::budget::Budget;
use crate::tree::{Item, Tree};
use node::{Place, Spot};
use xpath_eval::{DocumentCache, EvaluationContext, Expr, Value};

/// A compiled XPath expression.
#[derive(Debug)]
pub(crate) struct Xpath {
    expression: Expr,
    compares_sets: bool,
}

/// What an expression amounts to.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nodes, in document order.
    Items(Vec<Item>),
    /// A string, a number or a truth value, and whether XPath takes it for true.
    Scalar { text: String, truth: bool },
}

/// Where and why an expression is malformed.
#[derive(Debug)]
pub(crate) struct XpathError {
    pub(crate) at: usize,
    pub(crate) reason: String,
}

impl Xpath {
    /// Compiles an expression.
    pub(crate) fn compile(expression: &str) -> Result<Self, XpathError> {
        match xpath_eval::parse(expression) {
            Ok(expression) => Ok(Self { compares_sets: sets::compares_sets(&expression), expression }),
            Err(error) => Err(XpathError { at: error.position, reason: error.message }),
        }
    }

    /// Evaluates the expression with the root as context; fails on an unknown function or a wrong number of arguments.
    pub(crate) fn find(&self, tree: &Tree, budget: &Budget) -> Result<Found, String> {
        let place = Place::new(tree, budget, self.compares_sets);
        let cache = DocumentCache::new();
        let namespaces = |prefix: &str| tree.namespace_of(prefix).map(str::to_owned);
        let mut context = EvaluationContext::new(Spot::root(&place));
        context.namespaces = Some(&namespaces);
        context.cache = Some(&cache);
        let value = xpath_eval::evaluate(&self.expression, &context).map_err(|error| error.to_string())?;
        Ok(match value {
            Value::NodeSet(spots) => {
                let mut items: Vec<Item> = spots.iter().map(Spot::item).collect();
                items.sort_unstable();
                items.dedup();
                Found::Items(items)
            }
            Value::Boolean(_) | Value::Number(_) | Value::String(_) => {
                Found::Scalar { text: value.to_xpath_string(), truth: value.to_boolean() }
            }
        })
    }
}
