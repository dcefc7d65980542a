//! What a hook answered, as JSON: on standard output, and in fixtures.

use carousel_core::exchange::{Answer, CallError, NetworkError, Object, Problem};
use carousel_core::hooks::{Edit, HookError, Plan};
use carousel_core::verdict::Verdict;
use serde_json::{Value, json};

/// The answers of the hooks that are asked before a session: `enabled`, `cookie_mode`, `location`, `pool`; only the first where
/// sessions are not used.
pub(crate) fn plan(plan: &Result<Plan, HookError>) -> Object {
    match plan {
        Ok(Plan { enabled: false, .. }) => object([("enabled", json!(false))]),
        Ok(Plan { enabled: true, cookie_mode, pool, location }) => object([
            ("enabled", json!(true)),
            ("cookie_mode", json!(cookie_mode)),
            ("location", location.as_ref().map_or_else(|error| json!({"error": of_error(error)}), |it| json!(it))),
            ("pool", pool.as_ref().map_or_else(|error| json!({"error": of_error(error)}), |choice| choice.to_json())),
        ]),
        Err(error) => failed(error),
    }
}

/// The parameters of an initialisation.
pub(crate) fn params(params: &Result<Object, HookError>) -> Object {
    params.as_ref().map_or_else(failed, |params| object([("params", json!(params))]))
}

/// Whether an initialisation gave a session; null where the hook leaves it to the host.
pub(crate) fn init_session(answer: &Result<Option<bool>, HookError>) -> Object {
    answer.as_ref().map_or_else(failed, |answer| object([("initialised", json!(answer))]))
}

/// What is changed in a request.
pub(crate) fn edit(edit: &Result<Edit, HookError>) -> Object {
    edit.as_ref()
        .map_or_else(failed, |edit| object([("url", json!(edit.url)), ("set", json!(edit.set)), ("remove", json!(edit.remove))]))
}

/// What a check thinks.
pub(crate) fn verdict(verdict: &Result<Verdict, HookError>) -> Object {
    let with_reason = |word: &str, reason: &str| match reason {
        "" => object([("verdict", json!(word))]),
        reason => object([("verdict", json!(word)), ("reason", json!(reason))]),
    };
    match verdict {
        Ok(Verdict::Keep) => with_reason("keep", ""),
        Ok(Verdict::Discard(reason)) => with_reason("discard", reason),
        Ok(Verdict::Throttled(delay)) => object([("verdict", json!("throttled")), ("delay", json!(delay.as_secs_f64()))]),
        Ok(Verdict::Reject(reason)) => with_reason("reject", reason),
        Ok(Verdict::ClosePool(reason)) => with_reason("close-pool", reason),
        Ok(Verdict::CloseCrawl(reason)) => with_reason("close-crawl", reason),
        Err(error) => failed(error),
    }
}

/// An outcome that is an error: `{"error": {"kind", "message"}}`.
pub(crate) fn failed(error: &HookError) -> Object {
    object([("error", of_error(error))])
}

/// The word by which an outcome is told from others of its hook.
pub(crate) fn word(outcome: &Object) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let error = outcome.get("error").and_then(|error| text(error.get("kind")?));
    let other = ["verdict", "initialised", "enabled"].into_iter().find_map(|key| Some(outcome.get(key)?.to_string()));
    error.or(other).unwrap_or_default()
}

fn of_error(error: &HookError) -> Value {
    let (kind, message) = match error {
        HookError::Raised(message) => ("raised", message.clone()),
        HookError::Trapped(message) => ("trapped", message.clone()),
        HookError::CloseCrawl(reason) => ("close-crawl", reason.clone()),
        HookError::ClosePool(reason) => ("close-pool", reason.clone()),
        HookError::Download(error) => ("download", error.to_string()),
        HookError::Unreadable(error) => ("unreadable", error.to_string()),
    };
    json!({"kind": kind, "message": message})
}

/// An answer of the API as it is recorded; none, after a word in the log, where it cannot be.
pub(crate) fn of_answer(answer: &Answer) -> Option<Value> {
    let value = answer.raw().value();
    value.inspect_err(|error| tracing::warn!(%error, "an answer is left out of the recording")).ok()
}

/// A failed call: `status`, `type`, `title` and `detail` of the API's error, else `network` or `bad_answer` with the reason.
pub(crate) fn of_call_error(error: &CallError) -> Object {
    match error {
        CallError::Api(problem) => object([
            ("status", json!(problem.status)),
            ("type", json!(problem.kind)),
            ("title", json!(problem.title)),
            ("detail", json!(problem.detail)),
        ]),
        CallError::Network(_) => object([("network", json!(error.to_string()))]),
        CallError::BadAnswer(why) => object([("bad_answer", json!(why))]),
    }
}

/// The failed call that [`of_call_error`] wrote down.
pub(crate) fn to_call_error(error: &Object) -> CallError {
    let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let status = error.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    match status {
        Some(status) => CallError::Api(Box::new(Problem {
            status,
            kind: text("type"),
            title: text("title"),
            detail: text("detail"),
            ..Problem::default()
        })),
        None if error.contains_key("bad_answer") => CallError::BadAnswer(text("bad_answer")),
        None => CallError::Network(NetworkError::Broken(text("network"))),
    }
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Object {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use carousel_core::hooks::PoolChoice;

    use super::*;

    #[test]
    fn outcomes_are_told_by_their_words() {
        for (outcome, expected, expected_word) in [
            (verdict(&Ok(Verdict::Keep)), json!({"verdict": "keep"}), "\"keep\""),
            (verdict(&Ok(Verdict::Discard("r".into()))), json!({"verdict": "discard", "reason": "r"}), "\"discard\""),
            (
                verdict(&Ok(Verdict::Throttled(Duration::from_millis(500)))),
                json!({"verdict": "throttled", "delay": 0.5}),
                "\"throttled\"",
            ),
            (verdict(&Err(HookError::Raised("m".into()))), json!({"error": {"kind": "raised", "message": "m"}}), "raised"),
            (init_session(&Ok(None)), json!({"initialised": null}), "null"),
            (edit(&Ok(Edit::default())), json!({"url": null, "set": {}, "remove": []}), ""),
        ] {
            assert_eq!(word(&outcome), expected_word);
            assert_eq!(Value::Object(outcome), expected);
        }
    }

    #[test]
    fn a_plan_without_sessions_says_no_more_and_errors_stand_in_their_place() {
        let off = Plan::off();
        assert_eq!(Value::Object(plan(&Ok(off.clone()))), json!({"enabled": false}));
        let error = HookError::ClosePool("no".into());
        let on = Plan { enabled: true, location: Err(error), pool: Ok(PoolChoice::named("p")), ..off };
        let expected = json!({"enabled": true, "cookie_mode": false, "location": {"error": {"kind": "close-pool", "message": "no"}}, "pool": "p"});
        assert_eq!(Value::Object(plan(&Ok(on))), expected);
    }

    #[test]
    fn a_failed_call_survives_being_written_down() {
        let problem = Problem { status: 520, kind: "/download/temporary-error".into(), title: "t".into(), ..Problem::default() };
        let error = CallError::Api(Box::new(problem));
        assert_eq!(to_call_error(&of_call_error(&error)), error);
        let broken = CallError::Network(NetworkError::Broken("unplugged".into()));
        assert!(to_call_error(&of_call_error(&broken)).to_string().contains("unplugged"));
    }
}
