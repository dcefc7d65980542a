//! Where a value is taken from: the page, the headers, the cookies, the API's answer.

use carousel_guest::prelude::*;

use crate::reading::{Field, Table};
use crate::scope::text;

/// A place in an answer.
#[derive(Clone, Debug)]
pub(crate) enum Extract {
    Css(String),
    Xpath(String),
    Jmespath(String),
    Regex(String),
    /// A member of the API's answer by JSON pointer.
    Pointer(String),
    Header(String),
    Cookie(String),
}

/// The keys that name a place.
const KEYS: [&str; 7] = ["css", "xpath", "jmespath", "regex", "pointer", "header", "cookie"];

impl Extract {
    /// Reads whichever of [`KEYS`] stands in a table; none if there is none.
    pub(crate) fn read(table: &mut Table<'_>) -> Result<Option<Self>> {
        let given: Vec<(&str, Field<'_>)> = KEYS.into_iter().filter_map(|key| table.get(key).map(|field| (key, field))).collect();
        match given.as_slice() {
            [] => Ok(None),
            [(key, field)] => Self::of(key, field).map(Some),
            [(one, _), (other, _), ..] => Err(table.fault(format!("{one} and {other} exclude each other"))),
        }
    }

    fn of(key: &str, field: &Field<'_>) -> Result<Self> {
        let word = field.text()?;
        let expression = word.to_owned();
        let (language, place) = match key {
            "css" => (Some("css"), Self::Css(expression)),
            "xpath" => (Some("xpath"), Self::Xpath(expression)),
            "jmespath" => (Some("jmespath"), Self::Jmespath(expression)),
            "regex" => (Some("regex"), Self::Regex(expression)),
            "pointer" => (Some("pointer"), Self::Pointer(expression)),
            "header" => (None, Self::Header(expression)),
            _ => (None, Self::Cookie(expression)),
        };
        if let Some(language) = language {
            field.notes.query(&field.path, language, word);
        }
        Ok(place)
    }

    /// The first value there; none if there is none.
    pub(crate) fn first(&self, response: &Response) -> Result<Option<Value>> {
        Ok(match self {
            Self::Css(selector) => response.css(selector)?.into_first().map(Value::from),
            Self::Xpath(expression) => response.xpath(expression)?.into_first().map(Value::from),
            Self::Jmespath(expression) => response.jmespath(expression)?,
            Self::Regex(pattern) => response.regex(pattern)?.into_first().map(Value::from),
            Self::Pointer(pointer) => response.field(pointer)?,
            Self::Header(name) => response.header(name).map(Value::from),
            Self::Cookie(name) => cookie(response, name)?.map(Value::from),
        })
    }

    /// Whether there is such a value. What XPath and JMESPath compute counts by their own truth.
    pub(crate) fn exists(&self, response: &Response) -> Result<bool> {
        Ok(match self {
            Self::Xpath(expression) => response.xpath(expression)?.exists(),
            Self::Jmespath(expression) => response.jmespath_exists(expression)?,
            Self::Css(_) | Self::Regex(_) | Self::Pointer(_) | Self::Header(_) | Self::Cookie(_) => {
                self.first(response)?.is_some()
            }
        })
    }

    /// The first value there that is worth to be kept: not the empty text that XPath's functions make of what is not there.
    pub(crate) fn worth(&self, response: &Response) -> Result<Option<Value>> {
        Ok(match self.first(response)? {
            Some(value) if value == "" && !self.exists(response)? => None,
            found => found,
        })
    }

    /// How many values there are.
    pub(crate) fn count(&self, response: &Response) -> Result<usize> {
        if !self.exists(response)? {
            return Ok(0);
        }
        Ok(match self {
            Self::Css(selector) => response.css(selector)?.all()?.len(),
            Self::Xpath(expression) => response.xpath(expression)?.all()?.len(),
            Self::Regex(pattern) => response.regex(pattern)?.all()?.len(),
            Self::Jmespath(_) | Self::Pointer(_) | Self::Header(_) | Self::Cookie(_) => match self.first(response)? {
                None => 0,
                Some(Value::Array(items)) => items.len(),
                Some(_) => 1,
            },
        })
    }
}

/// A cookie that the site has set: of the API's `responseCookies`, else of the header `Set-Cookie`.
fn cookie(response: &Response, name: &str) -> Result<Option<String>> {
    let listed: Vec<Value> = response.field("/responseCookies")?.unwrap_or_default();
    let listed = listed.iter().rev().find(|cookie| cookie.get("name").is_some_and(|other| other == name));
    if let Some(value) = listed.and_then(|cookie| cookie.get("value")) {
        return Ok(Some(text(value)));
    }
    let headers = response.headers();
    let set = headers.iter().rev().filter(|(header, _)| header.eq_ignore_ascii_case("set-cookie"));
    let values = set.filter_map(|(_, cookie)| {
        let (known, value) = cookie.split(';').next()?.split_once('=')?;
        (known.trim() == name).then(|| value.trim().to_owned())
    });
    Ok({ values }.next())
}
