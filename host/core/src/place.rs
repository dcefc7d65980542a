//! Where on earth a session's requests come from: Zyte API fixes it at the first call of a session, and what a later call from another
//! place gets is undefined.

use std::fmt;

use serde_json::Value;

use crate::exchange::Object;

/// The parameters that say it.
const FIELDS: [&str; 2] = ["geolocation", "ipType"];

/// What a call says of its place; null says nothing, as the absence of a parameter does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place([Option<Value>; FIELDS.len()]);

/// Two words on one place that do not agree.
#[derive(Clone, Debug, PartialEq)]
pub struct Disagreement {
    field: &'static str,
    one: Value,
    other: Value,
}

impl Place {
    /// What these API parameters say.
    pub fn of(params: &Object) -> Self {
        Self(FIELDS.map(|field| params.get(field).filter(|value| !value.is_null()).cloned()))
    }

    /// Is nothing said?
    pub fn is_anywhere(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// What both say differently. Where one of them says nothing they agree.
    pub fn disagrees_with(&self, other: &Self) -> Option<Disagreement> {
        self.fields_with(other).find_map(|(field, one, other)| match (one, other) {
            (Some(one), Some(other)) if one != other => Some(Disagreement { field, one: one.clone(), other: other.clone() }),
            _ => None,
        })
    }

    /// The same, and where this place says nothing the other one's word.
    pub fn or(mut self, other: &Self) -> Self {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own = own.take().or_else(|| other.clone());
        }
        self
    }

    /// Does the other place say all that this one says?
    pub fn is_within(&self, other: &Self) -> bool {
        self.fields_with(other).all(|(_, own, other)| own.is_none() || own == other)
    }

    /// The parameters of a call that say it, with their values.
    pub fn params(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        FIELDS.into_iter().zip(&self.0).filter_map(|(field, value)| Some((field, value.as_ref()?)))
    }

    /// Says it in the parameters of a call.
    pub fn put_into(&self, params: &mut Object) {
        params.extend(self.params().map(|(field, value)| (field.to_owned(), value.clone())));
    }

    /// What is said otherwise than in the usual place, as `geolocation=DE`; nothing behind the sign where only the usual place says
    /// something.
    pub fn unlike<'p>(&'p self, usual: &'p Self) -> impl Iterator<Item = String> + 'p {
        self.fields_with(usual).filter(|(_, own, usual)| own != usual).map(|(field, own, _)| match own {
            None => format!("{field}="),
            Some(Value::String(text)) => format!("{field}={text}"),
            Some(value) => format!("{field}:{value}"),
        })
    }

    fn fields_with<'p>(
        &'p self,
        other: &'p Self,
    ) -> impl Iterator<Item = (&'static str, Option<&'p Value>, Option<&'p Value>)> + 'p {
        let values = self.0.iter().zip(&other.0);
        FIELDS.into_iter().zip(values).map(|(field, (own, other))| (field, own.as_ref(), other.as_ref()))
    }
}

impl Disagreement {
    /// Tells it of two by name: `the request says geolocation "DE" and its initialisation "US"`.
    pub fn between(&self, one: &str, other: &str) -> String {
        format!("{one} says {self} and {other} {}", self.other)
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.one)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place(params: Value) -> Place {
        Place::of(params.as_object().unwrap())
    }

    #[test]
    fn null_and_absence_say_nothing_and_agree_with_everything() {
        let de = place(json!({"geolocation": "DE", "ipType": null, "browserHtml": true}));
        assert!(place(json!({"geolocation": null})).is_anywhere() && !de.is_anywhere());
        assert_eq!(de.disagrees_with(&place(json!({"ipType": "residential"}))), None);
        assert!(Place::default().is_within(&de) && !de.is_within(&Place::default()));
    }

    #[test]
    fn two_words_that_differ_are_told_with_both() {
        let found = place(json!({"geolocation": "DE"})).disagrees_with(&place(json!({"geolocation": "US", "ipType": "x"})));
        let told = found.unwrap().between("the request", "its initialisation");
        assert_eq!(told, "the request says geolocation \"DE\" and its initialisation \"US\"");
        let found = place(json!({"ipType": "datacenter"})).disagrees_with(&place(json!({"ipType": "residential"})));
        assert!(found.unwrap().to_string().starts_with("ipType"));
    }

    #[test]
    fn what_one_leaves_open_the_other_may_say() {
        let both = place(json!({"geolocation": "DE"})).or(&place(json!({"geolocation": "US", "ipType": "residential"})));
        assert_eq!(both, place(json!({"geolocation": "DE", "ipType": "residential"})));
        let mut params = json!({"geolocation": null}).as_object().unwrap().clone();
        both.put_into(&mut params);
        assert_eq!(Value::Object(params), json!({"geolocation": "DE", "ipType": "residential"}));
    }

    #[test]
    fn a_place_is_told_by_what_is_not_as_usual() {
        let unlike = |own, usual| place(own).unlike(&place(usual)).collect::<Vec<_>>();
        assert_eq!(unlike(json!({"geolocation": "DE", "ipType": "x"}), json!({"ipType": "x"})), ["geolocation=DE"]);
        assert_eq!(unlike(json!({}), json!({"geolocation": "US"})), ["geolocation="]);
        assert_eq!(unlike(json!({"geolocation": 1}), json!({})), ["geolocation:1"]);
        assert!(unlike(json!({"ipType": "x"}), json!({"ipType": "x"})).is_empty());
    }
}
