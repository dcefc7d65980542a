//! Answers queries: compiles, looks at the page in the form the language needs, and writes the answers down.

use crate::budget::{Budget, Stopped, run, steps_of};
use crate::compiled::{Engine, compiled};
use crate::css::Css;
use crate::json::{Found as JsonFound, Jmespath, Json};
use crate::pattern::Pattern;
use crate::query::shorten;
use crate::stack::with_room;
use crate::tree::{Item, Tree};
use crate::xpath::{Found, Xpath};
use crate::{Document, Language, Limits, Query, QueryError, Want};
use serde_json::Value;

impl Document {
    /// Answers several questions at once, each with its list of strings.
    ///
    /// `first` answers with one string or none, `all` with every match, `exists` with `true` or `false`, `count` with a
    /// number, `value` with JSON text or none. CSS and XPath answer with markup for elements and with text for the rest; an XPath
    /// expression that is a string, a number or a truth value has that one match. JMESPath and pointers answer with JSON text:
    /// `first` is the whole result (`null` is no match), `all` are the members if the result is an array. A page that is not
    /// JSON has no match for them, unless it is declared to be JSON. A regular expression answers with its groups if it has any.
    ///
    /// What XPath and JMESPath compute is a match for `exists` and `count` only where the language itself takes it for true.
    pub fn select(&self, queries: &[Query]) -> Result<Vec<Vec<String>>, QueryError> {
        self.select_within(queries, self.limits())
    }

    /// Answers as [`Document::select`] does, within other limits on the questions and their answers. The limits on reading the
    /// page are those that it was made with.
    pub fn select_within(&self, queries: &[Query], limits: &Limits) -> Result<Vec<Vec<String>>, QueryError> {
        let mut room = limits.answer_bytes;
        queries.iter().map(|query| self.answer(query.language, &query.expression, query.want, limits, &mut room)).collect()
    }

    /// Returns the first match of an expression, as [`Document::select`] does for `first`.
    pub fn first(&self, language: Language, expression: &str) -> Result<Option<String>, QueryError> {
        let mut room = self.limits().answer_bytes;
        self.answer(language, expression, Want::First, self.limits(), &mut room).map(|answers| answers.into_iter().next())
    }

    /// Returns all matches of an expression, as [`Document::select`] does for `all`.
    pub fn all(&self, language: Language, expression: &str) -> Result<Vec<String>, QueryError> {
        let mut room = self.limits().answer_bytes;
        self.answer(language, expression, Want::All, self.limits(), &mut room)
    }

    fn answer(
        &self,
        language: Language,
        expression: &str,
        want: Want,
        limits: &Limits,
        room: &mut usize,
    ) -> Result<Vec<String>, QueryError> {
        let compiled = compiled(language, expression, limits)?;
        let steps = limits.query_steps;
        let mut asked = Asked { language, expression, want, limits, stack: compiled.stack, steps, room, answers: 0 };
        match &compiled.engine {
            Engine::Css(css) => asked.css(css, self.tree()?),
            Engine::Xpath(xpath) => asked.xpath(xpath, self.tree()?),
            Engine::Jmespath(jmespath) => asked.jmespath(jmespath, self),
            Engine::Pointer => asked.json(self.json()?.and_then(|page| JsonFound::pointer(page, expression))),
            Engine::Regex(pattern) => asked.regex(pattern, self.text()?),
        }
    }
}

/// For each so many of the bytes that answers may take there may be one answer, and some more: small ones take more memory than
/// their text.
const ANSWER_BYTES: usize = 64;
const SOME: usize = 16;

/// One query while it is answered.
struct Asked<'a> {
    language: Language,
    expression: &'a str,
    want: Want,
    limits: &'a Limits,
    /// Bytes of stack that evaluating takes at most.
    stack: usize,
    /// Steps that finding and writing the answers may still take.
    steps: u64,
    /// Bytes that the answers may still take.
    room: &'a mut usize,
    /// How many answers there are.
    answers: usize,
}

