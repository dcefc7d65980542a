//! A successful answer of the API, kept as the text that came in and read member by member.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::json::{BadJson, Kind, Raw, Token, Tokens, unquote};

/// Members that are looked up without reading the text again. The API's answers have a few dozen.
const KNOWN_MEMBERS: usize = 64;

/// A JSON object from the API. Members are found once and read only when asked for; the text is never changed.
///
/// Copies share everything, also what a reader made of the answer (see [`reading`](Self::reading)).
#[derive(Clone)]
pub struct Answer(Arc<Parts>);

/// What stands for the memory of an answer until it is dropped with the last copy of it.
pub trait Hold: Send + Sync {
    /// Somebody keeps the answer while it waits for others.
    fn keep(&self);
}

struct Parts {
    text: Arc<str>,
    members: Members,
    request_id: Option<Box<str>>,
    reading: OnceLock<Arc<dyn Any + Send + Sync>>,
    hold: Option<Box<dyn Hold>>,
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

/// Something in an answer, or in the page that it brings, cannot be read. That says nothing about the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl Unreadable {
    /// For this reason.
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    /// A member of the answer is not what it should be.
    pub fn member(name: &str, expected: &str, found: Raw<'_>) -> Self {
        Self(format!("\"{name}\" should be {expected} and is {}", found.kind().told()))
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer cannot be read: {}", self.0)
    }
}

impl std::error::Error for Unreadable {}

impl Answer {
    /// Reads the text of an answer; the whole text is checked for syntax, nothing is built of it.
    pub fn parse(text: impl Into<Arc<str>>, request_id: Option<&str>) -> Result<Self, NotAnAnswer> {
        Self::read(text.into(), request_id, None)
    }

    /// The same, with what stands for its memory.
    pub fn parse_held(
        text: impl Into<Arc<str>>,
        request_id: Option<&str>,
        hold: impl Hold + 'static,
    ) -> Result<Self, NotAnAnswer> {
        Self::read(text.into(), request_id, Some(Box::new(hold)))
    }

    fn read(text: Arc<str>, request_id: Option<&str>, hold: Option<Box<dyn Hold>>) -> Result<Self, NotAnAnswer> {
        let members = Members::of(&text)?;
        Ok(Self(Arc::new(Parts { text, members, request_id: request_id.map(Into::into), reading: OnceLock::new(), hold })))
    }

    /// Whoever calls this keeps the answer while it waits for the next one, which therefore does not wait for this one to go.
    pub fn keep(&self) {
        self.0.hold.as_ref().into_iter().for_each(|hold| hold.keep());
    }

    /// The JSON text exactly as the API sent it.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The `request-id` header of the answer.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The whole answer.
    pub fn raw(&self) -> Raw<'_> {
        Raw::of(&self.0.text)
    }

    /// A top-level member; none where there is none or it is null.
    pub fn member(&self, name: &str) -> Option<Raw<'_>> {
        let member = match &self.0.members {
            Members::Known(known) => {
                let (_, range) = known.iter().rfind(|(key, _)| **key == *name)?;
                Raw::of(self.0.text.get(range.clone())?)
            }
            Members::Many => self.raw().get(name)?,
        };
        (member.kind() != Kind::Null).then_some(member)
    }

    /// A top-level member that is text.
    pub fn string(&self, name: &str) -> Result<Option<Cow<'_, str>>, Unreadable> {
        let member = self.member(name);
        member.map(|raw| raw.string().ok_or_else(|| Unreadable::member(name, "text", raw))).transpose()
    }

    /// The members of a top-level member that is a list; none where there is no such member.
    pub fn list(&self, name: &str) -> Result<impl Iterator<Item = Raw<'_>>, Unreadable> {
        match self.member(name) {
            Some(raw) if raw.kind() != Kind::Array => Err(Unreadable::member(name, "a list", raw)),
            list => Ok(list.into_iter().flat_map(Raw::items)),
        }
    }

    /// The page's URL after redirects.
    pub fn url(&self) -> Result<Option<Cow<'_, str>>, Unreadable> {
        self.string("url")
    }

    /// The HTTP status of the page, not of the API.
    pub fn status_code(&self) -> Result<Option<u16>, Unreadable> {
        let Some(raw) = self.member("statusCode") else { return Ok(None) };
        let number = raw.text().parse::<f64>().ok().filter(|number| number.fract() == 0.0);
        let status = number.filter(|number| (0.0..=f64::from(u16::MAX)).contains(number)).map(|number| number as u16);
        status.map(Some).ok_or_else(|| Unreadable::new(format!("\"statusCode\" is no HTTP status: {}", shortened(raw.text()))))
    }

    /// What a reader of pages keeps with the answer, so that those who judge it one after the other share its work. It is empty at
    /// first. There is room for one kind of reading; a reader of another kind gets an empty one of its own each time.
    pub fn reading<R: Any + Default + Send + Sync>(&self) -> Arc<R> {
        let kept = self.0.reading.get_or_init(|| Arc::<R>::default());
        Arc::clone(kept).downcast().unwrap_or_default()
    }
}

