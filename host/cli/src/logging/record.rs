//! How a log record is written: level, spans, fields. It is one line whatever its values are.

use std::fmt::{self, Write};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::escape::escaped;
use super::keys::without_keys;

/// What begins each line of a plugin's backtrace: of several lines, these alone stay lines of their own.
const FRAME: &str = "\n    in ";

/// The form of log records.
pub(super) struct Records {
    /// Whether levels have colours.
    pub(super) colours: bool,
    /// Whether it is said whose record it is.
    pub(super) targets: bool,
}

impl<S, N> FormatEvent<S, N> for Records
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut text = String::new();
        for span in context.event_scope().into_iter().flat_map(|spans| spans.from_root()) {
            text.push_str(span.name());
            let extensions = span.extensions();
            if let Some(fields) = extensions.get::<FormattedFields<N>>().filter(|fields| !fields.is_empty()) {
                write!(text, "{{{fields}}}")?;
            }
            text.push_str(": ");
        }
        if self.targets {
            write!(text, "{}: ", event.metadata().target())?;
        }
        context.format_fields(Writer::new(&mut text), event)?;
        self.write_level(&mut writer, *event.metadata().level())?;
        let text = without_keys(&text);
        let lines: Vec<_> = text.split(FRAME).map(escaped).collect();
        writeln!(writer, " {}", lines.join(FRAME).trim_end())
    }
}

impl Records {
    fn write_level(&self, writer: &mut Writer<'_>, level: Level) -> fmt::Result {
        let colour = match level {
            Level::ERROR => 31,
            Level::WARN => 33,
            Level::INFO => 32,
            Level::DEBUG => 34,
            Level::TRACE => 35,
        };
        match self.colours {
            true => write!(writer, "\u{1b}[{colour}m{level:>5}\u{1b}[0m"),
            false => write!(writer, "{level:>5}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(colours: bool, log: impl FnOnce()) -> String {
        let memory = Memory::default();
        let writer = memory.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .event_format(Records { colours, targets: false })
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), log);
        let text = memory.0.lock().unwrap().clone();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_record_is_one_line_whatever_stands_in_any_form_of_field_at_any_level() {
        let evil = "x\r\nERROR forged\u{1b}]0;t\u{7}\u{9b}2J\u{202e}";
        let told = logged(false, || {
            let span = tracing::error_span!("crawl", pool = evil, site = %evil, session = ?evil);
            let _inside = span.enter();
            tracing::error!(pool = evil, "{evil}");
            tracing::warn!(url = %evil, "m");
            tracing::info!(detail = ?evil, "m");
            tracing::debug!(evil);
            tracing::trace!("{}", evil);
        });
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 5, "{told}");
        for (line, level) in lines.iter().zip(["ERROR ", " WARN ", " INFO ", "DEBUG ", "TRACE "]) {
            assert!(line.starts_with(level) && line.contains("ERROR forged"), "{line}");
            assert_eq!(escaped(line), *line, "nothing is left to escape");
        }
    }

    #[test]
    fn a_backtrace_keeps_its_lines_and_colours_are_ours() {
        let told = logged(true, || tracing::warn!("trapped\n    in shop::check\n    in call\nERROR forged"));
        assert_eq!(told, "\u{1b}[33m WARN\u{1b}[0m trapped\n    in shop::check\n    in call\\nERROR forged\n");
    }
}
