//! Where text for people goes, made harmless on the way: log records and messages to standard error, above the progress bar where
//! there is one, and what commands show to standard output. Nobody else writes to either.

mod escape;
mod keys;
mod lines;
mod record;
mod stderr;
pub(crate) mod stdout;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal, Write};

use indicatif::MultiProgress;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub(crate) use keys::hide_keys;
pub(crate) use lines::{Lines, Listed};

use self::record::Records;
use self::stderr::Stderr;
use crate::args::LogLevel;

/// The terminal's last lines, shared by the log and the progress bar.
#[derive(Clone)]
pub(crate) struct Screen {
    bars: MultiProgress,
    stderr: Stderr,
}

impl Default for Screen {
    fn default() -> Self {
        let bars = MultiProgress::default();
        let above = bars.clone();
        let stderr = Stderr::to(move |text| {
            // If nobody can read it there is nobody to tell.
            let _ = match stderr().is_terminal() {
                true => above.suspend(|| stderr().write_all(text)),
                // Nothing is drawn there, so those who draw need not wait.
                false => stderr().write_all(text),
            };
        });
        Self { bars, stderr }
    }
}

impl Screen {
    /// The place for progress bars.
    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Writes lines for people to standard error, and waits until they are there unless nobody reads.
    pub(crate) fn say(&self, lines: impl Into<Lines>) {
        self.stderr.push(format!("{}\n", lines.into()).into_bytes());
        self.finish();
    }

    /// Waits until all that was said and logged is there, unless nobody reads.
    pub(crate) fn finish(&self) {
        self.stderr.flush();
    }
}

/// The text of a JSON document without API keys and without what a terminal would obey. It means the same.
pub(crate) fn harmless(json: &str) -> String {
    escape::escaped(&keys::without_keys(json)).into_owned()
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
        .with_ansi(false)
        .event_format(Records { colours: stderr().is_terminal(), targets: level == LogLevel::Trace })
        .with_writer(LineWriter(screen.clone()));
    // Only a second start can fail, and then the first one serves.
    let _ = tracing_subscriber::registry().with(lines.with_filter(targets)).try_init();
}

/// Tells panics, which are faults of this program, like everything else.
pub(crate) fn tell_panics(screen: &Screen) {
    let screen = screen.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let mut lines = Lines::from(format!("carousel: a fault of this program: {panic}"));
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            lines.extend(backtrace.to_string().lines().map(str::to_owned));
        }
        screen.say(lines);
    }));
}

#[expect(clippy::disallowed_methods, reason = "this is where everybody else is sent")]
fn stderr() -> io::Stderr {
    io::stderr()
}

struct LineWriter(Screen);

/// One log record, passed on when it is complete.
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
        self.screen.stderr.push(std::mem::take(&mut self.text));
    }
}
