//! The API key, which can be shown to nobody by accident.

use std::fmt;
use std::sync::Arc;

use crate::ZyteError;

/// How many characters of a key are shown: enough to tell two keys apart, as the peer does.
const SHOWN: usize = 7;

/// A Zyte API key. Printed in any way, it shows at most its first 7 characters and never more than half of them.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Arc<str>);

impl ApiKey {
    /// Takes a key, without the white space around it. An error where nothing is left, or where it holds white space, a colon
    /// or a character that is no visible ASCII: none of these is in a key, so something else was pasted.
    pub fn new(key: &str) -> Result<Self, ZyteError> {
        let key = key.trim();
        match key.chars().all(|c| c.is_ascii_graphic() && c != ':') {
            _ if key.is_empty() => Err(ZyteError::NoKey),
            true => Ok(Self(key.into())),
            false => Err(ZyteError::BadKey),
        }
    }

    /// The whole key, for the `Authorization` header only.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    fn shown(&self) -> &str {
        self.0.get(..SHOWN.min(self.0.len() / 2)).unwrap_or_default()
    }
}

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
