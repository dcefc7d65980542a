//! Prepares a parsed expression: checks its functions, puts parsel's own in terms of XPath 1.0, and weighs what it costs.

use super::XpathError;
use crate::pattern::Pattern;
use xpath_eval::{Axis, EqualityOp, Expr, FilterExpr, FunctionCall, LocationPath, NodeTest, PathExpr, PrimaryExpr, QName, Step};

/// The functions of XPath 1.0 with the least and the most arguments.
const FUNCTIONS: [(&str, usize, usize); 27] = [
    ("last", 0, 0),
    ("position", 0, 0),
    ("count", 1, 1),
    ("id", 1, 1),
    ("local-name", 0, 1),
    ("namespace-uri", 0, 1),
    ("name", 0, 1),
    ("string", 0, 1),
    ("concat", 2, usize::MAX),
    ("starts-with", 2, 2),
    ("contains", 2, 2),
    ("substring-before", 2, 2),
    ("substring-after", 2, 2),
    ("substring", 2, 3),
    ("string-length", 0, 1),
    ("normalize-space", 0, 1),
    ("translate", 3, 3),
    ("boolean", 1, 1),
    ("not", 1, 1),
    ("true", 0, 0),
    ("false", 0, 0),
    ("lang", 1, 1),
    ("number", 0, 1),
    ("sum", 1, 1),
    ("floor", 1, 1),
    ("ceiling", 1, 1),
    ("round", 1, 1),
];

/// Most characters that `translate` replaces: it looks each character of the text up in all of them.
const TRANSLATED: u32 = 256;

/// What operators, steps and functions are written with.
const SIGNS: &str = "+-*|=<>/(@[.$";

/// Signs of an expression that a look at the tree pays for anyway.
const FREE_SIGNS: usize = 16;

/// Functions inside one another, each of which copies a text, that reading the text pays for.
const COPIES_PER_READ: usize = 2;

/// What cutting a text into words costs next to reading it, as `id` does with the texts of nodes.
const WORDS_WEIGHT: u64 = 16;

/// Characters that `translate` looks each character of a text up in, that reading the text pays for.
const LOOKS_PER_READ: usize = 16;

/// What one look at the tree and at a text costs, as a multiple of the usual.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights {
    /// Rises with the predicates, which are evaluated for each node.
    pub(super) step: u64,
    /// Rises with what functions do with the text.
    pub(super) text: u64,
}

/// What evaluating an expression needs to know.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) weights: Weights,
    /// What `re:test` looks for. Each call has become a comparison of a node with the variable that has the pattern's number
    /// for a name: the node knows what it is compared with by then.
    pub(super) patterns: Vec<Pattern>,
}

/// Finds what is wrong with an expression, and rewrites the functions that only parsel knows.
pub(super) fn prepare(source: &str, expression: &mut Expr) -> Result<Prepared, XpathError> {
    let mut prepared = Prepared { weights: Weights::of(source), patterns: Vec::new() };
    each_primary(expression, &mut |primary| {
        let PrimaryExpr::Function(call) = primary else { return Ok(()) };
        let rewritten = rewrite(call, &mut prepared).map_err(|reason| XpathError { at: place(source, call), reason })?;
        if let Some(rewritten) = rewritten {
            *primary = PrimaryExpr::Parenthesized(Box::new(rewritten));
        }
        Ok(())
    })?;
    Ok(prepared)
}

impl Weights {
    /// Weighs an expression by its signs.
    fn of(source: &str) -> Self {
        let signs = source.chars().filter(|&c| SIGNS.contains(c)).count() + source.matches(" or ").count();
        let signs = signs + ["and ", "div ", "mod "].iter().map(|word| source.matches(word).count()).sum::<usize>();
        let copies = nesting(source) / COPIES_PER_READ;
        Self { step: 1 + signs.saturating_sub(FREE_SIGNS) as u64, text: 1 + copies as u64 }
    }
}

