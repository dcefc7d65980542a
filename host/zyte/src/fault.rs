//! What went wrong on the way, in the words of the port.

use std::error::Error;
use std::time::Duration;

use carousel_core::exchange::NetworkError;

/// An error and everything that caused it.
pub(crate) fn sources<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// Names the failure of a call that got no complete answer.
pub(crate) fn network_error(error: reqwest::Error, connect_timeout: Duration) -> NetworkError {
    let error = error.without_url();
    match (error.is_connect(), error.is_timeout()) {
        (true, true) => NetworkError::Connect(format!("no connection within {} s", connect_timeout.as_secs_f64())),
        (true, false) => NetworkError::Connect(told(&error)),
        (false, _) => NetworkError::Broken(told(&error)),
    }
}

/// What libraries say of every call that failed.
const EMPTY_WORDS: [&str; 2] = ["error sending request", "client error ("];

/// The error and its causes in one line, without those that say nothing or repeat what was said.
pub(crate) fn told(error: &(dyn Error + 'static)) -> String {
    let mut told = String::new();
    let is_empty = |part: &str| EMPTY_WORDS.iter().any(|words| part.starts_with(words));
    let has_more = |error: &(dyn Error + 'static)| error.source().is_some();
    for part in sources(error).filter(|part| !(has_more(*part) && is_empty(&part.to_string()))).map(ToString::to_string) {
        if told.contains(&part) {
            continue;
        }
        if !told.is_empty() {
            told.push_str(": ");
        }
        told.push_str(&part);
    }
    told
}
