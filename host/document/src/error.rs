//! What can go wrong with a page or a question to it.

use std::fmt;

/// Why a page cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentError {
    /// The page is longer than the limit allows.
    TooLarge {
        /// Bytes of the page.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Building the tree of the page took more work than the limits allow.
    TooComplex,
    /// The page is declared to be JSON but is not; the text says where it goes wrong.
    NotJson(String),
    /// The parser failed on the page.
    ParserFailed,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => write!(f, "the page has {bytes} bytes, more than the limit of {limit}"),
            Self::TooComplex => f.write_str("the page is too complex to parse: its nesting or repetition is over the limits"),
            Self::NotJson(place) => write!(f, "the page is not valid JSON: {place}"),
            Self::ParserFailed => f.write_str("the parser failed on the page"),
        }
    }
}

impl std::error::Error for DocumentError {}

/// Why a question to a page has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryError {
    /// The language is none of those known.
    UnknownLanguage(String),
    /// The wanted part of the answer is none of those known.
    UnknownWant(String),
    /// The expression is malformed.
    Expression {
        /// The language of the expression.
        language: &'static str,
        /// The expression, shortened if it is long.
        expression: String,
        /// The byte near which it goes wrong, from 0, where it is known.
        at: Option<usize>,
        /// What is wrong.
        reason: String,
    },
    /// The expression is well-formed but failed on this page.
    Evaluation {
        /// The language of the expression.
        language: &'static str,
        /// The expression, shortened if it is long.
        expression: String,
        /// What is wrong.
        reason: String,
    },
    /// Answering took more work than the limits allow.
    TooCostly {
        /// The language of the expression.
        language: &'static str,
        /// The expression, shortened if it is long.
        expression: String,
    },
    /// The answers are longer than the limits allow.
    AnswerTooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// The page cannot be read.
    Document(DocumentError),
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownLanguage(word) => {
                write!(f, "unknown query language {word:?}: use css, xpath, jmespath, pointer or regex")
            }
            Self::UnknownWant(word) => {
                write!(f, "unknown want {word:?}: use first, all, exists, count or value")
            }
            Self::Expression { language, expression, at: Some(at), reason } => {
                write!(f, "{language} {expression:?}: {reason} near byte {at}")
            }
            Self::Expression { language, expression, at: None, reason } | Self::Evaluation { language, expression, reason } => {
                write!(f, "{language} {expression:?}: {reason}")
            }
            Self::TooCostly { language, expression } => {
                write!(f, "{language} {expression:?}: takes too much work on this page; ask for less at once")
            }
            Self::AnswerTooLarge { limit } => write!(f, "the answers have more than {limit} bytes; ask for less at once"),
            Self::Document(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for QueryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Document(error) => Some(error),
            Self::UnknownLanguage(_)
            | Self::UnknownWant(_)
            | Self::Expression { .. }
            | Self::Evaluation { .. }
            | Self::TooCostly { .. }
            | Self::AnswerTooLarge { .. } => None,
        }
    }
}

impl From<DocumentError> for QueryError {
    fn from(error: DocumentError) -> Self {
        Self::Document(error)
    }
}
