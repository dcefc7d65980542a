//! Finds out whether an expression compares two sets of nodes, which looks at every pair without moving in the tree.

use xpath_eval::{Expr, FilterExpr, LocationPath, PathExpr, PrimaryExpr};

/// Does the expression, or a part of it, compare sets with sets?
pub(super) fn compares_sets(expression: &Expr) -> bool {
    match expression {
        Expr::Equality(left, _, right) | Expr::Relational(left, _, right) if may_be_set(left) && may_be_set(right) => true,
        Expr::Equality(left, _, right) | Expr::Relational(left, _, right) => either(left, right),
        Expr::Additive(left, _, right) | Expr::Multiplicative(left, _, right) => either(left, right),
        Expr::Or(left, right) | Expr::And(left, right) | Expr::Union(left, right) => either(left, right),
        Expr::Negate(inner) => compares_sets(inner),
        Expr::Path(PathExpr::Location(path)) => in_path(path),
        Expr::Path(PathExpr::Filter(filter)) => in_filter(filter),
        Expr::Path(PathExpr::FilterLocation(filter, path)) => in_filter(filter) || in_path(path),
    }
}

fn either(left: &Expr, right: &Expr) -> bool {
    compares_sets(left) || compares_sets(right)
}

fn in_path(path: &LocationPath) -> bool {
    path.steps.iter().flat_map(|step| &step.predicates).any(compares_sets)
}

fn in_filter(filter: &FilterExpr) -> bool {
    filter.predicates.iter().any(compares_sets)
        || match &filter.primary {
            PrimaryExpr::Parenthesized(inner) => compares_sets(inner),
            PrimaryExpr::Function(call) => call.args.iter().any(compares_sets),
            PrimaryExpr::Variable(_) | PrimaryExpr::Literal(_) | PrimaryExpr::Number(_) => false,
        }
}

fn may_be_set(expression: &Expr) -> bool {
    match expression {
        Expr::Union(..) | Expr::Path(PathExpr::Location(_) | PathExpr::FilterLocation(..)) => true,
        Expr::Path(PathExpr::Filter(filter)) => match &filter.primary {
            PrimaryExpr::Parenthesized(inner) => may_be_set(inner),
            PrimaryExpr::Function(call) => call.name.local == "id",
            PrimaryExpr::Variable(_) => true,
            PrimaryExpr::Literal(_) | PrimaryExpr::Number(_) => false,
        },
        Expr::Or(..)
        | Expr::And(..)
        | Expr::Equality(..)
        | Expr::Relational(..)
        | Expr::Additive(..)
        | Expr::Multiplicative(..)
        | Expr::Negate(_) => false,
    }
}
