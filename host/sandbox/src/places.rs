//! Places for calls that hold their thread: a call waits for one instead of failing.
//!
//! Whoever holds a place computes and gives it back within the deadline, without waiting for anyone else's place, so the wait
//! ends. The one exception is a hook whose default behaviour asks another site's hook (`session.checker`): that inner call takes
//! its place from a second room, which outer calls never use. A third level does not exist.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The places for outer and for inner calls.
#[derive(Debug)]
pub(crate) struct Places {
    outer: Room,
    inner: Room,
}

/// Places that are free, on a line of the processor's cache that holds nothing else: every call writes to it.
#[derive(Debug)]
#[repr(align(128))]
struct Room {
    free: AtomicU32,
    /// Those who wait, or are about to. While there is none, a call takes no lock.
    waiting: AtomicU32,
    gate: Mutex<()>,
    freed: Condvar,
}

/// A place, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    room: &'a Room,
}

/// Hooks ask each other in a circle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooDeep;

thread_local! {
    /// The places that this thread holds.
    static HELD: Cell<u32> = const { Cell::new(0) };
}

impl Places {
    pub(crate) fn new(outer: u32, inner: u32) -> Self {
        Self { outer: Room::new(outer), inner: Room::new(inner) }
    }

    /// Takes a place, waiting for one where all are taken.
    pub(crate) fn take(&self) -> Result<Place<'_>, TooDeep> {
        let room = match HELD.get() {
            0 => &self.outer,
            1 => &self.inner,
            _ => return Err(TooDeep),
        };
        room.take();
        HELD.set(HELD.get() + 1);
        Ok(Place { room })
    }
}

impl Room {
    fn new(places: u32) -> Self {
        Self { free: AtomicU32::new(places.max(1)), waiting: AtomicU32::new(0), gate: Mutex::new(()), freed: Condvar::new() }
    }

    fn take(&self) {
        if self.take_free() {
            return;
        }
        let mut gate = self.gate();
        // Said before the last look: whoever frees a place after that look sees it, and comes to the gate.
        self.waiting.fetch_add(1, SeqCst);
        while !self.take_free() {
            gate = self.freed.wait(gate).unwrap_or_else(PoisonError::into_inner);
        }
        self.waiting.fetch_sub(1, SeqCst);
    }

    fn take_free(&self) -> bool {
        self.free.fetch_update(SeqCst, SeqCst, |free| free.checked_sub(1)).is_ok()
    }

    fn give_back(&self) {
        self.free.fetch_add(1, SeqCst);
        if self.waiting.load(SeqCst) > 0 {
            let _gate = self.gate();
            self.freed.notify_one();
        }
    }

    fn gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        HELD.set(HELD.get().saturating_sub(1));
        self.room.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_inside_a_call_has_a_place_of_its_own_and_a_third_level_is_refused() {
        let places = Places::new(1, 1);
        let outer = places.take().unwrap();
        let inner = places.take().unwrap();
        assert_eq!(places.take().unwrap_err(), TooDeep);
        drop((inner, outer));
        assert!(places.take().is_ok());
    }

    #[test]
    fn a_place_that_is_given_back_goes_to_the_one_who_waits() {
        let places = Places::new(1, 1);
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            let place = places.take().unwrap();
            scope.spawn(|| {
                let _place = places.take().unwrap();
                order.lock().unwrap().push("second");
            });
            order.lock().unwrap().push("first");
            drop(place);
        });
        assert_eq!(*order.lock().unwrap(), ["first", "second"]);
    }

    #[test]
    fn however_many_want_a_place_no_more_than_there_are_have_one_and_all_get_one() {
        const PLACES: u32 = 3;
        let places = Places::new(PLACES, 1);
        let (held, served) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        let place = places.take().unwrap();
                        assert!(held.fetch_add(1, SeqCst) < PLACES);
                        std::thread::yield_now();
                        held.fetch_sub(1, SeqCst);
                        drop(place);
                        served.fetch_add(1, SeqCst);
                    }
                });
            }
        });
        assert_eq!((served.into_inner(), places.outer.free.load(SeqCst)), (16_000, PLACES));
    }
}
