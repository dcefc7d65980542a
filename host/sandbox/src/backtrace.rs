//! Where a guest was when it was stopped, for its author: the functions of the plugin, the innermost first.

use std::fmt::Write;

use carousel_core::text::shorten;
use wasmtime::{FrameInfo, WasmBacktrace};

use crate::words::plain;

/// The functions that are named.
const FRAMES: usize = 12;

/// The characters of a name; those of generic functions can be pages long.
const NAME_CHARACTERS: usize = 160;

/// How the names begin of what runs between a panic and the end: nobody looks for the fault there.
const PANICKING: [&str; 5] = ["core::panicking", "std::panicking", "core::option::", "core::result::", "__rustc::"];

/// Lines to append to a message; empty where nothing is known.
pub(crate) fn backtrace(error: &wasmtime::Error) -> String {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return String::new() };
    let names: Vec<String> = backtrace.frames().iter().map(name).collect();
    lines(&names)
}

fn lines(names: &[String]) -> String {
    let panicking = names.iter().take(FRAMES).rposition(|name| PANICKING.iter().any(|begin| name.starts_with(begin)));
    let told = names.get(panicking.map_or(0, |last| last + 1)..).unwrap_or_default();
    let mut text = String::new();
    for name in told.iter().take(FRAMES) {
        // Writing to text cannot fail.
        let _ = write!(text, "\n    in {name}");
    }
    if told.len() > FRAMES {
        let _ = write!(text, "\n    in {} calls before", told.len() - FRAMES);
    }
    text
}

/// A function's name as its author wrote it; its number where the component holds no names.
fn name(frame: &FrameInfo) -> String {
    let name = match frame.func_name() {
        Some(name) => plain(&format!("{:#}", rustc_demangle::demangle(name))).replace('\n', " "),
        None => format!("function {}", frame.func_index()),
    };
    shorten(&name, NAME_CHARACTERS)
}

#[cfg(test)]
mod tests {
    use super::lines;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn the_machinery_of_a_panic_is_left_out_and_the_rest_is_bounded() {
        let panic = names(&["__rust_abort", "std::panicking::begin", "core::panicking::panic_fmt", "shop::check", "abort"]);
        assert_eq!(lines(&panic), "\n    in shop::check\n    in abort");
        let deep = vec!["shop::dig".to_owned(); 1_000];
        assert_eq!(lines(&deep).lines().count(), 14);
        assert!(lines(&deep).ends_with("in 988 calls before"));
        assert_eq!(lines(&[]), "");
    }
}
