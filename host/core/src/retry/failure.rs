//! What went wrong with an API call, and which class of errors that is.

/// A failed API call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure<'a> {
    /// No usable answer: a timeout, a broken connection, a body cut short, an answer that is not JSON by its content type.
    Network,
    /// An answer other than 200.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The `type` of the problem, if the body has one.
        problem: Option<&'a str>,
    },
}

/// The classes of failures that policies tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// No usable answer.
    Network,
    /// 429 and 503: too many requests, or a service under load.
    Throttling,
    /// 520: the page could not be downloaded this time.
    TemporaryDownload,
    /// 521: the page cannot be downloaded, it seems.
    PermanentDownload,
    /// Any other status from 500 on.
    Undocumented,
    /// 402: a payment is asked for.
    Payment,
    /// A problem of the session, told by its type: the pool's business.
    Session,
    /// Anything else: repeating it would not help.
    Other,
}

impl Failure<'_> {
    /// The API could not connect to the website, this time.
    pub fn is_connection_error(&self) -> bool {
        matches!(self, Self::Answer { problem: Some("/website/connection-error"), .. })
    }

    /// Classifies the failure, by its type before its status.
    pub fn class(&self) -> ErrorClass {
        match *self {
            Self::Network => ErrorClass::Network,
            Self::Answer { problem: Some(problem), .. } if is_session_problem(problem) => ErrorClass::Session,
            Self::Answer { status, .. } => class_of_status(status),
        }
    }
}

fn is_session_problem(problem: &str) -> bool {
    matches!(problem, "/problem/session-expired" | "/problem/over-session-limit" | "/problem/session-creation-error")
}

fn class_of_status(status: u16) -> ErrorClass {
    match status {
        402 => ErrorClass::Payment,
        429 | 503 => ErrorClass::Throttling,
        520 => ErrorClass::TemporaryDownload,
        521 => ErrorClass::PermanentDownload,
        500.. => ErrorClass::Undocumented,
        _ => ErrorClass::Other,
    }
}
