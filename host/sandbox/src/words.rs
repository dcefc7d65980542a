//! Words of a plugin that people read: in the log, in errors, as reasons.

/// The bytes of one text that are kept.
pub(crate) const MAX_BYTES: usize = 4096;

/// A text as it may stand in the log: of bounded length, without characters that move a terminal's cursor, and with every line but
/// the first indented, so that it passes for no line of somebody else.
pub(crate) fn plain(text: &str) -> String {
    let kept = cut(text);
    let mut plain = String::with_capacity(kept.len());
    for (count, line) in kept.lines().enumerate() {
        match count {
            0 => {}
            _ if line.starts_with(INDENT) => plain.push('\n'),
            _ => plain.extend(["\n", INDENT]),
        }
        for character in line.chars() {
            match character.is_control() && character != '\t' {
                true => plain.extend(character.escape_default()),
                false => plain.push(character),
            }
        }
    }
    plain
}

/// What stands before the lines that belong to the one above.
const INDENT: &str = "    ";

/// The text up to the bound.
pub(crate) fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_BYTES)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_in_their_place() {
        for (text, told) in [
            ("zip\tcode é", "zip\tcode é"),
            ("a\n WARN forged\r\nb\rc", "a\n     WARN forged\n    b\\rc"),
            ("a\n    in f", "a\n    in f"),
            ("\u{1b}[2J\u{9b}1A\0", "\\u{1b}[2J\\u{9b}1A\\u{0}"),
            ("\n", ""),
        ] {
            assert_eq!(plain(text), told, "{text:?}");
            assert_eq!(plain(told), told, "said twice");
        }
        assert_eq!(plain(&"é".repeat(MAX_BYTES)).len(), MAX_BYTES);
    }
}
