//! What the host would do if the plugin did not override the hook, for hooks that mean "as usual, but".

use serde_json::Value;

use crate::{Location, Params, Pool, Request, Response, Result, Verdict, json, wire};

/// Asks the request's metadata, then the settings, whether sessions are used.
pub fn enabled(request: &Request) -> Result<bool> {
    Ok(wire::default_enabled(&request.raw))
}

/// Asks the request's metadata, then the settings, whether cookies replace API sessions.
pub fn cookie_mode(request: &Request) -> Result<bool> {
    Ok(wire::default_cookie_mode(&request.raw))
}

/// Names the pool after host and location or parameters of the request.
pub fn pool(request: &Request) -> Result<Pool> {
    let value: Value = json::decode(&wire::default_pool(&request.raw)?, "the default pool")?;
    Ok(Pool::from(value))
}

/// Takes the location from the request's metadata, then from the settings.
pub fn location(request: &Request) -> Result<Option<Location>> {
    Location::decode(&wire::default_location(&request.raw))
}

/// Asks for a browser page, with `setLocation` if there is a location.
pub fn params(request: &Request) -> Result<Params> {
    let value: Value = json::decode(&wire::default_params(&request.raw), "the default params")?;
    Ok(Params::from(value))
}

/// Checks that the location was set and that no action of an initialisation failed, or asks the crawl's own checker.
pub fn check(response: &Response, request: &Request) -> Result<Verdict> {
    wire::default_check(&response.raw, &request.raw)
}
