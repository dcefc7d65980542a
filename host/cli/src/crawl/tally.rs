//! What became of the lines of the input.

use serde_json::{Map, Value, json};

/// Counts of input lines. Requests that were started are counted by the engine; here is what it never saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Requests with an answer.
    pub(crate) ok: u64,
    /// Requests that failed, duplicates apart.
    pub(crate) failed: u64,
    /// Requests that an earlier one had asked for.
    pub(crate) duplicates: u64,
    /// Lines that are no request; they count as failed, too.
    pub(crate) bad_lines: u64,
    /// Requests that were under way when the crawl was stopped at once.
    pub(crate) aborted: u64,
    /// Lines that were not started because the crawl ended early; none where nobody knows how many they were.
    pub(crate) not_started: Option<u64>,
}

impl Tally {
    /// Lines that were looked at.
    pub(crate) fn started(&self) -> u64 {
        self.ok + self.failed + self.duplicates + self.aborted
    }

    /// Adds what the engine cannot know to its counters.
    pub(crate) fn complete(&self, requests: &mut Map<String, Value>) {
        for (name, value) in [
            ("total", json!(self.started())),
            ("ok", json!(self.ok)),
            ("failed", json!(self.failed)),
            ("duplicates", json!(self.duplicates)),
            ("aborted", json!(self.aborted)),
            ("not_started", json!(self.not_started)),
        ] {
            requests.insert(name.to_owned(), value);
        }
        if let Some(Value::Object(kinds)) = requests.get_mut("failed_by_kind")
            && self.bad_lines > 0
        {
            kinds.insert("bad-request".to_owned(), json!(self.bad_lines));
        }
    }
}
