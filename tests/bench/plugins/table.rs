//! The one table that the benchmark prints: what was measured, beside what it should be.

use std::fmt;

/// Rows, in the order in which they were measured.
#[derive(Default)]
pub(crate) struct Table(Vec<Row>);

struct Row {
    what: String,
    measured: String,
    wanted: String,
    holds: Option<bool>,
}

impl Table {
    /// A figure without a bound, for comparison.
    pub(crate) fn figure(&mut self, what: impl Into<String>, measured: impl Into<String>) {
        self.0.push(Row { what: what.into(), measured: measured.into(), wanted: String::new(), holds: None });
    }

    /// A figure with what it should be, and whether it is.
    pub(crate) fn check(&mut self, what: impl Into<String>, measured: impl Into<String>, wanted: impl Into<String>, holds: bool) {
        self.0.push(Row { what: what.into(), measured: measured.into(), wanted: wanted.into(), holds: Some(holds) });
    }

    /// Words under the row before.
    pub(crate) fn note(&mut self, words: impl Into<String>) {
        self.figure(words, "");
    }

    /// Whether every row with a bound keeps it.
    pub(crate) fn holds(&self) -> bool {
        self.0.iter().all(|row| row.holds != Some(false))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Words may be long, and the columns are not made for them.
        let rows = || self.0.iter().filter(|row| !row.measured.is_empty());
        let width = |column: fn(&Row) -> &str| rows().map(|row| column(row).chars().count()).max().unwrap_or_default();
        let (what, measured) = (width(|row| &row.what), width(|row| &row.measured));
        let wanted = width(|row| &row.wanted);
        for row in &self.0 {
            let verdict = match row.holds {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "",
            };
            let line = format!("{:<what$}  {:>measured$}  {:<wanted$}  {verdict}", row.what, row.measured, row.wanted);
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
