//! One line of the input, read as a request.

use std::sync::Arc;

use carousel_core::contract::{Sessionless, sessionless};
use carousel_core::exchange::{Request, web_address};
use carousel_core::text::shorten;
use serde_json::{Value, json};

use crate::args::Intype;

/// Characters of a URL that a message repeats.
const MOST_TOLD: usize = 100;

/// A line of the input that is not blank.
#[derive(Debug, PartialEq)]
pub(crate) struct Entry {
    /// The number of the line, from 1.
    pub(crate) line: u64,
    /// How long it is, with the blank lines before it.
    pub(crate) bytes: u64,
    /// The line itself, where it is text.
    pub(crate) text: Option<Arc<str>>,
    /// How the line is read.
    pub(crate) reading: Reading,
    /// What it asks for, or why it asks for nothing.
    pub(crate) request: Result<Request, BadLine>,
}

/// A line that is no request.
#[derive(Debug, PartialEq)]
pub(crate) struct BadLine {
    /// What is wrong with it.
    pub(crate) message: String,
    /// The line as JSON, where it is JSON.
    pub(crate) value: Option<Value>,
}

/// How lines become requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// What a line is.
    pub(crate) intype: Intype,
    /// What `echoData` is where a request has none.
    pub(crate) echo: EchoData,
}

/// What `echoData` is where a request has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EchoData {
    /// The URL, so that an answer can be told from another.
    Url,
    /// It stays absent.
    Absent,
}

impl Reading {
    /// Reads a line without its line ending.
    pub(crate) fn request(self, text: &str) -> Result<Request, BadLine> {
        let value = match self.intype {
            Intype::Txt => json!({"url": text, "browserHtml": true}),
            Intype::Jl => serde_json::from_str(text).map_err(|error| {
                let hint = if scheme(text).is_some() { "; --intype txt reads URLs" } else { "" };
                BadLine { message: format!("not JSON: {}{hint}", without_line(&error)), value: None }
            })?,
        };
        let read = Request::from_json(value.clone()).map_err(|error| error.to_string());
        let mut request = read.and_then(with_web_address).map_err(|message| BadLine { message, value: Some(value) })?;
        let is_echoed = self.echo == EchoData::Url && sessionless(request.params()) != Some(Sessionless::Serp);
        if is_echoed && !request.params().contains_key("echoData") {
            let url = request.url().to_owned();
            request.set_param("echoData", Value::String(url));
        }
        Ok(request)
    }
}

/// The API has no other addresses, and would say so at the price of an initialisation for each.
pub(crate) fn with_web_address(request: Request) -> Result<Request, String> {
    let url = request.url();
    let Err(why) = web_address(url) else { return Ok(request) };
    let hint = if url.starts_with('{') { "; --intype jl reads JSON" } else { "" };
    Err(format!("the URL {:?} {why}{hint}", shorten(url, MOST_TOLD)))
}

fn scheme(url: &str) -> Option<String> {
    url.trim_start().split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase())
}

/// The parser counts lines within the line, which would contradict the line of the file.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

/// Guesses what the lines of an input are: by the end of its name, else by its first line.
pub(crate) fn guess_intype(name: &str, first_line: &str) -> Intype {
    if name.ends_with(".jl") || name.ends_with(".jsonl") {
        Intype::Jl
    } else if name.ends_with(".txt") || !first_line.trim_start().starts_with('{') {
        Intype::Txt
    } else {
        Intype::Jl
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_type_is_guessed_by_name_then_by_the_first_line() {
        for (name, first, expected) in [
            ("a.jl", "https://a.example/", Intype::Jl),
            ("a.jsonl", "https://a.example/", Intype::Jl),
            ("a.txt", "{\"url\": 1}", Intype::Txt),
            ("a.json", "  {\"url\": 1}", Intype::Jl),
            ("a", "https://a.example/", Intype::Txt),
            ("-", "{", Intype::Jl),
            ("-", "", Intype::Txt),
        ] {
            assert_eq!(guess_intype(name, first), expected, "{name} {first}");
        }
    }

    #[test]
    fn a_text_line_asks_for_the_page_as_a_browser_shows_it() {
        let reading = Reading { intype: Intype::Txt, echo: EchoData::Url };
        let request = reading.request("https://a.example/").unwrap();
        let expected = json!({"url": "https://a.example/", "browserHtml": true, "echoData": "https://a.example/"});
        assert_eq!(Value::Object(request.params().clone()), expected);
    }

    #[test]
    fn echo_data_is_the_url_only_where_it_is_absent_wanted_and_allowed() {
        for (echo, line, expected) in [
            (EchoData::Url, r#"{"url": "http://u"}"#, Some(json!("http://u"))),
            (EchoData::Url, r#"{"url": "http://u", "echoData": {"a": 1}}"#, Some(json!({"a": 1}))),
            (EchoData::Url, r#"{"url": "http://u", "echoData": null}"#, Some(Value::Null)),
            (EchoData::Url, r#"{"url": "http://u", "serp": true}"#, None),
            (EchoData::Absent, r#"{"url": "http://u"}"#, None),
        ] {
            let request = Reading { intype: Intype::Jl, echo }.request(line).unwrap();
            assert_eq!(request.params().get("echoData"), expected.as_ref(), "{line}");
        }
    }

    #[test]
    fn a_line_that_is_no_request_says_why() {
        let reading = Reading { intype: Intype::Jl, echo: EchoData::Url };
        for (line, message, is_json) in [
            ("https://a.example/", "not JSON: expected value at column 1; --intype txt reads URLs", false),
            ("{\"url\": ", "not JSON: EOF while parsing a value at column 8", false),
            ("{}", "a request needs a \"url\" that is text", true),
            ("{\"url\": \"http://u\", \"meta\": 1}", "\"meta\" must be a JSON object", true),
        ] {
            let bad = reading.request(line).unwrap_err();
            assert_eq!((bad.message.as_str(), bad.value.is_some()), (message, is_json), "{line}");
        }
    }
    #[test]
    fn a_url_is_one_of_the_web() {
        let reading = Reading { intype: Intype::Txt, echo: EchoData::Absent };
        for url in ["http://a.example", "HTTPS://A.example/", "https://a.example/?q=ftp://b", "http://ä.example/ ü"] {
            assert_eq!(reading.request(url).unwrap().url(), url);
        }
        let long = "x".repeat(1000);
        for (url, part) in [
            ("shop.example/a", "the URL \"shop.example/a\" does not begin with http:// or https://"),
            ("ftp://a.example/", "http:// or https://"),
            ("https://", "names no host"),
            ("https:///x", "names no host"),
            ("https://a.example:99999/x", "a port that is not a number"),
            ("https://a b.example/", "names a host that cannot exist"),
            ("{\"url\": \"https://a.example/\"}", "; --intype jl reads JSON"),
            (&long, "xx…\" does not begin"),
        ] {
            let message = reading.request(url).unwrap_err().message;
            assert!(message.contains(part) && message.len() < 200, "{message}");
        }
    }
}
