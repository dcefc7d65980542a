//! What the commands say on standard output: tables, JSON, and lists of facts.

use anyhow::Context;
use carousel_core::pattern::{DEFAULT_PRIORITY, Rule};
use serde_json::{Value, json};

use crate::logging::{Lines, stdout};

/// Writes lines to standard output.
pub(crate) fn print(lines: impl Into<Lines>) -> anyhow::Result<()> {
    stdout::print(lines).context(CANNOT_WRITE)
}

const CANNOT_WRITE: &str = "cannot write to standard output";

/// Has the reader of standard output, as `head` does, seen enough?
pub(crate) fn is_read_no_further(error: &anyhow::Error) -> bool {
    let is_closed = |cause: &std::io::Error| cause.kind() == std::io::ErrorKind::BrokenPipe;
    error.to_string() == CANNOT_WRITE && error.root_cause().downcast_ref().is_some_and(is_closed)
}

/// Columns as wide as their widest cell, the last one as it is. No line ends in blanks.
pub(crate) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// A rule in words: its URLs, and what is not usual about it.
pub(crate) fn rule(rule: &Rule) -> String {
    let include = match rule.include.as_slice() {
        [] => "no URL, so it needs a [[site]] table".to_owned(),
        patterns => patterns.iter().map(|pattern| any(pattern)).collect::<Vec<_>>().join(", "),
    };
    let mut more = Vec::new();
    if !rule.exclude.is_empty() {
        more.push(format!("not {}", rule.exclude.join(", ")));
    }
    if rule.priority != DEFAULT_PRIORITY {
        more.push(format!("priority {}", rule.priority));
    }
    more.extend(rule.instead_of.as_ref().map(|site| format!("instead of {site}")));
    if more.is_empty() { include } else { format!("{include} ({})", more.join("; ")) }
}

fn any(pattern: &str) -> &str {
    if pattern.is_empty() { "every URL" } else { pattern }
}

/// Several rules in words.
pub(crate) fn rules(rules: &[Rule]) -> String {
    match rules {
        [] => "none, so it needs a [[site]] table".to_owned(),
        rules => rules.iter().map(rule).collect::<Vec<_>>().join("; "),
    }
}

/// A rule as JSON.
pub(crate) fn rule_to_json(rule: &Rule) -> Value {
    json!({"include": rule.include, "exclude": rule.exclude, "priority": rule.priority, "instead_of": rule.instead_of})
}

/// A number of bytes for people.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        0..1_024 => format!("{count} B"),
        1_024..1_048_576 => format!("{} KiB", count.div_ceil(1_024)),
        1_048_576.. => format!("{:.1} MiB", count as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "bbb", ""], ["aaaa", "b", "c"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), ["a     bbb", "aaaa  b    c"]);
    }

    #[test]
    fn a_rule_says_what_is_not_usual_about_it() {
        let plain = Rule { include: vec!["a.example".into(), "b.example".into()], ..Rule::default() };
        assert_eq!(rule(&plain), "a.example, b.example");
        let special = Rule { exclude: vec!["/help".into()], priority: 600, instead_of: Some("x".into()), ..plain };
        assert_eq!(rule(&special), "a.example, b.example (not /help; priority 600; instead of x)");
        assert_eq!(rule(&Rule { include: vec![String::new()], ..Rule::default() }), "every URL");
        assert!(rules(&[]).contains("[[site]]") && rule(&Rule::default()).contains("[[site]]"));
    }

    #[test]
    fn bytes_have_a_unit() {
        for (count, words) in [(0, "0 B"), (1_023, "1023 B"), (81_900, "80 KiB"), (12_500_000, "11.9 MiB")] {
            assert_eq!(bytes(count), words);
        }
    }
}
