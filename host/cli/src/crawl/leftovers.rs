//! The lines that a crawl left without a result because it ended early, as a file that `crawl` takes as input.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

/// Where such lines go. Of the input it holds what has been read and has no result yet.
pub(crate) struct Leftovers {
    file: BufWriter<Box<dyn Write + Send>>,
    pending: BTreeMap<u64, Arc<str>>,
    /// The first thing that went wrong.
    fault: Option<io::Error>,
}

impl Leftovers {
    /// Writes to anything.
    pub(crate) fn to(sink: Box<dyn Write + Send>) -> Self {
        Self { file: BufWriter::new(sink), pending: BTreeMap::new(), fault: None }
    }

    /// A line was read.
    pub(crate) fn add(&mut self, line: u64, text: Arc<str>) {
        self.pending.insert(line, text);
    }

    /// A line has its result; if that is nothing but the early end of the crawl it is left over.
    pub(crate) fn settle(&mut self, line: u64, is_left_over: bool) {
        if let Some(text) = self.pending.remove(&line).filter(|_| is_left_over) {
            self.write(&text);
        }
    }

    /// What was read and has no result is left over.
    pub(crate) fn flush_pending(&mut self) {
        for text in std::mem::take(&mut self.pending).into_values() {
            self.write(&text);
        }
    }

    /// Writes a line that was never started.
    pub(crate) fn write(&mut self, text: &str) {
        if self.fault.is_none() {
            self.fault = self.file.write_all(text.as_bytes()).and_then(|()| self.file.write_all(b"\n")).err();
        }
    }

    /// Brings all to the disk. An error where a line is missing there.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.fault.take().map_or(Ok(()), Err)?;
        self.file.flush()
    }
}
