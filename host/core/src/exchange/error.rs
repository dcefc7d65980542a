//! Why a call to the API has no answer.

use std::fmt;
use std::time::Duration;

/// Characters of a body that a message repeats.
const MOST_TOLD: usize = 120;

/// A failed call, after the transport did what it could.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The API answered with an error.
    Api(Box<Problem>),
    /// No usable answer arrived.
    Network(NetworkError),
    /// The API answered 200 with something that is not a JSON object; it may have been billed and is not repeated.
    BadAnswer(String),
}

/// An error answer of the API: a problem document (RFC 9457), or just a status where the body is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The problem type, such as `/problem/session-expired`; `about:blank` where the body has none.
    pub kind: String,
    /// A short text for people; never to be matched on.
    pub title: String,
    /// A longer text for people; never to be matched on.
    pub detail: String,
    /// The `request-id` header, which Zyte's support asks for.
    pub request_id: Option<String>,
    /// The `Retry-After` header.
    pub retry_after: Option<Duration>,
    /// The body as it came.
    pub body: String,
}

/// What went wrong between us and the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkError {
    /// No answer within the time limit.
    Timeout(Duration),
    /// No connection could be made.
    Connect(String),
    /// The connection ended or broke before the answer was complete.
    Broken(String),
    /// It was not sent, for this reason.
    NotSent(String),
    /// The answer is not declared as JSON, so it is not from the API (a proxy, a captive portal).
    NotJson(String),
}

impl Problem {
    /// The session id is no longer known to the API.
    pub fn is_session_expired(&self) -> bool {
        self.kind == "/problem/session-expired"
    }

    /// The account has as many sessions as it may have.
    pub fn is_over_session_limit(&self) -> bool {
        self.kind == "/problem/over-session-limit"
    }

    /// The API could not create the session.
    pub fn is_session_creation_error(&self) -> bool {
        self.kind == "/problem/session-creation-error"
    }

    /// The API does not do what the request asks for, nor would it a second time: it makes no sense, is not allowed, or leads to a domain
    /// that is refused. So is every 4xx but those that pass (a payment, a timeout, a website or an API that cannot be asked now) and those
    /// about sessions.
    pub fn is_bad_request(&self) -> bool {
        let is_lasting = (400..500).contains(&self.status) && !matches!(self.status, 402 | 407 | 408 | 421 | 429);
        (is_lasting && !self.kind.starts_with("/problem/")) || self.kind.starts_with("/request/")
    }

    /// The page could not be downloaded (520, 521): for a session, a ban.
    pub fn is_download_error(&self) -> bool {
        matches!(self.status, 520 | 521)
    }
}

impl CallError {
    /// The API's problem, where the API answered.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Api(problem) => Some(problem),
            Self::Network(_) | Self::BadAnswer(_) => None,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(problem) => write!(f, "{problem}"),
            Self::Network(error) => write!(f, "{error}"),
            Self::BadAnswer(why) => write!(f, "{why}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zyte API answered {}", self.status)?;
        // Whoever answers without a document of problems (a proxy, a wrong address) says who it is in its page.
        let kind = if self.kind == "about:blank" { "" } else { &self.kind };
        let is_document = [kind, &self.title, &self.detail].iter().any(|part| !part.is_empty());
        if is_document {
            for part in [kind, &self.title, &self.detail].into_iter().filter(|part| !part.is_empty()) {
                write!(f, " {part}")?;
            }
        } else if !self.body.is_empty() {
            let beginning: String = self.body.chars().take(MOST_TOLD).collect();
            write!(f, " with {beginning:?}")?;
        }
        match &self.request_id {
            Some(id) => write!(f, " (request-id {id})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout(limit) => write!(f, "no answer within {} s", limit.as_secs_f64()),
            Self::Connect(why) => write!(f, "cannot connect: {why}"),
            Self::Broken(why) => write!(f, "the connection broke: {why}"),
            Self::NotSent(why) => write!(f, "not sent: {why}"),
            Self::NotJson(kind) => write!(f, "expected JSON from the API, got {kind}"),
        }
    }
}

impl std::error::Error for CallError {}
impl std::error::Error for Problem {}
impl std::error::Error for NetworkError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_without_a_document_is_told_by_the_beginning_of_its_body() {
        let problem = |kind: &str, detail: &str, body: &str| Problem {
            status: 502,
            kind: kind.to_owned(),
            detail: detail.to_owned(),
            body: body.to_owned(),
            ..Problem::default()
        };
        for (problem, told) in [
            (problem("about:blank", "", "<h1>Bad\nGateway"), "Zyte API answered 502 with \"<h1>Bad\\nGateway\""),
            (problem("about:blank", "", ""), "Zyte API answered 502"),
            (problem("/server/x", "down", "{}"), "Zyte API answered 502 /server/x down"),
            (problem("about:blank", "down", "{}"), "Zyte API answered 502 down"),
        ] {
            assert_eq!(problem.to_string(), told);
        }
        assert!(problem("about:blank", "", &"x".repeat(10_000)).to_string().len() < 200);
    }
}
