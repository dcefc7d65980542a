//! What a plugin's answers mean: JSON text and words become the engine's types.

use std::time::Duration;

use carousel_core::exchange::Object;
use carousel_core::hooks::{Edit, HookError, PoolChoice};
use carousel_core::pace::LONGEST_PAUSE;
use carousel_core::verdict::Verdict;
use serde_json::Value;

use crate::bindings::carousel::session::types;
use crate::words::{MAX_BYTES, plain};

/// The words for a verdict, for error messages.
const VERDICTS: &str = "keep, discard, throttled, reject, close-pool or close-crawl";

/// A JSON object.
pub(crate) fn object(hook: &str, text: &str) -> Result<Object, HookError> {
    let value = value(hook, text)?;
    let kind = kind(&value);
    let Value::Object(object) = value else {
        return Err(wrong(hook, &format!("a JSON object was expected, not {kind}")));
    };
    Ok(object)
}

/// A location. Numbers become text, because an address takes text only.
pub(crate) fn location(text: &str) -> Result<Object, HookError> {
    let mut location = object("location", text)?;
    for (_, field) in &mut location {
        if let Value::Number(number) = field {
            *field = Value::String(number.to_string());
        }
    }
    Ok(location)
}

/// A pool's name or an object with its options.
pub(crate) fn pool(text: &str) -> Result<PoolChoice, HookError> {
    let choice = PoolChoice::from_json(&value("pool", text)?).map_err(|why| wrong("pool", &why))?;
    // What there is of a pool is kept and told under its name.
    match choice.id.len() {
        bytes if bytes > MAX_BYTES => Err(wrong("pool", &format!("a name has at most {MAX_BYTES} bytes, not {bytes} bytes"))),
        _ => Ok(choice),
    }
}

/// What is changed in a request.
pub(crate) fn edit(edit: types::Edit) -> Result<Edit, HookError> {
    Ok(Edit { url: edit.url, set: object("process-request", &edit.set)?, remove: edit.remove })
}

/// What a check thinks.
pub(crate) fn verdict(verdict: types::Verdict) -> Result<Verdict, HookError> {
    let types::Verdict { kind, reason, delay } = verdict;
    let reason = plain(&reason);
    Ok(match kind.as_str() {
        "keep" => Verdict::Keep,
        "discard" => Verdict::Discard(reason),
        "throttled" => {
            // However far off it is, it is a pause, which is bounded like others.
            let longest = LONGEST_PAUSE.as_secs_f64();
            let pause = Duration::try_from_secs_f64(if delay > longest { longest } else { delay });
            Verdict::Throttled(pause.map_err(|_| wrong("check", &format!("a delay of {delay} s is not 0 or more")))?)
        }
        "reject" => Verdict::Reject(reason),
        "close-pool" => Verdict::ClosePool(reason),
        "close-crawl" => Verdict::CloseCrawl(reason),
        _ => return Err(wrong("check", &format!("the verdict {kind:?} is none of {VERDICTS}"))),
    })
}

fn value(hook: &str, text: &str) -> Result<Value, HookError> {
    serde_json::from_str(text).map_err(|error| wrong(hook, &format!("not JSON: {error}")))
}

fn wrong(hook: &str, why: &str) -> HookError {
    HookError::Raised(format!("the answer of {hook} cannot be used: {}", plain(why)))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(kind: &str, reason: &str, delay: f64) -> Result<Verdict, HookError> {
        verdict(types::Verdict { kind: kind.into(), reason: reason.into(), delay })
    }

    #[test]
    fn every_word_of_a_verdict_has_its_meaning_and_others_are_refused() {
        for (kind, meaning) in [
            ("keep", Verdict::Keep),
            ("discard", Verdict::Discard("why".into())),
            ("throttled", Verdict::Throttled(Duration::from_millis(1500))),
            ("reject", Verdict::Reject("why".into())),
            ("close-pool", Verdict::ClosePool("why".into())),
            ("close-crawl", Verdict::CloseCrawl("why".into())),
        ] {
            assert_eq!(of(kind, "why", 1.5), Ok(meaning));
        }
        for endless in [1e9, 1e300, f64::INFINITY] {
            assert_eq!(of("throttled", "", endless), Ok(Verdict::Throttled(LONGEST_PAUSE)), "{endless}");
        }
        for (kind, delay) in [("Keep", 0.0), ("", 0.0), ("throttled", -1.0), ("throttled", f64::NAN)] {
            assert!(of(kind, "", delay).is_err(), "{kind} {delay}");
        }
    }

    #[test]
    fn a_location_is_text_and_an_object() {
        let found = location(r#"{"postalCode": 10001, "addressCountry": "US"}"#).unwrap();
        assert_eq!(Value::Object(found), json!({"postalCode": "10001", "addressCountry": "US"}));
        for bad in ["", "[]", "null", "\"x\""] {
            assert!(location(bad).is_err(), "{bad}");
        }
    }
}
