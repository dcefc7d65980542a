//! A question to a page: a language, an expression, and what is wanted of the matches.

use crate::compiled::compiled;
use crate::{Limits, QueryError};
use std::str::FromStr;

/// The language of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// CSS selectors with `::text` and `::attr(name)`; without them a match is the element's markup.
    Css,
    /// XPath 1.0.
    Xpath,
    /// JMESPath on a JSON page; answers are JSON text.
    Jmespath,
    /// JSON pointer (RFC 6901) on a JSON page; answers are JSON text.
    Pointer,
    /// A regular expression on the text of the page; groups are the answer if there are any.
    Regex,
}

impl Language {
    /// Returns the word that names the language in a query.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Css => "css",
            Self::Xpath => "xpath",
            Self::Jmespath => "jmespath",
            Self::Pointer => "pointer",
            Self::Regex => "regex",
        }
    }
}

impl FromStr for Language {
    type Err = QueryError;

    fn from_str(word: &str) -> Result<Self, QueryError> {
        [Self::Css, Self::Xpath, Self::Jmespath, Self::Pointer, Self::Regex]
            .into_iter()
            .find(|language| language.word() == word)
            .ok_or_else(|| QueryError::UnknownLanguage(shorten(word)))
    }
}

/// What is wanted of the matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Want {
    /// The first match; no string if there is none.
    First,
    /// Every match.
    All,
    /// Whether there is a match: the string `true` or `false`. A value that XPath or JMESPath computes counts by the language's own
    /// truth: `count(//li) > 3` is a match where it is true.
    Exists,
    /// The number of matches as one string; a computed value that is not true is none.
    Count,
    /// The first match as JSON text: what XPath computes as a truth value or a number, the rest as `first` gives it; no string if there
    /// is no match, or if XPath's number is none.
    Value,
}

impl FromStr for Want {
    type Err = QueryError;

    fn from_str(word: &str) -> Result<Self, QueryError> {
        match word {
            "first" => Ok(Self::First),
            "all" => Ok(Self::All),
            "exists" => Ok(Self::Exists),
            "count" => Ok(Self::Count),
            "value" => Ok(Self::Value),
            _ => Err(QueryError::UnknownWant(shorten(word))),
        }
    }
}

/// One question to a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The language of the expression.
    pub language: Language,
    /// The expression.
    pub expression: String,
    /// What is wanted of the matches.
    pub want: Want,
}

impl Query {
    /// Makes a query.
    pub fn new(language: Language, expression: impl Into<String>, want: Want) -> Self {
        Self { language, expression: expression.into(), want }
    }

    /// Makes a query from the words of the plugin interface; an unknown word is an error that lists the known ones.
    pub fn parse(language: &str, expression: impl Into<String>, want: &str) -> Result<Self, QueryError> {
        Ok(Self::new(language.parse()?, expression, want.parse()?))
    }

    /// Says what is wrong with the expression, before there is a page.
    pub fn check(&self) -> Result<(), QueryError> {
        compiled(self.language, &self.expression, &Limits::default()).map(drop)
    }
}

/// Returns the text for an error message, cut at 200 characters.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
