//! Reads responses: encoding, CSS, XPath, JMESPath, JSON pointers and regular expressions on HTML, XML and JSON.
//!
//! A [`Document`] is made of bytes and a header at no cost. The first question that needs text decodes it, the first that
//! needs a tree parses it, each at most once. All that a site sends and a plugin asks is bounded by [`Limits`].
//!
//! ```
//! use carousel_document::{Document, Language, Query, Want};
//!
//! let page = Document::new(&b"<p class=zip>10115</p>"[..], Some("text/html"), None, "https://shop.example/");
//! let answers = page.select(&[Query::new(Language::Css, ".zip::text", Want::First)])?;
//! assert_eq!(answers, [["10115"]]);
//! # Ok::<(), carousel_document::QueryError>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests"))]

mod budget;
mod compiled;
mod css;
mod document;
mod encoding;
mod error;
mod html;
mod json;
mod kind;
mod limits;
mod pattern;
mod query;
mod select;
mod stack;
#[cfg(test)]
mod tests;
mod tree;
mod xml;
mod xpath;

pub use document::Document;
pub use error::{DocumentError, QueryError};
pub use kind::Kind;
pub use limits::Limits;
pub use query::{Language, Query, Want};