fn shortened(text: &str) -> Cow<'_, str> {
    crate::text::shorten(text, 40).into()
}

/// Where the members of an answer are in its text.
enum Members {
    Known(Vec<(Box<str>, Range<usize>)>),
    /// More than are kept.
    Many,
}

impl Members {
    fn of(text: &str) -> Result<Self, NotAnAnswer> {
        let bad = |error: BadJson| NotAnAnswer(error.to_string());
        let whole = Raw::of(text);
        if whole.kind() != Kind::Object {
            let found = Raw::checked(text).map_err(bad)?.kind();
            return Err(NotAnAnswer(format!("it is {}", found.told())));
        }
        let mut known = Vec::new();
        let mut tokens = Tokens::of(text);
        let (mut key, mut start) = (None, 0);
        while let Some(token) = tokens.next() {
            let (at, token) = token.map_err(bad)?;
            let end = match token {
                Token::Key(name) if tokens.depth() == 1 => {
                    key = Some(unquote(name));
                    continue;
                }
                Token::Open if tokens.depth() == 2 => {
                    start = at;
                    continue;
                }
                Token::Close if tokens.depth() == 1 => at + 1,
                Token::Scalar(raw) if tokens.depth() == 1 => {
                    start = at;
                    at + raw.len()
                }
                Token::Key(_) | Token::Open | Token::Close | Token::Scalar(_) => continue,
            };
            if known.len() <= KNOWN_MEMBERS {
                known.push((key.take().unwrap_or_default().into(), start..end));
            }
        }
        Ok(if known.len() <= KNOWN_MEMBERS { Self::Known(known) } else { Self::Many })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Answer {
        Answer::parse(text, None).unwrap()
    }

    #[test]
    fn members_are_found_without_changing_the_text() {
        let text = r#" {"url":"https://a.example/","statusCode": 404, "actions":[{"status":"success"}], "big" : 12345678901234567890123 } "#;
        let answer = Answer::parse(text, Some("r1")).unwrap();
        assert_eq!(answer.text(), text);
        assert_eq!(answer.url().unwrap().as_deref(), Some("https://a.example/"));
        assert_eq!(answer.status_code(), Ok(Some(404)));
        assert_eq!(answer.list("actions").unwrap().map(Raw::text).collect::<Vec<_>>(), [r#"{"status":"success"}"#]);
        assert_eq!(answer.member("big").map(Raw::text), Some("12345678901234567890123"));
        assert_eq!(answer.member("none"), None);
        assert_eq!(answer.request_id(), Some("r1"));
    }

    #[test]
    fn what_is_odd_is_read_and_what_is_wrong_is_told() {
        let answer = parse(r#"{"url":"a\ud83d","statusCode":200.0,"actions":null,"n":NaN}"#);
        assert_eq!(answer.url().unwrap().as_deref(), Some("a\u{fffd}"));
        assert_eq!((answer.status_code(), answer.member("n")), (Ok(Some(200)), None));
        assert_eq!(answer.list("actions").unwrap().count() + answer.list("none").unwrap().count(), 0);
        let answer = parse(r#"{"url":3,"statusCode":"200","actions":{},"cookies":[]}"#);
        let told = |error: Unreadable| error.to_string();
        assert_eq!(
            answer.url().map_err(told),
            Err("the answer cannot be read: \"url\" should be text and is a number".to_owned())
        );
        assert!(answer.list("actions").map_err(told).err().unwrap().contains("\"actions\" should be a list and is an object"));
        assert!(answer.status_code().map_err(told).unwrap_err().contains("no HTTP status: \"200\""));
        for status in ["-1", "70000", "200.5", "1e400"] {
            assert!(parse(&format!(r#"{{"statusCode":{status}}}"#)).status_code().is_err(), "{status}");
        }
    }

    #[test]
    fn an_answer_of_many_members_is_looked_through() {
        let members: String = (0..100).map(|n| format!("\"m{n}\":[{n}],")).collect();
        let answer = parse(&format!("{{{members}\"m3\":\"last\"}}"));
        assert_eq!(answer.member("m99").map(Raw::text), Some("[99]"));
        assert_eq!(answer.string("m3").unwrap().as_deref(), Some("last"));
    }

    #[test]
    fn copies_share_what_a_reader_keeps_and_kinds_of_readings_are_not_mixed_up() {
        let answer = parse("{}");
        answer.reading::<OnceLock<u8>>().set(1).unwrap();
        assert_eq!(answer.clone().reading::<OnceLock<u8>>().get(), Some(&1));
        assert_eq!(answer.reading::<OnceLock<String>>().get(), None);
    }

    #[test]
    fn the_last_of_two_members_of_a_name_counts() {
        assert_eq!(parse(r#"{"a":1,"a":2}"#).member("a").map(Raw::text), Some("2"));
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for text in ["", "[]", "{", r#"{"a":1} x"#, "null", "3", r#"{"a":[1,}"#] {
            assert!(Answer::parse(text, None).is_err(), "{text}");
        }
        assert_eq!(Answer::parse("[]", None).unwrap_err().to_string(), "the API's answer is not a JSON object: it is a list");
    }
}
