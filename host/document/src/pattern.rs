//! Regular expressions on the text of a page. Look-around and back-references do not exist. A search takes time linear in the
//! text, but up to some microseconds a byte for an expression with hundreds of counted repetitions: it cannot be
//! interrupted, the limit on time takes effect between two matches.

use regex::{Captures, Regex, RegexBuilder};
use std::time::{Duration, Instant};

/// Most memory of a compiled expression and of its caches, in bytes: `\w{60}` takes 1 MiB.
const COMPILED_BYTES: usize = 4 << 20;

/// A compiled regular expression.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    taken: Taken,
}

/// What is taken of a match.
#[derive(Debug, Clone, Copy)]
enum Taken {
    Whole,
    /// One group: the one named `extract`.
    Group(usize),
    /// All groups, one answer each.
    Groups,
}

/// The matches took too long.
#[derive(Debug)]
pub(crate) struct TooLong;

impl Pattern {
    /// Compiles an expression; the error says where and why it is malformed.
    pub(crate) fn compile(expression: &str) -> Result<Self, String> {
        let regex = RegexBuilder::new(expression)
            .size_limit(COMPILED_BYTES)
            .dfa_size_limit(COMPILED_BYTES)
            .nest_limit(64)
            .build()
            .map_err(|error| one_line(&error.to_string()))?;
        let extract = regex.capture_names().position(|name| name == Some("extract"));
        let taken = match (extract, regex.captures_len()) {
            (Some(group), _) => Taken::Group(group),
            (None, 1) => Taken::Whole,
            (None, _) => Taken::Groups,
        };
        Ok(Self { regex, taken })
    }

    /// Is there a match?
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Returns the answers, at most `most`; a group that takes no part in a match answers with an empty string.
    pub(crate) fn find<'t>(&self, text: &'t str, most: usize, time: Duration) -> Result<Vec<&'t str>, TooLong> {
        let start = Instant::now();
        let mut found = Vec::new();
        for captures in self.regex.captures_iter(text) {
            self.take(&captures, &mut found);
            if found.len() >= most {
                break;
            }
            if start.elapsed() > time {
                return Err(TooLong);
            }
        }
        found.truncate(most);
        Ok(found)
    }

    fn take<'t>(&self, captures: &Captures<'t>, found: &mut Vec<&'t str>) {
        let group = |index| captures.get(index).map_or("", |matched: regex::Match<'t>| matched.as_str());
        match self.taken {
            Taken::Whole => found.push(group(0)),
            Taken::Group(index) => found.push(group(index)),
            Taken::Groups => found.extend((1..captures.len()).map(group)),
        }
    }
}

/// The library draws a picture of several lines, the last of which says what is wrong.
fn one_line(text: &str) -> String {
    let last = text.lines().last().unwrap_or(text).trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
