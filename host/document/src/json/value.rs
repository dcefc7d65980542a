//! The values that an expression works on: those of the page, told by their numbers, and those that it makes itself.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a question that a kind of value has no answer to has none for any other kind"
)]

use super::tree::{Id, Page};
use carousel_core::json::{Kind, Raw};
use jmespath::Variable;
use jmespath::ast::Ast;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

/// A value.
#[derive(Clone)]
pub(crate) enum Val<'e> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// A number, a string, an array or an object of the page.
    Node(Id),
    Text(Arc<String>),
    List(Arc<List<'e>>),
    Object(Arc<Vec<(String, Self)>>),
    /// An expression that is given to a function.
    Expr(&'e Ast),
}

/// A list that an expression has made. Of values of the page there are only the numbers.
pub(crate) enum List<'e> {
    Page(Vec<Id>),
    Mixed(Vec<Val<'e>>),
}

/// A number: whole ones are compared and added up without loss.
#[derive(Clone, Copy)]
pub(crate) enum Num {
    Int(i128),
    Float(f64),
}

impl Num {
    pub(crate) fn float(self) -> f64 {
        match self {
            Self::Int(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    /// Reads a number of JSON.
    pub(crate) fn read(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Float(text.parse().unwrap_or(f64::NAN)), Self::Int)
    }

    pub(crate) fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(&b),
            (a, b) => a.float().partial_cmp(&b.float()).unwrap_or(Ordering::Equal),
        }
    }
}

impl From<Num> for Val<'_> {
    fn from(number: Num) -> Self {
        match number {
            Num::Int(number) => i64::try_from(number).map_or(Self::Float(number as f64), Self::Int),
            Num::Float(number) => Self::Float(number),
        }
    }
}

impl<'e> Val<'e> {
    /// A value of the page.
    pub(crate) fn node(page: Page<'_>, id: Id) -> Self {
        match page.kind(id) {
            Kind::Null => Self::Null,
            Kind::Bool => Self::Bool(page.scalar(id) == "true"),
            Kind::Number | Kind::String | Kind::Array | Kind::Object => Self::Node(id),
        }
    }

    /// A value that stands in the expression.
    pub(crate) fn literal(value: &Variable) -> Self {
        match value {
            Variable::Null | Variable::Expref(_) => Self::Null,
            Variable::Bool(truth) => Self::Bool(*truth),
            Variable::Number(number) => Num::read(&number.to_string()).into(),
            Variable::String(text) => Self::text(text.clone()),
            Variable::Array(items) => Self::list(items.iter().map(|item| Self::literal(item)).collect()),
            Variable::Object(members) => {
                // This is how serde_json hands a number on that it has kept digit by digit.
                if let Some(Variable::String(number)) = members.get("$serde_json::private::Number").map(|number| &**number) {
                    return Num::read(number).into();
                }
                Self::Object(Arc::new(members.iter().map(|(name, value)| (name.clone(), Self::literal(value))).collect()))
            }
        }
    }

    pub(crate) fn text(text: String) -> Self {
        Self::Text(Arc::new(text))
    }

