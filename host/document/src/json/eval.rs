//! Evaluates a compiled JMESPath expression on a page, as Python's `jmespath` does, within a budget of steps and of memory.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a question that a kind of value has no answer to has none for any other kind"
)]

use super::tree::Page;
use super::value::{List, Val};
use crate::budget::Budget;
use carousel_core::json::Kind;
use jmespath::ast::{Ast, Comparator, KeyValuePair};
use std::cell::Cell;
use std::cmp::Ordering;
use std::sync::Arc;

/// How many times the bytes of the page an evaluation may allocate.
const MEMORY_TIMES: usize = 12;

/// What it may allocate on any page.
const MEMORY_BYTES: usize = 8 << 20;

/// Why there is no result, for the author of the expression.
pub(crate) type Told<T> = Result<T, String>;

/// An expression at work.
pub(super) struct Eval<'b, 'e> {
    pub(super) page: Page<'e>,
    budget: &'b Budget,
    /// Bytes that may still be allocated; what is freed meanwhile counts.
    memory: Cell<usize>,
}

impl<'b, 'e> Eval<'b, 'e> {
    pub(super) fn new(page: Page<'e>, budget: &'b Budget) -> Self {
        Self { page, budget, memory: Cell::new(MEMORY_BYTES + MEMORY_TIMES * page.bytes()) }
    }

    /// Counts a step.
    pub(super) fn step(&self) {
        self.budget.spend(1);
    }

    /// Counts memory; like steps, does not return where there is no more.
    pub(super) fn allocate(&self, bytes: usize) {
        match self.memory.get().checked_sub(bytes) {
            Some(left) => self.memory.set(left),
            None => self.budget.spend(u64::MAX),
        }
        self.budget.spend_bytes(bytes);
    }

    /// Bytes that may still be allocated.
    pub(super) fn room(&self) -> usize {
        self.memory.get()
    }

