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

    /// Values of the right kind that contradict each other, or something outside the file. The line is that of the first one that was
    /// written.
    pub(super) fn values(keys: &[String], message: &str, text: &str) -> Self {
        let line = keys.iter().find_map(|key| line_of_key(key, text));
        Self { line, message: format!("{}: {message}", keys.join(" and ")) }
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
    let (table, mut rest) = key.split_once('.')?;
    let document = toml::de::DeTable::parse(text).ok()?;
    let mut value = document.get_ref().get(table)?;
    loop {
        // The name of a pool has dots of its own.
        if let Some(found) = value.get_ref().get(rest) {
            return line_at(found.span().start, text);
        }
        let names = value.get_ref().as_table()?.keys();
        let name = names
            .filter(|name| rest.strip_prefix(name.get_ref().as_ref()).is_some_and(|rest| rest.starts_with('.')))
            .max_by_key(|name| name.get_ref().len())?;
        value = value.get_ref().get(name.get_ref().as_ref())?;
        rest = rest.get(name.get_ref().len() + 1..)?;
    }
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
