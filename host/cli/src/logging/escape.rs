//! The one place where text is made harmless for terminals and for whoever reads line by line.

use std::borrow::Cow;
use std::fmt::Write;

/// The text without characters that a terminal obeys, that end a line, or that hide or turn around what stands beside them. In their
/// place stand escapes of JSON, so that the text of a JSON document still means the same.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            character if is_harmful(character) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to text cannot fail.
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
            character => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

/// Controls (C0, DEL, C1), line and paragraph separators, marks of writing direction, and characters that nobody sees. The joiners
/// U+200C and U+200D stay: some scripts need them.
fn is_harmful(character: char) -> bool {
    let is_invisible = matches!(
        character,
        '\u{061c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    );
    character.is_control() || is_invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_terminals_obey_and_what_ends_lines_is_escaped() {
        for (text, told) in [
            ("plain é 漢字 👩\u{200d}💻", "plain é 漢字 👩\u{200d}💻"),
            ("\u{1b}]0;title\u{7}\u{1b}[2J", "\\u001b]0;title\\u0007\\u001b[2J"),
            ("\u{9b}31m \u{9d}0;x\u{9c} \u{7f}", "\\u009b31m \\u009d0;x\\u009c \\u007f"),
            (
                "a\r\nERROR forged\tb\u{b}\u{c}\u{85}\u{2028}\u{2029}c",
                "a\\r\\nERROR forged\\tb\\u000b\\u000c\\u0085\\u2028\\u2029c",
            ),
            ("\u{202e}moc.live\u{2066}\u{200f}", "\\u202emoc.live\\u2066\\u200f"),
            ("a\u{200b}b\u{feff}\u{e0041}\0", "a\\u200bb\\ufeff\\udb40\\udc41\\u0000"),
            ("C:\\new", "C:\\new"),
        ] {
            assert_eq!(escaped(text), told);
            assert_eq!(escaped(told), told, "said twice");
        }
    }

    #[test]
    fn json_still_means_the_same() {
        let value = serde_json::json!({"k\u{9b}": "\u{1b}[2J\u{202e}\u{e0041}\n\"\\"});
        let text = escaped(&value.to_string()).into_owned();
        assert!(!text.contains(is_harmful));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
