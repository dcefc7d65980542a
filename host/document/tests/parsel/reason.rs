//! Why an answer differs from parsel's. Each reason is checked, not assumed: what it says is undone, and the answers are equal.

use carousel_document::{Document, Language};
use serde_json::Value;
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// A number or a truth value is written in another way.
    Notation,
    /// A prefix is not declared.
    Prefix,
    /// An entity is not expanded.
    Entity,
    /// A name in CSS is one in any namespace.
    CssNamespace,
    /// Members of an object come in another order.
    Order,
    /// Values of some attributes match without case.
    Case,
    /// The same element is written in another way.
    Markup,
    /// The first newline of a `pre` belongs to the markup.
    Newline,
    /// White space between elements is kept or dropped elsewhere.
    WhiteSpace,
    /// The tree is another one.
    Html5Tree,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Notation => "XPath writes 3 and true, Python 3.0 and 1",
            Self::Prefix => "a prefix that the page does not declare finds nothing here and is an error there",
            Self::Entity => "an entity that is not expanded stays as it is written",
            Self::CssNamespace => "a name in CSS is one in any namespace here, in none there",
            Self::Order => "members of an object come in the order of their names",
            Self::Case => "HTML compares the values of some attributes without case, lxml with it",
            Self::Markup => "lxml writes attributes in the manner of HTML 4",
            Self::Newline => "HTML5 drops the first newline of a pre",
            Self::WhiteSpace => "HTML5 keeps or drops white space between elements elsewhere",
            Self::Html5Tree => "HTML5 builds another tree",
        })
    }
}

/// Both answers to a query, and parsel's on two other trees.
pub(crate) struct Answers<'a> {
    pub(crate) ours: &'a Result<Vec<String>, String>,
    pub(crate) theirs: &'a Value,
    pub(crate) html5: &'a Value,
    pub(crate) caseless: &'a Value,
}

impl Reason {
    /// Finds the reason of a difference, if there is one.
    pub(crate) fn find(kind: &str, language: &str, answers: &Answers<'_>) -> Option<Self> {
        let ours = answers.ours.as_ref().ok()?;
        match kind {
            "html" => Self::in_html(language, ours, answers),
            "xml" => Self::in_xml(language, ours, answers),
            _ => equal(language, ours, answers.html5).then_some(Self::Order),
        }
    }

    fn in_html(language: &str, ours: &[String], answers: &Answers<'_>) -> Option<Self> {
        if alike(ours, answers.theirs, plainly) {
            return Some(Self::Notation);
        }
        if alike(ours, answers.theirs, |text| essence(&text)) {
            return Some(Self::Markup);
        }
        if alike(ours, answers.theirs, |text| text.trim_start_matches('\n').to_owned()) {
            return Some(Self::Newline);
        }
        if alike(ours, answers.html5, |text| essence(&plainly(text))) {
            let visible = |text: &&str| !text.trim().is_empty();
            let same = ours.iter().map(String::as_str).filter(visible).eq(strings(answers.theirs).filter(visible));
            return Some(if same { Self::WhiteSpace } else { Self::Html5Tree });
        }
        if alike(ours, answers.html5, |text| text.trim_start_matches('\n').to_owned()) {
            return Some(Self::Newline);
        }
        (language == "css" && alike(ours, answers.caseless, |text| essence(&text))).then_some(Self::Case)
    }

    fn in_xml(language: &str, ours: &[String], answers: &Answers<'_>) -> Option<Self> {
        let refused = answers.theirs.as_str().is_some_and(|error| error.contains("Undefined namespace prefix"));
        if refused && ours.is_empty() {
            return Some(Self::Prefix);
        }
        if alike(ours, answers.theirs, plainly) {
            return Some(Self::Notation);
        }
        if ours.iter().any(|text| text.starts_with('&') && text.ends_with(';')) {
            return Some(Self::Entity);
        }
        (language == "css" && equal(language, ours, answers.html5)).then_some(Self::CssNamespace)
    }
}

/// Are these the same answers, or do both refuse the query?
pub(crate) fn same(language: &str, ours: &Result<Vec<String>, String>, theirs: &Value) -> bool {
    ours.as_ref().map_or(theirs.is_string(), |ours| equal(language, ours, theirs))
}

fn equal(language: &str, ours: &[String], theirs: &Value) -> bool {
    if language == "jmespath" {
        let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
        return theirs.is_array() && ours.iter().map(|text| parsed(text)).eq(strings(theirs).map(parsed));
    }
    theirs.is_array() && strings(theirs).eq(ours.iter().map(String::as_str))
}

/// Are the answers the same once something has been made of each?
fn alike(ours: &[String], theirs: &Value, made: impl Fn(String) -> String) -> bool {
    theirs.is_array() && ours.iter().cloned().map(&made).eq(strings(theirs).map(str::to_owned).map(&made))
}

fn strings(answer: &Value) -> impl Iterator<Item = &str> {
    answer.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// A number or a truth value in one notation.
fn plainly(text: String) -> String {
    match text.as_str() {
        "true" => "1".to_owned(),
        "false" => "0".to_owned(),
        other => other.parse().map_or(text.clone(), |number: f64| number.to_string()),
    }
}

/// What markup says, whatever the quotes and the escapes: names, attributes and texts. The other HTML5 parser writes a colon
/// in a name as `U0003A`.
fn essence(text: &str) -> String {
    if !text.starts_with('<') {
        return text.to_owned();
    }
    let document = Document::new(text.replace("U0003A", ":"), Some("text/html"), None, "");
    let all = |expression: &str| document.all(Language::Xpath, expression).unwrap_or_default();
    let values = all("//@*").into_iter().map(|value| unescaped(&value)).filter(|value| !BOOLEAN.contains(&value.as_str()));
    let tags = document.all(Language::Regex, r"<([a-zA-Z][\w:-]*)").unwrap_or_default();
    format!("{:?}{:?}{:?}", tags, values.collect::<Vec<_>>(), all("string(/)"))
}

/// Values of attributes that say no more than that the attribute is there.
const BOOLEAN: [&str; 9] = ["", "checked", "selected", "disabled", "readonly", "multiple", "nowrap", "noshade", "ismap"];

fn unescaped(url: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = url.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'%').then(|| after.get(..2)).flatten().and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).trim().to_owned()
}
