//! A session and the data that hooks keep for it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result, json, wire};

/// A session: an identity that several requests share. Its data lives in the host as long as the session does.
pub struct Session {
    pub(crate) raw: wire::Session,
}

impl Session {
    pub(crate) fn new(raw: wire::Session) -> Self {
        Self { raw }
    }

    /// Returns the id, a version 4 UUID.
    pub fn id(&self) -> String {
        self.raw.id()
    }

    /// Returns the id of the session's pool.
    pub fn pool(&self) -> String {
        self.raw.pool()
    }

    /// Reads what a hook stored for this session. Fails if it is not of the type asked for.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        json::decode_some(self.raw.get(key), &format!("the session's \"{key}\""))
    }

    /// Stores a value for as long as the session lives. Fails where the host's bound is reached.
    pub fn set<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<()> {
        let text = json::encode(value, &format!("the session's \"{key}\""))?;
        self.raw.set(key, Some(&text)).map_err(Error::new)
    }

    /// Forgets a value.
    pub fn remove(&self, key: &str) -> Result<()> {
        self.raw.set(key, None).map_err(Error::new)
    }
}
