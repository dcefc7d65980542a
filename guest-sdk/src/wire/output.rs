//! Standard output and standard error: what a plugin prints goes to the host's log, line by line.
//!
//! The standard library prints through functions of the C library, even if only to tell of a panic. The C library's own bring
//! along its files, streams and terminals and import a dozen interfaces of WASI, behind which there is nothing in a plugin.
//! Every host would compile and keep all that: of a small plugin, a quarter of the time and a third of the memory. So these take
//! their place.

use std::cell::Cell;
use std::ffi::c_int;

/// The bytes of a line that are kept until its end comes; the host cuts there, too.
const LINE_BYTES: usize = 4096;

/// The numbers of the streams, and the levels at which their lines are logged.
const STREAMS: [(c_int, &str); 2] = [(1, "info"), (2, "warn")];

/// The lines that have begun and not ended.
type Begun = [Cell<Vec<u8>>; STREAMS.len()];

thread_local! {
    static BEGUN: Begun = const { [const { Cell::new(Vec::new()) }; STREAMS.len()] };
}

/// Logs the lines that never ended.
pub(crate) fn flush_output() {
    BEGUN.with(|begun| {
        for (line, (_, level)) in begun.iter().zip(STREAMS) {
            end(level, line);
        }
    });
}

fn print(stream: c_int, bytes: &[u8]) {
    BEGUN.with(|begun| {
        for (line, (_, level)) in begun.iter().zip(STREAMS).filter(|(_, (number, _))| *number == stream) {
            bytes.split_inclusive(|byte| *byte == b'\n').for_each(|part| add(part, level, line));
        }
    });
}

/// Adds a part of a line, and logs the line where it ends.
fn add(part: &[u8], level: &str, line: &Cell<Vec<u8>>) {
    let kept = part.get(..LINE_BYTES).unwrap_or(part);
    let mut begun = line.take();
    if begun.try_reserve(kept.len()).is_err() {
        // It is the lack of memory that is told of.
        return log(level, kept);
    }
    begun.extend_from_slice(kept);
    let is_over = part.ends_with(b"\n") || begun.len() >= LINE_BYTES;
    line.set(begun);
    if is_over {
        end(level, line);
    }
}

fn end(level: &str, line: &Cell<Vec<u8>>) {
    log(level, &line.take());
}

/// Empty lines tell nothing.
fn log(level: &str, line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end();
    if !text.is_empty() {
        super::log(level, text);
    }
}

#[expect(unsafe_code, reason = "functions under the C library's names, with its pointers")]
mod c {
    use std::ffi::{c_char, c_int, c_void};
    use std::ptr::null_mut;

    use super::{STREAMS, print};

    /// One of the pieces that are written at once.
    #[repr(C)]
    struct Piece {
        bytes: *const u8,
        length: usize,
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn write(stream: c_int, bytes: *const c_void, length: usize) -> isize {
        let piece = Piece { bytes: bytes.cast(), length };
        // SAFETY: it is one piece, with as many bytes as the caller promises.
        unsafe { writev(stream, &raw const piece, 1) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn writev(stream: c_int, pieces: *const Piece, count: c_int) -> isize {
        if STREAMS.iter().all(|(number, _)| *number != stream) {
            // Nothing else is ever open.
            return -1;
        }
        let mut written = 0;
        for index in 0..usize::try_from(count).unwrap_or_default() {
            // SAFETY: the caller promises so many pieces, and each to be as long as it says.
            let Piece { bytes, length } = unsafe { pieces.add(index).read() };
            if length > 0 {
                // SAFETY: the same.
                print(stream, unsafe { std::slice::from_raw_parts(bytes, length) });
            }
            written += length;
        }
        isize::try_from(written).unwrap_or(isize::MAX)
    }

    /// A plugin's environment is empty.
    #[unsafe(no_mangle)]
    extern "C" fn getenv(_name: *const c_char) -> *mut c_char {
        null_mut()
    }
}
