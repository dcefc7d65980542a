//! API calls that a plugin makes itself while a session is initialised.

use std::fmt;

use crate::{Params, Response, wire};

/// Runs one API call for the session being initialised and waits for its answer.
///
/// The parameters get the session's id unless they say `"session": null`. Allowed in `params` and `init_session` only;
/// elsewhere the error's kind is `refused`.
pub fn download(params: impl Into<Params>) -> Result<Response, DownloadError> {
    let params: Params = params.into();
    wire::download(&params.to_json()).map(Response::new)
}

/// Why a download failed.
///
/// Handed on with `?` it reaches the host unchanged, which then knows whether to wait, to try again or to give up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadError {
    /// What the host calls this failure.
    pub token: u32,
    /// `api`, `network` or `refused`.
    pub kind: String,
    /// The HTTP status of the API's answer, 0 without one.
    pub status: u16,
    /// The problem type, such as `/download/temporary-error`; empty without one.
    pub problem_type: String,
    /// What happened, in words.
    pub message: String,
}

impl fmt::Display for DownloadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "download failed ({})", self.kind)?;
        if self.status != 0 {
            write!(formatter, ", status {}", self.status)?;
        }
        if !self.problem_type.is_empty() {
            write!(formatter, ", {}", self.problem_type)?;
        }
        write!(formatter, ": {}", self.message)
    }
}

impl std::error::Error for DownloadError {}
