//! An answer of the API, of which only what is asked for crosses from the host.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, Result, json, wire};

/// An answer of the API. Nothing of it is decoded, parsed or copied before a function asks for it.
pub struct Response {
    pub(crate) raw: wire::Response,
}

impl Response {
    pub(crate) fn new(raw: wire::Response) -> Self {
        Self { raw }
    }

    /// Returns the page's URL after redirects.
    pub fn url(&self) -> String {
        self.raw.url()
    }

    /// Returns the HTTP status of the page (not of the API), 0 if the answer has none.
    pub fn status(&self) -> u16 {
        self.raw.status()
    }

    /// Returns all headers in their order.
    pub fn headers(&self) -> Vec<(String, String)> {
        self.raw.headers()
    }

    /// Returns the first header of this name; names have no case.
    pub fn header(&self, name: &str) -> Option<String> {
        self.raw.header(name)
    }

    /// Returns the page as text: `browserHtml`, or the decoded `httpResponseBody`.
    pub fn text(&self) -> String {
        self.raw.text()
    }

    /// Returns the page as bytes.
    pub fn body(&self) -> Vec<u8> {
        self.raw.body()
    }

    /// Returns the results of the browser actions, in their order.
    pub fn actions(&self) -> Result<Vec<Value>> {
        json::decode(&self.raw.actions(), "the results of the actions")
    }

    /// Returns a member of the API's answer by JSON pointer (`/product/name`); the empty pointer is the whole answer.
    /// `null` counts as absent. Fails if it is not of the type asked for.
    pub fn field<T: DeserializeOwned>(&self, pointer: &str) -> Result<Option<T>> {
        json::decode_some(self.raw.field(pointer), &format!("the member \"{pointer}\" of the answer"))
    }

    /// Selects by CSS; `::text` and `::attr(name)` at the end pick text or an attribute instead of the element's HTML.
    /// Fails if the selector cannot be read.
    pub fn css<'a>(&'a self, selector: &'a str) -> Result<Selection<'a>> {
        let first = self.raw.css(selector).map_err(Error::new)?;
        Ok(Selection { response: self, query: Query::Css(selector), first })
    }

    /// Selects by XPath. Fails if the expression cannot be read.
    pub fn xpath<'a>(&'a self, expression: &'a str) -> Result<Selection<'a>> {
        let first = self.raw.xpath(expression).map_err(Error::new)?;
        Ok(Selection { response: self, query: Query::XPath(expression), first })
    }

    /// Tells whether JMESPath on a JSON page gives what JMESPath takes for true: not `null`, false or an empty text, list or object.
    /// Fails as [`jmespath`](Self::jmespath) does.
    pub fn jmespath_exists(&self, expression: &str) -> Result<bool> {
        self.raw.exists("jmespath", expression).map_err(Error::new)
    }

    /// Evaluates JMESPath on a JSON page; `null` counts as absent. Fails if the expression cannot be read, the page is
    /// not JSON or the result is not of the type asked for.
    pub fn jmespath<T: DeserializeOwned>(&self, expression: &str) -> Result<Option<T>> {
        let found = self.raw.jmespath(expression).map_err(Error::new)?;
        json::decode_some(found, &format!("the result of \"{expression}\""))
    }

    /// Selects by a regular expression on the text of the page: the first group, or the whole match where there is none.
    /// Fails if the expression cannot be read.
    pub fn regex<'a>(&'a self, pattern: &'a str) -> Result<Selection<'a>> {
        let first = self.raw.regex(pattern, "first").map_err(Error::new)?.into_iter().next();
        Ok(Selection { response: self, query: Query::Regex(pattern), first })
    }
}

/// Tells whether a [`Response`] could be asked this: `css`, `xpath`, `jmespath`, `pointer` or `regex`, and an expression.
/// For plugins that take expressions from their config; the error names the expression and what is wrong with it.
pub fn check_query(language: &str, expression: &str) -> Result<()> {
    wire::check_query(language, expression).map_err(Error::new)
}

enum Query<'a> {
    Css(&'a str),
    XPath(&'a str),
    Regex(&'a str),
}

/// What a selector found: the first match at once, the others on demand.
pub struct Selection<'a> {
    response: &'a Response,
    query: Query<'a>,
    first: Option<String>,
}

impl Selection<'_> {
    /// Tells whether there is a match. An XPath expression that is no path counts by XPath's own truth: `count(//li) > 3` where it is
    /// true, `string(//h1)` where it is not empty, `count(//li)` where it is not 0.
    pub fn exists(&self) -> bool {
        self.first.is_some()
            && match self.query {
                // It was answered a moment ago, so it can be answered again.
                Query::XPath(expression) => self.response.raw.exists("xpath", expression).unwrap_or_default(),
                Query::Css(_) | Query::Regex(_) => true,
            }
    }

    /// Returns the first match.
    pub fn first(&self) -> Option<&String> {
        self.first.as_ref()
    }

    /// Returns the first match, to keep.
    pub fn into_first(self) -> Option<String> {
        self.first
    }

    /// Returns the first match, or an error that says what was looked for: for what a page must have. The empty text that XPath's
    /// functions make of what is not there (`string(//h1)`) is missing.
    pub fn required(self) -> Result<String> {
        let missing = match &self.query {
            Query::Css(expression) | Query::XPath(expression) | Query::Regex(expression) => {
                format!("nothing on the page matches \"{expression}\"")
            }
        };
        match self.first() {
            Some(first) if !first.is_empty() || self.exists() => Ok(first.clone()),
            _ => Err(Error::new(missing)),
        }
    }

    /// Returns all matches in document order.
    pub fn all(&self) -> Result<Vec<String>> {
        if self.first.is_none() {
            return Ok(Vec::new());
        }
        let all = match self.query {
            Query::Css(selector) => self.response.raw.css_all(selector),
            Query::XPath(expression) => self.response.raw.xpath_all(expression),
            Query::Regex(pattern) => self.response.raw.regex(pattern, "all"),
        };
        all.map_err(Error::new)
    }
}
