//! The request schema: strict, so that a field the real service would refuse is refused here too.
//!
//! [`fields`] and [`unions`] are the tables, [`kinds`] checks one value. Which fields go together is known to
//! [`carousel_core::contract`], which the engine asks too.

mod countries;
mod fields;
mod kinds;
mod unions;
mod uuid;

pub(crate) use uuid::parse_uuid4;

use carousel_core::contract;
use serde_json::{Map, Value};

use crate::options::SimulatorOptions;
use crate::problem::Problem;

/// The largest request body, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 5 * 1024 * 1024;

/// Reads a body as a request object.
pub(crate) fn parse_body(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.len() > MAX_BODY_BYTES {
        // The status is undocumented; 413 is what the words of HTTP ask for.
        return Err(Problem::of_status(413, "the request body is larger than 5 MiB"));
    }
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::new(400, "/request/invalid-json", format!("the request body is not JSON: {error}")))?;
    if let Value::Object(map) = value {
        return Ok(map);
    }
    Err(Problem::invalid("the request body must be a JSON object"))
}

/// Checks names, types and ranges of all fields.
pub(crate) fn check_fields(request: &Map<String, Value>) -> Result<(), Problem> {
    kinds::check_record(request, fields::FIELDS, "").map_err(|error| Problem::invalid(error.to_string()))
}

/// Checks names, types and ranges of all fields of a search.
pub(crate) fn check_search(request: &Map<String, Value>) -> Result<(), Problem> {
    kinds::check_record(request, fields::SEARCH_FIELDS, "").map_err(|error| Problem::invalid(error.to_string()))
}

/// Checks which fields go together. That `session` excludes `sessionContext` is a choice of the options.
pub(crate) fn check_combination(request: &Map<String, Value>, options: &SimulatorOptions) -> Result<(), Problem> {
    if let Some(refusal) = contract::refusal(request) {
        return Err(Problem::unprocessable(refusal.detail).titled(refusal.title));
    }
    let sets_both = contract::is_set(request, "session") && contract::is_set(request, "sessionContext");
    if options.refuse_session_with_context && sets_both {
        return Err(Problem::unprocessable("\"session\" and \"sessionContext\" exclude each other"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
