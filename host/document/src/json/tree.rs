//! A JSON page as a flat list of where its values begin: eight bytes for each value and each name, at most four times the text.

use carousel_core::json::{BadJson, Kind, Raw, Token, Tokens, unquote};
use std::borrow::Cow;

/// The deepest nesting. Whoever compares or writes values recurses as deep.
const LEVELS: usize = 500;

/// A value of a page, or the name of a member, which stands before its value.
#[derive(Clone, Copy)]
struct Node {
    /// The byte at which it begins.
    start: u32,
    /// The first node that does not belong to it; of a name, the one behind its value.
    after: u32,
}

/// The values of a page in the order of its text.
pub(crate) struct Tree(Box<[Node]>);

/// The number of a value.
pub(crate) type Id = u32;

/// A page with its text.
#[derive(Clone, Copy)]
pub(crate) struct Page<'t> {
    text: &'t str,
    nodes: &'t [Node],
}

impl Tree {
    /// Finds the values of a text. They are counted first, so that no more memory is taken than it needs.
    pub(crate) fn of(text: &str) -> Result<Self, String> {
        let told = |error: BadJson| error.to_string();
        let text = Raw::of(text).text();
        let mut count = 0;
        let mut tokens = Tokens::of(text);
        while let Some(token) = tokens.next() {
            count += usize::from(!matches!(token.map_err(told)?.1, Token::Close));
            if tokens.depth() > LEVELS {
                return Err(format!("more than {LEVELS} levels are nested"));
            }
        }
        let too_long = |_| "it is too long".to_owned();
        u32::try_from(text.len()).map_err(too_long)?;
        let mut nodes = Vec::with_capacity(count);
        let mut open: Vec<usize> = Vec::new();
        for (start, token) in Tokens::of(text).map_while(Result::ok) {
            let done = match token {
                Token::Close => open.pop(),
                Token::Open | Token::Key(_) | Token::Scalar(_) => {
                    nodes.push(Node { start: start as u32, after: nodes.len() as u32 + 1 });
                    let is_open = matches!(token, Token::Open);
                    open.extend(is_open.then(|| nodes.len() - 1));
                    matches!(token, Token::Scalar(_)).then(|| nodes.len() - 1)
                }
            };
            let Some(done) = done else { continue };
            let after = nodes.len() as u32;
            let outer = open.last().and_then(|outer| nodes.get(*outer));
            let is_member = outer.is_some_and(|outer| text.as_bytes().get(outer.start as usize) == Some(&b'{'));
            let first = if is_member { done.saturating_sub(1) } else { done };
            nodes.get_mut(first..=done).into_iter().flatten().for_each(|node| node.after = after);
        }
        Ok(Self(nodes.into_boxed_slice()))
    }

    /// The memory that it takes.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    /// The page of the text that the tree was made of.
    pub(crate) fn page<'t>(&'t self, text: &'t str) -> Page<'t> {
        Page { text: Raw::of(text).text(), nodes: &self.0 }
    }
}

impl<'t> Page<'t> {
    /// The bytes of its text.
    pub(crate) fn bytes(self) -> usize {
        self.text.len()
    }

    fn rest(self, id: Id) -> &'t str {
        let start = self.nodes.get(id as usize).map_or(usize::MAX, |node| node.start as usize);
        self.text.get(start..).unwrap_or_default()
    }

    pub(crate) fn kind(self, id: Id) -> Kind {
        Kind::of(self.rest(id))
    }

    /// A value that is no array and no object, or a name, as it is written.
    pub(crate) fn scalar(self, id: Id) -> &'t str {
        match Tokens::of(self.rest(id)).next() {
            Some(Ok((_, Token::Scalar(raw)))) => raw,
            _ => "",
        }
    }

    /// The text of a string or a name.
    pub(crate) fn string(self, id: Id) -> Cow<'t, str> {
        unquote(self.scalar(id))
    }

    fn after(self, id: Id) -> Id {
        self.nodes.get(id as usize).map_or(Id::MAX, |node| node.after)
    }

    fn children(self, id: Id) -> impl Iterator<Item = Id> + Clone + use<'t> {
        let end = self.after(id);
        std::iter::successors(Some(id + 1), move |child| Some(self.after(*child))).take_while(move |child| *child < end)
    }

    /// The members of an array.
    pub(crate) fn items(self, id: Id) -> impl Iterator<Item = Id> + Clone + use<'t> {
        self.children(id)
    }

    /// The names of an object's members. Each value follows its name.
    pub(crate) fn names(self, id: Id) -> impl Iterator<Item = Id> + use<'t> {
        self.children(id)
    }

    /// The names and values of an object's members. Of two of a name there is one, with the place of the first and the value of the
    /// last.
    pub(crate) fn members(self, id: Id) -> Vec<(Id, Id)> {
        let mut members: Vec<(Id, Id)> = self.names(id).map(|name| (name, name + 1)).collect();
        members.sort_by(|(a, _), (b, _)| self.string(*a).cmp(&self.string(*b)));
        members.dedup_by(|later, first| {
            let is_same = self.string(later.0) == self.string(first.0);
            if is_same {
                first.1 = later.1;
            }
            is_same
        });
        members.sort_unstable();
        members
    }

    /// The member of an object with this name.
    pub(crate) fn get(self, id: Id, name: &str) -> Option<Id> {
        (self.kind(id) == Kind::Object)
            .then(|| self.names(id).filter(|member| self.is(*member, name)).last())
            .flatten()
            .map(|name| name + 1)
    }

    fn is(self, id: Id, name: &str) -> bool {
        let raw = self.scalar(id);
        match raw.contains('\\') {
            true => self.string(id) == name,
            false => raw.get(1..raw.len().saturating_sub(1)) == Some(name),
        }
    }

    /// The value at a JSON pointer.
    pub(crate) fn pointer(self, pointer: &str) -> Option<Id> {
        if pointer.is_empty() {
            return Some(0);
        }
        let mut steps = pointer.strip_prefix('/')?.split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
        steps.try_fold(0, |id, step| match self.kind(id) {
            Kind::Object => self.get(id, &step),
            Kind::Array => {
                let is_plain = step.bytes().all(|byte| byte.is_ascii_digit()) && (step == "0" || !step.starts_with('0'));
                self.items(id).nth(is_plain.then(|| step.parse().ok()).flatten()?)
            }
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => None,
        })
    }
}
