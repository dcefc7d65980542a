//! What a request has to do with sessions.

use std::fmt;

use serde_json::Value;

use super::fields::{browser_only, is_set};
use super::mode::{Mode, extraction, mode};
use crate::exchange::Object;

/// Why a request can have no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessionless {
    /// It asks for `serp`, which allows no field beside it but `serpOptions` and `url`: no `session`, no `tags`, no `echoData` either.
    Serp,
    /// It brings its own HTML, so nothing is downloaded.
    OwnHtml,
}

impl fmt::Display for Sessionless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Serp => "\"serp\" allows no field beside it but \"serpOptions\" and \"url\"",
            Self::OwnHtml => "nothing is downloaded where the HTML comes with the request (\"userHtml\")",
        })
    }
}

/// Says why a request can have no session, if so.
pub fn sessionless(request: &Object) -> Option<Sessionless> {
    if is_set(request, "serp") {
        return Some(Sessionless::Serp);
    }
    (mode(request) == Mode::OwnHtml).then_some(Sessionless::OwnHtml)
}

/// Tells whether a session that begins with this request is as good as one that begins with a browser request of its own: surely a browser
/// request, whose cookies the session keeps.
pub fn begins_as_browser(request: &Object) -> bool {
    let is_browser = mode(request) == Mode::Browser && (browser_only(request).is_some() || extraction(request).is_some());
    is_browser && request.get("cookieManagement").and_then(Value::as_str) != Some("discard")
}

/// Tells whether a request brings a session of its author's: `session`, or `sessionContext` for one that Zyte manages.
pub fn brings_session(request: &Object) -> bool {
    is_set(request, "session") || is_set(request, "sessionContext")
}
