//! The names of pools that nobody names: after host, location and parameters of the request.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{canonical, is_truthy, meta, own};
use crate::exchange::{Object, Request};
use crate::hooks::PoolChoice;
use crate::settings::{Profile, SessionSettings};

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
    /// How many these are in all.
    param_sets: usize,
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
            None if profile.is_peer() => Ok(PoolChoice::automatic(self.short_name(request, location))),
            None => Ok(PoolChoice::automatic(sound_name(settings, request, location))),
        }
    }

    /// How many parameter sets have got a number for a name. A number says nothing of what it stands for, so a name that makes
    /// them more is worth a line in the log.
    pub fn param_sets(&self) -> usize {
        self.param_sets
    }

    fn short_name(&mut self, request: &Request, location: &Object) -> String {
        let host = request.host();
        if let Some(params) = request.meta().get(meta::PARAMS).filter(|value| is_truthy(value)) {
            let known = self.params.entry(host.clone()).or_default();
            let before = known.len();
            let index = index_of(known, canonical(params));
            self.param_sets += known.len() - before;
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
    // A location of the request's own goes before the parameters of the settings, the same one of the settings goes after them.
    let is_in_place_of_params = own(request, meta::LOCATION).is_some() && !settings.params.is_empty();
    if location != &settings.location || is_in_place_of_params {
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