impl Asked<'_> {
    fn css(&mut self, css: &Css, tree: &Tree) -> Result<Vec<String>, QueryError> {
        let want = self.want;
        let items = self.run(|budget| css.find(tree, budget, want))?;
        self.items(&items, tree)
    }

    fn xpath(&mut self, xpath: &Xpath, tree: &Tree) -> Result<Vec<String>, QueryError> {
        let found = self.run(|budget| xpath.find(tree, budget))?.map_err(|reason| self.failed(reason))?;
        match found {
            Found::Items(items) => self.items(&items, tree),
            Found::Scalar { text, json, truth } => match self.want {
                Want::First | Want::All => self.pay(text).map(|text| vec![text]),
                Want::Exists => Ok(vec![truth.to_string()]),
                Want::Count => Ok(vec![u8::from(truth).to_string()]),
                Want::Value => self.json(Some(json)),
            },
        }
    }

    fn items(&mut self, items: &[Item], tree: &Tree) -> Result<Vec<String>, QueryError> {
        let wanted = match self.want {
            Want::First | Want::Value => items.iter().take(1),
            Want::All => items.iter().take(usize::MAX),
            Want::Exists => return Ok(vec![(!items.is_empty()).to_string()]),
            Want::Count => return Ok(vec![items.len().to_string()]),
        };
        wanted
            .map(|&item| {
                self.check_room(tree.item_bytes(item))?;
                self.text(tree.item_text(item))
            })
            .collect()
    }

    fn jmespath(&mut self, jmespath: &Jmespath, document: &Document) -> Result<Vec<String>, QueryError> {
        let Some(page) = document.json()? else {
            return self.json(None::<Value>);
        };
        let found = self.run(|budget| jmespath.find(page, budget))?.map_err(|reason| self.failed(reason))?;
        self.json(Some(found))
    }

    fn json<J: Json>(&mut self, found: Option<J>) -> Result<Vec<String>, QueryError> {
        let found = found.filter(|value| !value.is_nothing());
        match self.want {
            Want::First | Want::Value => found.into_iter().map(|value| self.json_text(&value)).collect(),
            Want::All => match found.as_ref().map(|value| (value, value.members())) {
                Some((_, Some(members))) => members.map(|member| self.json_text(&member)).collect(),
                Some((value, None)) => self.json_text(value).map(|text| vec![text]),
                None => Ok(Vec::new()),
            },
            Want::Exists => Ok(vec![found.is_some_and(|value| value.is_match()).to_string()]),
            Want::Count => {
                let count = |value: J| value.members().map_or(1, Iterator::count);
                Ok(vec![found.filter(|value| value.is_match()).map_or(0, count).to_string()])
            }
        }
    }

    /// A match that is text, as it is wanted.
    fn text(&mut self, text: String) -> Result<String, QueryError> {
        match self.want {
            Want::Value => self.json_text(&serde_json::Value::String(text)),
            Want::First | Want::All | Want::Exists | Want::Count => self.pay(text),
        }
    }

    fn json_text(&mut self, value: &impl Json) -> Result<String, QueryError> {
        let text = value.write(*self.room).ok_or(QueryError::AnswerTooLarge { limit: self.limits.answer_bytes })?;
        self.pay(text)
    }

    fn regex(&mut self, pattern: &Pattern, text: &str) -> Result<Vec<String>, QueryError> {
        if pattern.steps(text) > self.limits.query_steps {
            return Err(self.too_costly());
        }
        let most = match self.want {
            Want::First | Want::Exists | Want::Value => 1,
            Want::All | Want::Count => usize::MAX,
        };
        let found = pattern.find(text, most, self.limits.regex_time).map_err(|_| self.too_costly())?;
        match self.want {
            Want::Count => Ok(vec![found.len().to_string()]),
            Want::Exists => Ok(vec![(!found.is_empty()).to_string()]),
            Want::First | Want::Value => found.into_iter().take(1).map(|text| self.text(text.to_owned())).collect(),
            Want::All => found.into_iter().map(|text| self.pay(text.to_owned())).collect(),
        }
    }

    fn run<T: Send>(&mut self, engine: impl FnOnce(&Budget) -> T + Send) -> Result<T, QueryError> {
        let steps = self.steps;
        let done = with_room(self.stack, || {
            let budget = Budget::new(steps);
            run(&budget, engine).map(|result| (result, budget.left()))
        });
        match done.unwrap_or(Err(Stopped::Failed)) {
            Ok((result, left)) => {
                self.steps = left;
                Ok(result)
            }
            Err(Stopped::Spent) => Err(self.too_costly()),
            Err(Stopped::Failed) => Err(self.failed("the engine failed".to_owned())),
        }
    }

    fn check_room(&self, bytes: usize) -> Result<(), QueryError> {
        match bytes > *self.room {
            true => Err(QueryError::AnswerTooLarge { limit: self.limits.answer_bytes }),
            false => Ok(()),
        }
    }

    fn pay(&mut self, answer: String) -> Result<String, QueryError> {
        self.check_room(answer.len())?;
        self.answers += 1;
        if self.answers > SOME + self.limits.answer_bytes / ANSWER_BYTES {
            return Err(QueryError::AnswerTooLarge { limit: self.limits.answer_bytes });
        }
        *self.room -= answer.len();
        self.steps = self.steps.checked_sub(steps_of(answer.len())).ok_or_else(|| self.too_costly())?;
        Ok(answer)
    }

    fn too_costly(&self) -> QueryError {
        QueryError::TooCostly { language: self.language.word(), expression: shorten(self.expression) }
    }

    fn failed(&self, reason: String) -> QueryError {
        QueryError::Evaluation { language: self.language.word(), expression: shorten(self.expression), reason }
    }
}