/// How deep brackets nest, those in strings counted as well.
fn nesting(source: &str) -> usize {
    let depths = source.chars().scan(0_usize, |depth, character| {
        match character {
            '(' => *depth += 1,
            ')' => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Some(*depth)
    });
    depths.max().unwrap_or(0)
}

fn place(source: &str, call: &FunctionCall) -> usize {
    source.find(&call.name.local).unwrap_or(0)
}

fn rewrite(call: &mut FunctionCall, prepared: &mut Prepared) -> Result<Option<Expr>, String> {
    match (call.name.prefix.as_deref(), call.name.local.as_str()) {
        (None, "has-class") => has_class(&call.args).map(Some),
        (Some("re"), "test") => re_test(&call.args, &mut prepared.patterns).map(Some),
        (Some(prefix), local) => Err(format!("unknown function: {prefix}:{local}")),
        (None, local) => {
            let Some((_, least, most)) = FUNCTIONS.iter().find(|(name, _, _)| *name == local) else {
                return Err(format!("unknown function: {local}"));
            };
            if !(least..=most).contains(&&call.args.len()) {
                return Err(format!("wrong number of arguments for {local}(): {}", call.args.len()));
            }
            prepared.weights.text += match local {
                "translate" => bound_translation(call),
                "id" if call.args.first().is_some_and(|argument| text_of(argument).is_none()) => WORDS_WEIGHT,
                _ => 0,
            };
            Ok(None)
        }
    }
}

/// Cuts the second argument of `translate` where it is not written out, so that its length has a bound. Returns what the
/// function costs next to reading the text.
fn bound_translation(call: &mut FunctionCall) -> u64 {
    let Some(from) = call.args.get_mut(1) else { return 0 };
    let written = text_of(from).map(str::len).filter(|&length| length <= TRANSLATED as usize);
    if written.is_none() {
        let whole = std::mem::replace(from, number(1.0));
        *from = function("substring", vec![whole, number(1.0), number(f64::from(TRANSLATED))]);
    }
    (written.unwrap_or(TRANSLATED as usize) / LOOKS_PER_READ) as u64
}

/// `has-class('a', 'b')`: the attribute is there and lists all of the names.
fn has_class(arguments: &[Expr]) -> Result<Expr, String> {
    let names: Option<Vec<&str>> = arguments.iter().map(text_of).collect();
    let names = names.filter(|names| !names.is_empty()).ok_or("has-class() takes one or more names in quotes")?;
    let attribute = || path(Axis::Attribute, "class");
    let spaced = function("translate", vec![attribute(), text("\t\n\r\u{c}"), text("    ")]);
    let listed = function("concat", vec![text(" "), spaced, text(" ")]);
    Ok(names.into_iter().fold(attribute(), |sofar, name| {
        let found = function("contains", vec![listed.clone(), text(&format!(" {name} "))]);
        Expr::And(Box::new(sofar), Box::new(found))
    }))
}

/// `re:test(nodes, 'pattern', 'flags')`: the text of the first node matches.
fn re_test(arguments: &[Expr], patterns: &mut Vec<Pattern>) -> Result<Expr, String> {
    let (nodes, pattern, flags) = match arguments {
        [nodes, pattern] => (nodes, text_of(pattern), Some("")),
        [nodes, pattern, flags] => (nodes, text_of(pattern), text_of(flags)),
        _ => return Err("re:test() takes nodes, a pattern and flags".to_owned()),
    };
    let (Some(pattern), Some(flags)) = (pattern, flags) else {
        return Err("re:test() takes a pattern and flags in quotes".to_owned());
    };
    let nodes = nodes_of(nodes).ok_or("re:test() takes nodes as its first argument, such as @href or .")?;
    let pattern = Pattern::compile(&if flags.contains('i') { format!("(?i){pattern}") } else { pattern.to_owned() })?;
    let empty = pattern.matches_nothing();
    let variable = primary(PrimaryExpr::Variable(QName { prefix: None, local: patterns.len().to_string() }));
    patterns.push(pattern);
    let first = FilterExpr { primary: PrimaryExpr::Parenthesized(Box::new(nodes.clone())), predicates: vec![number(1.0)] };
    let first = Expr::Path(PathExpr::Filter(first));
    let tested = Expr::Equality(Box::new(first), EqualityOp::Eq, Box::new(variable));
    let tested = Expr::And(Box::new(function("boolean", vec![nodes.clone()])), Box::new(tested));
    Ok(match empty {
        true => Expr::Or(Box::new(function("not", vec![nodes.clone()])), Box::new(tested)),
        false => tested,
    })
}

/// The nodes whose text an argument is, if it is one of theirs: `string(@x)` is `@x`.
fn nodes_of(argument: &Expr) -> Option<&Expr> {
    if matches!(argument, Expr::Union(..) | Expr::Path(PathExpr::Location(_) | PathExpr::FilterLocation(..))) {
        return Some(argument);
    }
    let Expr::Path(PathExpr::Filter(filter)) = argument else { return None };
    match &filter.primary {
        PrimaryExpr::Parenthesized(inner) => nodes_of(inner).map(|_| argument),
        PrimaryExpr::Function(call) if call.name.local == "string" => call.args.first().and_then(nodes_of),
        PrimaryExpr::Function(call) if call.name.local == "id" => Some(argument),
        PrimaryExpr::Function(_) | PrimaryExpr::Variable(_) | PrimaryExpr::Literal(_) | PrimaryExpr::Number(_) => None,
    }
}

fn primary(primary: PrimaryExpr) -> Expr {
    Expr::Path(PathExpr::Filter(FilterExpr { primary, predicates: Vec::new() }))
}

fn function(name: &str, args: Vec<Expr>) -> Expr {
    primary(PrimaryExpr::Function(FunctionCall { name: QName { prefix: None, local: name.to_owned() }, args }))
}

fn text(text: &str) -> Expr {
    primary(PrimaryExpr::Literal(text.to_owned()))
}

fn number(number: f64) -> Expr {
    primary(PrimaryExpr::Number(number))
}

fn named(local: &str) -> NodeTest {
    NodeTest::QName(QName { prefix: None, local: local.to_owned() })
}

fn path(axis: Axis, name: &str) -> Expr {
    let step = Step { axis, node_test: named(name), predicates: Vec::new() };
    Expr::Path(PathExpr::Location(LocationPath { is_absolute: false, steps: vec![step] }))
}

/// The text of an argument in quotes.
fn text_of(argument: &Expr) -> Option<&str> {
    let Expr::Path(PathExpr::Filter(FilterExpr { primary: PrimaryExpr::Literal(text), predicates })) = argument else {
        return None;
    };
    predicates.is_empty().then_some(text)
}

type Visit<'v> = dyn FnMut(&mut PrimaryExpr) -> Result<(), XpathError> + 'v;

/// Visits the primary expressions, the inner ones first.
fn each_primary(expression: &mut Expr, visit: &mut Visit<'_>) -> Result<(), XpathError> {
    match expression {
        Expr::Or(left, right)
        | Expr::And(left, right)
        | Expr::Union(left, right)
        | Expr::Equality(left, _, right)
        | Expr::Relational(left, _, right)
        | Expr::Additive(left, _, right)
        | Expr::Multiplicative(left, _, right) => {
            each_primary(left, visit)?;
            each_primary(right, visit)
        }
        Expr::Negate(inner) => each_primary(inner, visit),
        Expr::Path(PathExpr::Location(path)) => in_path(path, visit),
        Expr::Path(PathExpr::Filter(filter)) => in_filter(filter, visit),
        Expr::Path(PathExpr::FilterLocation(filter, path)) => {
            in_filter(filter, visit)?;
            in_path(path, visit)
        }
    }
}

fn in_path(path: &mut LocationPath, visit: &mut Visit<'_>) -> Result<(), XpathError> {
    path.steps.iter_mut().flat_map(|step| &mut step.predicates).try_for_each(|predicate| each_primary(predicate, visit))
}

fn in_filter(filter: &mut FilterExpr, visit: &mut Visit<'_>) -> Result<(), XpathError> {
    match &mut filter.primary {
        PrimaryExpr::Parenthesized(inner) => each_primary(inner, visit)?,
        PrimaryExpr::Function(call) => call.args.iter_mut().try_for_each(|argument| each_primary(argument, visit))?,
        PrimaryExpr::Variable(_) | PrimaryExpr::Literal(_) | PrimaryExpr::Number(_) => {}
    }
    visit(&mut filter.primary)?;
    filter.predicates.iter_mut().try_for_each(|predicate| each_primary(predicate, visit))
}
