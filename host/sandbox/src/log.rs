//! What a plugin writes to the log in one call: bounded, under the plugin's and the site's name.

use std::sync::Arc;

use tracing::Level;

use crate::words::{cut, plain};

/// Who writes.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    pub(crate) plugin: Arc<str>,
    pub(crate) site: Arc<str>,
}

/// The log of one call.
#[derive(Debug)]
pub(crate) struct Log {
    writer: Writer,
    left: u32,
    dropped: u64,
    last_panic: Option<Panic>,
}

/// A panic that the guest told of.
#[derive(Debug)]
struct Panic {
    place: String,
    message: String,
}

/// The words that a Rust panic begins with, in the log of the SDK and on stderr.
const PANICKED: &str = "panicked at ";

impl Log {
    pub(crate) fn new(writer: Writer, lines: u32) -> Self {
        Self { writer, left: lines, dropped: 0, last_panic: None }
    }

    /// Writes one message, each line of it as a record of its own; levels that are not known count as `info`.
    pub(crate) fn write(&mut self, level: &str, message: &str) {
        let level = match level {
            "error" => Level::ERROR,
            "warn" => Level::WARN,
            "debug" => Level::DEBUG,
            "trace" => Level::TRACE,
            _ => Level::INFO,
        };
        self.note_panic(message);
        if is_panic(message) {
            return self.record(Level::DEBUG, message);
        }
        // A message of no lines is one, too.
        let (first, rest) = message.split_once('\n').unwrap_or((message, ""));
        std::iter::once(first).chain(rest.lines()).for_each(|line| self.record(level, line.trim_end_matches('\r')));
    }

    /// Writes a line of standard output or standard error.
    pub(crate) fn line(&mut self, level: Level, line: &str) {
        self.note_panic(line);
        self.record(if is_panic(line) { Level::DEBUG } else { level }, line);
    }

    fn record(&mut self, level: Level, message: &str) {
        let Some(left) = self.left.checked_sub(1) else {
            self.dropped += 1;
            return;
        };
        self.left = left;
        emit(&self.writer, level, &plain(message));
    }

    /// What the guest said of its panic: the message, then the place.
    pub(crate) fn panic(&self) -> Option<String> {
        let panic = self.last_panic.as_ref()?;
        Some(format!("{} (at {})", plain(&panic.message), plain(&panic.place)))
    }

    /// A panic comes as one message of two lines, or on stderr line by line.
    fn note_panic(&mut self, message: &str) {
        if let Some((_, rest)) = message.split_once(PANICKED) {
            let (place, text) = rest.split_once('\n').unwrap_or((rest, ""));
            let place = cut(place.trim_end_matches(':')).to_owned();
            self.last_panic = Some(Panic { place, message: cut(text).to_owned() });
        } else if let Some(panic) = &mut self.last_panic
            && panic.message.is_empty()
        {
            panic.message = cut(message).to_owned();
        }
    }
}

/// Whether a message is that of a panic. It is told where the call is stopped, with the reason; as a line of its own it would come
/// a million times.
fn is_panic(message: &str) -> bool {
    message.starts_with(PANICKED) || (message.starts_with("thread '") && message.contains(PANICKED))
}

impl Drop for Log {
    fn drop(&mut self) {
        if self.dropped > 0 {
            emit(&self.writer, Level::WARN, &format!("{} further lines of this call were dropped", self.dropped));
        }
    }
}

fn emit(Writer { plugin, site }: &Writer, level: Level, message: &str) {
    let (plugin, site) = (&**plugin, &**site);
    match level {
        Level::ERROR => tracing::error!(target: "plugin", plugin, site, "{message}"),
        Level::WARN => tracing::warn!(target: "plugin", plugin, site, "{message}"),
        Level::INFO => tracing::info!(target: "plugin", plugin, site, "{message}"),
        Level::DEBUG => tracing::debug!(target: "plugin", plugin, site, "{message}"),
        Level::TRACE => tracing::trace!(target: "plugin", plugin, site, "{message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: u32) -> Log {
        Log::new(Writer { plugin: "p".into(), site: "s".into() }, lines)
    }

    #[test]
    fn a_panic_is_recognised_in_one_message_and_line_by_line() {
        let mut log = log(10);
        log.write("error", "panicked at src/lib.rs:3:5:\nno luck");
        assert_eq!(log.panic().as_deref(), Some("no luck (at src/lib.rs:3:5)"));
        log.line(Level::WARN, "thread '<unnamed>' panicked at src/a.rs:1:2:");
        log.line(Level::WARN, "bad day");
        log.line(Level::WARN, "note: run with RUST_BACKTRACE=1");
        assert_eq!(log.panic().as_deref(), Some("bad day (at src/a.rs:1:2)"));
    }

    #[test]
    fn lines_over_the_bound_are_counted_and_a_panic_among_them_is_still_seen() {
        let mut log = log(1);
        log.write("info", "a\r\nb\n");
        log.write("info", "c");
        log.write("error", "panicked at x:\ny");
        assert_eq!((log.left, log.dropped), (0, 3));
        assert_eq!(log.panic().as_deref(), Some("y (at x)"));
    }

    #[test]
    fn a_panic_is_no_longer_than_a_line_however_it_is_told() {
        let mut log = log(1);
        log.write("error", &format!("panicked at {}", "x".repeat(1 << 20)));
        assert!(log.panic().is_some_and(|panic| panic.len() < 3 * crate::words::MAX_BYTES));
    }
}
