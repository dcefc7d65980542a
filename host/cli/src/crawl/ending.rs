//! How a crawl ended, and what the caller of the process is told.

use std::process::ExitCode;

use super::tally::Tally;

/// How a crawl ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The input was read to its end, and every line has its result.
    Finished,
    /// Something asked to end it: the reason.
    Closed(String),
    /// Ctrl-C, SIGTERM or SIGHUP.
    Interrupted,
    /// The input could not be read on.
    InputBroken(String),
    /// Nobody takes the output any more: a pipe that was closed.
    OutputGone,
    /// The output could not be written, or another of the crawl's files.
    OutputBroken(String),
}

impl Ending {
    /// The word in the stats file.
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Finished => "finished",
            Self::Closed(reason) => reason,
            Self::Interrupted => "interrupted",
            Self::InputBroken(_) => "input_error",
            Self::OutputGone | Self::OutputBroken(_) => "output_error",
        }
    }

    /// What to say about it; nothing where all is well.
    pub(crate) fn message(&self) -> Option<String> {
        match self {
            Self::Finished => None,
            Self::Closed(reason) => Some(format!("the crawl was closed early: {reason}")),
            Self::Interrupted => Some("the crawl was interrupted".to_owned()),
            Self::InputBroken(error) => Some(format!("the input cannot be read on: {error}")),
            Self::OutputGone => Some("nobody reads the output any more".to_owned()),
            Self::OutputBroken(error) => Some(format!("the output cannot be written: {error}")),
        }
    }

    /// A file beside the output could not be written: told at once, and no success.
    pub(crate) fn lacks(&mut self, error: &anyhow::Error) {
        tracing::error!("{error:#}");
        if *self == Self::Finished {
            *self = Self::OutputBroken(format!("{error:#}"));
        }
    }

    /// The exit code: 0 all answered, 1 some failed, 3 closed early, 130 interrupted.
    pub(crate) fn exit_code(&self, tally: &Tally) -> ExitCode {
        match self {
            Self::Finished if tally.failed == 0 => ExitCode::SUCCESS,
            Self::Finished => ExitCode::from(1),
            Self::Interrupted => ExitCode::from(130),
            Self::Closed(_) | Self::InputBroken(_) | Self::OutputGone | Self::OutputBroken(_) => ExitCode::from(3),
        }
    }
}

impl Tally {
    /// Were there no lines at all?
    pub(crate) fn is_empty(&self) -> bool {
        self.started() == 0 && self.not_started.unwrap_or_default() == 0
    }
}
