//! Places for calls that hold their thread: a call waits for one instead of failing.
//!
//! Whoever holds a place computes and gives it back within the deadline, without waiting for anyone else's place, so the wait
//! ends. The one exception is a hook whose default behaviour asks another site's hook (`session.checker`): that inner call takes
//! its place from a second room, which outer calls never use. A third level does not exist.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The places for outer and for inner calls.
#[derive(Debug)]
pub(crate) struct Places {
    outer: Room,
    inner: Room,
}

#[derive(Debug)]
struct Room {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug)]
struct State {
    free: u32,
    /// Those who wait: without any, nobody is woken, which would be a call of the system.
    waiting: u32,
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
        Self { state: Mutex::new(State { free: places.max(1), waiting: 0 }), freed: Condvar::new() }
    }

    fn take(&self) {
        let mut state = self.state();
        while state.free == 0 {
            state.waiting += 1;
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        state.free -= 1;
    }

    fn give_back(&self) {
        let mut state = self.state();
        state.free += 1;
        if state.waiting > 0 {
            self.freed.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
}
