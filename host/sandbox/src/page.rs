//! An answer as a guest reads it: nothing is decoded or parsed before someone asks, and each thing at most once.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose::STANDARD};
use carousel_core::exchange::{Answer, Unreadable};
use carousel_core::json::{Kind, Raw};
use carousel_document::{Document, Limits, Query, QueryError};

/// Reads what other readers of base64 take.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// An answer and what was made of it so far, by this call or by an earlier one that looked at the same answer.
pub(crate) struct Page {
    answer: Answer,
    reading: Arc<Reading>,
}

/// What was made of an answer; it is kept with the answer.
#[derive(Default)]
struct Reading {
    headers: OnceLock<Result<Vec<(String, String)>, Unreadable>>,
    document: OnceLock<Result<Document, Unreadable>>,
}

/// What a guest gets, or why there is nothing that it could be given.
type Read<T> = Result<T, Unreadable>;

impl Page {
    pub(crate) fn new(answer: Answer) -> Self {
        let reading = answer.reading();
        Self { answer, reading }
    }

    pub(crate) fn answer(&self) -> &Answer {
        &self.answer
    }

    pub(crate) fn url(&self) -> Read<String> {
        Ok(self.answer.url()?.unwrap_or_default().into_owned())
    }

    pub(crate) fn status(&self) -> Read<u16> {
        Ok(self.answer.status_code()?.unwrap_or_default())
    }

    pub(crate) fn headers(&self) -> Read<&[(String, String)]> {
        let headers = self.reading.headers.get_or_init(|| read_headers(&self.answer));
        headers.as_deref().map_err(Clone::clone)
    }

    /// The first header of this name, whatever its case.
    pub(crate) fn header(&self, name: &str) -> Read<Option<&str>> {
        let header = self.headers()?.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        Ok(header.map(|(_, value)| value.as_str()))
    }

    /// The page as text; empty where the answer has no page.
    pub(crate) fn text(&self) -> Read<&str> {
        self.document()?.text().map_err(|error| Unreadable::new(error.to_string()))
    }

    /// The page as bytes: the text of `browserHtml`, else the decoded `httpResponseBody`.
    pub(crate) fn body(&self) -> Read<Vec<u8>> {
        match self.answer.member("browserHtml") {
            Some(_) => Ok(self.text()?.as_bytes().to_vec()),
            None => Ok(self.document()?.body().to_vec()),
        }
    }

    /// The results of the browser actions as JSON text.
    pub(crate) fn actions(&self) -> Read<Cow<'_, str>> {
        match self.answer.member("actions") {
            None => Ok("[]".into()),
            Some(actions) if actions.kind() == Kind::Array => Ok(actions.standard()),
            Some(other) => Err(Unreadable::member("actions", "a list", other)),
        }
    }

    /// A member of the answer by JSON pointer, as JSON text that every reader takes.
    pub(crate) fn field(&self, pointer: &str) -> Option<Cow<'_, str>> {
        let (name, rest) = match pointer.strip_prefix('/').map(|path| path.split_at(path.find('/').unwrap_or(path.len()))) {
            // The members of an answer are known.
            Some((first, rest)) if !first.contains('~') => (first, rest),
            _ => return self.answer.raw().pointer(pointer).map(Raw::standard),
        };
        self.answer.member(name)?.pointer(rest).map(Raw::standard)
    }

    /// Whether the costly part is done.
    pub(crate) fn is_parsed(&self) -> bool {
        self.reading.document.get().is_some_and(|document| document.as_ref().is_ok_and(Document::is_parsed))
    }

    /// Asks the page one question.
    pub(crate) fn ask(&self, query: Query, limits: &Limits) -> Result<Vec<String>, AskError> {
        let answers = self.document()?.select_within(&[query], limits)?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    fn document(&self) -> Read<&Document> {
        let document = self.reading.document.get_or_init(|| {
            let url = self.url()?;
            Ok(match self.answer.string("browserHtml")? {
                Some(html) => Document::new([], None, Some(Arc::from(html)), &url),
                None => Document::new(read_body(&self.answer)?, self.header("content-type")?, None, &url),
            })
        });
        document.as_ref().map_err(Clone::clone)
    }
}

/// Why a question to a page has no answer.
#[derive(Debug, PartialEq)]
pub(crate) enum AskError {
    /// The page cannot be read.
    Unreadable(Unreadable),
    /// The question is wrong, or costs too much.
    Query(QueryError),
}

impl From<Unreadable> for AskError {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

impl From<QueryError> for AskError {
    fn from(error: QueryError) -> Self {
        if let QueryError::Document(page) = &error {
            return Self::Unreadable(Unreadable::new(page.to_string()));
        }
        Self::Query(error)
    }
}

impl std::fmt::Display for AskError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::Query(error) => error.fmt(f),
        }
    }
}

/// The decoded body; empty where there is none. White space and missing padding are forgiven.
fn read_body(answer: &Answer) -> Read<Vec<u8>> {
    let Some(text) = answer.string("httpResponseBody")? else { return Ok(Vec::new()) };
    let again = |_| {
        let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        LENIENT.decode(text)
    };
    let body = STANDARD.decode(text.as_bytes()).or_else(again);
    body.map_err(|error| Unreadable::new(format!("\"httpResponseBody\" is not base64: {error}")))
}

