//! Values of answers that are kept in the session's data, for later requests.

use carousel_guest::prelude::*;

use crate::extract::Extract;
use crate::reading::Field;
use crate::scope::Scope;

/// Something to keep.
#[derive(Clone, Debug)]
pub(crate) struct Save {
    name: String,
    from: Extract,
    on: When,
    /// Whether an answer without it is bad; the reason then.
    missing: Option<String>,
}

/// Which answers are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Init,
    Page,
    Any,
}

impl When {
    pub(crate) fn read(field: &Field<'_>) -> Result<Self> {
        Ok(match field.word(&["init", "page", "any"])? {
            "init" => Self::Init,
            "page" => Self::Page,
            _ => Self::Any,
        })
    }

    pub(crate) fn is(self, request: &Request) -> bool {
        self == Self::Any || (self == Self::Init) == request.is_init()
    }
}

impl Save {
    /// Reads the table of everything that is saved.
    pub(crate) fn read_all(field: &Field<'_>) -> Result<Vec<Self>> {
        field.members()?.into_iter().map(|(name, field)| Self::read(name, field, None)).collect()
    }

    /// Reads what is saved of the answer to a step of a chain.
    pub(crate) fn read_all_of_step(field: &Field<'_>) -> Result<Vec<Self>> {
        field.members()?.into_iter().map(|(name, field)| Self::read(name, field, Some(When::Any))).collect()
    }

    fn read(name: &str, field: Field<'_>, only: Option<When>) -> Result<Self> {
        field.notes.saves(name);
        let mut table = field.table()?;
        let on = match only {
            Some(on) => on,
            None => table.get("on").map_or(Ok(When::Init), |field| When::read(&field))?,
        };
        let required = table.get("required").map_or(Ok(on == When::Init || only.is_some()), |field| field.truth())?;
        let reason = table.get("missing").map(|field| field.text().map(str::to_owned)).transpose()?;
        let from = Extract::read(&mut table)?;
        let Some(from) = from else {
            return Err(table.fault("a value is saved from css, xpath, jmespath, regex, pointer, header or cookie"));
        };
        table.done()?;
        let missing = required.then(|| reason.unwrap_or_else(|| format!("no {name} on the answer")));
        Ok(Self { name: name.to_owned(), from, on, missing })
    }

    /// Keeps the value; the verdict on an answer that lacks what it must have.
    fn apply(&self, scope: &Scope<'_>) -> Result<Option<Verdict>> {
        let (Some(value), Some(session)) = (self.from.worth(scope.response()?)?, scope.request.session()) else {
            return Ok(self.missing.clone().map(Verdict::discard));
        };
        session.set(&self.name, &value)?;
        Ok(None)
    }
}

/// Keeps what an answer has for later requests.
pub(crate) fn all(saves: &[Save], scope: &Scope<'_>) -> Result<Verdict> {
    for save in saves.iter().filter(|save| save.on.is(scope.request)) {
        if let Some(verdict) = save.apply(scope)? {
            return Ok(verdict);
        }
    }
    Ok(Verdict::keep())
}
