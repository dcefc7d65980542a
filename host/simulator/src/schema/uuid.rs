//! Session ids: UUIDs of version 4.

/// Reads a version-4 UUID in its usual text form.
pub(crate) fn parse_uuid4(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    let dashes = [8, 13, 18, 23];
    let shaped = bytes.len() == 36 && bytes.iter().enumerate().all(|(at, byte)| (*byte == b'-') == dashes.contains(&at));
    if !shaped || bytes.get(14) != Some(&b'4') {
        return None;
    }
    if !matches!(bytes.get(19), Some(b'8' | b'9' | b'a' | b'b' | b'A' | b'B')) {
        return None;
    }
    let digits: String = text.chars().filter(|it| *it != '-').collect();
    u128::from_str_radix(&digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::parse_uuid4;

    #[test]
    fn only_version_4_uuids_are_session_ids() {
        for (text, expected) in [
            ("3f0c6a1e-7d1b-4b52-9a53-0f6f5b0c9e11", true),
            ("3F0C6A1E-7D1B-4B52-BA53-0F6F5B0C9E11", true),
            ("3f0c6a1e-7d1b-1b52-9a53-0f6f5b0c9e11", false),
            ("3f0c6a1e-7d1b-4b52-7a53-0f6f5b0c9e11", false),
            ("3f0c6a1e7d1b4b529a530f6f5b0c9e11", false),
            ("3f0c6a1e-7d1b-4b52-9a53-0f6f5b0c9e1g", false),
            ("", false),
        ] {
            assert_eq!(parse_uuid4(text).is_some(), expected, "{text}");
        }
    }
}