fn read_headers(answer: &Answer) -> Read<Vec<(String, String)>> {
    let text = |header: Raw<'_>, key: &str| header.get(key).and_then(Raw::string).map(Cow::into_owned);
    let headers = answer.list("httpResponseHeaders")?;
    let both = |header: Raw<'_>| Some((text(header, "name")?, text(header, "value")?));
    let wrong = || Unreadable::new("a header in \"httpResponseHeaders\" has no name and value that are text");
    headers.map(|header| both(header).ok_or_else(wrong)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use carousel_document::{Language, Want};
    use serde_json::{Value, json};

    fn page(answer: Value) -> Page {
        Page::new(Answer::parse(answer.to_string(), None).unwrap())
    }

    #[test]
    fn the_page_is_the_browser_html_or_the_decoded_body() {
        let browser = page(json!({"url": "u", "browserHtml": "<p>é</p>"}));
        assert_eq!((browser.text(), browser.body()), (Ok("<p>é</p>"), Ok("<p>é</p>".as_bytes().to_vec())));
        let headers = json!([{"name": "Content-Type", "value": "text/html; charset=latin-1"}]);
        let http = page(json!({"httpResponseBody": STANDARD.encode(b"<p>\xe9</p>"), "httpResponseHeaders": headers}));
        assert_eq!((http.text(), http.body()), (Ok("<p>é</p>"), Ok(b"<p>\xe9</p>".to_vec())));
        assert_eq!(http.header("CONTENT-type"), Ok(Some("text/html; charset=latin-1")));
        let neither = page(json!({"url": "u"}));
        assert_eq!((neither.text(), neither.body(), neither.status()), (Ok(""), Ok(vec![]), Ok(0)));
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
        assert_eq!(page.actions(), Ok("[]".into()));
    }

    fn page_of(text: &str) -> Page {
        Page::new(Answer::parse(text, None).unwrap())
    }

    #[test]
    fn what_other_readers_take_is_read_and_handed_on_as_standard_json() {
        let page = page_of(
            r#"{"url":"u\ud83d","browserHtml":"<p>a\udc00</p>","actions":[{"n":NaN,"e":"\ud800"}],"x":{"y":[Infinity]}}"#,
        );
        assert_eq!((page.url(), page.text()), (Ok("u\u{fffd}".to_owned()), Ok("<p>a\u{fffd}</p>")));
        assert_eq!(page.actions().as_deref(), Ok("[{\"n\":null,\"e\":\"\u{fffd}\"}]"));
        assert_eq!(page.field("/x/y").as_deref(), Some("[null]"));
        let query = Query::new(Language::Css, "p::text", Want::First);
        assert_eq!(page.ask(query, &Limits::default()), Ok(vec!["a\u{fffd}".to_owned()]));
        let body = |text: &str| self::page(json!({"httpResponseBody": text})).body();
        assert_eq!((body("YW\nJj\r\nZA=="), body("YWJjZA")), (Ok(b"abcd".to_vec()), Ok(b"abcd".to_vec())));
        let headers = page_of(r#"{"httpResponseHeaders":[{"name":"a\ud83d","value":"\udc00"}]}"#);
        assert_eq!(headers.header("a\u{fffd}"), Ok(Some("\u{fffd}")));
    }

    #[test]
    fn what_cannot_be_read_is_told_and_does_not_look_like_an_empty_page() {
        for (answer, why) in [
            (json!({"browserHtml": 3}), "\"browserHtml\" should be text and is a number"),
            (json!({"browserHtml": "", "url": []}), "\"url\" should be text and is a list"),
            (json!({"httpResponseBody": "%"}), "\"httpResponseBody\" is not base64"),
            (json!({"httpResponseBody": {}}), "\"httpResponseBody\" should be text and is an object"),
            (json!({"httpResponseBody": "", "httpResponseHeaders": {}}), "\"httpResponseHeaders\" should be a list"),
            (json!({"httpResponseBody": "", "httpResponseHeaders": [{"name": "a", "value": 1}]}), "has no name and value"),
        ] {
            let page = page(answer.clone());
            let asked = page.ask(Query::new(Language::Css, "p", Want::First), &Limits::default()).unwrap_err().to_string();
            for told in [page.text().unwrap_err().to_string(), page.body().unwrap_err().to_string(), asked] {
                assert!(told.starts_with("the answer cannot be read: ") && told.contains(why), "{answer}: {told}");
            }
        }
        assert!(page(json!({"actions": {}})).actions().is_err() && page(json!({"statusCode": "x"})).status().is_err());
        let json = page(
            json!({"httpResponseBody": STANDARD.encode("{]"), "httpResponseHeaders": [{"name": "content-type", "value": "application/json"}]}),
        );
        let asked = json.ask(Query::new(Language::Jmespath, "a", Want::First), &Limits::default());
        assert!(matches!(asked, Err(AskError::Unreadable(_))), "{asked:?}");
    }
}
