//! Where log lines go: to standard error, above the progress bar where there is one.

use std::io::{self, IsTerminal, Write};

use indicatif::MultiProgress;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::LogLevel;

/// The terminal's last lines, shared by the log and the progress bar.
#[derive(Clone, Default)]
pub(crate) struct Screen {
    bars: MultiProgress,
}

impl Screen {
    /// The place for progress bars.
    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Writes text for people to standard error.
    pub(crate) fn say(&self, text: &str) {
        // If nobody can read it there is nobody to tell.
        let _ = self.bars.suspend(|| writeln!(io::stderr(), "{text}"));
    }
}

/// Whose everyday news are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Ours and those of plugins.
    All,
    /// Those of plugins: the command is about them, and says itself what it does.
    OfPlugins,
}

/// Sends log records to standard error. Of other people's code only warnings are shown, unless everything is asked for.
pub(crate) fn start(level: LogLevel, news: News, screen: &Screen) {
    let plugins = LevelFilter::from(level);
    let ours = if news == News::OfPlugins && level == LogLevel::Info { LevelFilter::WARN } else { plugins };
    let others = if level == LogLevel::Trace { LevelFilter::TRACE } else { ours.min(LevelFilter::WARN) };
    let targets = Targets::new().with_default(others).with_target("carousel", ours).with_target("plugin", plugins);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(LineWriter(screen.clone()))
        .with_ansi(io::stderr().is_terminal())
        .with_target(level == LogLevel::Trace)
        .without_time();
    // Only a second start can fail, and then the first one serves.
    let _ = tracing_subscriber::registry().with(lines.with_filter(targets)).try_init();
}

struct LineWriter(Screen);

/// One log record, written at once when it is complete.
struct Record<'s> {
    screen: &'s Screen,
    text: Vec<u8>,
}

impl<'s> MakeWriter<'s> for LineWriter {
    type Writer = Record<'s>;

    fn make_writer(&'s self) -> Record<'s> {
        Record { screen: &self.0, text: Vec::new() }
    }
}

impl Write for Record<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        let _ = self.screen.bars.suspend(|| io::stderr().write_all(&self.text));
    }
}
