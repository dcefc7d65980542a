//! What sessions consist of: who keeps them, and for how long.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::exchange::Object;

/// `session.kind`: what sessions consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KindRule {
    /// Sessions of the API that this program opens and ends.
    User,
    /// Sessions that Zyte opens and ends by itself, one for each `sessionContext`.
    Zyte,
    /// The cookies of an initialisation.
    Cookies,
    /// `zyte` where nothing but actions or a location sets a session up and nobody checks its pages, else `user`.
    Auto,
}

/// What a session consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// A session of the API, known to it by an id of ours.
    User,
    /// A session that Zyte keeps for a `sessionContext` of ours.
    Zyte,
    /// Cookies, of which the API knows nothing.
    Cookies,
}

impl SessionKind {
    /// What a rule means where nothing is known of the site.
    pub fn usual(rule: KindRule) -> Self {
        match rule {
            KindRule::User | KindRule::Auto => Self::User,
            KindRule::Zyte => Self::Zyte,
            KindRule::Cookies => Self::Cookies,
        }
    }

    /// The name by which its pool is told from others where that is not as usual.
    pub fn qualifier(self) -> &'static str {
        match self {
            Self::User => "session",
            Self::Zyte => "zyte",
            Self::Cookies => "cookies",
        }
    }
}

/// Keys of initialisation parameters that a session kept by Zyte can do with: what sets it up, where it is, and the output that the
/// initialisation would have asked for, which there is no use for.
const KNOWN_TO_ZYTE: [&str; 4] = ["actions", "browserHtml", "geolocation", "ipType"];

/// The `sessionContextParameters` that set up what initialisation parameters would; none where nothing is set up. The error is a key
/// that Zyte cannot set a session up by.
pub fn context_parameters(params: &Object) -> Result<Option<Value>, &str> {
    match params.keys().find(|key| !KNOWN_TO_ZYTE.contains(&key.as_str())) {
        Some(key) => Err(key),
        None => Ok(params.get("actions").map(|actions| json!({"actions": actions}))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_set_a_session_of_zytes_up_and_nothing_else_does() {
        let parameters = |params: Value| context_parameters(params.as_object().unwrap()).map_err(str::to_owned);
        let actions = json!([{"action": "click", "selector": {"type": "css", "value": "a"}}]);
        let known = json!({"actions": actions, "browserHtml": true, "geolocation": "DE", "ipType": "residential"});
        assert_eq!(parameters(known), Ok(Some(json!({"actions": actions}))));
        assert_eq!(parameters(json!({"browserHtml": true})), Ok(None));
        for key in ["url", "httpResponseBody", "requestCookies", "customHttpRequestHeaders", "session"] {
            assert_eq!(parameters(json!({key: 1, "actions": actions})), Err(key.to_owned()));
        }
    }
}
