//! Conditions about an answer and its request, combined by `all`, `any` and `not`.

use carousel_guest::prelude::*;

use crate::action::{Statuses, outcome};
use crate::compare::Compare;
use crate::extract::Extract;
use crate::reading::{Field, Table};
use crate::scope::{Name, Scope, text};
use crate::template::Template;

/// A condition.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Status(Statuses),
    /// Whether the host's own check is content.
    Usual(bool),
    /// A browser action, by name.
    Action(String, Compare),
    Answer(Extract, Compare),
    Request(Name, Compare),
}

/// What a condition may ask about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// The request only: there is no answer yet.
    Request,
    /// The request and its answer.
    Answer,
}

/// What came of a condition: whether it holds, and what the last question found.
pub(crate) struct Outcome {
    pub(crate) holds: bool,
    pub(crate) found: Option<String>,
}

/// Keys that ask about the request and take the name of something.
const NAMED: [&str; 4] = ["param", "meta", "location", "session"];

impl Condition {
    /// Reads a condition: one question, with the comparison that belongs to it.
    pub(crate) fn read(field: Field<'_>, about: About) -> Result<Self> {
        let whole = field.clone();
        let mut table = field.table()?;
        let mut questions = combinations(&mut table, about)?;
        questions.extend(about_request(&mut table)?);
        if about == About::Answer {
            questions.extend(about_answer(&mut table)?);
        }
        table.done()?;
        match <[Self; 1]>::try_from(questions) {
            Ok([condition]) => Ok(condition),
            Err(none) if none.is_empty() => {
                Err(whole.fault("a condition needs a question, such as css = \"...\" or status = 200"))
            }
            Err(_) => Err(whole.fault("a condition is one question: combine several with all = [...] or any = [...]")),
        }
    }

    /// Answers it.
    pub(crate) fn ask(&self, scope: &Scope<'_>) -> Result<Outcome> {
        match self {
            Self::All(conditions) => until(conditions, scope, false),
            Self::Any(conditions) => until(conditions, scope, true),
            Self::Not(condition) => condition.ask(scope).map(|outcome| Outcome { holds: !outcome.holds, ..outcome }),
            Self::Status(statuses) => {
                let status = scope.response()?.status();
                Ok(Outcome { holds: statuses.contain(status), found: Some(status.to_string()) })
            }
            Self::Usual(expected) => {
                let usual = default::check(scope.response()?, scope.request)?;
                Ok(Outcome { holds: usual.is_keep() == *expected, found: Some(usual.reason().to_owned()) })
            }
            Self::Action(name, compare) => compared(compare, outcome(scope.response()?, name)?, scope),
            Self::Answer(extract, Compare::AtLeast(least)) => {
                let count = extract.count(scope.response()?)?;
                Ok(Outcome { holds: count >= *least, found: Some(count.to_string()) })
            }
            Self::Answer(extract, Compare::Exists) => {
                let found = extract.first(scope.response()?)?.as_ref().map(text);
                Ok(Outcome { holds: extract.exists(scope.response()?)?, found })
            }
            Self::Answer(extract, compare) => compared(compare, extract.first(scope.response()?)?, scope),
            Self::Request(name, compare) => compared(compare, scope.value(name)?, scope),
        }
    }
}

/// Asks one after the other until the answer is this one.
fn until(conditions: &[Condition], scope: &Scope<'_>, decisive: bool) -> Result<Outcome> {
    let mut last = Outcome { holds: !decisive, found: None };
    for condition in conditions {
        last = condition.ask(scope)?;
        if last.holds == decisive {
            break;
        }
    }
    Ok(last)
}

fn compared(compare: &Compare, found: Option<Value>, scope: &Scope<'_>) -> Result<Outcome> {
    let holds = compare.holds(found.as_ref(), scope)?;
    Ok(Outcome { holds, found: found.as_ref().map(text) })
}

fn combinations(table: &mut Table<'_>, about: About) -> Result<Vec<Condition>> {
    let mut questions = Vec::new();
    let conditions = |field: Field<'_>| {
        let items = field.list()?;
        if items.is_empty() {
            return Err(field.fault("expected at least one condition"));
        }
        items.into_iter().map(|item| Condition::read(item, about)).collect()
    };
    if let Some(field) = table.get("all") {
        questions.push(Condition::All(conditions(field)?));
    }
    if let Some(field) = table.get("any") {
        questions.push(Condition::Any(conditions(field)?));
    }
    if let Some(field) = table.get("not") {
        questions.push(Condition::Not(Box::new(Condition::read(field, about)?)));
    }
    Ok(questions)
}

fn about_request(table: &mut Table<'_>) -> Result<Vec<Condition>> {
    let mut questions = Vec::new();
    if let Some(field) = table.get("url") {
        // A pattern right behind the key, for there is but one URL.
        field.notes.pattern(&field.path, field.text()?);
        questions.push(Condition::Request(Name::Url, Compare::Matches(field.text()?.to_owned())));
    }
    for key in NAMED {
        let Some(field) = table.get(key) else { continue };
        let word = field.text()?;
        let Some(name) = Name::read(&format!("{key}.{word}")) else { return Err(field.fault("expected a name")) };
        if let Name::Session(saved) = &name {
            field.notes.uses(&field.path, saved);
        }
        questions.push(Condition::Request(name, Compare::read_of_one(table)?));
    }
    Ok(questions)
}

fn about_answer(table: &mut Table<'_>) -> Result<Vec<Condition>> {
    let mut questions = Vec::new();
    if let Some(field) = table.get("status") {
        questions.push(Condition::Status(Statuses::read(&field)?));
    }
    if let Some(field) = table.get("usual_check") {
        questions.push(Condition::Usual(field.truth()?));
    }
    if let Some(field) = table.get("action") {
        let mut compare = Compare::read_of_one(table)?;
        if matches!(compare, Compare::Exists) {
            compare = Compare::Equals(Template::Plain("success".into()));
        }
        questions.push(Condition::Action(field.text()?.to_owned(), compare));
    }
    if let Some(extract) = Extract::read(table)? {
        questions.push(Condition::Answer(extract, Compare::read(table)?));
    }
    Ok(questions)
}
