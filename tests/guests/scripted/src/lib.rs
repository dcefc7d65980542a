//! One plugin for all acceptance scenarios: it interprets the small hook language of the scenario files, which it gets as
//! the site's config.
//!
//! `script` finds what a hook has to do, `condition` says whether a case holds, `pattern` compares JSON, `template` fills
//! in values, `action` carries out.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests"))]

mod action;
mod condition;
mod context;
mod pattern;
mod script;
mod template;
#[cfg(test)]
mod tests;

use carousel_guest::prelude::*;

use crate::context::Context;
use crate::script::{Answer, Script};

/// The plugin. It cannot know its script when it is described, so it names every hook and defers where it has none.
struct Scripted;

#[session_config(name = "scripted")]
impl SessionConfig for Scripted {
    fn enabled(request: &Request) -> Result<bool> {
        flag("enabled", request, default::enabled)
    }

    fn cookie_mode(request: &Request) -> Result<bool> {
        flag("cookie_mode", request, default::cookie_mode)
    }

    fn pool(request: &Request) -> Result<Pool> {
        match Script::load()?.run("pool", Context::new(request))? {
            Answer::Value(value) => Ok(Pool::from(value)),
            Answer::Default => default::pool(request),
            Answer::DefaultOr(value) => {
                let pool = default::pool(request)?;
                Ok(if pool.id() == Some("") { Pool::from(value) } else { pool })
            }
        }
    }

    fn location(request: &Request) -> Result<Option<Location>> {
        match Script::load()?.run("location", Context::new(request))? {
            Answer::Value(Value::Null) => Ok(None),
            Answer::Value(value) => Location::from_value(value).map(Some),
            Answer::Default => default::location(request),
            Answer::DefaultOr(value) => match default::location(request)? {
                None => Location::from_value(value).map(Some),
                location => Ok(location),
            },
        }
    }

    fn params(request: &Request) -> Result<Params> {
        let script = Script::load()?;
        let hook = script.hook_at("params", "location_params", request)?;
        match script.run(hook, Context::new(request))? {
            Answer::Value(value) => Ok(Params::from(value)),
            Answer::Default => default::params(request),
            Answer::DefaultOr(value) => {
                let params = default::params(request)?;
                Ok(if is_truthy(params.as_value()) { params } else { Params::from(value) })
            }
        }
    }

    fn check(response: &Response, request: &Request) -> Result<Verdict> {
        let script = Script::load()?;
        let hook = script.hook_at("check", "location_check", request)?;
        match script.run(hook, Context::new(request).with_response(response))? {
            Answer::Value(value) => Ok(Verdict::keep_if(is_truthy(&value))),
            Answer::Default => default::check(response, request),
            Answer::DefaultOr(value) => {
                let verdict = default::check(response, request)?;
                Ok(if verdict.is_keep() { verdict } else { Verdict::keep_if(is_truthy(&value)) })
            }
        }
    }

    fn process_request(request: &Request) -> Result<Edit> {
        let script = Script::load()?;
        script.edit("process_request", Context::new(request))
    }

    fn init_session(session: &Session, request: &Request) -> Result<bool> {
        match Script::load()?.run("init_session", Context::new(request).with_session(session))? {
            Answer::Value(value) => Ok(is_truthy(&value)),
            Answer::Default | Answer::DefaultOr(_) => Err(Error::defer()),
        }
    }
}

/// Runs a hook whose result is yes or no.
fn flag(hook: &str, request: &Request, default: fn(&Request) -> Result<bool>) -> Result<bool> {
    match Script::load()?.run(hook, Context::new(request))? {
        Answer::Value(value) => Ok(is_truthy(&value)),
        Answer::Default => default(request),
        Answer::DefaultOr(value) => Ok(default(request)? || is_truthy(&value)),
    }
}

/// Null, false, zero and what is empty are no; all else is yes.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}
