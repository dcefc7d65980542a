//! The text that a JSON string stands for.

use std::borrow::Cow;

/// The text of a string that is written with quotes and escapes. Half a surrogate pair is a replacement character.
pub fn unquote(raw: &str) -> Cow<'_, str> {
    let inner = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).unwrap_or(raw);
    if inner.contains('\\') { Cow::Owned(unescape(inner).0) } else { Cow::Borrowed(inner) }
}

/// Has the string half a surrogate pair? Then it is not JSON for everybody.
pub(super) fn is_broken(raw: &str) -> bool {
    raw.contains("\\u") && unescape(raw).1
}

/// The text, and whether something in it is none.
fn unescape(inner: &str) -> (String, bool) {
    let mut text = String::with_capacity(inner.len());
    let mut is_broken = false;
    let mut rest = inner;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let (character, after) = unescape_one(escape);
        is_broken |= character.is_none();
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = after;
    }
    text.push_str(rest);
    (text, is_broken)
}

/// The character of an escape without its backslash, and what follows.
fn unescape_one(escape: &str) -> (Option<char>, &str) {
    let mut characters = escape.chars();
    let character = match characters.next() {
        Some('u') => return unescape_unicode(characters.as_str()),
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some(other) => other,
        None => char::REPLACEMENT_CHARACTER,
    };
    (Some(character), characters.as_str())
}

fn unescape_unicode(digits: &str) -> (Option<char>, &str) {
    let Some((unit, rest)) = unit(digits) else { return (None, digits) };
    if (0xD800..0xDC00).contains(&unit)
        && let Some((low @ 0xDC00..0xE000, after)) = rest.strip_prefix("\\u").and_then(self::unit)
    {
        return (char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)), after);
    }
    (char::from_u32(unit), rest)
}

fn unit(digits: &str) -> Option<(u32, &str)> {
    let (unit, rest) = digits.split_at_checked(4)?;
    Some((u32::from_str_radix(unit, 16).ok()?, rest))
}
