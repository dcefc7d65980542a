//! XPath 1.0 on a tree, with parsel's `has-class` and `re:test`. The context is the root element. Elements of an HTML page
//! have no namespace here, as in lxml; in XML the prefixes that the page declares can be used.

mod expression;
mod node;
mod sets;
#[cfg(test)]
mod tests;

use crate::budget::Budget;
use crate::tree::{Item, Tree};
use expression::Prepared;
use node::{Place, Spot};
use serde_json::Value as Json;
use xpath_eval::{EvaluationContext, Expr, Value};

/// A compiled XPath expression.
#[derive(Debug)]
pub(crate) struct Xpath {
    expression: Expr,
    compares_sets: bool,
    prepared: Prepared,
}

/// What an expression amounts to.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nodes, in document order.
    Items(Vec<Item>),
    /// A string, a number or a truth value: as text, as JSON, and whether XPath takes it for true.
    Scalar { text: String, json: Json, truth: bool },
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
        let mut parsed =
            xpath_eval::parse(expression).map_err(|error| XpathError { at: error.position, reason: error.message })?;
        let prepared = expression::prepare(expression, &mut parsed)?;
        Ok(Self { compares_sets: sets::compares_sets(&parsed), expression: parsed, prepared })
    }

    /// Evaluates the expression; fails where it takes for nodes what is none. The engine's own cache of lists of nodes stays
    /// unused: copying from it looks at nodes that nobody pays for.
    pub(crate) fn find(&self, tree: &Tree, budget: &Budget) -> Result<Found, String> {
        let place = Place::new(tree, budget, self);
        let namespaces = |prefix: &str| tree.namespace_of(prefix).map(str::to_owned);
        let mut context = EvaluationContext::new(Spot::start(&place));
        let variables = |name: &xpath_eval::QName| place.variable(name);
        context.namespaces = Some(&namespaces);
        context.variables = Some(&variables);
        let value = xpath_eval::evaluate(&self.expression, &context).map_err(|error| error.to_string())?;
        Ok(match value {
            Value::NodeSet(spots) => {
                let mut items: Vec<Item> = spots.iter().map(Spot::item).collect();
                items.sort_unstable();
                items.dedup();
                Found::Items(items)
            }
            Value::Boolean(_) | Value::Number(_) | Value::String(_) => {
                Found::Scalar { text: value.to_xpath_string(), json: json(&value), truth: value.to_boolean() }
            }
        })
    }
}

/// A scalar as JSON. What is no number is null; an infinite one is text, which JSON has no number for.
fn json(value: &Value<Spot<'_>>) -> Json {
    match value {
        Value::Boolean(truth) => Json::Bool(*truth),
        Value::Number(number) if number.is_nan() => Json::Null,
        Value::Number(number) if number.is_finite() => {
            value.to_xpath_string().parse::<i64>().map_or_else(|_| Json::from(*number), Json::from)
        }
        Value::Number(_) | Value::String(_) | Value::NodeSet(_) => Json::String(value.to_xpath_string()),
    }
}
