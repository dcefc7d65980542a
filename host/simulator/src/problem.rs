//! The errors of the API: `application/problem+json` documents and where each one strikes.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Status, type and title of every documented or observed error; the first row of a status is its default.
const KNOWN: &[(u16, &str, &str)] = &[
    (400, "/request/invalid", "Bad Request"),
    (400, "/request/invalid-json", "Invalid JSON"),
    (401, "/auth/key-not-found", "Authentication Key Not Found"),
    (401, "/auth/not-valid", "Authentication Info Invalid"),
    (403, "/auth/account-suspended", "Account Suspended"),
    (404, "/request/invalid", "HTTP 404 Not Found"),
    (405, "/request/invalid", "HTTP 405 Method Not Allowed"),
    (408, "/request/invalid", "HTTP 408 Request Timeout"),
    (413, "/request/invalid", "HTTP 413 Content Too Large"),
    (421, "/website/domain-unreachable", "Domain Unreachable"),
    (421, "/website/connection-error", "Connection Error"),
    (422, "/request/unprocessable", "Unprocessable Request"),
    (422, "/problem/session-expired", "Session has expired"),
    (422, "/problem/over-session-limit", "Over Session Limit"),
    (429, "/limits/over-user-limit", "Over User Requests Limit"),
    (429, "/limits/over-domain-limit", "Over Domain Requests Limit"),
    (429, "/limits/over-org-domain-limit", "Over Organisation Requests limit for the requested domain"),
    (451, "/download/domain-forbidden", "Domain Forbidden"),
    (500, "/server/internal", "Internal Server Error"),
    (500, "/server/timed-out", "Request Timed Out"),
    (503, "/limits/over-global-limit", "Global Requests Limit Reached"),
    (503, "/extractor/over-global-limit", "Extraction Limit Reached"),
    (503, "/problem/session-creation-error", "Session Creation Error"),
    (520, "/download/temporary-error", "Website Ban"),
    (521, "/download/internal-error", "Internal Downloading Error"),
];

/// Where in the course of a request an error strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Before anything is done for the request: no session is touched.
    Gate,
    /// While the session is entered or created.
    Session,
    /// Between session and fetch: the session exists, the site is not asked.
    Fetch,
}

/// An error answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The `type` member.
    pub(crate) kind: Cow<'static, str>,
    title: Cow<'static, str>,
    detail: Box<str>,
    /// `Retry-After`, in seconds.
    pub(crate) retry_after_seconds: Option<u64>,
    blocked_domain: Option<Box<str>>,
    /// The methods that there are: `Allow` of a 405.
    pub(crate) allow: Option<&'static str>,
}

impl Problem {
    /// Makes an error of a known type, or of an unknown one under the title `Unknown Problem`.
    pub(crate) fn new(status: u16, kind: &str, detail: impl Into<String>) -> Self {
        let known = KNOWN.iter().find(|row| row.0 == status && row.1 == kind);
        let (kind, title) = known.map_or_else(
            || (Cow::Owned(kind.to_owned()), Cow::Borrowed("Unknown Problem")),
            |row| (Cow::Borrowed(row.1), Cow::Borrowed(row.2)),
        );
        Self {
            status,
            kind,
            title,
            detail: detail.into().into_boxed_str(),
            retry_after_seconds: None,
            blocked_domain: None,
            allow: None,
        }
    }

    /// Makes the first known error of a status; an unknown status gets the type `about:blank`.
    pub(crate) fn of_status(status: u16, detail: impl Into<String>) -> Self {
        let known = KNOWN.iter().find(|row| row.0 == status);
        Self::new(status, known.map_or("about:blank", |row| row.1), detail)
    }

    /// A request that breaks the schema.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(400, "/request/invalid", detail)
    }

    /// A method that a path does not have, and the one that it has.
    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::of_status(405, format!("there is only {allow}")) }
    }

    /// A request whose fields do not go together.
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(422, "/request/unprocessable", detail)
    }

    /// A ban by the site.
    pub(crate) fn ban(detail: impl Into<String>) -> Self {
        Self::new(520, "/download/temporary-error", detail)
    }

    /// Replaces the title.
    pub(crate) fn titled(mut self, title: &'static str) -> Self {
        self.title = Cow::Borrowed(title);
        self
    }

    /// Adds `Retry-After`.
    pub(crate) const fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after_seconds = seconds;
        self
    }

    /// Adds the `blockedDomain` that 451 carries.
    pub(crate) fn blocking(mut self, domain: &str) -> Self {
        if self.status == 451 {
            self.blocked_domain = Some(domain.into());
        }
        self
    }

    /// Says where an error of this type strikes when it is scripted.
    pub(crate) fn stage(&self) -> Stage {
        if self.kind.starts_with("/problem/") {
            Stage::Session
        } else if self.status == 429 || self.status == 503 || self.status < 421 {
            Stage::Gate
        } else {
            Stage::Fetch
        }
    }

    /// Turns the error into its document.
    pub(crate) fn document(self) -> Map<String, Value> {
        let mut document = Map::with_capacity(5);
        document.insert("type".into(), self.kind.into());
        document.insert("title".into(), self.title.into());
        document.insert("status".into(), self.status.into());
        document.insert("detail".into(), self.detail.into_string().into());
        if let Some(domain) = self.blocked_domain {
            document.insert("blockedDomain".into(), domain.into_string().into());
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use super::{Problem, Stage};

    #[test]
    fn a_status_has_a_default_type() {
        for (status, kind) in [
            (429, "/limits/over-user-limit"),
            (503, "/limits/over-global-limit"),
            (520, "/download/temporary-error"),
            (521, "/download/internal-error"),
            (418, "about:blank"),
        ] {
            assert_eq!(Problem::of_status(status, "").kind, kind);
        }
    }

    #[test]
    fn a_type_decides_where_an_error_strikes() {
        for (status, kind, stage) in [
            (429, "/limits/over-user-limit", Stage::Gate),
            (503, "/limits/over-global-limit", Stage::Gate),
            (503, "/problem/session-creation-error", Stage::Session),
            (422, "/problem/session-expired", Stage::Session),
            (451, "/download/domain-forbidden", Stage::Fetch),
            (520, "/download/temporary-error", Stage::Fetch),
        ] {
            assert_eq!(Problem::new(status, kind, "").stage(), stage, "{kind}");
        }
    }

    #[test]
    fn a_forbidden_domain_is_named() {
        let document = Problem::of_status(451, "x").blocking("a.example").document();
        assert_eq!(document["blockedDomain"], "a.example");
        assert_eq!(document["type"], "/download/domain-forbidden");
    }
}
