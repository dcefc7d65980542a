//! Answers of the API for tests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::testing::page::Page;
use crate::{Response, wire};

/// Starts an answer with status 200 and no page.
pub fn response() -> ResponseBuilder {
    let answer = [("url".to_owned(), "https://test.example/".into()), ("statusCode".to_owned(), 200.into())];
    ResponseBuilder { answer: Map::from_iter(answer), headers: Vec::new() }
}

/// An answer being put together.
#[must_use = "build() makes the response"]
pub struct ResponseBuilder {
    answer: Map<String, Value>,
    headers: Vec<Value>,
}

impl ResponseBuilder {
    /// Sets the page as a browser shows it.
    pub fn html(self, html: &str) -> Self {
        self.field("browserHtml", html)
    }

    /// Sets the page as the bytes of a plain HTTP response.
    pub fn body(self, body: impl AsRef<[u8]>) -> Self {
        let text = STANDARD.encode(body);
        self.field("httpResponseBody", text)
    }

    /// Sets a JSON page, as a plain HTTP response.
    pub fn json(self, page: impl Into<Value>) -> Self {
        self.body(page.into().to_string())
    }

    /// Sets the page's URL.
    pub fn url(self, url: &str) -> Self {
        self.field("url", url)
    }

    /// Sets the page's HTTP status.
    pub fn status(self, status: u16) -> Self {
        self.field("statusCode", status)
    }

    /// Adds an HTTP header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(json!({"name": name, "value": value}));
        self
    }

    /// Sets the results of the browser actions, an array.
    pub fn actions(self, results: impl Into<Value>) -> Self {
        self.field("actions", results)
    }

    /// Sets any member of the API's answer.
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.answer.insert(name.to_owned(), value.into());
        self
    }

    /// Takes a whole answer of the API; other members set so far stay unless it has them too.
    pub fn answer(mut self, answer: impl Into<Value>) -> Self {
        if let Value::Object(members) = answer.into() {
            self.answer.extend(members);
        }
        self
    }

    /// Makes the response.
    pub fn build(mut self) -> Response {
        if !self.headers.is_empty() {
            self.answer.insert("httpResponseHeaders".to_owned(), Value::Array(self.headers));
        }
        Response::new(wire::Response(Page::new(Value::Object(self.answer))))
    }
}
