//! What a value is compared with.

use carousel_guest::prelude::*;
use regex_lite::Regex;

use crate::reading::Table;
use crate::scope::{Place, Scope, text};
use crate::template::Template;

/// A comparison; without one a value only has to be there.
#[derive(Clone, Debug)]
pub(crate) enum Compare {
    Exists,
    Equals(Template),
    OneOf(Template),
    Contains(Template),
    Matches(String),
    /// So many values at least.
    AtLeast(usize),
}

/// The keys of comparisons.
const KEYS: [&str; 5] = ["equals", "one_of", "contains", "matches", "at_least"];

impl Compare {
    /// Reads whichever comparison stands in a table.
    pub(crate) fn read(table: &mut Table<'_>) -> Result<Self> {
        let mut read = None;
        for key in KEYS {
            let Some(field) = table.get(key) else { continue };
            if let Some((other, _)) = read {
                return Err(table.fault(format!("{other} and {key} exclude each other: use all = [...]")));
            }
            let compare = match key {
                "equals" => Self::Equals(Template::read(&field, Place::Calling)?),
                "one_of" => {
                    field.list()?;
                    Self::OneOf(Template::read(&field, Place::Calling)?)
                }
                "contains" => Self::Contains(Template::read(&field, Place::Calling)?),
                "matches" => {
                    field.notes.pattern(&field.path, field.text()?);
                    Self::Matches(field.text()?.to_owned())
                }
                _ => Self::AtLeast(count(field.number()?)),
            };
            read = Some((key, compare));
        }
        Ok(read.map_or(Self::Exists, |(_, compare)| compare))
    }

    /// Reads the comparison of a value of which there is one at most.
    pub(crate) fn read_of_one(table: &mut Table<'_>) -> Result<Self> {
        let compare = Self::read(table)?;
        if matches!(compare, Self::AtLeast(_)) {
            return Err(table.fault("at_least counts matches on a page: there is one value at most here"));
        }
        Ok(compare)
    }

    /// Whether a value is as it should be. A number of values is compared by who can count them.
    pub(crate) fn holds(&self, found: Option<&Value>, scope: &Scope<'_>) -> Result<bool> {
        let Some(found) = found else { return Ok(false) };
        Ok(match self {
            Self::Exists => true,
            Self::Equals(expected) => text(found) == expected.fill_text(scope)?,
            Self::OneOf(expected) => {
                let words = expected.fill(scope)?;
                words.as_array().into_iter().flatten().any(|word| text(word) == text(found))
            }
            Self::Contains(part) => text(found).contains(&part.fill_text(scope)?),
            Self::Matches(pattern) => Regex::new(pattern)?.is_match(&text(found)),
            Self::AtLeast(count) => *count <= 1,
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number from 0; a huge one is too many in any case"
)]
fn count(number: f64) -> usize {
    number.ceil() as usize
}
