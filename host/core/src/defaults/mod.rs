//! What holds for a request where no plugin says otherwise: is it enabled, which pool, which location, how to initialise.

mod mistakes;
mod pool_names;
mod unmanaged;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use self::mistakes::meta_mistake;
pub use self::pool_names::PoolNames;
pub use self::unmanaged::Unmanaged;
use crate::exchange::{Object, Request, is_web};
use crate::hooks::Naming;
use crate::place::Place;
use crate::retry::{PolicyName, UnknownPolicy};
use crate::settings::{Profile, SessionKind, SessionSettings};

/// The metadata keys, which are the peer's, so that a crawl moves over unchanged.
pub mod meta {
    /// Are sessions used for this request?
    pub const ENABLED: &str = "zyte_api_session_enabled";
    /// The pool: a name or an object.
    pub const POOL: &str = "zyte_api_session_pool";
    /// The address to set.
    pub const LOCATION: &str = "zyte_api_session_location";
    /// API parameters of the initialisation.
    pub const PARAMS: &str = "zyte_api_session_params";
    /// Are cookie sessions used for this request?
    pub const COOKIE_MODE: &str = "zyte_api_session_cookie_mode";
    /// Retries of this request at most.
    pub const MAX_RETRY_TIMES: &str = "max_retry_times";
    /// When a failed call of this request is repeated: the name of a policy.
    pub const RETRY_POLICY: &str = "zyte_api_retry_policy";

    /// All keys.
    pub const ALL: [&str; 7] = [ENABLED, POOL, LOCATION, PARAMS, COOKIE_MODE, MAX_RETRY_TIMES, RETRY_POLICY];
}

/// Whether sessions are used: the metadata if the key is there, whatever its value, else the setting.
pub fn enabled(settings: &SessionSettings, profile: Profile, request: &Request) -> bool {
    request.meta().get(meta::ENABLED).map_or(settings.enabled(profile), is_truthy)
}

/// Whether they are cookie sessions: the metadata if the key is there, whatever its value, else the setting.
pub fn cookie_mode(settings: &SessionSettings, request: &Request) -> bool {
    request.meta().get(meta::COOKIE_MODE).map_or_else(|| SessionKind::usual(settings.kind()) == SessionKind::Cookies, is_truthy)
}

/// The location: the metadata if the key is there (null and empty mean none), else the setting.
///
/// A number in an address (a postal code without quotes) becomes text, because the API takes text only.
pub fn location(settings: &SessionSettings, request: &Request) -> Object {
    match request.meta().get(meta::LOCATION) {
        None => settings.location.clone(),
        Some(Value::Object(address)) => address.iter().map(|(key, value)| (key.clone(), as_text(value))).collect(),
        Some(_) => Object::new(),
    }
}

fn as_text(value: &Value) -> Value {
    value.as_number().map_or_else(|| value.clone(), |number| Value::String(number.to_string()))
}

/// The initialisation parameters of the request itself or of the settings, which go before any hook.
pub fn explicit_params<'r>(settings: &'r SessionSettings, request: &'r Request) -> Option<&'r Object> {
    match own(request, meta::PARAMS) {
        Some(params) => Some(params),
        None if own(request, meta::LOCATION).is_none() && !settings.params.is_empty() => Some(&settings.params),
        None => None,
    }
}

/// An object of the request's metadata, unless it is empty.
fn own<'r>(request: &'r Request, key: &str) -> Option<&'r Object> {
    request.meta().get(key).and_then(Value::as_object).filter(|object| !object.is_empty())
}

/// Where on earth the sessions for a request are: its own word, else that of the parameters of their initialisation. The error says
/// where the request contradicts itself.
pub fn place(settings: &SessionSettings, request: &Request) -> Result<Place, String> {
    let place = Place::of(request.params());
    let of_init = explicit_params(settings, request).map(Place::of).unwrap_or_default();
    let contradiction = own(request, meta::PARAMS).and_then(|_| place.disagrees_with(&of_init));
    match contradiction {
        Some(found) => Err(format!(
            "a session has one place: {}; let them agree, or leave one out",
            found.between("the request", meta::PARAMS)
        )),
        None => Ok(place.or(&of_init)),
    }
}

/// The place that a pool's name stands for without saying so. An automatic name tells of the parameters of the request's metadata; a
/// name that somebody chose does not.
pub fn usual_place(settings: &SessionSettings, request: &Request, naming: Naming) -> Place {
    match naming {
        Naming::Automatic => explicit_params(settings, request).map(Place::of).unwrap_or_default(),
        Naming::Explicit => Place::of(&settings.params),
    }
}

/// What is wrong with the URL of explicit initialisation parameters, if anything: they are the user's own word, and may lead to any
/// page of the web.
pub fn bad_init_url(settings: &SessionSettings, request: &Request) -> Option<String> {
    let url = explicit_params(settings, request)?.get("url")?;
    match url.as_str() {
        Some(url) if is_web(url) => None,
        _ => {
            let source = own(request, meta::PARAMS).map_or("session.params", |_| meta::PARAMS);
            Some(format!("{source}: the url {url} does not begin with http:// or https://"))
        }
    }
}

/// The retry policy that the request itself names; none where it names none.
pub fn retry_policy(request: &Request) -> Result<Option<PolicyName>, UnknownPolicy> {
    match request.meta().get(meta::RETRY_POLICY) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) => name.parse().map(Some),
        Some(other) => Err(UnknownPolicy(other.to_string())),
    }
}

/// A browser request, which sets the location if there is one.
pub fn params(location: &Object) -> Object {
    let mut params = Object::new();
    params.insert("browserHtml".to_owned(), Value::Bool(true));
    if !location.is_empty() {
        params.insert("actions".to_owned(), json!([{"action": "setLocation", "address": location}]));
    }
    params
}

/// Truth as Python sees it, which is what the peer's metadata is written for.
pub(crate) fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// JSON text that is the same for equal values: keys sorted at every depth, numbers written in one way.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::Number(_) => {
            let mut usual = value.clone();
            crate::json::unify_numbers(&mut usual);
            usual.to_string()
        }
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            let member = |(key, value): (&String, &Value)| format!("{}:{}", Value::String(key.clone()), canonical(value));
            format!("{{{}}}", sorted.into_iter().map(member).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Null | Value::Bool(_) | Value::String(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests;
