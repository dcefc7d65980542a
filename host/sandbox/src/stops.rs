//! How often a site's plugin was stopped for the same reason, so that the log tells of each reason in full once and of a million
//! repetitions in a few lines.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use carousel_core::hooks::Hook;

/// The reasons that are told apart; those beyond are counted as one.
const REASONS: usize = 64;

/// The stops of one site.
#[derive(Debug, Default)]
pub(crate) struct Stops(Mutex<BTreeMap<(Hook, String), u64>>);

impl Stops {
    /// Counts a stop; the answer is how many there were for this reason, this one included.
    pub(crate) fn count(&self, hook: Hook, why: &str) -> u64 {
        let mut stops = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (hook, why.to_owned());
        if stops.len() >= REASONS && !stops.contains_key(&key) {
            key.1.clear();
        }
        let count = stops.entry(key).or_default();
        *count += 1;
        *count
    }
}

/// Whether the log tells of a stop that happened for the `count`th time: the 1st, 10th, 100th and so on.
pub(crate) fn is_told(count: u64) -> bool {
    count.checked_ilog10().is_some_and(|zeros| 10_u64.pow(zeros) == count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_at_first_and_then_more_and_more_seldom() {
        let stops = Stops::default();
        let told: Vec<u64> = (0..1_000).map(|_| stops.count(Hook::Check, "looped")).filter(|count| is_told(*count)).collect();
        assert_eq!(told, [1, 10, 100, 1_000]);
        assert_eq!((stops.count(Hook::Pool, "looped"), stops.count(Hook::Check, "panicked")), (1, 1));
    }

    #[test]
    fn reasons_without_end_take_no_memory_without_end() {
        let stops = Stops::default();
        for n in 0..10 * REASONS {
            stops.count(Hook::Check, &n.to_string());
        }
        assert!(stops.0.lock().unwrap().len() <= REASONS + 1);
        assert_eq!(stops.count(Hook::Check, "0"), 2);
    }
}
