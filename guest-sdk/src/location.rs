//! Where a site believes its visitor to be.

use serde_json::{Map, Value};

use crate::{Error, Result, json};

/// An address in the members that `setLocation` knows, and any others.
///
/// A member that is not text (a postal code given as a number) stays in `extra` under its name, so that what was read
/// is written again unchanged.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Location {
    /// `addressCountry`, an ISO 3166-1 alpha-2 code.
    pub address_country: Option<String>,
    /// `addressRegion`.
    pub address_region: Option<String>,
    /// `postalCode`.
    pub postal_code: Option<String>,
    /// `streetAddress`.
    pub street_address: Option<String>,
    /// All other members.
    pub extra: Map<String, Value>,
}

impl Location {
    /// A location with nothing but a postal code.
    pub fn of_postal_code(code: impl Into<String>) -> Self {
        Self { postal_code: Some(code.into()), ..Self::default() }
    }

    /// Reads the members of a JSON object; fails on any other value.
    pub fn from_value(value: Value) -> Result<Self> {
        let Value::Object(map) = value else {
            return Err(Error::new(format!("a location must be a JSON object, not {value}")));
        };
        let mut location = Self::default();
        for (name, value) in map {
            if let Value::String(text) = value {
                location.set_text(name, text);
            } else {
                location.extra.insert(name, value);
            }
        }
        Ok(location)
    }

    /// Returns the members as a JSON object, the address for `setLocation`.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        for (name, member) in [
            ("addressCountry", &self.address_country),
            ("addressRegion", &self.address_region),
            ("postalCode", &self.postal_code),
            ("streetAddress", &self.street_address),
        ] {
            if let Some(text) = member {
                map.insert(name.to_owned(), text.as_str().into());
            }
        }
        map.extend(self.extra.clone());
        Value::Object(map)
    }

    /// Tells whether no member is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads JSON text; an object without members is no location.
    pub(crate) fn decode(text: &str) -> Result<Option<Self>> {
        let value: Value = json::decode(text, "the location")?;
        if value.is_null() {
            return Ok(None);
        }
        let location = Self::from_value(value)?;
        Ok(if location.is_empty() { None } else { Some(location) })
    }

    fn set_text(&mut self, name: String, text: String) {
        let member = match name.as_str() {
            "addressCountry" => &mut self.address_country,
            "addressRegion" => &mut self.address_region,
            "postalCode" => &mut self.postal_code,
            "streetAddress" => &mut self.street_address,
            _ => {
                self.extra.insert(name, text.into());
                return;
            }
        };
        *member = Some(text);
    }
}

impl From<&Location> for Value {
    fn from(location: &Location) -> Self {
        location.to_value()
    }
}
