//! What a check thinks of an answer, and the check that is used where nobody brings a better one.

use std::time::Duration;

use serde_json::Value;

use crate::exchange::{Answer, Object};
use crate::pace::LONGEST_PAUSE;

/// The word of a check on an answer and on the session that fetched it.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The session is good and so is the page.
    Keep,
    /// The session is bad: the page is tried again on another one.
    Discard(String),
    /// The session is good, the page comes too early: try again after this pause.
    Throttled(Duration),
    /// The session is good, the page is not and will not be: no retry.
    Reject(String),
    /// This pool is of no use: its requests fail, the crawl goes on.
    ClosePool(String),
    /// The crawl ends with this reason.
    CloseCrawl(String),
}

impl Verdict {
    /// Keep or discard without a reason: the peer's two answers.
    pub fn keep_if(keep: bool) -> Self {
        if keep { Self::Keep } else { Self::Discard(String::new()) }
    }

    /// The same with no pause longer than [`LONGEST_PAUSE`]: whoever reads a plugin's verdict bounds it like this.
    pub fn bounded(self) -> Self {
        match self {
            Self::Throttled(pause) => Self::Throttled(pause.min(LONGEST_PAUSE)),
            Self::Keep | Self::Discard(_) | Self::Reject(_) | Self::ClosePool(_) | Self::CloseCrawl(_) => self,
        }
    }
}

/// What the default check looks at besides the answer.
#[derive(Clone, Copy, Debug)]
pub struct DefaultCheck<'a> {
    /// The location in force; empty for none.
    pub location: &'a Object,
    /// Is this the answer to an initialisation?
    pub init: bool,
    /// Does an action that stopped the sequence (`returned`) spoil an initialisation?
    pub init_action_failure_invalidates: bool,
    /// Does a site without `setLocation` end the crawl (the peer) or only its pool?
    pub unsupported_location_closes_crawl: bool,
}

/// The close reason for a site on which `setLocation` does not work.
pub const UNSUPPORTED_SET_LOCATION: &str = "unsupported_set_location";

/// How the API words the error of `setLocation` on a site that it does not support.
const UNSUPPORTED_PREFIX: &str = "Action setLocation not supported ";

impl DefaultCheck<'_> {
    /// Judges an answer as the peer's default check does (scrapy-zyte-api, `SessionConfig.check`).
    pub fn verdict(&self, answer: &Answer) -> Verdict {
        let actions = answer.actions();
        let set_location = if self.location.is_empty() { None } else { first_set_location(&actions) };
        if set_location.is_some_and(is_unsupported) {
            let reason = UNSUPPORTED_SET_LOCATION.to_owned();
            return if self.unsupported_location_closes_crawl { Verdict::CloseCrawl(reason) } else { Verdict::ClosePool(reason) };
        }
        if self.init && self.init_action_failure_invalidates && !actions.is_empty() {
            return match actions.iter().find(|action| status(action) == Some("returned")) {
                Some(action) => Verdict::Discard(format!("action {} failed", name(action))),
                None => Verdict::Keep,
            };
        }
        match set_location {
            Some(action) if status(action) != Some("success") => Verdict::Discard("setLocation failed".to_owned()),
            _ => Verdict::Keep,
        }
    }
}

fn first_set_location(actions: &[Value]) -> Option<&Value> {
    actions.iter().find(|action| name(action) == "setLocation")
}

fn is_unsupported(action: &Value) -> bool {
    action.get("error").and_then(Value::as_str).is_some_and(|error| error.starts_with(UNSUPPORTED_PREFIX))
}

fn name(action: &Value) -> &str {
    action.get("action").and_then(Value::as_str).unwrap_or_default()
}

fn status(action: &Value) -> Option<&str> {
    action.get("status").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(location: bool, init: bool, actions: Value) -> Verdict {
        check_with(location, init, true, actions)
    }

    fn check_with(location: bool, init: bool, watch: bool, actions: Value) -> Verdict {
        let mut place = Object::new();
        if location {
            place.insert("postalCode".into(), json!("10001"));
        }
        let answer = Answer::parse(json!({"url": "u", "actions": actions}).to_string(), None).unwrap();
        DefaultCheck { location: &place, init, init_action_failure_invalidates: watch, unsupported_location_closes_crawl: true }
            .verdict(&answer)
    }

    fn set_location(status: &str) -> Value {
        json!([{"action": "setLocation", "status": status}])
    }

    fn keeps(verdict: &Verdict) -> bool {
        *verdict == Verdict::Keep
    }

    #[test]
    fn without_location_and_actions_everything_passes() {
        assert!(keeps(&check(false, true, json!([]))));
        assert!(keeps(&check(false, false, set_location("returned"))));
    }

    #[test]
    fn an_action_that_stopped_an_initialisation_spoils_it_and_one_that_went_on_does_not() {
        let click = |status| json!([{"action": "click", "status": status}]);
        assert!(!keeps(&check(false, true, click("returned"))));
        assert!(keeps(&check(false, true, click("continued"))));
        assert!(keeps(&check(true, true, set_location("continued"))), "the watch replaces the look at setLocation");
    }

    #[test]
    fn with_a_location_set_location_must_succeed() {
        assert!(keeps(&check(true, false, set_location("success"))));
        assert!(!keeps(&check(true, false, set_location("continued"))));
        assert!(!keeps(&check_with(true, true, false, set_location("continued"))));
        assert!(keeps(&check(true, false, json!([]))), "no setLocation, nothing to judge");
    }

    #[test]
    fn a_site_without_set_location_is_closed() {
        let actions = json!([{"action": "setLocation", "status": "returned", "error": "Action setLocation not supported on x"}]);
        assert_eq!(check(true, true, actions.clone()), Verdict::CloseCrawl(UNSUPPORTED_SET_LOCATION.into()));
        assert!(!keeps(&check(false, true, actions)), "without a location it is just an action that failed");
    }
}
