//! A value as it is written: looked into part by part, so that a large one costs no more memory than what is asked of it.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use super::scan::{BadJson, Token, Tokens};
use super::string::{is_broken, unquote};

/// The deepest nesting of a value that is built, about what Python's reader takes.
pub const MAX_DEPTH: usize = 1000;

/// The text of a value.
///
/// Questions to a text that is not JSON have answers up to where it is wrong; [`checked`](Self::checked) tells beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'t>(&'t str);

/// The kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`, and numbers that are none.
    Null,
    /// A truth value.
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The kind of the value that a text begins with.
    pub fn of(text: &str) -> Self {
        match text.as_bytes() {
            [b'{', ..] => Self::Object,
            [b'[', ..] => Self::Array,
            [b'"', ..] => Self::String,
            [b't' | b'f', ..] => Self::Bool,
            [b'0'..=b'9', ..] | [b'-', b'0'..=b'9', ..] => Self::Number,
            _ => Self::Null,
        }
    }

    /// Its name with an article, for messages.
    pub fn told(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a truth value",
            Self::Number => "a number",
            Self::String => "text",
            Self::Array => "a list",
            Self::Object => "an object",
        }
    }
}

impl<'t> Raw<'t> {
    /// A text that may or may not be JSON.
    pub fn of(text: &'t str) -> Self {
        Self(text.strip_prefix('\u{feff}').unwrap_or(text).trim_ascii())
    }

    /// A text that is one value.
    pub fn checked(text: &'t str) -> Result<Self, BadJson> {
        Tokens::of(text).try_for_each(|token| token.map(drop))?;
        Ok(Self::of(text))
    }

    /// The text.
    pub fn text(self) -> &'t str {
        self.0
    }

    /// What it is, by how it begins.
    pub fn kind(self) -> Kind {
        Kind::of(self.0)
    }

    /// The text of a string.
    pub fn string(self) -> Option<Cow<'t, str>> {
        (self.kind() == Kind::String).then(|| unquote(self.0))
    }

    /// The members of an array; none where it is no array.
    pub fn items(self) -> impl Iterator<Item = Self> {
        let mut parts = Parts::of(self, Kind::Array);
        std::iter::from_fn(move || parts.value())
    }

    /// The members of an object with their names, also two of a name; none where it is no object.
    pub fn members(self) -> impl Iterator<Item = (Cow<'t, str>, Self)> {
        let mut parts = Parts::of(self, Kind::Object);
        std::iter::from_fn(move || parts.member())
    }

    /// The member of an object with this name.
    pub fn get(self, name: &str) -> Option<Self> {
        self.members().filter(|(key, _)| key == name).last().map(|(_, value)| value)
    }

    /// The value at a JSON pointer (RFC 6901).
    pub fn pointer(self, pointer: &str) -> Option<Self> {
        if pointer.is_empty() {
            return Some(self);
        }
        let mut steps = pointer.strip_prefix('/')?.split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
        steps.try_fold(self, |value, step| match value.kind() {
            Kind::Object => value.get(&step),
            Kind::Array => value.items().nth(index(&step)?),
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => None,
        })
    }

    /// The value. It takes many times the memory of its text.
    pub fn value(self) -> Result<Value, BadJson> {
        let mut tokens = Tokens::of(self.0);
        let mut open: Vec<(Value, Cow<'t, str>)> = Vec::new();
        let mut whole = Value::Null;
        while let Some(token) = tokens.next() {
            let (at, token) = token?;
            let done = match token {
                Token::Key(key) => {
                    open.last_mut().into_iter().for_each(|(_, name)| *name = unquote(key));
                    continue;
                }
                Token::Open if open.len() >= MAX_DEPTH => return Err(tokens.bad(at, "more than 1000 levels are nested")),
                Token::Open => {
                    let is_object = self.0.as_bytes().get(at) == Some(&b'{');
                    open.push((if is_object { Value::Object(Map::new()) } else { Value::Array(Vec::new()) }, Cow::default()));
                    continue;
                }
                Token::Close => open.pop().map(|(value, _)| value).unwrap_or_default(),
                Token::Scalar(scalar) => Self(scalar).scalar(),
            };
            match open.last_mut() {
                Some((Value::Object(members), name)) => drop(members.insert(std::mem::take(name).into_owned(), done)),
                Some((Value::Array(items), _)) => items.push(done),
                Some(_) | None => whole = done,
            }
        }
        Ok(whole)
    }

    fn scalar(self) -> Value {
        match self.kind() {
            Kind::String => Value::String(unquote(self.0).into_owned()),
            Kind::Bool => Value::Bool(self.0 == "true"),
            Kind::Number => serde_json::from_str::<Number>(self.0).map_or(Value::Null, Value::Number),
            Kind::Null | Kind::Array | Kind::Object => Value::Null,
        }
    }

    /// The value as JSON that every reader takes: without half surrogate pairs and numbers that are none.
    pub fn standard(self) -> Cow<'t, str> {
        let mut copy = String::new();
        let mut copied = 0;
        for (at, token) in Tokens::of(self.0).map_while(Result::ok) {
            let (Token::Key(raw) | Token::Scalar(raw)) = token else { continue };
            let other = match raw.as_bytes() {
                [b'"', ..] if is_broken(raw) => Value::from(unquote(raw)).to_string(),
                [b'N' | b'I', ..] | [b'-', b'I', ..] => "null".to_owned(),
                _ => continue,
            };
            copy.push_str(self.0.get(copied..at).unwrap_or_default());
            copy.push_str(&other);
            copied = at + raw.len();
        }
        match copied {
            0 => Cow::Borrowed(self.0),
            _ => Cow::Owned(copy + self.0.get(copied..).unwrap_or_default()),
        }
    }
}

/// The index of an array's member in a pointer.
fn index(step: &str) -> Option<usize> {
    let is_plain = step.bytes().all(|byte| byte.is_ascii_digit()) && (step == "0" || !step.starts_with('0'));
    is_plain.then(|| step.parse().ok()).flatten()
}

/// The parts of an array or an object, one after the other.
struct Parts<'t> {
    text: &'t str,
    tokens: Option<Tokens<'t>>,
}

impl<'t> Parts<'t> {
    fn of(whole: Raw<'t>, kind: Kind) -> Self {
        let mut tokens = (whole.kind() == kind).then(|| Tokens::of(whole.0));
        tokens.as_mut().and_then(Iterator::next);
        Self { text: whole.0, tokens }
    }

    fn member(&mut self) -> Option<(Cow<'t, str>, Raw<'t>)> {
        match self.tokens.as_mut()?.next()?.ok()? {
            (_, Token::Key(key)) => Some((unquote(key), self.value()?)),
            _ => None,
        }
    }

    fn value(&mut self) -> Option<Raw<'t>> {
        let tokens = self.tokens.as_mut()?;
        let (start, token) = tokens.next()?.ok()?;
        match token {
            Token::Scalar(raw) => return Some(Raw(raw)),
            Token::Open => {}
            Token::Close | Token::Key(_) => {
                self.tokens = None;
                return None;
            }
        }
        let depth = tokens.depth();
        loop {
            let (at, _) = tokens.next()?.ok()?;
            if tokens.depth() < depth {
                return self.text.get(start..=at).map(Raw);
            }
        }
    }
}
