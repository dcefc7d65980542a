//! The API keys that this process knows, which no text of ours may show.

use std::borrow::Cow;
use std::sync::OnceLock;

use carousel_zyte::ApiKey;

use crate::args::Secret;

/// Set once, before anything is said.
static KEYS: OnceLock<Vec<ApiKey>> = OnceLock::new();

/// Hides these keys from now on in whatever is said or written, but for the pages themselves.
pub(crate) fn hide_keys(keys: &[Secret]) {
    // What is no key is sent nowhere, so nobody repeats it.
    let keys = keys.iter().filter_map(|key| ApiKey::new(key.reveal()).ok()).collect();
    // Only a second start can fail, and then the first one serves.
    let _ = KEYS.set(keys);
}

/// The text without the keys.
pub(super) fn without_keys(text: &str) -> Cow<'_, str> {
    let keys = KEYS.get().map(Vec::as_slice).unwrap_or_default();
    keys.iter().fold(Cow::Borrowed(text), |text, key| match key.hide(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(hidden) => Cow::Owned(hidden),
    })
}
