//! What came back, read into an answer or an error.

use std::time::Duration;

use carousel_core::exchange::{Answer, CallError, NetworkError};
use carousel_core::json;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Response, StatusCode};

use crate::deadline::Deadline;
use crate::fault::network_error;
use crate::memory::{Held, Room};
use crate::problem;

/// How answers are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of an answer, unpacked.
    pub(crate) bytes: usize,
    /// The time to connect, for the message of an error.
    pub(crate) connect_timeout: Duration,
}

/// Reads a response: 200 with a JSON object is an answer, everything else an error.
pub(crate) async fn read(response: Response, limits: Limits, room: &Room, deadline: &mut Deadline) -> Result<Answer, CallError> {
    if response.status() != StatusCode::OK {
        return Err(CallError::Api(Box::new(deadline.of(problem::read(response)).await?)));
    }
    let kind = content_type(response.headers());
    if !is_json(kind) {
        return Err(CallError::Network(NetworkError::NotJson(told(kind))));
    }
    let request_id = problem::request_id(response.headers()).map(str::to_owned);
    let held = room.begin();
    let text = text(response, limits, &held, deadline).await?;
    held.read();
    Answer::parse_held(text, request_id.as_deref(), held).map_err(|error| CallError::BadAnswer(error.to_string()))
}

async fn text(mut response: Response, limits: Limits, held: &Held, deadline: &mut Deadline) -> Result<String, CallError> {
    let expected = response.content_length().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default();
    let mut body = Vec::with_capacity(expected.min(limits.bytes));
    loop {
        match deadline.of(response.chunk()).await? {
            Ok(None) => break,
            Ok(Some(chunk)) if body.len() + chunk.len() <= limits.bytes => {
                held.more(chunk.len(), deadline).await;
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => return Err(too_large(limits.bytes)),
            Err(error) => return Err(CallError::Network(network_error(error, limits.connect_timeout))),
        }
    }
    json::utf8(body).ok_or_else(|| CallError::BadAnswer("the API's answer is not UTF-8".to_owned()))
}

fn too_large(limit: usize) -> CallError {
    CallError::BadAnswer(format!(
        "the API's answer has more than {limit} bytes unpacked; a larger max_answer in [api] lets it pass"
    ))
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Is it `application/json` or `application/…+json`?
fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.strip_prefix("application/").is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}

fn told(content_type: &str) -> String {
    match content_type {
        "" => "an answer without a content type".to_owned(),
        kind => kind.to_owned(),
    }
}
