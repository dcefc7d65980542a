//! The script of a site, and what a hook has to do by it.

use carousel_guest::prelude::*;

use crate::action::{self, Outcome};
use crate::condition;
use crate::context::Context;

/// The plugin object of a scenario: the site's config.
pub(crate) struct Script(Value);

/// What a hook says.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    /// This value.
    Value(Value),
    /// What it would be without the hook.
    Default,
    /// The same, or this value if that is empty.
    DefaultOr(Value),
}

impl Script {
    /// Reads the site's config; without one every hook defers.
    pub(crate) fn load() -> Result<Self> {
        Ok(Self(config()?))
    }

    /// Returns which hook stands for this one: the location hook if the plugin is built on locations, has that hook, and
    /// the request has a location.
    pub(crate) fn hook_at<'a>(&self, plain: &'a str, at_location: &'a str, request: &Request) -> Result<&'a str> {
        let is_location_plugin = self.0.get("base").and_then(Value::as_str) == Some("location");
        if is_location_plugin && self.hook(at_location).is_some() && request.location()?.is_some() {
            return Ok(at_location);
        }
        Ok(plain)
    }

    /// Runs a hook whose result is a value.
    pub(crate) fn run(&self, hook: &str, context: Context<'_>) -> Result<Answer> {
        match self.outcome(hook, context)? {
            Outcome::Answer(answer) => Ok(answer),
            Outcome::Edit(_) => Err(Error::new(format!("{hook} cannot edit a request: only process_request can"))),
        }
    }

    /// Runs a hook whose result is an edit; any other result changes nothing.
    pub(crate) fn edit(&self, hook: &str, context: Context<'_>) -> Result<Edit> {
        match self.outcome(hook, context)? {
            Outcome::Answer(_) => Ok(Edit::none()),
            Outcome::Edit(edit) => Ok(edit),
        }
    }

    fn outcome(&self, hook: &str, mut context: Context<'_>) -> Result<Outcome> {
        let Some(steps) = self.hook(hook) else {
            return Ok(Outcome::Answer(Answer::Default));
        };
        context.call = shared::increment(&format!("calls/{hook}"), 1)?;
        match first_case(steps, &context)? {
            Some(action) => action::run(action, &mut context),
            None => Ok(Outcome::Answer(Answer::Default)),
        }
    }

    fn hook(&self, hook: &str) -> Option<&Value> {
        self.0.get("hooks")?.get(hook)
    }
}

/// A hook is one action, or cases of which the first that holds counts.
fn first_case<'a>(steps: &'a Value, context: &Context<'_>) -> Result<Option<&'a Value>> {
    let Some(cases) = steps.as_array() else {
        return Ok(Some(steps));
    };
    for case in cases {
        let holds = match case.get("when") {
            Some(when) => condition::holds(when, context)?,
            None => true,
        };
        if holds {
            return Ok(case.get("do"));
        }
    }
    Ok(None)
}
