//! What a check thinks of an answer, and the check that is used where nobody brings a better one.

use std::time::Duration;

use crate::exchange::{Answer, Object, Unreadable};
use crate::json::{Kind, Raw};
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
    pub fn verdict(&self, answer: &Answer) -> Result<Verdict, Unreadable> {
        let actions = Actions::of(answer)?;
        let set_location = if self.location.is_empty() { None } else { actions.set_location };
        if set_location.as_ref().is_some_and(|outcome| outcome.is_unsupported) {
            let reason = UNSUPPORTED_SET_LOCATION.to_owned();
            let ends_crawl = self.unsupported_location_closes_crawl;
            return Ok(if ends_crawl { Verdict::CloseCrawl(reason) } else { Verdict::ClosePool(reason) });
        }
        if self.init && self.init_action_failure_invalidates && actions.are_there {
            return Ok(match actions.returned {
                Some(name) => Verdict::Discard(format!("action {name} failed")),
                None => Verdict::Keep,
            });
        }
        Ok(match set_location {
            Some(SetLocation { succeeded: false, .. }) => Verdict::Discard("setLocation failed".to_owned()),
            Some(_) | None => Verdict::Keep,
        })
    }
}

/// What the default check wants to know of the results of actions.
#[derive(Default)]
struct Actions {
    are_there: bool,
    /// The first `setLocation`.
    set_location: Option<SetLocation>,
    /// The name of the first action that stopped the sequence.
    returned: Option<String>,
}

struct SetLocation {
    succeeded: bool,
    is_unsupported: bool,
}

impl Actions {
    fn of(answer: &Answer) -> Result<Self, Unreadable> {
        let mut actions = Self::default();
        for action in answer.list("actions")? {
            actions.add(action)?;
        }
        Ok(actions)
    }

    fn add(&mut self, action: Raw<'_>) -> Result<(), Unreadable> {
        if action.kind() != Kind::Object {
            return Err(Unreadable::member("actions", "a list of objects", action));
        }
        let text = |name: &str| action.get(name).and_then(Raw::string);
        self.are_there = true;
        let (name, status) = (text("action").unwrap_or_default(), text("status"));
        if name == "setLocation" && self.set_location.is_none() {
            let is_unsupported = text("error").is_some_and(|error| error.starts_with(UNSUPPORTED_PREFIX));
            self.set_location = Some(SetLocation { succeeded: status.as_deref() == Some("success"), is_unsupported });
        }
        if status.as_deref() == Some("returned") && self.returned.is_none() {
            self.returned = Some(name.into_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

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
            .unwrap()
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

    /// The text of the answer as it is, not as JSON made of a value.
    fn check_text(actions: &str) -> Result<Verdict, Unreadable> {
        let place = Object::from_iter([("postalCode".to_owned(), json!("10001"))]);
        let answer = Answer::parse(format!(r#"{{"url":"u","actions":{actions}}}"#), None).unwrap();
        DefaultCheck {
            location: &place,
            init: true,
            init_action_failure_invalidates: true,
            unsupported_location_closes_crawl: false,
        }
        .verdict(&answer)
    }

    #[test]
    fn actions_are_judged_whatever_odd_text_is_in_them() {
        let deep = "[".repeat(300) + &"]".repeat(300);
        for odd in [r#""\ud83d""#, "NaN", "123456789012345678901234567890", "1e999", &deep] {
            let failed = format!(r#"[{{"action":"setLocation","error":{odd},"status":"returned","x":{odd}}}]"#);
            assert_eq!(check_text(&failed), Ok(Verdict::Discard("action setLocation failed".into())), "{odd}");
            let done = failed.replace("returned", "success");
            assert_eq!(check_text(&done), Ok(Verdict::Keep), "{odd}");
        }
        let unsupported =
            r#"[{"action":"setLocation","error":"Action setLocation not supported on \udc00","status":"returned"}]"#;
        assert_eq!(check_text(unsupported), Ok(Verdict::ClosePool(UNSUPPORTED_SET_LOCATION.into())));
    }

    #[test]
    fn what_are_no_actions_is_an_error_and_not_none() {
        for (actions, why) in [
            ("{}", "\"actions\" should be a list and is an object"),
            ("\"x\"", "\"actions\" should be a list and is text"),
            ("[1]", "\"actions\" should be a list of objects and is a number"),
            ("[[]]", "\"actions\" should be a list of objects and is a list"),
        ] {
            assert_eq!(check_text(actions), Err(Unreadable::new(why)), "{actions}");
        }
        assert_eq!(check_text("null"), Ok(Verdict::Keep));
    }
}
