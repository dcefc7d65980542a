//! A page: decoded and parsed once each, and only when a question needs it.

use crate::budget::{Budget, run};
use crate::kind::{self, Kind};
use crate::tree::Tree;
use crate::{DocumentError, Limits, encoding, html, json, xml};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A page and what was found out about it so far. Making one costs nothing; threads may share it.
///
/// Every step (decoding, building a tree, reading JSON) is done when the first question needs it, at most once, also
/// if it fails or if several threads ask at the same time. A step may take some 10 ms a MiB of the calling thread's time.
pub struct Document {
    body: Arc<dyn AsRef<[u8]> + Send + Sync>,
    content_type: Option<String>,
    given: Option<Arc<str>>,
    url: String,
    limits: Limits,
    decoded: OnceLock<Result<String, DocumentError>>,
    kind: OnceLock<Kind>,
    tree: OnceLock<Result<Tree, DocumentError>>,
    json: OnceLock<Result<json::Tree, DocumentError>>,
}

impl Document {
    /// Makes a page of its bytes and its `Content-Type` header. Text that is known already (`browserHtml`) goes before
    /// the bytes, and the header of such a page should be left out unless it describes that text. The URL helps guessing
    /// the encoding and may be empty.
    pub fn new(
        body: impl AsRef<[u8]> + Send + Sync + 'static,
        content_type: Option<&str>,
        text: Option<Arc<str>>,
        url: &str,
    ) -> Self {
        Self::with_limits(body, content_type, text, url, Limits::default())
    }

    /// Makes a page as [`Document::new`] does, with other limits.
    pub fn with_limits(
        body: impl AsRef<[u8]> + Send + Sync + 'static,
        content_type: Option<&str>,
        text: Option<Arc<str>>,
        url: &str,
        limits: Limits,
    ) -> Self {
        Self {
            body: Arc::new(body),
            content_type: content_type.map(str::to_owned),
            given: text,
            url: url.to_owned(),
            limits,
            decoded: OnceLock::new(),
            kind: OnceLock::new(),
            tree: OnceLock::new(),
            json: OnceLock::new(),
        }
    }

    /// Returns the bytes of the page as they came.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        (*self.body).as_ref()
    }

    /// Returns the URL of the page.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the page as text; fails if it is over [`Limits::text_bytes`].
    pub fn text(&self) -> Result<&str, DocumentError> {
        match &self.given {
            Some(text) => within(text.len(), self.limits.text_bytes).map(|()| &**text),
            None => view(self.decoded.get_or_init(|| self.decode())).map(String::as_str),
        }
    }

    /// Returns the format of the page, by its header or else by its first characters.
    #[must_use]
    pub fn kind(&self) -> Kind {
        *self.kind.get_or_init(|| kind::decide(self.content_type.as_deref(), || self.text().unwrap_or_default()))
    }

    /// Says whether the bytes have been decoded to text.
    #[must_use]
    pub fn is_decoded(&self) -> bool {
        self.decoded.get().is_some()
    }

    /// Says whether a tree has been built or JSON has been read.
    #[must_use]
    pub fn is_parsed(&self) -> bool {
        self.tree.get().is_some() || self.json.get().is_some()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The page as a tree; JSON and plain text are read as HTML, in which they are one text.
    pub(crate) fn tree(&self) -> Result<&Tree, DocumentError> {
        view(self.tree.get_or_init(|| self.build()))
    }

    /// The page as JSON; none if it is empty or not JSON and nothing declares it to be.
    pub(crate) fn json(&self) -> Result<Option<json::Page<'_>>, DocumentError> {
        match view(self.json.get_or_init(|| json::Tree::of(self.short_text()?).map_err(DocumentError::NotJson))) {
            Ok(tree) => Ok(Some(tree.page(self.text()?))),
            Err(DocumentError::NotJson(_)) if self.kind() != Kind::Json || self.text()?.trim().is_empty() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn decode(&self) -> Result<String, DocumentError> {
        let body = self.body();
        within(body.len(), self.limits.text_bytes)?;
        Ok(encoding::decode(body, self.content_type.as_deref(), &self.url))
    }

    /// The text, if it is short enough to be parsed.
    fn short_text(&self) -> Result<&str, DocumentError> {
        if self.given.is_none() {
            within(self.body().len(), self.limits.parse_bytes)?;
        }
        let text = self.text()?;
        within(text.len(), self.limits.parse_bytes).map(|()| text)
    }

    fn build(&self) -> Result<Tree, DocumentError> {
        let text = self.short_text()?;
        let build = match self.kind() {
            Kind::Xml => xml::parse,
            Kind::Html | Kind::Json => html::parse,
        };
        run(&Budget::new(0), |_| build(text, &self.limits)).unwrap_or(Err(DocumentError::ParserFailed))
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("url", &self.url)
            .field("content_type", &self.content_type)
            .field("bytes", &self.body().len())
            .field("decoded", &self.is_decoded())
            .field("parsed", &self.is_parsed())
            .finish_non_exhaustive()
    }
}

fn view<T>(result: &Result<T, DocumentError>) -> Result<&T, DocumentError> {
    result.as_ref().map_err(Clone::clone)
}

fn within(bytes: usize, limit: usize) -> Result<(), DocumentError> {
    if bytes > limit { Err(DocumentError::TooLarge { bytes, limit }) } else { Ok(()) }
}
