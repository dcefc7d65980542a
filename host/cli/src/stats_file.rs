//! The counters of a crawl as one JSON document: the engine's, completed by what only the command line knows.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use serde_json::{Value, json};

use crate::crawl::{Ending, Tally};
use crate::logging::harmless;

/// Completes the engine's counters: how the crawl ended, what became of the input lines, what the plugins did.
pub(crate) fn document(mut report: Value, ending: &Ending, tally: &Tally, sites: Value) -> Value {
    if let Value::Object(members) = &mut report {
        members.insert("close_reason".to_owned(), json!(ending.reason()));
        members.insert("sites".to_owned(), sites);
        if let Some(Value::Object(requests)) = members.get_mut("requests") {
            tally.complete(requests);
        }
    }
    report
}

/// A stats file that is known to be writable before the crawl begins.
pub(crate) struct StatsFile {
    file: File,
    path: PathBuf,
}

impl StatsFile {
    /// A file that can be written.
    pub(crate) fn new(path: PathBuf, file: File) -> Self {
        Self { file, path }
    }

    /// Writes the document.
    pub(crate) fn write(mut self, document: &Value) -> anyhow::Result<()> {
        let text: String = serde_json::to_string_pretty(document)?.lines().map(|line| harmless(line) + "\n").collect();
        self.file.write_all(text.as_bytes()).with_context(|| format!("cannot write the stats file {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_says_how_it_ended_and_counts_lines_that_never_became_requests() {
        let report = json!({
            "close_reason": "finished",
            "requests": {"total": 2, "ok": 1, "failed": 1, "failed_by_kind": {"api": 1}, "retries": {"count": 4}},
            "sessions": {"init/check-passed": 1},
        });
        let tally = Tally { ok: 1, failed: 2, bad_lines: 1, not_started: Some(7), ..Tally::default() };
        let document = document(report, &Ending::Closed("pool_error".to_owned()), &tally, json!({}));
        assert_eq!(
            document,
            json!({
                "close_reason": "pool_error",
                "requests": {
                    "total": 3, "ok": 1, "failed": 2, "failed_by_kind": {"api": 1, "bad-request": 1}, "retries": {"count": 4},
                    "duplicates": 0, "aborted": 0, "not_started": 7,
                },
                "sessions": {"init/check-passed": 1},
                "sites": {},
            })
        );
    }
}
