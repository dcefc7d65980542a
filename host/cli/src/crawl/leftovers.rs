//! The lines that a crawl left without a result because it ended early, as a file that `crawl` takes as input.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

/// Where such lines go. Of the input it holds what has been read and has no result yet.
pub(crate) struct Leftovers {
    file: BufWriter<Box<dyn Write + Send>>,
    pending: BTreeMap<u64, Arc<str>>,
}

impl Leftovers {
    /// Creates the file. The input itself is refused.
    pub(crate) fn create(path: &Path, input: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(input) = input
            && let (Ok(input), Ok(own)) = (input.canonicalize(), path.canonicalize())
            && input == own
        {
            anyhow::bail!("the file for leftovers {} is the input file: it would be lost", path.display());
        }
        let file = File::create(path).with_context(|| format!("cannot write the file for leftovers {}", path.display()))?;
        Ok(Self::to(Box::new(file)))
    }

    /// Writes to anything.
    pub(crate) fn to(sink: Box<dyn Write + Send>) -> Self {
        Self { file: BufWriter::new(sink), pending: BTreeMap::new() }
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
        if let Err(error) = self.file.write_all(text.as_bytes()).and_then(|()| self.file.write_all(b"\n")) {
            tracing::error!("a line is missing from the leftovers: {error}");
        }
    }

    /// Brings all to the disk.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
