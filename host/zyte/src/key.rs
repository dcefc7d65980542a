//! The API key, which can be shown to nobody by accident.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use carousel_core::exchange::{CallError, NetworkError, Problem};

use crate::ZyteError;
use crate::notations::Notations;

/// How many characters of a key are shown: enough to tell two keys apart, as the peer does.
const SHOWN: usize = 7;

/// A Zyte API key. Printed in any way, it shows at most its first 7 characters and never more than half of them.
#[derive(Clone)]
pub struct ApiKey(Arc<Key>);

struct Key {
    secret: String,
    notations: Notations,
}

impl ApiKey {
    /// Takes a key, without the white space around it. An error where nothing is left, or where it holds white space, a colon
    /// or a character that is no visible ASCII: none of these is in a key, so something else was pasted.
    pub fn new(key: &str) -> Result<Self, ZyteError> {
        let key = key.trim();
        match key.chars().all(|c| c.is_ascii_graphic() && c != ':') {
            _ if key.is_empty() => Err(ZyteError::NoKey),
            true => Ok(Self(Arc::new(Key { secret: key.to_owned(), notations: Notations::of(key) }))),
            false => Err(ZyteError::BadKey),
        }
    }

    /// The whole key, for the `Authorization` header only.
    pub(crate) fn secret(&self) -> &str {
        &self.0.secret
    }

    /// A text with `[API key]` wherever the key stands in it, in clear, as Basic authorisation or otherwise encoded. A key that is a
    /// short word, as simulators take them, is not looked for in clear.
    pub fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.0.notations.hide(text)
    }

    /// The error of a call without the key, which the API may have repeated in any of its texts.
    pub(crate) fn hide_in(&self, error: CallError) -> CallError {
        let hide = |text: String| match self.hide(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(hidden) => hidden,
        };
        match error {
            CallError::Api(problem) => {
                let Problem { status, kind, title, detail, request_id, retry_after, body } = *problem;
                let [kind, title, detail, body] = [kind, title, detail, body].map(hide);
                let request_id = request_id.map(hide);
                CallError::Api(Box::new(Problem { status, kind, title, detail, request_id, retry_after, body }))
            }
            CallError::BadAnswer(why) => CallError::BadAnswer(hide(why)),
            CallError::Network(error) => CallError::Network(match error {
                NetworkError::Timeout(limit) => NetworkError::Timeout(limit),
                NetworkError::Connect(why) => NetworkError::Connect(hide(why)),
                NetworkError::Broken(why) => NetworkError::Broken(hide(why)),
                NetworkError::NotSent(why) => NetworkError::NotSent(hide(why)),
                NetworkError::NotJson(kind) => NetworkError::NotJson(hide(kind)),
            }),
        }
    }

    fn shown(&self) -> &str {
        let secret = self.secret();
        secret.get(..SHOWN.min(secret.len() / 2)).unwrap_or_default()
    }
}

impl PartialEq for ApiKey {
    fn eq(&self, other: &Self) -> bool {
        self.secret() == other.secret()
    }
}

impl Eq for ApiKey {}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", self.shown())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_shows_its_beginning_only() {
        for (key, shown) in [("0123456789abcdef0123456789abcdef", "0123456…"), ("foobar", "foo…"), ("k", "…")] {
            let key = ApiKey::new(key).unwrap();
            assert_eq!(key.to_string(), shown);
            assert_eq!(format!("{key:?}"), format!("ApiKey({shown})"));
            assert_eq!(format!("{:#?}", Some(&key)).matches(key.secret()).count(), 0);
        }
    }

    #[test]
    fn white_space_around_a_key_is_not_part_of_it() {
        assert_eq!(ApiKey::new(" \tabc\r\n").unwrap().secret(), "abc");
    }

    #[test]
    fn what_cannot_be_a_key_is_refused_without_repeating_it() {
        for (key, error) in [
            ("", ZyteError::NoKey),
            (" \n", ZyteError::NoKey),
            ("se cret", ZyteError::BadKey),
            ("secret:", ZyteError::BadKey),
            ("secr\u{e9}t", ZyteError::BadKey),
            ("secret\nsecret", ZyteError::BadKey),
        ] {
            assert_eq!(ApiKey::new(key), Err(error.clone()), "{key:?}");
            assert!(!format!("{error} {error:?}").contains("secret"));
        }
    }
}
