//! Compares an outcome with what a fixture expects. What a fixture does not mention may be anything, and a secret that only the
//! plugin knows may be anything, too: the fixture has a placeholder for it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carousel_core::exchange::Object;
use serde_json::{Value, json};

use crate::recording::{Fixture, FixtureSite, is_placeholder};

/// One thing that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    place: String,
    expected: String,
    got: String,
}

impl Difference {
    /// At a place.
    pub(super) fn new(place: &str, expected: &Value, got: &Value) -> Self {
        Self { place: place.to_owned(), expected: words(expected), got: words(got) }
    }

    /// In words.
    pub(super) fn lines(&self) -> [String; 3] {
        let Self { place, expected, got } = self;
        [place.clone(), format!("  expected  {expected}"), format!("  got       {got}")]
    }

    /// The same within something.
    pub(super) fn below(self, place: &str) -> Self {
        let place = if self.place.is_empty() { place.to_owned() } else { format!("{place}, {}", self.place) };
        Self { place, ..self }
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// The placeholders in what the plugin was given: it can only have them from there.
pub(super) fn placeholders_of_inputs(fixture: &Fixture, site: &FixtureSite) -> BTreeSet<String> {
    let answers: Vec<_> = fixture.downloads.iter().map(|download| (&download.answer, &download.error)).collect();
    let inputs = json!([fixture.request, fixture.location, fixture.session, fixture.response, answers, site]);
    let mut found = BTreeSet::new();
    collect(&inputs, &mut found);
    found
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            found.extend(text.split(is_separator).filter(|word| is_placeholder(word)).map(str::to_owned));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_separator(c: char) -> bool {
    !c.is_ascii_alphanumeric()
}

/// Compares the members that are expected; those that stand in them are compared as a whole.
pub(super) fn compare(expected: &Value, got: &Value, inputs: &BTreeSet<String>) -> Vec<Difference> {
    let (Value::Object(expected), Value::Object(members)) = (expected, got) else {
        return if is_equal(expected, got, inputs) { Vec::new() } else { vec![Difference::new("", expected, got)] };
    };
    let mut differences = Vec::new();
    for (name, expected) in expected {
        let got = members.get(name).unwrap_or(&Value::Null);
        let is_met = match (name.as_str(), expected, got) {
            // Of an error its kind is enough.
            ("error", Value::Object(_), Value::Object(_)) => compare(expected, got, inputs).is_empty(),
            _ => is_equal(expected, got, inputs),
        };
        if !is_met {
            differences.push(Difference::new(name, expected, &with_reason(name, got, members)));
        }
    }
    let unexpected = members.get("error").filter(|_| !expected.contains_key("error"));
    differences.extend(unexpected.map(|error| Difference::new("error", &Value::Null, error)));
    differences
}

/// A verdict with its reason, which tells more than the word.
fn with_reason(name: &str, got: &Value, members: &Object) -> Value {
    match (name, got, members.get("reason")) {
        ("verdict", Value::String(verdict), Some(Value::String(reason))) => Value::from(format!("{verdict}: {reason}")),
        _ => got.clone(),
    }
}

/// Whether a value is the expected one but for what stands in place of the plugin's own secrets.
pub(super) fn is_equal(expected: &Value, got: &Value, inputs: &BTreeSet<String>) -> bool {
    match (expected, got) {
        (Value::String(expected), Value::String(got)) => {
            let decoded = || Some((decoded(expected)?, decoded(got)?));
            expected == got
                || is_met(expected, got, inputs)
                || decoded().is_some_and(|(expected, got)| is_met(&expected, &got, inputs))
        }
        (Value::Number(expected), Value::Number(got)) => {
            expected == got || is_met(&expected.to_string(), &got.to_string(), inputs)
        }
        (Value::Array(expected), Value::Array(got)) => {
            expected.len() == got.len() && expected.iter().zip(got).all(|(expected, got)| is_equal(expected, got, inputs))
        }
        (Value::Object(expected), Value::Object(got)) => {
            expected.len() == got.len()
                && expected.iter().all(|(name, value)| got.get(name).is_some_and(|got| is_equal(value, got, inputs)))
        }
        _ => expected == got,
    }
}

/// The text in base64, as bodies are.
fn decoded(text: &str) -> Option<String> {
    STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}

/// Whether a text is the expected one but for what stands in place of the plugin's own secrets.
fn is_met(expected: &str, got: &str, inputs: &BTreeSet<String>) -> bool {
    let pieces = pieces(expected, |word| is_placeholder(word) && !inputs.contains(word));
    let Some((first, others)) = pieces.split_first() else { return false };
    let Some((last, middle)) = others.split_last() else { return false };
    let Some(mut rest) = got.strip_prefix(first) else { return false };
    for piece in middle {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// What stands around and between some of the words of a text.
fn pieces(text: &str, is_gap: impl Fn(&str) -> bool) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut begin, mut at) = (0, 0);
    for part in text.split_inclusive(is_separator) {
        let word = part.trim_end_matches(is_separator);
        if is_gap(word) {
            pieces.extend(text.get(begin..at));
            begin = at + word.len();
        }
        at += part.len();
    }
    pieces.extend(text.get(begin..));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn only_what_is_expected_is_compared() {
        let got = json!({"verdict": "discard", "reason": "the page is for 10002"});
        assert_eq!(compare(&json!({"verdict": "discard"}), &got, &inputs(&[])), []);
        let differences = compare(&json!({"verdict": "keep"}), &got, &inputs(&[]));
        let told = ["verdict", "  expected  keep", "  got       discard: the page is for 10002"];
        assert_eq!(differences.iter().map(Difference::lines).collect::<Vec<_>>(), [told]);
        let got = json!({"error": {"kind": "trapped", "message": "m"}});
        assert_eq!(compare(&json!({"error": {"kind": "trapped"}}), &got, &inputs(&[])), []);
        assert_eq!(compare(&json!({}), &got, &inputs(&[])).len(), 1, "an error that nobody expects");
        let got = json!({"params": {"a": 1, "b": 2}});
        assert_eq!(compare(&json!({"params": {"a": 1}}), &got, &inputs(&[])).len(), 1, "parameters are compared as a whole");
    }

    #[test]
    fn a_secret_of_the_plugin_itself_may_be_anything_and_one_that_it_was_given_must_come_back() {
        let given = inputs(&["SECRET2"]);
        for (expected, got, met) in [
            ("user=guest&password=SECRET1&token=SECRET2", "user=guest&password=open%2Dsesame&token=SECRET2", true),
            ("user=guest&password=SECRET1&token=SECRET2", "user=guest&password=open%2Dsesame&token=other", false),
            ("user=guest&password=SECRET1", "user=bob&password=open", false),
            ("SECRET1", "anything", true),
            ("SECRET2", "anything", false),
            ("Bearer SECRET1", "Basic x", false),
            ("a SECRET1 b SECRET3 c", "a x b y c", true),
            ("a SECRET1 b SECRET3 c", "a x c", false),
        ] {
            assert_eq!(compare(&json!({"x": expected}), &json!({"x": got}), &given).is_empty(), met, "{expected} / {got}");
        }
    }

    #[test]
    fn a_secret_in_base64_and_one_that_is_a_number_may_be_anything_too() {
        let body = |text: &str| STANDARD.encode(text);
        for (expected, got, met) in [
            (json!(body(r#"{"pwd": "SECRET1", "a": 1}"#)), json!(body(r#"{"pwd": "hunter22", "a": 1}"#)), true),
            (json!(body(r#"{"pwd": "SECRET1", "a": 1}"#)), json!(body(r#"{"pwd": "hunter22", "a": 2}"#)), false),
            (json!({"otp": 900_001}), json!({"otp": 4711}), true),
            (json!("otp=900001&zip=10001"), json!("otp=4711&zip=10001"), true),
            (json!({"zip": 90_012}), json!({"zip": 10_001}), false),
        ] {
            assert_eq!(compare(&json!({"x": expected}), &json!({"x": got}), &inputs(&[])).is_empty(), met, "{expected} / {got}");
        }
    }
}
