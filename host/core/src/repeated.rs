//! How often the same was to be said, so that the log tells of each failure in full once and of a million repetitions in a few
//! lines.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What is told apart; what is beyond counts as one.
const KNOWN: usize = 256;

/// What was said so far.
#[derive(Debug, Default)]
pub struct Repeated(Mutex<BTreeMap<String, u64>>);

impl Repeated {
    /// Counts it. The answer is how often it came, this time included, if that is to be told: the 1st, 10th, 100th time and so on.
    pub fn count(&self, what: &str) -> Option<u64> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = if known.len() >= KNOWN && !known.contains_key(what) { "" } else { what };
        let count = known.entry(key.to_owned()).or_default();
        *count += 1;
        let is_told = count.checked_ilog10().is_some_and(|zeros| 10_u64.pow(zeros) == *count);
        is_told.then_some(*count)
    }

    /// The same for a text of which numbers do not matter, such as the seconds until something ends.
    pub fn count_without_numbers(&self, what: &str) -> Option<u64> {
        let words: String = what.chars().filter(|char| !char.is_ascii_digit()).collect();
        self.count(&words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_at_first_and_then_more_and_more_seldom() {
        let repeated = Repeated::default();
        let told: Vec<u64> = (0..1_000).filter_map(|_| repeated.count("it looped")).collect();
        assert_eq!(told, [1, 10, 100, 1_000]);
        assert_eq!(repeated.count("it panicked"), Some(1));
    }

    #[test]
    fn what_differs_by_a_number_only_is_the_same() {
        let repeated = Repeated::default();
        let told: Vec<u64> = (0..100).filter_map(|n| repeated.count_without_numbers(&format!("for {n} s"))).collect();
        assert_eq!(told, [1, 10, 100]);
    }

    #[test]
    fn sayings_without_end_take_no_memory_without_end() {
        let repeated = Repeated::default();
        (0..10 * KNOWN).for_each(|n| _ = repeated.count(&n.to_string()));
        assert!(repeated.0.lock().unwrap().len() <= KNOWN + 1);
        assert_eq!(repeated.count("0"), None, "its second time");
    }
}
