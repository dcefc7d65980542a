//! The progress bar: shown on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::crawl::{Tally, Watch};
use crate::logging::Screen;

/// A bar over the input's bytes, or over the number of requests where that is known.
pub(crate) struct Progress {
    bar: ProgressBar,
    unit: Unit,
}

/// What the bar measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// So many requests.
    Requests(u64),
    /// So many bytes of input.
    Bytes(u64),
    /// Nobody knows how much there is.
    Unknown,
}

impl Progress {
    /// Shows nothing: for answers that go to the terminal themselves.
    pub(crate) fn hidden() -> Self {
        Self { bar: ProgressBar::hidden(), unit: Unit::Unknown }
    }

    /// Draws a bar on the screen; nothing where standard error is no terminal.
    pub(crate) fn new(screen: &Screen, unit: Unit) -> Self {
        let (bar, template) = match unit {
            Unit::Requests(length) | Unit::Bytes(length) => {
                (ProgressBar::new(length), "{wide_bar} {percent}% {msg} {elapsed}, {eta} to go")
            }
            Unit::Unknown => (ProgressBar::no_length(), "{spinner} {msg} {elapsed}"),
        };
        let bar = screen.bars().add(bar);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, unit }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Progress {
    fn line_done(&self, tally: &Tally, bytes_read: u64) {
        match self.unit {
            Unit::Requests(_) => self.bar.set_position(tally.started()),
            Unit::Bytes(_) => self.bar.set_position(bytes_read),
            Unit::Unknown => {}
        }
        if !self.bar.is_hidden() {
            self.bar.set_message(format!("{} pages, {} failed", tally.ok, tally.failed));
        }
    }
}
