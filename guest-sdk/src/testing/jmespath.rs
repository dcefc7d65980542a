//! JMESPath on the page of a test. The crate that evaluates it does not know that numbers keep their digits, so that it is given its
//! values ready made.

use jmespath::ast::Ast;
use jmespath::{Context, DEFAULT_RUNTIME, Rcvar, Variable, interpret};
use serde_json::Value;

/// How serde_json hands a number on that keeps its digits.
const NUMBER: &str = "$serde_json::private::Number";

/// Reads an expression; the error says what is wrong.
pub(crate) fn parse(expression: &str) -> Result<Ast, String> {
    let mut ast =
        jmespath::parse(expression).map_err(|error| format!("cannot read the JMESPath expression \"{expression}\": {error}"))?;
    mend(&mut ast);
    Ok(ast)
}

/// Evaluates an expression on a page.
pub(crate) fn search(page: &Value, expression: &str) -> Result<Rcvar, String> {
    let ast = parse(expression)?;
    let found = interpret(&variable(page), &ast, &mut Context::new(expression, &DEFAULT_RUNTIME));
    found.map_err(|error| format!("cannot evaluate \"{expression}\": {error}"))
}

fn variable(value: &Value) -> Rcvar {
    Rcvar::new(match value {
        Value::Null => Variable::Null,
        Value::Bool(truth) => Variable::Bool(*truth),
        Value::Number(number) => Variable::Number(number.clone()),
        Value::String(text) => Variable::String(text.clone()),
        Value::Array(items) => Variable::Array(items.iter().map(variable).collect()),
        Value::Object(members) => Variable::Object(members.iter().map(|(name, value)| (name.clone(), variable(value))).collect()),
    })
}

/// Puts right the numbers that stand in the expression.
fn mend(ast: &mut Ast) {
    match ast {
        Ast::Literal { value, .. } => *value = literal(value),
        Ast::Comparison { lhs, rhs, .. }
        | Ast::And { lhs, rhs, .. }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Projection { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. }
        | Ast::Condition { predicate: lhs, then: rhs, .. } => [lhs, rhs].into_iter().for_each(|side| mend(side)),
        Ast::Expref { ast: node, .. } | Ast::Flatten { node, .. } | Ast::Not { node, .. } | Ast::ObjectValues { node, .. } => {
            mend(node)
        }
        Ast::Function { args: nodes, .. } | Ast::MultiList { elements: nodes, .. } => nodes.iter_mut().for_each(mend),
        Ast::MultiHash { elements, .. } => elements.iter_mut().for_each(|pair| mend(&mut pair.value)),
        Ast::Identity { .. } | Ast::Field { .. } | Ast::Index { .. } | Ast::Slice { .. } => {}
    }
}

fn literal(value: &Rcvar) -> Rcvar {
    match &**value {
        Variable::Array(items) => Rcvar::new(Variable::Array(items.iter().map(literal).collect())),
        Variable::Object(members) => {
            let digits = members.get(NUMBER).and_then(|digits| digits.as_string());
            match digits.and_then(|digits| serde_json::from_str(digits).ok()) {
                Some(number) => Rcvar::new(Variable::Number(number)),
                None => {
                    let members = members.iter().map(|(name, value)| (name.clone(), literal(value)));
                    Rcvar::new(Variable::Object(members.collect()))
                }
            }
        }
        Variable::Null | Variable::Bool(_) | Variable::Number(_) | Variable::String(_) | Variable::Expref(_) => value.clone(),
    }
}
