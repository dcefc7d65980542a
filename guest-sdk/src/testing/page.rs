//! A page in a test: an answer of the API, read as the host would read it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex_lite::Regex;
use scraper::{ElementRef, Html, Selector};
use serde_json::Value;

use super::jmespath;
use crate::Verdict;

/// A page in a test.
pub(crate) struct Page {
    answer: Value,
}

impl Page {
    pub(crate) fn new(answer: Value) -> Self {
        Self { answer }
    }

    pub(crate) fn field(&self, pointer: &str) -> Option<&Value> {
        self.answer.pointer(pointer)
    }

    pub(crate) fn url(&self) -> String {
        self.member("url").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    pub(crate) fn status(&self) -> u16 {
        let status = self.member("statusCode").and_then(Value::as_u64);
        status.and_then(|status| status.try_into().ok()).unwrap_or_default()
    }

    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let headers = self.member("httpResponseHeaders").and_then(Value::as_array);
        headers.into_iter().flatten().map(|header| (text_of(header, "name"), text_of(header, "value"))).collect()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body()).into_owned()
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        if let Some(html) = self.member("browserHtml").and_then(Value::as_str) {
            return html.as_bytes().to_vec();
        }
        let encoded = self.member("httpResponseBody").and_then(Value::as_str).unwrap_or_default();
        STANDARD.decode(encoded).unwrap_or_default()
    }

    /// All matches of a selector that may end in `::text` or `::attr(name)`.
    pub(crate) fn css(&self, selector: &str) -> Result<Vec<String>, String> {
        let (elements, wanted) = wanted(selector);
        let parsed = css_selector(elements)?;
        let document = Html::parse_document(&self.text());
        Ok(document.select(&parsed).flat_map(|element| pick(element, &wanted)).collect())
    }

    pub(crate) fn jmespath(&self, expression: &str) -> Result<Option<String>, String> {
        let found = self.search(expression)?;
        if found.is_null() {
            return Ok(None);
        }
        serde_json::to_string(&found).map(Some).map_err(|error| error.to_string())
    }

    pub(crate) fn jmespath_exists(&self, expression: &str) -> Result<bool, String> {
        Ok(self.search(expression)?.is_truthy())
    }

    fn search(&self, expression: &str) -> Result<::jmespath::Rcvar, String> {
        let page = serde_json::from_str(&self.text()).map_err(|error| format!("the page is not JSON: {error}"))?;
        jmespath::search(&page, expression)
    }

    /// All matches of a regular expression: its groups if it has any.
    pub(crate) fn regex(&self, pattern: &str) -> Result<Vec<String>, String> {
        let (regex, text) = (regular_expression(pattern)?, self.text());
        let from = usize::from(regex.captures_len() > 1);
        let groups = regex.captures_iter(&text).flat_map(|found| {
            let groups: Vec<String> =
                found.iter().skip(from).map(|group| group.map_or("", |group| group.as_str()).to_owned()).collect();
            groups
        });
        Ok(groups.collect())
    }

    /// Says whether `setLocation`, if it was asked for, worked.
    pub(crate) fn location_verdict(&self, has_location: bool) -> Verdict {
        let actions = self.member("actions").and_then(Value::as_array);
        let set_location = actions.into_iter().flatten().find(|action| text_of(action, "action") == "setLocation");
        match set_location {
            Some(action) if has_location && text_of(action, "status") != "success" => Verdict::discard("setLocation failed"),
            _ => Verdict::keep(),
        }
    }

    fn member(&self, name: &str) -> Option<&Value> {
        self.answer.get(name)
    }
}

/// Says what is wrong with a query, except with one in XPath, which only the real host can read.
pub(crate) fn check_query(language: &str, expression: &str) -> Result<(), String> {
    match language {
        "css" => css_selector(wanted(expression).0).map(drop),
        "jmespath" => jmespath::parse(expression).map(drop),
        "regex" => regular_expression(expression).map(drop),
        "pointer" if !expression.is_empty() && !expression.starts_with('/') => {
            Err(format!("cannot read the JSON pointer \"{expression}\": it must begin with /"))
        }
        "pointer" | "xpath" => Ok(()),
        _ => Err(format!("there is no query language \"{language}\"")),
    }
}

fn css_selector(selector: &str) -> Result<Selector, String> {
    Selector::parse(selector).map_err(|error| format!("cannot read the CSS selector \"{selector}\": {error}"))
}

fn regular_expression(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| format!("cannot read the regular expression \"{pattern}\": {error}"))
}

fn text_of(object: &Value, name: &str) -> String {
    object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What is taken from each element that a selector matches.
enum Wanted<'a> {
    Html,
    Text,
    TextInside,
    Attribute(&'a str),
}

/// Splits a selector into the part that finds elements and what is wanted of them.
fn wanted(selector: &str) -> (&str, Wanted<'_>) {
    let selector = selector.trim_end();
    if let Some(elements) = selector.strip_suffix("::text") {
        return match elements.strip_suffix(char::is_whitespace) {
            Some(outer) => (outer, Wanted::TextInside),
            None => (elements, Wanted::Text),
        };
    }
    let attribute = selector.strip_suffix(')').and_then(|rest| rest.rsplit_once("::attr("));
    attribute.map_or((selector, Wanted::Html), |(elements, name)| (elements, Wanted::Attribute(name)))
}

fn pick(element: ElementRef<'_>, wanted: &Wanted<'_>) -> Vec<String> {
    match wanted {
        Wanted::Html => vec![element.html()],
        Wanted::Text => {
            let texts = element.children().filter_map(|child| child.value().as_text());
            texts.map(|text| text.to_string()).collect()
        }
        Wanted::TextInside => element.text().map(str::to_owned).collect(),
        Wanted::Attribute(name) => element.attr(name).map(str::to_owned).into_iter().collect(),
    }
}
