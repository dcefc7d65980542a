//! Why a guest was stopped, in words for the one who reads the log.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use carousel_core::exchange::Unreadable;
use wasmtime::{FrameInfo, Trap, WasmBacktrace};

use crate::call::Call;
use crate::limits::{Refused, TABLE_ELEMENTS};

/// What is said of a call stack that is used up.
const DEEP: &str = "recursed too deep";

/// A reason of the host to stop a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It computed longer than it may.
    Deadline(Duration),
    /// It wanted to sleep longer than it may compute.
    Sleep(Duration),
    /// Its downloads took longer than an initialisation may take.
    InitTimeout(Duration),
    /// It ended itself, which a command may and a plugin may not.
    Exit,
    /// It holds more of something than it may.
    TooMany(&'static str),
    /// It used something that is not what it was given.
    Foreign(&'static str),
    /// It asked for a part of an answer that cannot be read. That is not its fault.
    Unreadable(Unreadable),
    /// It called a function that has nothing behind it.
    Void(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline(limit) => write!(f, "took longer than {} s", limit.as_secs_f64()),
            Self::Sleep(limit) => write!(f, "wanted to sleep past the {} s that it may take", limit.as_secs_f64()),
            Self::InitTimeout(limit) => write!(f, "took longer than {} s with its downloads", limit.as_secs_f64()),
            Self::Exit => f.write_str("ended its process instead of returning"),
            Self::TooMany(what) => write!(f, "made too many {what}"),
            Self::Foreign(what) => write!(f, "used a {what} that does not exist"),
            Self::Unreadable(error) => write!(f, "cannot go on: {error}"),
            Self::Void(function) => write!(f, "called {function}, and plugins have no files and no network: use download"),
        }
    }
}

impl std::error::Error for Stop {}

/// Says why a call ended without a result.
pub(crate) fn explain(error: &wasmtime::Error, call: &Call, max_result: usize) -> String {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return stop.to_string();
    }
    match call.refused() {
        Some(Refused::Memory(limit)) => return format!("wanted more than {} of memory", bytes(limit)),
        Some(Refused::Table) => return format!("wanted a table of more than {TABLE_ELEMENTS} elements"),
        None => {}
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => Stop::Deadline(call.deadline()).to_string(),
        Some(Trap::StackOverflow) => DEEP.to_owned(),
        Some(Trap::MemoryOutOfBounds) if recurses(error) => DEEP.to_owned(),
        Some(trap) => match call.panic() {
            Some(message) => format!("panicked: {message}"),
            None => format!("met a {trap}"),
        },
        None if is_too_much(error) => format!("gave the host more than {} at once", bytes(max_result)),
        None => error.root_cause().to_string(),
    }
}

/// Whether the innermost calls are the same few functions over and over. Compiled languages keep a part of their stack in memory,
/// below everything else, so it is an access below the memory's start where that part is used up first.
fn recurses(error: &wasmtime::Error) -> bool {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return false };
    let functions: BTreeSet<u32> = backtrace.frames().iter().map(FrameInfo::func_index).collect();
    backtrace.frames().len() >= 16 && functions.len() <= 4
}

/// Wasmtime has no public type for this error.
fn is_too_much(error: &wasmtime::Error) -> bool {
    error.root_cause().to_string().contains("fuel allocated for hostcalls has been exhausted")
}

/// A number of bytes for people.
pub(crate) fn bytes(count: usize) -> String {
    const UNITS: [(usize, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.into_iter().find(|(unit, _)| count >= *unit && count.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", count / unit),
        None => format!("{count} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn bytes_are_said_in_the_largest_whole_unit() {
        for (count, words) in [(64 << 20, "64 MiB"), (1536, "1536 bytes"), (2048, "2 KiB"), (1 << 30, "1 GiB"), (0, "0 bytes")] {
            assert_eq!(bytes(count), words);
        }
    }
}
