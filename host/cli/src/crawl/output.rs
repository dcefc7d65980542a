//! Writes the lines of a crawl: to a file or to standard output, each one at once.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::sync::mpsc as blocking;

use anyhow::Context;
use tokio::sync::mpsc;

/// Where lines go, one after the other.
pub(crate) struct Output {
    sink: Sink,
    /// A line has been begun, and nobody has heard yet what became of it.
    is_busy: bool,
}

enum Sink {
    File(Whole, Option<io::Result<()>>),
    /// A pipe may have a reader that stalls: a thread of its own waits for it.
    Stream {
        lines: blocking::Sender<Vec<u8>>,
        written: mpsc::Receiver<io::Result<()>>,
    },
}

/// A file, and how long it is with its complete lines.
struct Whole {
    file: File,
    length: u64,
}

impl Output {
    /// Writes to a file from its position on. A line that does not fit on the disk is taken back, so that only whole lines stay.
    pub(crate) fn file(mut file: File) -> anyhow::Result<Self> {
        if !file.metadata().context("cannot tell what the output is")?.is_file() {
            return Ok(Self::to(Box::new(file)));
        }
        let whole = Whole { length: file.stream_position()?, file };
        Ok(Self { sink: Sink::File(whole, None), is_busy: false })
    }

    /// Writes to anything, in a thread that nobody joins.
    pub(crate) fn to(mut stream: Box<dyn Write + Send>) -> Self {
        let (lines, to_write) = blocking::channel::<Vec<u8>>();
        let (done, written) = mpsc::channel(1);
        std::thread::spawn(move || {
            for line in to_write {
                let result = stream.write_all(&line).and_then(|()| stream.flush());
                if done.blocking_send(result).is_err() {
                    return;
                }
            }
        });
        Self { sink: Sink::Stream { lines, written }, is_busy: false }
    }

    /// Begins to write a line. Not to be called while another one is being written.
    pub(crate) fn begin(&mut self, line: &str) {
        debug_assert!(!self.is_busy, "two lines at once");
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        self.is_busy = true;
        match &mut self.sink {
            Sink::File(whole, result) => *result = Some(whole.write(&bytes)),
            // A thread that is gone is heard of when its answer does not come.
            Sink::Stream { lines, .. } => drop(lines.send(bytes)),
        }
    }

    /// Has a line been begun that is not known to be written?
    pub(crate) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Waits no longer for the line that was begun: its reader stalls. Nothing can be written any more.
    pub(crate) fn give_up(&mut self) {
        self.is_busy = false;
    }

    /// Resolves when the line that was begun is written and flushed, or cannot be. Cancel-safe.
    pub(crate) async fn written(&mut self) -> io::Result<()> {
        let result = match &mut self.sink {
            Sink::File(_, result) => result.take().unwrap_or(Ok(())),
            Sink::Stream { written, .. } => written.recv().await.unwrap_or_else(|| Err(io::ErrorKind::BrokenPipe.into())),
        };
        self.is_busy = false;
        result
    }
}

impl Whole {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(line);
        match &written {
            Ok(()) => self.length += line.len() as u64,
            // Where even that fails the line stays cut off.
            Err(_) => drop(self.file.set_len(self.length)),
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_is_there_when_it_is_said_to_be_written() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for mut output in [
            Output::file(file.reopen().unwrap()).unwrap(),
            Output::to(Box::new(File::options().append(true).open(file.path()).unwrap())),
        ] {
            assert!(!output.is_busy());
            output.begin("a line");
            assert!(output.is_busy());
            output.written().await.unwrap();
            assert!(!output.is_busy());
        }
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "a line\na line\n");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_line_that_cannot_be_written_is_told() {
        let mut output = Output::file(File::create("/dev/full").unwrap()).unwrap();
        output.begin("a line");
        assert_eq!(output.written().await.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
