//! One thing that is wrong in a TOML text, in words for the person who wrote it.

use std::fmt;

use super::known_keys;

/// What is wrong and where.
#[derive(Debug)]
pub(super) struct Fault {
    line: Option<usize>,
    message: String,
}

impl Fault {
    /// The text is not TOML.
    pub(super) fn syntax(error: &toml::de::Error, text: &str) -> Self {
        Self { line: line_of(error, text), message: error.message().trim().replace('\n', ", ") }
    }

    /// The text is TOML, but a key is unknown or a value is of the wrong kind.
    pub(super) fn new(error: &serde_path_to_error::Error<toml::de::Error>, text: &str) -> Self {
        let inner = error.inner();
        let message = inner.message().trim();
        let path = error.path().to_string();
        let message = match known_keys::UnknownKey::of(message, &path) {
            Some(unknown) => unknown.to_string(),
            None => format!("{path}: {}", in_plain_words(message)),
        };
        Self { line: line_of(inner, text), message }
    }

    /// A value of the right kind that something outside the file contradicts; `key` is `table.key`.
    pub(super) fn value(key: &str, message: String, text: &str) -> Self {
        Self { line: line_of_key(key, text), message: format!("{key}: {message}") }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

fn line_of(error: &toml::de::Error, text: &str) -> Option<usize> {
    line_at(error.span()?.start, text)
}

fn line_of_key(key: &str, text: &str) -> Option<usize> {
    let (table, key) = key.split_once('.')?;
    let document = toml::de::DeTable::parse(text).ok()?;
    let value = document.get_ref().get(table)?.get_ref().get(key)?;
    line_at(value.span().start, text)
}

fn line_at(start: usize, text: &str) -> Option<usize> {
    let before = text.as_bytes().get(..start)?;
    Some(before.iter().filter(|byte| **byte == b'\n').count() + 1)
}

/// Says Rust's names of types as the writer of a settings file knows them.
fn in_plain_words(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of 0 or more",
        "i32" | "i64" => "a whole number",
        "f64" => "a number",
        "a boolean" => "true or false",
        "a string" | "path string" => "text in quotes",
        "a sequence" => "a list",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    format!("{found}, expected {expected}")
}
