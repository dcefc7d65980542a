//! Writes the lines of a crawl: to a file or to standard output, each one at once.

use std::fs::File;
use std::io::{self, Seek, Write};

use anyhow::Context;

/// Where lines go.
pub(crate) struct Output {
    sink: Box<dyn Write + Send>,
    line: Vec<u8>,
    whole: Option<Whole>,
}

/// A file, and how long it is with its complete lines.
struct Whole {
    file: File,
    length: u64,
}

impl Output {
    /// Writes to a file from its position on. A line that does not fit on the disk is taken back, so that only whole lines stay.
    pub(crate) fn file(mut file: File) -> anyhow::Result<Self> {
        let is_regular = file.metadata().context("cannot tell what the output is")?.is_file();
        let whole = match is_regular {
            true => Some(Whole { length: file.stream_position()?, file: file.try_clone()? }),
            false => None,
        };
        Ok(Self { whole, ..Self::to(Box::new(file)) })
    }

    /// Writes to anything.
    pub(crate) fn to(sink: Box<dyn Write + Send>) -> Self {
        Self { sink, line: Vec::new(), whole: None }
    }

    /// Writes a line and flushes it.
    pub(crate) fn write_line(&mut self, line: &str) -> io::Result<()> {
        self.line.clear();
        self.line.extend_from_slice(line.as_bytes());
        self.line.push(b'\n');
        let written = self.sink.write_all(&self.line).and_then(|()| self.sink.flush());
        let Some(whole) = &mut self.whole else { return written };
        match &written {
            Ok(()) => whole.length += self.line.len() as u64,
            // Where even that fails the line stays cut off.
            Err(_) => drop(whole.file.set_len(whole.length)),
        }
        written
    }
}
