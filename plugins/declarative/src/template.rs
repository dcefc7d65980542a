//! Values with placeholders: `{host}`, `{location.postalCode:url}`, `{meta.zip|10001}`.
//!
//! A text that is one placeholder and nothing else becomes the value itself, so that `address = "{location}"` is an object.
//! `:url` escapes for a URL, `:json` writes JSON; what stands behind `|` is taken where there is no value. `{{` and `}}` are
//! braces.

use carousel_guest::prelude::*;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::reading::{Field, suggestion};
use crate::scope::{NAMES, Name, Place, Scope, text};

/// A value in which placeholders are filled in.
#[derive(Clone, Debug)]
pub(crate) enum Template {
    Plain(Value),
    Text(Vec<Part>),
    List(Vec<Self>),
    Table(Vec<(String, Self)>),
}

/// A part of a text.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Words(String),
    Hole(Hole),
}

/// A placeholder.
#[derive(Clone, Debug)]
pub(crate) struct Hole {
    name: Name,
    words: String,
    form: Form,
    fallback: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Url,
    Json,
}

impl Template {
    /// Reads a value; every placeholder in it must be one that is known at this place.
    pub(crate) fn read(field: &Field<'_>, place: Place) -> Result<Self> {
        Ok(match field.value {
            Value::String(text) => Self::Text(parts(text, field, place)?),
            Value::Array(_) => Self::List(field.list()?.iter().map(|item| Self::read(item, place)).collect::<Result<_>>()?),
            Value::Object(_) => {
                let members = field.members()?.into_iter();
                let read = members.map(|(name, value)| Ok((name.clone(), Self::read(&value, place)?)));
                Self::Table(read.collect::<Result<_>>()?)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::Plain(field.value.clone()),
        })
    }

    /// Fills in all placeholders; fails where one has no value.
    pub(crate) fn fill(&self, scope: &Scope<'_>) -> Result<Value> {
        Ok(match self {
            Self::Plain(value) => value.clone(),
            Self::Text(parts) => match parts.as_slice() {
                [Part::Hole(hole)] if hole.form == Form::Plain => hole.value(scope)?,
                parts => join(parts, scope)?.into(),
            },
            Self::List(items) => items.iter().map(|item| item.fill(scope)).collect::<Result<_>>()?,
            Self::Table(members) => {
                let filled = members.iter().map(|(name, value)| Ok((name.clone(), value.fill(scope)?)));
                Value::Object(filled.collect::<Result<_>>()?)
            }
        })
    }

    /// The filled-in value as text.
    pub(crate) fn fill_text(&self, scope: &Scope<'_>) -> Result<String> {
        self.fill(scope).map(|value| text(&value))
    }

    /// Fills in a table and leaves out the members for which there is no value.
    pub(crate) fn fill_known(&self, scope: &Scope<'_>) -> Result<Value> {
        let Self::Table(members) = self else { return self.fill(scope) };
        let mut known = Vec::new();
        for (name, value) in members {
            if value.is_known(scope)? {
                known.push((name.clone(), value.fill_text(scope)?.into()));
            }
        }
        Ok(Value::Object(known.into_iter().collect()))
    }

    fn is_known(&self, scope: &Scope<'_>) -> Result<bool> {
        let Self::Text(parts) = self else { return Ok(true) };
        for part in parts {
            if let Part::Hole(hole) = part
                && hole.fallback.is_none()
                && scope.value(&hole.name)?.is_none()
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn join(parts: &[Part], scope: &Scope<'_>) -> Result<String> {
    let mut joined = String::new();
    for part in parts {
        match part {
            Part::Words(words) => joined.push_str(words),
            Part::Hole(hole) => joined.push_str(&hole.text(scope)?),
        }
    }
    Ok(joined)
}

impl Hole {
    fn value(&self, scope: &Scope<'_>) -> Result<Value> {
        // That nothing was found is an answer as well, and not a mistake in the settings.
        let nothing = || (self.name == Name::Found).then(|| Value::from(""));
        let fallback = || self.fallback.clone().map(Value::from).or_else(nothing);
        scope.value(&self.name)?.or_else(fallback).ok_or_else(|| Error::new(format!("there is no value for {{{}}}", self.words)))
    }

    fn text(&self, scope: &Scope<'_>) -> Result<String> {
        let value = self.value(scope)?;
        Ok(match self.form {
            Form::Plain => text(&value),
            Form::Url => utf8_percent_encode(&text(&value), NON_ALPHANUMERIC).to_string(),
            Form::Json => value.to_string(),
        })
    }

    fn read(words: &str, field: &Field<'_>, place: Place) -> Result<Self> {
        let (rest, fallback) = words.split_once('|').map_or((words, None), |(rest, text)| (rest, Some(text.to_owned())));
        let (name, form) = match rest.rsplit_once(':') {
            None => (rest, Form::Plain),
            Some((name, "url")) => (name, Form::Url),
            Some((name, "json")) => (name, Form::Json),
            Some((_, form)) => {
                return Err(field.fault(format!("unknown form \"{form}\"{}", suggestion(form, &["url", "json"], "known"))));
            }
        };
        let Some(known) = Name::read(name) else {
            return Err(field.fault(format!("unknown placeholder {{{name}}}{}", suggestion(name, &NAMES, "known"))));
        };
        if !known.is_known_at(place) {
            return Err(field.fault(format!("{{{name}}} is not known at this point")));
        }
        if let Name::Session(key) = &known {
            field.notes.uses(&field.path, key);
        }
        Ok(Self { name: known, words: name.to_owned(), form, fallback })
    }
}

fn parts(text: &str, field: &Field<'_>, place: Place) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut words = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(at);
        words.push_str(before);
        if let Some(tail) = after.strip_prefix("{{") {
            words.push('{');
            rest = tail;
        } else if let Some(tail) = after.strip_prefix("}}") {
            words.push('}');
            rest = tail;
        } else {
            let inner = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let Some((name, tail)) = inner else {
                return Err(field.fault("a brace without its other half; write {{ and }} for braces that stay"));
            };
            if !words.is_empty() {
                parts.push(Part::Words(std::mem::take(&mut words)));
            }
            parts.push(Part::Hole(Hole::read(name, field, place)?));
            rest = tail;
        }
    }
    words.push_str(rest);
    if !words.is_empty() || parts.is_empty() {
        parts.push(Part::Words(words));
    }
    Ok(parts)
}