    pub(crate) fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(List::Mixed(items)))
    }

    pub(crate) fn kind(&self, page: Page<'_>) -> Option<Kind> {
        Some(match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) | Self::Float(_) => Kind::Number,
            Self::Node(id) => page.kind(*id),
            Self::Text(_) => Kind::String,
            Self::List(_) => Kind::Array,
            Self::Object(_) => Kind::Object,
            Self::Expr(_) => return None,
        })
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(crate) fn string<'v>(&'v self, page: Page<'v>) -> Option<Cow<'v, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Node(id) if page.kind(*id) == Kind::String => Some(page.string(*id)),
            _ => None,
        }
    }

    pub(crate) fn number(&self, page: Page<'_>) -> Option<Num> {
        match self {
            Self::Int(number) => Some(Num::Int((*number).into())),
            Self::Float(number) => Some(Num::Float(*number)),
            Self::Node(id) if page.kind(*id) == Kind::Number => Some(Num::read(page.scalar(*id))),
            _ => None,
        }
    }

    /// The members of an array.
    pub(crate) fn items<'v>(&'v self, page: Page<'v>) -> Option<Box<dyn Iterator<Item = Self> + 'v>> {
        match self {
            Self::Node(id) if page.kind(*id) == Kind::Array => Some(Box::new(page.items(*id).map(move |id| Val::node(page, id)))),
            Self::List(list) => Some(match &**list {
                List::Page(ids) => Box::new(ids.iter().map(move |id| Val::node(page, *id))),
                List::Mixed(items) => Box::new(items.iter().cloned()),
            }),
            _ => None,
        }
    }

    /// The names and values of an object's members.
    pub(crate) fn members<'v>(&'v self, page: Page<'v>) -> Option<Box<dyn Iterator<Item = (Cow<'v, str>, Self)> + 'v>> {
        match self {
            Self::Node(id) if page.kind(*id) == Kind::Object => {
                Some(Box::new(page.members(*id).into_iter().map(move |(name, id)| (page.string(name), Val::node(page, id)))))
            }
            Self::Object(members) => Some(Box::new(members.iter().map(|(name, value)| (name.as_str().into(), value.clone())))),
            _ => None,
        }
    }

    pub(crate) fn get(&self, page: Page<'_>, name: &str) -> Self {
        match self {
            Self::Node(id) => page.get(*id, name).map_or(Self::Null, |id| Self::node(page, id)),
            Self::Object(members) => members.iter().find(|(key, _)| key == name).map_or(Self::Null, |(_, value)| value.clone()),
            _ => Self::Null,
        }
    }

    /// Not null, false, or an empty string, array or object.
    pub(crate) fn is_true(&self, page: Page<'_>) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(truth) => *truth,
            Self::Int(_) | Self::Float(_) | Self::Expr(_) => true,
            Self::Text(text) => !text.is_empty(),
            Self::List(_) => self.items(page).is_some_and(|mut items| items.next().is_some()),
            Self::Object(members) => !members.is_empty(),
            Self::Node(id) => match page.kind(*id) {
                Kind::String => page.scalar(*id).len() > 2,
                Kind::Array | Kind::Object => page.items(*id).next().is_some(),
                Kind::Null | Kind::Bool | Kind::Number => true,
            },
        }
    }

    /// Are they the same, whoever made them? Each value that is looked at is counted.
    pub(crate) fn equals(&self, other: &Self, page: Page<'_>, count: &impl Fn()) -> bool {
        count();
        match (self, other) {
            (Self::Null, Self::Null) => return true,
            (Self::Bool(a), Self::Bool(b)) => return a == b,
            (Self::Node(a), Self::Node(b)) if a == b => return true,
            _ => {}
        }
        if let (Some(a), Some(b)) = (self.number(page), other.number(page)) {
            return a.order(b) == Ordering::Equal;
        }
        if let (Some(a), Some(b)) = (self.string(page), other.string(page)) {
            return a == b;
        }
        if let (Some(mut a), Some(mut b)) = (self.items(page), other.items(page)) {
            return loop {
                match (a.next(), b.next()) {
                    (None, None) => break true,
                    (Some(a), Some(b)) if a.equals(&b, page, count) => {}
                    _ => break false,
                }
            };
        }
        let sorted = |value: &Self| {
            let mut members: Vec<_> = value.members(page)?.map(|(name, value)| (name.into_owned(), value)).collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Some(members)
        };
        match (sorted(self), sorted(other)) {
            (Some(a), Some(b)) if a.len() == b.len() => {
                a.iter().zip(&b).all(|((name, a), (other, b))| name == other && a.equals(b, page, count))
            }
            _ => false,
        }
    }

    /// Writes the value as JSON that every reader takes; false where it has more than `most` bytes.
    pub(crate) fn write(&self, page: Page<'_>, text: &mut String, most: usize) -> bool {
        match self {
            Self::Null | Self::Expr(_) => text.push_str("null"),
            Self::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
            Self::Int(number) => text.push_str(&number.to_string()),
            Self::Float(number) => text.push_str(&serde_json::Value::from(*number).to_string()),
            Self::Text(string) => text.push_str(&serde_json::Value::from(string.as_str()).to_string()),
            Self::Node(id) if matches!(page.kind(*id), Kind::Number | Kind::String) => {
                text.push_str(&Raw::of(page.scalar(*id)).standard());
            }
            Self::Node(_) | Self::List(_) | Self::Object(_) => return self.write_parts(page, text, most),
        }
        text.len() <= most
    }

    fn write_parts(&self, page: Page<'_>, text: &mut String, most: usize) -> bool {
        let mut before = "";
        if let Some(items) = self.items(page) {
            text.push('[');
            for item in items {
                text.push_str(std::mem::replace(&mut before, ","));
                if !item.write(page, text, most) {
                    return false;
                }
            }
            text.push(']');
        } else if let Some(members) = self.members(page) {
            text.push('{');
            for (name, value) in members {
                text.push_str(std::mem::replace(&mut before, ","));
                text.push_str(&serde_json::Value::from(name).to_string());
                text.push(':');
                if !value.write(page, text, most) {
                    return false;
                }
            }
            text.push('}');
        }
        text.len() <= most
    }
}
