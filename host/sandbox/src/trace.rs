//! What guests do while somebody watches: what they look at in an answer, the memory they take, the time to make an instance.
//!
//! Tools for plugin authors watch single calls. A crawl does not, and pays one look at a thread-local for it.

use std::cell::RefCell;
use std::time::{Duration, Instant};

/// Looks that are remembered of one watched piece of work.
const LOOKS: usize = 100;

/// What was seen of the guests that ran while somebody watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// What guests looked at in answers, in order; the first hundred.
    pub looks: Vec<Look>,
    /// The most memory that one instance had, in bytes.
    pub peak_memory_bytes: usize,
    /// Instances that were made.
    pub instances: u32,
    /// The time that making them took.
    pub instantiation: Duration,
}

/// One look of a guest at an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// What it asked, such as `css ".zip::text"` or `status`.
    pub asked: String,
    /// What it was told, shortened.
    pub told: String,
    /// The part of the page that this is about; empty where there is nothing to show.
    pub excerpt: String,
}

thread_local! {
    static WATCHED: RefCell<Option<Trace>> = const { RefCell::new(None) };
}

/// Runs something on this thread and tells what guests did in it. Work that goes on in another thread is not seen.
pub fn observe<T>(work: impl FnOnce() -> T) -> (T, Trace) {
    let outer = WATCHED.replace(Some(Trace::default()));
    let result = work();
    (result, WATCHED.replace(outer).unwrap_or_default())
}

/// Does somebody watch, and is there room for another look?
pub(crate) fn wants_looks() -> bool {
    WATCHED.with_borrow(|watched| watched.as_ref().is_some_and(|trace| trace.looks.len() < LOOKS))
}

/// Notes a look, if somebody watches.
pub(crate) fn looked(look: impl FnOnce() -> Look) {
    if wants_looks() {
        let look = look();
        note(|trace| trace.looks.push(look));
    }
}

/// Notes how much memory an instance has now.
pub(crate) fn grew(bytes: usize) {
    note(|trace| trace.peak_memory_bytes = trace.peak_memory_bytes.max(bytes));
}

/// Makes an instance and notes how long that took.
pub(crate) fn instantiating<T>(make: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let made = make();
    instantiated(began);
    made
}

/// Notes that an instance was made since then.
pub(crate) fn instantiated(began: Instant) {
    note(|trace| {
        trace.instances += 1;
        trace.instantiation += began.elapsed();
    });
}

fn note(change: impl FnOnce(&mut Trace)) {
    WATCHED.with_borrow_mut(|watched| {
        if let Some(trace) = watched {
            change(trace);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(asked: &str) -> Look {
        Look { asked: asked.to_owned(), told: String::new(), excerpt: String::new() }
    }

    #[test]
    fn only_what_happens_while_somebody_watches_is_seen() {
        looked(|| unreachable!("nobody watches"));
        let ((), outer) = observe(|| {
            grew(1 << 16);
            looked(|| look("a"));
            let ((), inner) = observe(|| looked(|| look("b")));
            assert_eq!(inner.looks, [look("b")]);
            grew(1 << 10);
        });
        assert_eq!((outer.looks, outer.peak_memory_bytes), (vec![look("a")], 1 << 16));
    }

    #[test]
    fn looks_are_bounded() {
        let ((), trace) = observe(|| (0..10 * LOOKS).for_each(|n| looked(|| look(&n.to_string()))));
        assert_eq!(trace.looks.len(), LOOKS);
        assert_eq!(trace.looks[0], look("0"));
    }
}
