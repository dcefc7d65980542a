//! An answer as a guest reads it: nothing is decoded or parsed before someone asks, and each thing at most once.

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carousel_core::exchange::Answer;
use carousel_document::{Document, Limits, Query, QueryError};
use serde_json::Value;

/// An answer and what was made of it so far, by this call or by an earlier one that looked at the same answer.
pub(crate) struct Page {
    answer: Answer,
    reading: Arc<Reading>,
}

/// What was made of an answer; it is kept with the answer.
#[derive(Default)]
struct Reading {
    headers: OnceLock<Vec<(String, String)>>,
    document: OnceLock<Document>,
}

impl Page {
    pub(crate) fn new(answer: Answer) -> Self {
        let reading = answer.reading();
        Self { answer, reading }
    }

    pub(crate) fn answer(&self) -> &Answer {
        &self.answer
    }

    pub(crate) fn url(&self) -> String {
        self.answer.url().unwrap_or_default()
    }

    pub(crate) fn status(&self) -> u16 {
        self.answer.status_code().unwrap_or_default()
    }

    pub(crate) fn headers(&self) -> &[(String, String)] {
        self.reading.headers.get_or_init(|| read_headers(&self.answer))
    }

    /// The first header of this name, whatever its case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers().iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// The page as text; empty where the answer has no page, or one that is over the bounds of a document.
    pub(crate) fn text(&self) -> &str {
        self.document().text().unwrap_or_default()
    }

    /// The page as bytes: the text of `browserHtml`, else the decoded `httpResponseBody`.
    pub(crate) fn body(&self) -> Vec<u8> {
        let document = self.document();
        match self.answer.raw("browserHtml") {
            Some(_) => document.text().unwrap_or_default().as_bytes().to_vec(),
            None => document.body().to_vec(),
        }
    }

    /// The results of the browser actions as JSON text.
    pub(crate) fn actions(&self) -> &str {
        self.answer.raw("actions").unwrap_or("[]")
    }

    /// A member of the answer by JSON pointer, as JSON text. Only the first member on the way is parsed.
    pub(crate) fn field(&self, pointer: &str) -> Option<String> {
        if pointer.is_empty() {
            return Some(self.answer.text().to_owned());
        }
        let path = pointer.strip_prefix('/')?;
        let (first, rest) = match path.find('/') {
            Some(end) => path.split_at(end),
            None => (path, ""),
        };
        let name = first.replace("~1", "/").replace("~0", "~");
        if rest.is_empty() {
            return self.answer.raw(&name).map(str::to_owned);
        }
        self.answer.member(&name)?.pointer(rest).map(Value::to_string)
    }

    /// Whether the costly part is done.
    pub(crate) fn is_parsed(&self) -> bool {
        self.reading.document.get().is_some_and(Document::is_parsed)
    }

    /// Asks the page one question.
    pub(crate) fn ask(&self, query: Query, limits: &Limits) -> Result<Vec<String>, QueryError> {
        let answers = self.document().select_within(&[query], limits)?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    fn document(&self) -> &Document {
        self.reading.document.get_or_init(|| {
            let url = self.url();
            match self.answer.string("browserHtml") {
                Some(html) => Document::new([], None, Some(Arc::from(html)), &url),
                None => Document::new(read_body(&self.answer), self.header("content-type"), None, &url),
            }
        })
    }
}

/// The decoded body; empty where there is none or it is not base64.
fn read_body(answer: &Answer) -> Vec<u8> {
    let Some(raw) = answer.raw("httpResponseBody") else { return Vec::new() };
    // Base64 needs no escapes in JSON, so the text between the quotes usually is the value itself.
    let plain = raw.strip_prefix('"').and_then(|text| text.strip_suffix('"')).filter(|text| !text.contains('\\'));
    match plain {
        Some(text) => STANDARD.decode(text).unwrap_or_default(),
        None => answer.string("httpResponseBody").and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default(),
    }
}

fn read_headers(answer: &Answer) -> Vec<(String, String)> {
    let Some(Value::Array(list)) = answer.member("httpResponseHeaders") else { return Vec::new() };
    let text = |header: &Value, key: &str| header.get(key).and_then(Value::as_str).map(str::to_owned);
    list.iter().filter_map(|header| Some((text(header, "name")?, text(header, "value")?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use carousel_document::{Language, Want};
    use serde_json::json;

    fn page(answer: Value) -> Page {
        Page::new(Answer::parse(answer.to_string(), None).unwrap())
    }

    #[test]
    fn the_page_is_the_browser_html_or_the_decoded_body() {
        let browser = page(json!({"url": "u", "browserHtml": "<p>é</p>"}));
        assert_eq!((browser.text(), browser.body()), ("<p>é</p>", "<p>é</p>".as_bytes().to_vec()));
        let headers = json!([{"name": "Content-Type", "value": "text/html; charset=latin-1"}]);
        let http = page(json!({"httpResponseBody": STANDARD.encode(b"<p>\xe9</p>"), "httpResponseHeaders": headers}));
        assert_eq!((http.text(), http.body()), ("<p>é</p>", b"<p>\xe9</p>".to_vec()));
        assert_eq!(http.header("CONTENT-type"), Some("text/html; charset=latin-1"));
        let neither = page(json!({"url": "u"}));
        assert_eq!((neither.text(), neither.body(), neither.status()), ("", vec![], 0));
    }

    #[test]
    fn copies_of_an_answer_are_parsed_once() {
        let answer = Answer::parse(json!({"browserHtml": "<p>x</p>"}).to_string(), None).unwrap();
        let query = Query::new(Language::Css, "p::text", Want::First);
        assert_eq!(Page::new(answer.clone()).ask(query, &Limits::default()), Ok(vec!["x".to_owned()]));
        let (again, other) = (Page::new(answer), page(json!({"browserHtml": "<p>x</p>"})));
        assert_eq!((again.is_parsed(), other.is_parsed()), (true, false));
    }

    #[test]
    fn fields_are_found_by_pointer_and_keep_their_text() {
        let page = page(json!({"a": {"b": [1, {"c~d": "x"}]}, "n/m": 1}));
        for (pointer, found) in [
            ("/a/b/0", Some("1")),
            ("/a/b/1/c~0d", Some("\"x\"")),
            ("/n~1m", Some("1")),
            ("/a", Some(r#"{"b":[1,{"c~d":"x"}]}"#)),
            ("/none", None),
            ("/a/none", None),
            ("a", None),
        ] {
            assert_eq!(page.field(pointer).as_deref(), found, "{pointer}");
        }
        assert_eq!(page.field("").as_deref(), Some(page.answer().text()));
        assert_eq!(page.actions(), "[]");
    }
}
