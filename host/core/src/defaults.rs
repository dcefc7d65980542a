//! What holds for a request where no plugin says otherwise: is it enabled, which pool, which location, how to initialise.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::exchange::{Object, Request};
use crate::hooks::PoolChoice;
use crate::retry::{PolicyName, UnknownPolicy};
use crate::settings::{Profile, SessionSettings};

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
}

/// Whether sessions are used: the metadata if the key is there, whatever its value, else the setting.
pub fn enabled(settings: &SessionSettings, profile: Profile, request: &Request) -> bool {
    request.meta().get(meta::ENABLED).map_or(settings.enabled(profile), is_truthy)
}

/// Whether they are cookie sessions: the metadata if the key is there, whatever its value, else the setting.
pub fn cookie_mode(settings: &SessionSettings, request: &Request) -> bool {
    request.meta().get(meta::COOKIE_MODE).map_or(settings.cookie_mode, is_truthy)
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
pub fn explicit_params(settings: &SessionSettings, request: &Request) -> Option<Object> {
    let of_request = |key| request.meta().get(key).and_then(Value::as_object).filter(|object| !object.is_empty());
    match of_request(meta::PARAMS) {
        Some(params) => Some(params.clone()),
        None if of_request(meta::LOCATION).is_none() && !settings.params.is_empty() => Some(settings.params.clone()),
        None => None,
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

/// The address fields that the peer's pool names use, in this order.
const ADDRESS_FIELDS: [&str; 4] = ["addressCountry", "addressRegion", "postalCode", "streetAddress"];

/// Gives automatic pool names, so that what needs different sessions never shares a pool.
///
/// The default profile derives a name from what it stands for alone. The peer's profile has the peer's short names, which
/// depend on the order of arrival; where two different locations would get one name, the later one gets a number.
#[derive(Debug, Default)]
pub struct PoolNames {
    /// Per host, the parameter sets in order of arrival.
    params: BTreeMap<String, Vec<String>>,
    /// Per short name, the locations in order of arrival.
    locations: BTreeMap<String, Vec<String>>,
}

impl PoolNames {
    /// The pool of a request: the metadata's, else one named after host, parameters and location. `location` is the one in
    /// force, `hooked` whether a plugin's hook gave it. An error says what is wrong with the metadata.
    pub fn pool(
        &mut self,
        profile: Profile,
        settings: &SessionSettings,
        request: &Request,
        location: &Object,
    ) -> Result<PoolChoice, String> {
        match request.meta().get(meta::POOL).filter(|value| is_truthy(value)) {
            Some(explicit) => PoolChoice::from_json(explicit),
            None if profile.is_peer() => Ok(PoolChoice::named(self.short_name(request, location))),
            None => Ok(PoolChoice::named(sound_name(settings, request, location))),
        }
    }

    fn short_name(&mut self, request: &Request, location: &Object) -> String {
        let host = request.host();
        if let Some(params) = request.meta().get(meta::PARAMS).filter(|value| is_truthy(value)) {
            let index = index_of(self.params.entry(host.clone()).or_default(), canonical(params));
            return format!("{host}[{index}]");
        }
        let own = request.meta().get(meta::LOCATION).and_then(Value::as_object).filter(|address| !address.is_empty());
        let name = own.map_or(host.clone(), |address| format!("{host}@{}", short_address(address)));
        let index = index_of(self.locations.entry(name.clone()).or_default(), canonical(&Value::Object(location.clone())));
        if index == 0 { name } else { format!("{name}~{}", index + 1) }
    }
}

fn index_of(known: &mut Vec<String>, what: String) -> usize {
    if let Some(index) = known.iter().position(|item| *item == what) {
        return index;
    }
    known.push(what);
    known.len() - 1
}

fn short_address(location: &Object) -> String {
    let values = ADDRESS_FIELDS.iter().filter_map(|field| location.get(*field));
    values.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect::<Vec<_>>().join(",")
}

/// A name in which different locations and parameters differ: `host`, `host@postalCode=10001`, `host[PARAMS]`.
fn sound_name(settings: &SessionSettings, request: &Request, location: &Object) -> String {
    let mut name = request.host();
    if location != &settings.location {
        name.push('@');
        name.push_str(&address(location));
    }
    if let Some(params) = request.meta().get(meta::PARAMS).filter(|value| is_truthy(value)) {
        name.push_str(&format!("[{}]", canonical(params)));
    }
    name
}

/// `key=value` in the order of the keys; what could be mistaken for a separator is percent-escaped.
fn address(location: &Object) -> String {
    let escaped = |text: &str| text.replace('%', "%25").replace(',', "%2C").replace('=', "%3D").replace('[', "%5B");
    let fields: BTreeMap<&String, &Value> = location.iter().collect();
    let field = |(key, value): (&String, &Value)| match value.as_str() {
        Some(text) => format!("{}={}", escaped(key), escaped(text)),
        None => format!("{}=={}", escaped(key), escaped(&canonical(value))),
    };
    fields.into_iter().map(field).collect::<Vec<_>>().join(",")
}

/// JSON text that is the same for equal values: keys sorted at every depth.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            let member = |(key, value): (&String, &Value)| format!("{}:{}", Value::String(key.clone()), canonical(value));
            format!("{{{}}}", sorted.into_iter().map(member).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests;