    pub(super) fn text(&self, text: String) -> Val<'e> {
        self.allocate(text.len() + size_of::<String>());
        Val::text(text)
    }

    /// Makes a list; memory is counted twice, since lists grow by doubling.
    pub(super) fn list(&self, items: impl Iterator<Item = Told<Val<'e>>>) -> Told<Val<'e>> {
        let mut list = List::Page(Vec::new());
        for item in items {
            let item = item?;
            match (&mut list, item) {
                (List::Page(ids), Val::Node(id)) => {
                    self.allocate(2 * size_of_val(&id));
                    ids.push(id);
                }
                (List::Page(ids), item) => {
                    self.allocate(2 * (ids.len() + 1) * size_of::<Val<'_>>());
                    let known = ids.iter().map(|id| Val::Node(*id));
                    list = List::Mixed(known.chain([item]).collect());
                }
                (List::Mixed(items), item) => {
                    self.allocate(2 * size_of::<Val<'_>>());
                    items.push(item);
                }
            }
        }
        Ok(Val::List(Arc::new(list)))
    }

    /// What an expression finds at a value.
    pub(super) fn find(&self, at: &Val<'e>, ast: &'e Ast) -> Told<Val<'e>> {
        self.step();
        let page = self.page;
        Ok(match ast {
            Ast::Identity { .. } => at.clone(),
            Ast::Field { name, .. } => self.field(at, name),
            Ast::Subexpr { lhs, rhs, .. } => self.find(&self.find(at, lhs)?, rhs)?,
            Ast::Literal { value, .. } => Val::literal(value),
            Ast::Index { idx, .. } => self.index(at, *idx),
            Ast::Slice { start, stop, step, .. } => self.slice(at, *start, *stop, *step)?,
            Ast::Or { lhs, rhs, .. } => match self.find(at, lhs)? {
                left if left.is_true(page) => left,
                _ => self.find(at, rhs)?,
            },
            Ast::And { lhs, rhs, .. } => match self.find(at, lhs)? {
                left if left.is_true(page) => self.find(at, rhs)?,
                left => left,
            },
            Ast::Not { node, .. } => Val::Bool(!self.find(at, node)?.is_true(page)),
            Ast::Condition { predicate, then, .. } => match self.find(at, predicate)?.is_true(page) {
                true => self.find(at, then)?,
                false => Val::Null,
            },
            Ast::Comparison { comparator, lhs, rhs, .. } => self.compare(comparator, &self.find(at, lhs)?, &self.find(at, rhs)?),
            Ast::Projection { lhs, rhs, .. } => self.project(&self.find(at, lhs)?, rhs)?,
            Ast::ObjectValues { node, .. } => self.values(&self.find(at, node)?)?,
            Ast::Flatten { node, .. } => self.flatten(&self.find(at, node)?)?,
            Ast::MultiList { .. } | Ast::MultiHash { .. } if at.is_null() => Val::Null,
            Ast::MultiList { elements, .. } => self.list(elements.iter().map(|element| self.find(at, element)))?,
            Ast::MultiHash { elements, .. } => self.multi_hash(at, elements)?,
            Ast::Function { name, args, .. } => self.call(name, &self.arguments(at, args)?)?,
            Ast::Expref { ast, .. } => Val::Expr(ast),
        })
    }

    fn field(&self, at: &Val<'e>, name: &str) -> Val<'e> {
        if let Val::Node(id) = at
            && self.page.kind(*id) == Kind::Object
        {
            self.budget.spend(self.page.names(*id).count() as u64 >> 3);
        }
        at.get(self.page, name)
    }

    fn values(&self, object: &Val<'e>) -> Told<Val<'e>> {
        match object.members(self.page) {
            Some(values) => self.list(values.map(|(_, value)| Ok(value))),
            None => Ok(Val::Null),
        }
    }

    fn multi_hash(&self, at: &Val<'e>, elements: &'e [KeyValuePair]) -> Told<Val<'e>> {
        let pairs = elements.iter().map(|pair| Ok((pair.key.clone(), self.find(at, &pair.value)?)));
        Ok(self.object(pairs.collect::<Told<_>>()?))
    }

    fn arguments(&self, at: &Val<'e>, arguments: &'e [Ast]) -> Told<Vec<Val<'e>>> {
        arguments.iter().map(|argument| self.find(at, argument)).collect()
    }

    /// Makes an object; of two members of a name the last counts, at the place of the first.
    pub(super) fn object(&self, members: Vec<(String, Val<'e>)>) -> Val<'e> {
        let bytes = |(name, _): &(String, Val<'_>)| name.len() + size_of::<(String, Val<'_>)>();
        self.allocate(members.iter().map(bytes).sum());
        let mut object: Vec<(String, Val<'e>)> = Vec::with_capacity(members.len());
        for (name, value) in members {
            self.budget.spend(1 + (object.len() as u64 >> 3));
            match object.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = value,
                None => object.push((name, value)),
            }
        }
        Val::Object(Arc::new(object))
    }

    fn project(&self, left: &Val<'e>, rhs: &'e Ast) -> Told<Val<'e>> {
        let Some(items) = left.items(self.page) else { return Ok(Val::Null) };
        self.list(items.map(|item| self.find(&item, rhs)).filter(|found| !matches!(found, Ok(Val::Null))))
    }

    fn flatten(&self, value: &Val<'e>) -> Told<Val<'e>> {
        let Some(items) = value.items(self.page) else { return Ok(Val::Null) };
        self.list(items.flat_map(|item| {
            self.step();
            let inner: Vec<Told<Val<'e>>> = match item.items(self.page) {
                Some(inner) => inner.map(Ok).collect(),
                None => vec![Ok(item.clone())],
            };
            inner
        }))
    }

    fn index(&self, at: &Val<'e>, index: i32) -> Val<'e> {
        let Some(length) = self.length(at) else { return Val::Null };
        let from_end = || length.checked_sub(index.unsigned_abs() as usize);
        let index = if index < 0 { from_end() } else { usize::try_from(index).ok() };
        index.and_then(|index| at.items(self.page)?.nth(index)).unwrap_or(Val::Null)
    }

    /// The number of an array's members.
    pub(super) fn length(&self, value: &Val<'_>) -> Option<usize> {
        let length = match value {
            Val::List(list) => match &**list {
                List::Page(ids) => ids.len(),
                List::Mixed(items) => items.len(),
            },
            Val::Node(id) if self.page.kind(*id) == Kind::Array => {
                let length = self.page.items(*id).count();
                self.budget.spend(length as u64 >> 4);
                length
            }
            _ => return None,
        };
        Some(length)
    }

    fn slice(&self, at: &Val<'e>, start: Option<i32>, stop: Option<i32>, step: i32) -> Told<Val<'e>> {
        if step == 0 {
            return Err("a slice has a step of 0".to_owned());
        }
        let Some(length) = self.length(at) else { return Ok(Val::Null) };
        let length = length as i64;
        let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
        let place = |end: Option<i32>, usual: i64| match end.map(i64::from) {
            None => usual,
            Some(end) if end < 0 => (end + length).max(low),
            Some(end) => end.min(high),
        };
        let (from, to) =
            if step > 0 { (place(start, low), place(stop, high)) } else { (place(stop, low) + 1, place(start, high) + 1) };
        let (skip, take) = (usize::try_from(from).unwrap_or_default(), usize::try_from(to - from).unwrap_or_default());
        let every = step.unsigned_abs() as usize;
        let Some(items) = at.items(self.page) else { return Ok(Val::Null) };
        let items = items.skip(skip).take(take).inspect(|_| self.step());
        if step > 0 {
            return self.list(items.step_by(every).map(Ok));
        }
        self.allocate(2 * take.min(length as usize) * size_of::<Val<'_>>());
        let items: Vec<Val<'e>> = items.collect();
        self.list(items.into_iter().rev().step_by(every).map(Ok))
    }

    fn compare(&self, comparator: &Comparator, left: &Val<'e>, right: &Val<'e>) -> Val<'e> {
        let equals = || left.equals(right, self.page, &|| self.step());
        let order = |holds: fn(Ordering) -> bool| self.order(left, right).map_or(Val::Null, |order| Val::Bool(holds(order)));
        match comparator {
            Comparator::Equal => Val::Bool(equals()),
            Comparator::NotEqual => Val::Bool(!equals()),
            Comparator::LessThan => order(Ordering::is_lt),
            Comparator::LessThanEqual => order(Ordering::is_le),
            Comparator::GreaterThan => order(Ordering::is_gt),
            Comparator::GreaterThanEqual => order(Ordering::is_ge),
        }
    }

    /// The order of two numbers or of two strings.
    pub(super) fn order(&self, left: &Val<'_>, right: &Val<'_>) -> Option<Ordering> {
        self.step();
        if let (Some(left), Some(right)) = (left.number(self.page), right.number(self.page)) {
            return Some(left.order(right));
        }
        Some(left.string(self.page)?.cmp(&right.string(self.page)?))
    }
}
