//! Text for people, line by line.

use std::fmt;

use super::escape::escaped;
use super::keys::without_keys;

/// Lines for people. What a value from outside brings along cannot end a line, begin one, or command the terminal, and shows no key:
/// whoever wants several lines adds them one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines(Vec<String>);

impl Lines {
    /// Adds a line.
    pub(crate) fn push(&mut self, line: impl Into<String>) {
        self.0.push(line.into());
    }

    /// Adds lines.
    pub(crate) fn extend(&mut self, lines: impl IntoIterator<Item = String>) {
        self.0.extend(lines);
    }
}

impl From<&str> for Lines {
    /// One line.
    fn from(line: &str) -> Self {
        Self(vec![line.to_owned()])
    }
}

impl From<String> for Lines {
    /// One line.
    fn from(line: String) -> Self {
        Self(vec![line])
    }
}

impl From<Vec<String>> for Lines {
    fn from(lines: Vec<String>) -> Self {
        Self(lines)
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, line) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            f.write_str(escaped(&without_keys(line)).trim_end())?;
        }
        Ok(())
    }
}

/// An error that takes several lines to tell.
#[derive(Debug)]
pub(crate) struct Listed {
    /// What it is about.
    pub(crate) heading: String,
    /// What there is of it.
    pub(crate) items: Vec<String>,
}

impl Listed {
    /// What another program said.
    pub(crate) fn lines_of(heading: String, said: &str) -> Self {
        Self { heading, items: said.trim().lines().map(str::to_owned).collect() }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.heading, self.items.join("; "))
    }
}

impl std::error::Error for Listed {}

impl From<&anyhow::Error> for Lines {
    /// The error and its causes in one line, and below it what a [`Listed`] among them lists.
    fn from(error: &anyhow::Error) -> Self {
        let mut words = Vec::new();
        let mut items = Vec::new();
        for cause in error.chain() {
            match cause.downcast_ref::<Listed>() {
                Some(listed) => {
                    words.push(format!("{}:", listed.heading));
                    items.extend(listed.items.iter().map(|item| format!("  {item}")));
                }
                None => words.push(cause.to_string()),
            }
        }
        let mut lines = Self::from(words.join(": "));
        lines.extend(items);
        lines
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_value_from_outside_ends_no_line() {
        let mut lines = Lines::from("a\nb\u{1b}[2J");
        lines.push("  c\n");
        assert_eq!(lines.to_string(), "a\\nb\\u001b[2J\n  c\\n");
    }

    #[test]
    fn an_error_is_told_with_its_causes_and_what_they_list() {
        let plain = anyhow!("no\nway").context("cannot go");
        assert_eq!(Lines::from(&plain).to_string(), "cannot go: no\\nway");
        let listed = Listed { heading: "2 are bad".to_owned(), items: vec!["a\n".to_owned(), "b".to_owned()] };
        assert_eq!(listed.to_string(), "2 are bad: a\n; b");
        let error = anyhow::Error::new(listed).context("cannot go");
        assert_eq!(Lines::from(&error).to_string(), "cannot go: 2 are bad:\n  a\\n\n  b");
    }
}
