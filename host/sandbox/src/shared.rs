//! The key/value store that all calls for one site share.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// The bytes of keys and JSON text that one site may keep, each entry counted as some bytes more.
pub(crate) const SHARED_BYTES: usize = 1 << 20;

/// What an entry takes besides its key and its text, so that very many small ones are bounded, too.
const ENTRY_BYTES: usize = 64;

/// JSON text by key, bounded.
#[derive(Debug, Default)]
pub(crate) struct Shared(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    texts: BTreeMap<String, String>,
    bytes: usize,
}

impl Shared {
    pub(crate) fn get(&self, key: &str) -> Option<String> {
        self.entries().texts.get(key).cloned()
    }

    /// Stores JSON text; none removes it. The error is for the plugin's author.
    pub(crate) fn set(&self, key: &str, value: Option<String>) -> Result<(), String> {
        match value {
            None => self.entries().remove(key),
            Some(text) => {
                serde_json::from_str::<serde::de::IgnoredAny>(&text)
                    .map_err(|error| format!("the value of \"{key}\" is not JSON: {error}"))?;
                self.entries().put(key, text)?;
            }
        }
        Ok(())
    }

    /// Adds to a whole number, 0 if there is none, and returns the sum; no other call comes between.
    pub(crate) fn increment(&self, key: &str, by: i64) -> Result<i64, String> {
        let mut entries = self.entries();
        let old = match entries.texts.get(key) {
            None => 0,
            Some(text) => serde_json::from_str::<Value>(text)
                .ok()
                .and_then(|value| value.as_i64())
                .ok_or_else(|| format!("the value of \"{key}\" is not a whole number"))?,
        };
        let sum = old.checked_add(by).ok_or_else(|| format!("the value of \"{key}\" would not fit into 64 bits"))?;
        entries.put(key, sum.to_string())?;
        Ok(sum)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn put(&mut self, key: &str, text: String) -> Result<(), String> {
        let old = self.size(key);
        let bytes = self.bytes - old + key.len() + text.len() + ENTRY_BYTES;
        if bytes > SHARED_BYTES {
            return Err(format!("the shared data of a site is limited to {SHARED_BYTES} bytes"));
        }
        self.bytes = bytes;
        self.texts.insert(key.to_owned(), text);
        Ok(())
    }

    fn remove(&mut self, key: &str) {
        self.bytes -= self.size(key);
        self.texts.remove(key);
    }

    fn size(&self, key: &str) -> usize {
        self.texts.get(key).map_or(0, |text| key.len() + text.len() + ENTRY_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_and_other_values_are_not() {
        let shared = Shared::default();
        assert_eq!(shared.increment("n", 2), Ok(2));
        assert_eq!(shared.increment("n", -5), Ok(-3));
        assert_eq!(shared.get("n").as_deref(), Some("-3"));
        shared.set("t", Some("\"x\"".into())).unwrap();
        assert!(shared.increment("t", 1).unwrap_err().contains("whole number"));
        shared.set("max", Some(i64::MAX.to_string())).unwrap();
        assert!(shared.increment("max", 1).unwrap_err().contains("64 bits"));
    }

    #[test]
    fn what_is_stored_is_json_and_bounded() {
        let shared = Shared::default();
        assert!(shared.set("k", Some("{".into())).unwrap_err().contains("not JSON"));
        let large = format!("\"{}\"", "x".repeat(SHARED_BYTES - 10 - ENTRY_BYTES));
        shared.set("k", Some(large.clone())).unwrap();
        shared.set("k", Some(large.clone())).unwrap();
        assert!(shared.set("l", Some(large)).unwrap_err().contains("limited"));
        shared.set("k", None).unwrap();
        assert_eq!(shared.get("k"), None);
        assert_eq!(shared.set("l", Some("1".into())), Ok(()));
    }
}
