//! Requests that get no session of ours, whatever settings and plugins say.

use std::fmt;

use serde_json::Value;

use crate::contract::{Sessionless, brings_session, sessionless};
use crate::exchange::Request;
use crate::settings::Profile;

/// Why a request is sent as it is, without a session of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmanaged {
    /// It brings its author's own `session` or `sessionContext`.
    OwnSession,
    /// Its `session` is null, the word for no session.
    Declined,
    /// The API allows it no session.
    Impossible(Sessionless),
}

impl Unmanaged {
    /// Says why a request is not managed, if so. The peer manages them all: it overwrites the request's own session.
    pub fn of(profile: Profile, request: &Request) -> Option<Self> {
        let params = request.params();
        if profile.is_peer() {
            None
        } else if brings_session(params) {
            Some(Self::OwnSession)
        } else if params.get("session").is_some_and(Value::is_null) {
            Some(Self::Declined)
        } else {
            sessionless(params).map(Self::Impossible)
        }
    }
}

impl fmt::Display for Unmanaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnSession => f.write_str("the request brings a session of its own"),
            Self::Declined => f.write_str("the request says \"session\": null"),
            Self::Impossible(why) => write!(f, "{why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_brings_declines_or_cannot_have_a_session_is_left_alone_but_by_the_peer() {
        let own = json!({"article": true, "articleOptions": {"extractFrom": "userHtml", "userHtml": "<p>"}});
        for (line, expected) in [
            (json!({"session": {"id": "x"}}), Some(Unmanaged::OwnSession)),
            (json!({"sessionContext": [{"name": "a", "value": "b"}], "serp": true}), Some(Unmanaged::OwnSession)),
            (json!({"session": null}), Some(Unmanaged::Declined)),
            (json!({"session": {}, "sessionContext": []}), None),
            (json!({"serp": true}), Some(Unmanaged::Impossible(Sessionless::Serp))),
            (own, Some(Unmanaged::Impossible(Sessionless::OwnHtml))),
            (json!({"browserHtml": true}), None),
        ] {
            let mut members = line.as_object().unwrap().clone();
            members.insert("url".to_owned(), json!("https://a.example/"));
            let request = Request::new(members, serde_json::Map::new()).unwrap();
            assert_eq!(Unmanaged::of(Profile::Default, &request), expected, "{line}");
            assert_eq!(Unmanaged::of(Profile::ScrapyZyteApi, &request), None, "{line}");
        }
    }
}
