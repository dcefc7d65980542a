//! The files of a recording: one site, and one call of its plugin.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use carousel_core::exchange::{Answer, CallError, Object, Request};
use carousel_core::hooks::{Defaults, HookCall, SessionHandle};
use carousel_core::id::{PoolId, SessionId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::outcome;

/// `site.json`: whose calls stand beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FixtureSite {
    /// The site's name.
    pub(crate) site: String,
    /// The plugin's file name without `.wasm`.
    pub(crate) plugin: String,
    /// The site's config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<Value>,
    /// What hooks see of the settings: `profile` and `session`, as in the settings file.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub(crate) settings: Object,
}

/// One call of a plugin: what it was asked, and what it is expected to answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fixture {
    /// What was asked.
    pub(crate) hook: Asked,
    /// The request: API parameters, and `meta`.
    pub(crate) request: Value,
    /// Is it a request that initialises a session?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) init: bool,
    /// The location in force.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub(crate) location: Object,
    /// The session, with what was stored for it before the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<FixtureSession>,
    /// The API's answer that was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) response: Option<Value>,
    /// What the hook downloaded, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) downloads: Vec<Download>,
    /// What is expected; whatever is left out here may be anything.
    pub(crate) expect: Object,
}

/// What a fixture asks a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Asked {
    /// The hooks `enabled`, `cookie_mode`, `location` and `pool`, which are asked in one step.
    Plan,
    /// The hook `params`.
    Params,
    /// The hook `init_session`.
    InitSession,
    /// The hook `process_request`.
    ProcessRequest,
    /// The hook `check`.
    Check,
}

/// A session before a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FixtureSession {
    /// A UUID.
    pub(crate) id: String,
    /// Its pool.
    pub(crate) pool: String,
    /// What hooks stored for it.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub(crate) data: Object,
}

/// One download of a hook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Download {
    /// The parameters that the hook gave; absent where they do not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) params: Option<Object>,
    /// The API's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<Value>,
    /// Why there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Object>,
}

impl Asked {
    /// The word in file names.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Params => "params",
            Self::InitSession => "init-session",
            Self::ProcessRequest => "process-request",
            Self::Check => "check",
        }
    }
}

impl Download {
    /// What the hook is given.
    pub(crate) fn result(&self) -> Result<Answer, CallError> {
        let bad = |why: String| CallError::BadAnswer(why);
        match (&self.answer, &self.error) {
            (Some(answer), _) => Answer::parse(answer.to_string(), None).map_err(|error| bad(error.to_string())),
            (None, Some(error)) => Err(outcome::to_call_error(error)),
            (None, None) => Err(bad("the recorded download has neither answer nor error".to_owned())),
        }
    }
}

impl Fixture {
    /// The request's URL, for messages.
    pub(crate) fn url(&self) -> &str {
        self.request.get("url").and_then(Value::as_str).unwrap_or_default()
    }

    /// The call as the engine would make it.
    pub(crate) fn call(&self, defaults: Arc<dyn Defaults>) -> anyhow::Result<HookCall> {
        let request = Request::from_json(self.request.clone()).context("\"request\"")?;
        let session = self.session.as_ref().map(FixtureSession::handle).transpose()?;
        Ok(HookCall {
            request: Arc::new(request),
            init: self.init,
            location: Arc::new(self.location.clone()),
            location_error: None,
            session,
            defaults,
        })
    }

    /// The answer that is to be judged.
    pub(crate) fn answer(&self) -> anyhow::Result<Option<Answer>> {
        let answer = self.response.as_ref().map(|response| Answer::parse(response.to_string(), None));
        answer.transpose().map_err(|error| anyhow!("\"response\": {error}"))
    }
}

impl FixtureSession {
    fn handle(&self) -> anyhow::Result<Arc<SessionHandle>> {
        let handle = SessionHandle::new(session_id(&self.id)?, PoolId::new(self.pool.as_str()));
        for (key, value) in &self.data {
            handle.set(key, Some(value.clone())).context("\"session\"")?;
        }
        Ok(Arc::new(handle))
    }
}

/// The session of this UUID.
fn session_id(text: &str) -> anyhow::Result<SessionId> {
    let digits = text.replace('-', "");
    let bits = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32);
    bits.map(SessionId::from_random).with_context(|| format!("the session id {text:?} is no UUID"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fixture_reads_as_it_was_written_and_says_no_more_than_it_must() {
        let text = json!({"hook": "process-request", "request": {"url": "https://a.example/"}, "expect": {"set": {}}});
        let fixture: Fixture = serde_json::from_value(text.clone()).unwrap();
        assert_eq!(serde_json::to_value(&fixture).unwrap(), text);
        assert!(serde_json::from_value::<Fixture>(json!({"hook": "check", "request": {}, "expect": {}, "respons": {}})).is_err());
    }

    #[test]
    fn a_session_keeps_its_id() {
        let id = SessionId::from_random(42);
        assert_eq!(session_id(&id.to_string()).unwrap(), id);
        for bad in ["", "x", "0000", "00000000-0000-4000-8000-00000000000g"] {
            assert!(session_id(bad).is_err(), "{bad}");
        }
    }
}
