//! A successful answer of the API, kept as the text that came in and read member by member.

use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON object from the API. Members are found once and parsed only when asked for; the text is never changed.
///
/// Copies share everything, also what a reader made of the answer (see [`reading`](Self::reading)).
#[derive(Clone)]
pub struct Answer(Arc<Parts>);

struct Parts {
    text: Arc<str>,
    members: Members,
    request_id: Option<Box<str>>,
    reading: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answer").field(&self.0.text).finish()
    }
}

/// The API's text is not a JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnAnswer(String);

impl fmt::Display for NotAnAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the API's answer is not a JSON object: {}", self.0)
    }
}

impl std::error::Error for NotAnAnswer {}

impl Answer {
    /// Reads the text of an answer; the whole text is checked for syntax, nothing is built of it.
    pub fn parse(text: impl Into<Arc<str>>, request_id: Option<&str>) -> Result<Self, NotAnAnswer> {
        let text: Arc<str> = text.into();
        let members = members(&text).map_err(|error| NotAnAnswer(error.to_string()))?;
        Ok(Self(Arc::new(Parts { text, members, request_id: request_id.map(Into::into), reading: OnceLock::new() })))
    }

    /// The JSON text exactly as the API sent it.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The `request-id` header of the answer.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The JSON text of a top-level member.
    pub fn raw(&self, name: &str) -> Option<&str> {
        let (_, range) = self.0.members.iter().rfind(|(key, _)| **key == *name)?;
        self.0.text.get(range.clone())
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
        serde_json::from_str(&self.0.text).unwrap_or_default()
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

    /// What a reader of pages keeps with the answer, so that those who judge it one after the other share its work. It is empty at
    /// first. There is room for one kind of reading; a reader of another kind gets an empty one of its own each time.
    pub fn reading<R: Any + Default + Send + Sync>(&self) -> Arc<R> {
        let kept = self.0.reading.get_or_init(|| Arc::<R>::default());
        Arc::clone(kept).downcast().unwrap_or_default()
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
    fn copies_share_what_a_reader_keeps_and_kinds_of_readings_are_not_mixed_up() {
        let answer = Answer::parse("{}", None).unwrap();
        answer.reading::<OnceLock<u8>>().set(1).unwrap();
        assert_eq!(answer.clone().reading::<OnceLock<u8>>().get(), Some(&1));
        assert_eq!(answer.reading::<OnceLock<String>>().get(), None);
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
