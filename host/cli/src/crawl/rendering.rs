//! The text of an output line: the API's answer as it came, or what is known of a failure.

use std::borrow::Cow;

use carousel_core::exchange::{CallError, Request};
use carousel_engine::{Failure, Trace};
use serde_json::{Map, Value, json};

use crate::logging::harmless;

/// What `--annotate` adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Annotation {
    /// Nothing.
    Off,
    /// A `carousel` object.
    On,
}

/// The line of an answer: its text, untouched but for line breaks between members and the annotation at the end.
pub(crate) fn answer<'t>(text: &'t str, line: u64, trace: &Trace, annotation: Annotation) -> Cow<'t, str> {
    let text = on_one_line(text.trim());
    match annotation {
        Annotation::Off => text,
        Annotation::On => Cow::Owned(with_member(&text, "carousel", &harmless(&carousel(line, Some(trace)).to_string()))),
    }
}

/// The line of a request that failed.
pub(crate) fn failure(failure: &Failure, request: &Request, line: u64, annotation: Annotation) -> String {
    let problem = failure.error.as_ref().and_then(CallError::problem);
    let error = json!({
        "kind": failure.kind.word(),
        "status": problem.map(|problem| problem.status),
        "type": problem.map(|problem| &problem.kind),
        "title": problem.map(|problem| &problem.title),
        "detail": problem.map(|problem| &problem.detail).filter(|detail| !detail.is_empty()).unwrap_or(&failure.message),
    });
    let request_id = problem.and_then(|problem| problem.request_id.as_deref());
    let echo = request.params().get("echoData");
    // As an input line, so that what failed can be crawled again.
    let mut object = error_object(error, request_id, Some(request.to_json()), echo);
    if annotation == Annotation::On {
        object.insert("carousel".to_owned(), carousel(line, Some(&failure.trace)));
    }
    harmless(&Value::Object(object).to_string())
}

/// The line of an input line that is no request.
pub(crate) fn bad_line(message: &str, value: Option<Value>, line: u64, annotation: Annotation) -> String {
    let error = json!({"kind": "bad-request", "status": null, "type": null, "title": null, "detail": message});
    let mut object = error_object(error, None, value, None);
    if annotation == Annotation::On {
        object.insert("carousel".to_owned(), carousel(line, None));
    }
    harmless(&Value::Object(object).to_string())
}

fn error_object(error: Value, request_id: Option<&str>, request: Option<Value>, echo: Option<&Value>) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("error".to_owned(), error);
    object.insert("requestId".to_owned(), request_id.into());
    object.insert("request".to_owned(), request.unwrap_or_default());
    if let Some(echo) = echo {
        object.insert("echoData".to_owned(), echo.clone());
    }
    object
}

fn carousel(line: u64, trace: Option<&Trace>) -> Value {
    let mut object = Map::new();
    object.insert("line".to_owned(), line.into());
    if let Some(trace) = trace {
        let session = |id: Option<carousel_core::id::SessionId>| Value::from(id.map(|id| id.to_string()));
        let attempts =
            trace.attempts.iter().map(|attempt| json!({"session": session(attempt.session), "outcome": attempt.outcome}));
        object.insert("pool".to_owned(), trace.pool.as_ref().map(|pool| pool.as_str()).into());
        object.insert("session".to_owned(), session(trace.session));
        object.insert("attempts".to_owned(), attempts.collect());
        object.insert("fingerprint".to_owned(), trace.fingerprint.as_deref().into());
    }
    Value::Object(object)
}

/// A line break in valid JSON can only stand between tokens, so leaving it out changes no value.
fn on_one_line(text: &str) -> Cow<'_, str> {
    if text.contains(['\n', '\r']) { Cow::Owned(text.replace(['\n', '\r'], "")) } else { Cow::Borrowed(text) }
}

/// Adds a last member to the text of a JSON object without reading it.
fn with_member(object: &str, name: &str, value: &str) -> String {
    let Some(members) = object.strip_suffix('}').map(str::trim_end) else { return object.to_owned() };
    let comma = if members.ends_with('{') { "" } else { "," };
    format!("{members}{comma}{}:{value}}}", Value::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use carousel_core::exchange::Problem;
    use carousel_core::id::{PoolId, SessionId};
    use carousel_engine::{Attempt, FailureKind};

    #[test]
    fn an_answer_is_written_exactly_as_it_came() {
        for (text, expected) in [
            (r#"{"url":"u","n":1.0e2,"big":12345678901234567890123}"#, r#"{"url":"u","n":1.0e2,"big":12345678901234567890123}"#),
            ("{\n  \"a\": \"x\\ny\",\r\n  \"b\": 1\n}\n", "{  \"a\": \"x\\ny\",  \"b\": 1}"),
        ] {
            assert_eq!(answer(text, 1, &Trace::default(), Annotation::Off), expected);
        }
    }

    #[test]
    fn an_annotation_is_the_last_member() {
        for (object, expected) in [
            ("{}", r#"{"k":1}"#),
            ("{ }", r#"{"k":1}"#),
            (r#"{"a":{}}"#, r#"{"a":{},"k":1}"#),
            (r#"{"a":"}"  }"#, r#"{"a":"}","k":1}"#),
        ] {
            assert_eq!(with_member(object, "k", "1"), expected);
        }
    }

    #[test]
    fn an_annotation_tells_the_road_of_the_request() {
        let session = SessionId::from_random(1);
        let trace = Trace {
            pool: Some(PoolId::new("a.example")),
            session: Some(session),
            attempts: vec![Attempt { session: Some(session), outcome: "ok".to_owned() }],
            fingerprint: Some("f".to_owned()),
        };
        let line: Value = serde_json::from_str(&answer("{}", 7, &trace, Annotation::On)).unwrap();
        let id = session.to_string();
        assert_eq!(
            line,
            json!({"carousel": {"line": 7, "pool": "a.example", "session": id, "attempts": [{"session": id, "outcome": "ok"}],
                "fingerprint": "f"}})
        );
    }

    #[test]
    fn a_failure_tells_what_the_api_said_and_what_was_asked() {
        let asked = json!({"url": "u", "browserHtml": true, "echoData": "e", "meta": {"k": 1}});
        let request = Request::from_json(asked.clone()).unwrap();
        let problem = Problem {
            status: 451,
            kind: "/download/domain-forbidden".to_owned(),
            title: "T".to_owned(),
            detail: "D".to_owned(),
            request_id: Some("r1".to_owned()),
            ..Problem::default()
        };
        let failed = Failure {
            kind: FailureKind::Api,
            error: Some(CallError::Api(Box::new(problem))),
            message: "m".to_owned(),
            trace: Trace::default(),
        };
        let line: Value = serde_json::from_str(&failure(&failed, &request, 3, Annotation::Off)).unwrap();
        assert_eq!(
            line,
            json!({
                "error": {"kind": "api", "status": 451, "type": "/download/domain-forbidden", "title": "T", "detail": "D"},
                "requestId": "r1", "request": asked, "echoData": "e",
            })
        );
    }

    #[test]
    fn a_failure_without_the_api_says_it_in_the_detail() {
        let request = Request::from_json(json!({"url": "u"})).unwrap();
        let failed = Failure { kind: FailureKind::NoSession, error: None, message: "why".to_owned(), trace: Trace::default() };
        let line: Value = serde_json::from_str(&failure(&failed, &request, 3, Annotation::On)).unwrap();
        assert_eq!(line["error"], json!({"kind": "no-session", "status": null, "type": null, "title": null, "detail": "why"}));
        assert_eq!(line["carousel"]["line"], 3);
        assert_eq!(line.get("echoData"), None);
    }
}
