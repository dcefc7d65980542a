//! What an action of the script does.

use std::time::Duration;

use carousel_guest::prelude::*;

use crate::condition::{list, object, text};
use crate::context::Context;
use crate::pattern::matches;
use crate::script::Answer;
use crate::template::{fill, fill_text};

/// What came of an action.
pub(crate) enum Outcome {
    /// A result.
    Answer(Answer),
    /// Changes to the request.
    Edit(Edit),
}

/// Carries out an action: waiting and downloads first, then what is remembered, then the result.
pub(crate) fn run(action: &Value, context: &mut Context<'_>) -> Result<Outcome> {
    let action = object(action, "an action")?;
    if let Some(seconds) = action.get("sleep").and_then(Value::as_f64) {
        std::thread::sleep(Duration::try_from_secs_f64(seconds)?);
    }
    if let Some(steps) = action.get("chain")
        && !chain(steps, context)?
    {
        return Ok(Outcome::Answer(Answer::Value(Value::Bool(false))));
    }
    if let Some(values) = action.get("store") {
        store(values, context)?;
    }
    if let Some(message) = action.get("raise") {
        return Err(Error::new(fill_text(text(message, "raise")?, context)?));
    }
    if let Some(reason) = action.get("close") {
        return Err(Error::close_crawl(fill_text(text(reason, "close")?, context)?));
    }
    if let Some(changes) = action.get("edit") {
        return edit(changes, context).map(Outcome::Edit);
    }
    result(action, context).map(Outcome::Answer)
}

fn result(action: &carousel_guest::serde_json::Map<String, Value>, context: &Context<'_>) -> Result<Answer> {
    if let Some(value) = action.get("return") {
        return fill(value, context).map(Answer::Value);
    }
    match action.get("super_or") {
        Some(value) => fill(value, context).map(Answer::DefaultOr),
        None => Ok(Answer::Default),
    }
}

/// Runs the downloads of a chain; false if an answer is not what its step requires.
fn chain(steps: &Value, context: &mut Context<'_>) -> Result<bool> {
    for step in list(steps, "chain")? {
        let answer = download(params_of(step, context)?)?;
        context.downloaded(answer);
        if let Some(required) = step.get("require")
            && !matches(required, &context.answer_for(required)?)?
        {
            return Ok(false);
        }
        if let Some(values) = step.get("store") {
            store(values, context)?;
        }
    }
    Ok(true)
}

/// A step without a URL fetches that of the request.
fn params_of(step: &Value, context: &Context<'_>) -> Result<Params> {
    let empty = json!({});
    let params = Params::from(fill(step.get("params").unwrap_or(&empty), context)?);
    match step.get("url") {
        Some(url) => Ok(params.url(fill_text(text(url, "url")?, context)?)),
        None if params.get("url").is_none() => Ok(params.url(context.request.url())),
        None => Ok(params),
    }
}

fn store(values: &Value, context: &Context<'_>) -> Result<()> {
    context.store(object(&fill(values, context)?, "store")?)
}

fn edit(changes: &Value, context: &Context<'_>) -> Result<Edit> {
    let mut edit = Edit::new();
    for (name, change) in object(changes, "edit")? {
        edit = match name.as_str() {
            "url" => edit.url(fill_text(text(change, name)?, context)?),
            "params" => {
                let set = object(change, name)?.iter();
                set.map(|(name, value)| Ok((name, fill(value, context)?)))
                    .try_fold(edit, |edit, param: Result<_>| param.map(|(name, value)| edit.set(name, value)))?
            }
            "drop_params" => {
                let names = list(change, name)?.iter();
                names.map(|param| text(param, name)).try_fold(edit, |edit, param| param.map(|param| edit.remove(param)))?
            }
            _ => return Err(Error::new(format!("unknown edit {name}"))),
        };
    }
    Ok(edit)
}
