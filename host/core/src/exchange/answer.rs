//! A successful answer of the API, kept as the text that came in and read member by member.

use std::ops::Range;
use std::sync::Arc;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON object from the API. Members are found once and parsed only when asked for; the text is never changed.
#[derive(Clone, Debug)]
pub struct Answer {
    text: Arc<str>,
    members: Arc<[(Box<str>, Range<usize>)]>,
    request_id: Option<Arc<str>>,
}

/// The API's text is not a JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnAnswer(String);

impl std::fmt::Display for NotAnAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the API's answer is not a JSON object: {}", self.0)
    }
}

impl std::error::Error for NotAnAnswer {}

impl Answer {
    /// Reads the text of an answer; the whole text is checked for syntax, nothing is built of it.
    pub fn parse(text: impl Into<Arc<str>>, request_id: Option<&str>) -> Result<Self, NotAnAnswer> {
        let text: Arc<str> = text.into();
        let members = members(&text).map_err(|error| NotAnAnswer(error.to_string()))?;
        Ok(Self { text, members: members.into(), request_id: request_id.map(Into::into) })
    }

    /// The JSON text exactly as the API sent it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The `request-id` header of the answer.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The JSON text of a top-level member.
    pub fn raw(&self, name: &str) -> Option<&str> {
        let (_, range) = self.members.iter().rfind(|(key, _)| **key == *name)?;
        self.text.get(range.clone())
    }

    /// A top-level member, parsed.
    pub fn member(&self, name: &str) -> Option<Value> {
        serde_json::from_str(self.raw(name)?).ok()
    }

    /// A top-level member that is text.
    pub fn string(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.raw(name)?).ok()
    }

    /// The whole answer, parsed.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The page's URL after redirects.
    pub fn url(&self) -> Option<String> {
        self.string("url")
    }

    /// The HTTP status of the page, not of the API.
    pub fn status_code(&self) -> Option<u16> {
        self.raw("statusCode")?.parse().ok()
    }

    /// The results of the browser actions; empty where there were none.
    pub fn actions(&self) -> Vec<Value> {
        self.list("actions")
    }

    /// The cookies that `responseCookies` asked for; empty where it did not.
    pub fn cookies(&self) -> Vec<Value> {
        self.list("responseCookies")
    }

    fn list(&self, name: &str) -> Vec<Value> {
        self.raw(name).and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default()
    }
}

type Members = Vec<(Box<str>, Range<usize>)>;

fn members(text: &str) -> serde_json::Result<Members> {
    struct Spans<'t>(&'t str);

    impl<'t> Visitor<'t> for Spans<'t> {
        type Value = Members;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Members, A::Error> {
            let mut members = Members::new();
            while let Some(key) = map.next_key::<Box<str>>()? {
                let raw = map.next_value::<&RawValue>()?.get();
                // The raw value borrows from the text, so the distance of the two starts is its place in the text.
                let start = (raw.as_ptr() as usize).saturating_sub(self.0.as_ptr() as usize);
                members.push((key, start..start + raw.len()));
            }
            Ok(members)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer.deserialize_map(Spans(text))?;
    deserializer.end()?;
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_found_without_changing_the_text() {
        let text = r#" {"url":"https://a.example/","statusCode": 404, "actions":[{"status":"success"}], "big" : 12345678901234567890123 } "#;
        let answer = Answer::parse(text, Some("r1")).unwrap();
        assert_eq!(answer.text(), text);
        assert_eq!(answer.url().as_deref(), Some("https://a.example/"));
        assert_eq!(answer.status_code(), Some(404));
        assert_eq!(answer.actions(), [json!({"status": "success"})]);
        assert_eq!(answer.raw("big"), Some("12345678901234567890123"));
        assert_eq!(answer.member("none"), None);
        assert_eq!(answer.request_id(), Some("r1"));
    }

    #[test]
    fn the_last_of_two_members_of_a_name_counts() {
        assert_eq!(Answer::parse(r#"{"a":1,"a":2}"#, None).unwrap().raw("a"), Some("2"));
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for text in ["", "[]", "{", r#"{"a":1} x"#, "null"] {
            assert!(Answer::parse(text, None).is_err(), "{text}");
        }
    }
}
