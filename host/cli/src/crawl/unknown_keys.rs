//! Keys of the metadata that look like ours and that nothing reads: each is told once.

use std::collections::BTreeSet;

use carousel_core::defaults::meta;
use carousel_core::exchange::Request;

use crate::settings_file::nearest_of;

/// How the peer's keys for sessions begin.
const PREFIX: &str = "zyte_api_session";

/// How alike another key must be to be taken for a misspelt one.
const ALIKE: f64 = 0.93;

/// The keys that are told, after which the input tells enough.
const MOST: usize = 100;

/// What was told.
#[derive(Default)]
pub(crate) struct UnknownKeys(BTreeSet<String>);

impl UnknownKeys {
    /// Warns of the keys of a request that were not told before.
    pub(crate) fn warn(&mut self, line: u64, request: &Request) {
        for key in request.meta().keys().filter(|key| !meta::ALL.contains(&key.as_str())) {
            if self.0.len() < MOST
                && let Some(words) = words(key)
                && self.0.insert(key.clone())
            {
                tracing::warn!("line {line}: {words}");
            }
        }
    }
}

fn words(key: &str) -> Option<String> {
    let known = meta::ALL.map(str::to_owned);
    let is_ours = key.starts_with(PREFIX);
    let nearest = nearest_of(&key.to_lowercase(), &known, if is_ours { 0.75 } else { ALIKE });
    match nearest {
        Some(nearest) => Some(format!("nothing reads meta.{key}; did you mean \"{nearest}\"?")),
        None if is_ours => Some(format!("nothing reads meta.{key}; known: {}", known.join(", "))),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_key_of_ours_is_told_with_the_nearest_right_one() {
        for (key, told) in [
            ("zyte_api_session_locaton", Some("did you mean \"zyte_api_session_location\"?")),
            ("zyte_api_session_Enabled", Some("did you mean \"zyte_api_session_enabled\"?")),
            ("zyte_api_sesion_pool", Some("did you mean \"zyte_api_session_pool\"?")),
            ("max_retry_time", Some("did you mean \"max_retry_times\"?")),
            ("zyte_api_automap", None),
            ("depth", None),
            ("location", None),
            ("retry_times", None),
        ] {
            let words = words(key);
            assert_eq!(words.is_some(), told.is_some(), "{key}: {words:?}");
            assert!(told.is_none_or(|told| words.unwrap().contains(told)), "{key}");
        }
        assert!(words("zyte_api_session_").is_some());
    }
}
