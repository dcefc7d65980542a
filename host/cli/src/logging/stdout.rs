//! Standard output: what commands show, and the lines of a crawl that goes there.

use std::io::{self, IsTerminal, Write};

use super::escape::escaped;
use super::lines::Lines;

/// Writes lines and flushes them.
pub(crate) fn print(lines: impl Into<Lines>) -> io::Result<()> {
    let mut stdout = stdout().lock();
    writeln!(stdout, "{}", lines.into()).and_then(|()| stdout.flush())
}

/// Whether people look at it.
pub(crate) fn is_terminal() -> bool {
    stdout().is_terminal()
}

/// A place for documents of one line each, untouched but for what a terminal would obey.
pub(crate) fn sink() -> Box<dyn Write + Send> {
    if is_terminal() { Box::new(Shown(stdout())) } else { Box::new(stdout()) }
}

#[expect(clippy::disallowed_methods, reason = "this is where everybody else is sent")]
fn stdout() -> io::Stdout {
    io::stdout()
}

/// JSON on a terminal.
struct Shown<W>(W);

impl<W: Write> Write for Shown<W> {
    /// Takes whole lines.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, end) = line.strip_suffix(b"\n").map_or((line, &b""[..]), |text| (text, b"\n"));
            self.0.write_all(escaped(&String::from_utf8_lossy(text)).as_bytes())?;
            self.0.write_all(end)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_on_a_terminal_commands_nothing_and_means_the_same() {
        let mut shown = Shown(Vec::new());
        shown.write_all("{\"html\":\"\u{9b}2J\u{202e}é\"}\n{}\n".as_bytes()).unwrap();
        assert_eq!(String::from_utf8(shown.0).unwrap(), "{\"html\":\"\\u009b2J\\u202eé\"}\n{}\n");
    }
}
