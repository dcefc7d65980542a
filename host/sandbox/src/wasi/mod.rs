//! The part of WASI that a plain `cargo build --target wasm32-wasip2` asks for, with everything denied behind it.
//!
//! There is a clock and there are random numbers. Environment, arguments and standard input are empty, there are no files and no
//! network; what is written to standard output and standard error goes to the log line by line. Nothing of it costs anything
//! before a guest uses it.

mod cli;
mod clocks;
mod poll;
mod random;
mod streams;
mod void;

use std::time::Instant;

use wasmtime::Result;
use wasmtime::component::Linker;

pub(crate) use void::linker_for;

use crate::call::Call;

/// The interfaces that have something behind them or answer that there is nothing.
const INTERFACES: [&str; 18] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:random/random",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
];

/// Whether plugins are given an interface of this name, without its version (any 0.2).
pub(crate) fn is_given(interface: &str) -> bool {
    INTERFACES.contains(&interface) || void::is_void(interface)
}

/// What one call has open.
#[derive(Debug, Default)]
pub(crate) struct Wasi {
    pollables: Vec<Option<Pollable>>,
    output: streams::Output,
}

/// Something a guest may wait for.
#[derive(Clone, Copy, Debug)]
enum Pollable {
    /// A stream, which is always ready.
    Ready,
    /// A point in time.
    At(Instant),
}

/// Which linker is filled: it decides how a guest sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sleep {
    /// The thread sleeps along; the time counts as computing.
    Thread,
    /// The guest sleeps alone; the time counts as waiting for a download.
    Guest,
}

/// Adds the interfaces.
pub(crate) fn add_to_linker(linker: &mut Linker<Call>, sleep: Sleep) -> Result<()> {
    streams::add_to_linker(linker)?;
    poll::add_to_linker(linker, sleep)?;
    cli::add_to_linker(linker)?;
    clocks::add_to_linker(linker)?;
    void::add_to_linker(linker)?;
    random::add_to_linker(linker)
}
