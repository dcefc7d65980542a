//! Reads JSON as the other readers of this field do, first of all Python's `json`.
//!
//! Nothing here recurses, whatever a text nests. Beyond what the standard allows, these are read:
//! - half a surrogate pair (`\ud83d`) in a string is the replacement character;
//! - `NaN`, `Infinity` and `-Infinity` are null, as in JavaScript;
//! - numbers of any size keep their digits;
//! - of two members of a name the last counts;
//! - a byte order mark at the start is skipped.
//!
//! What cannot be read is a [`BadJson`], never nothing.

mod raw;
mod scan;
mod string;
#[cfg(test)]
mod tests;

pub use raw::{Kind, MAX_DEPTH, Raw};
pub use scan::{BadJson, Token, Tokens};
pub use string::unquote;

use serde_json::{Number, Value};

/// Reads a text of one value. Nesting deeper than [`MAX_DEPTH`] is refused.
pub fn read(text: &str) -> Result<Value, BadJson> {
    Raw::of(text).value()
}

/// The bytes of a JSON text as text without a byte order mark; none where they are not UTF-8. Halves of surrogate pairs that are
/// written as characters of their own become replacement characters.
pub fn utf8(mut bytes: Vec<u8>) -> Option<String> {
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        bytes.drain(..3);
    }
    let mut bytes = match String::from_utf8(bytes) {
        Ok(text) => return Some(text),
        Err(error) => error.into_bytes(),
    };
    let mut rest = bytes.as_mut_slice();
    while let [first, others @ ..] = rest {
        if let (0xED, [second @ 0xA0..=0xBF, third @ 0x80..=0xBF, ..]) = (*first, &mut *others) {
            (*first, *second, *third) = (0xEF, 0xBF, 0xBD);
        }
        rest = others;
    }
    String::from_utf8(bytes).ok()
}

/// Writes the numbers of a value in the one way for each: `1.50` and `15e-1` as `1.5`. Whole numbers keep their digits.
pub fn unify_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let is_whole = number.as_str().bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            let usual =
                if is_whole { (number.as_str() == "-0").then(|| 0.into()) } else { number.as_f64().and_then(Number::from_f64) };
            usual.into_iter().for_each(|usual| *number = usual);
        }
        Value::Array(items) => items.iter_mut().for_each(unify_numbers),
        Value::Object(members) => members.values_mut().for_each(unify_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
