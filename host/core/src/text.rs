//! Texts in messages.

/// The beginning of a text, of at most so many characters; `…` stands for what is left out.
pub fn shorten(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn characters_are_counted_and_what_is_left_out_is_marked() {
        for (text, short) in [("", ""), ("é", "é"), ("éa", "éa"), ("éab", "éa…")] {
            assert_eq!(shorten(text, 2), short);
        }
        assert_eq!(shorten("a", 0), "…");
    }
}
