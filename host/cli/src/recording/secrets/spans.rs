//! Finds the secrets in a text by what stands around them: URLs, forms, JSON, scripts, HTML, XML, multipart bodies.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Match, Regex};

use super::names::{Place, is_everyday, is_secret};

/// The longest name that is looked at, in bytes.
const LONGEST_NAME: usize = 64;

/// How far a value and what stands before it may reach, in bytes: a page of names without values must not take for ever.
const LONGEST_VALUE: usize = 16 << 10;

/// `?NAME=`, `&NAME=`, `#NAME=`, also where `&` is escaped, and at the beginning of a text.
static FIELD: Pattern = LazyLock::new(|| regex(r"(?-u)(?:^|&amp;|&\#38;|\\u0026|[?&\#])[\w.\-\[\]%$]+="));

/// What stands behind it.
static FIELD_VALUE: Pattern = LazyLock::new(|| regex(r#"^([^&\#;\s"'<>\\]+)"#));

/// `"NAME":`, also with other quotes or none around the name, with escaped quotes, and with `=`.
static MEMBER: Pattern = LazyLock::new(|| regex(r#"(?-u)[\w$][\w$.\-]*\\?["']?\s*[:=]\s*"#));

/// What stands behind it: a text in quotes, which may be escaped, or a number.
static MEMBER_VALUE: Pattern =
    LazyLock::new(|| regex(r#"^(?:\\"((?:[^"\\]|\\\\)+)\\"|"((?:[^"\\]|\\.)+)"|'((?:[^'\\]|\\.)+)'|(\d{1,20})\b)"#));

/// `<NAME>`, of an element.
static ELEMENT: Pattern = LazyLock::new(|| regex(r"(?-u)<(?:[\w\-]+:)?[\w.\-]+(?:\s(?u:[^<>]*))?>"));

/// What stands in it.
static ELEMENT_VALUE: Pattern = LazyLock::new(|| regex(r"^([^<>]+)</"));

/// `name="NAME"` in the head of a part of a multipart body.
static PART: Pattern = LazyLock::new(|| regex(r#"(?i)form-data;[^\r\n]*?\bname="[^"\r\n]+""#));

/// What stands behind the head.
static PART_VALUE: Pattern = LazyLock::new(|| regex(r"^[^\r\n]*\r?\n(?:[^\r\n]+\r?\n){0,4}\r?\n([^\r\n]+)"));

/// `<input name=NAME value=VALUE>`, `<meta name=NAME content=VALUE>`: the whole tag.
static TAG: Pattern = LazyLock::new(|| regex(r"(?i-u)<(?:input|meta|param|button)\b(?u:[^<>]*)>"));

/// An attribute of such a tag.
static ATTRIBUTE: Pattern = LazyLock::new(|| regex(r#"([\w\-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"#));

/// What is a secret by its own looks, or by the one word before it.
static LOOKS: Pattern = LazyLock::new(|| {
    regex(
        r#"(?-u)\b(eyJ[\w\-]{8,}\.[\w\-]{8,}(?:\.[\w\-]*)?)|(?i:\b(?:bearer|basic)(?:\s|%20|\+)+([\w+/.~=\-]{8,}))|://(?u:[^/?\#\s"'<>@:]*:([^/?\#\s"'<>@]+)@)"#,
    )
});

type Pattern = LazyLock<Option<Regex>>;

/// Those above are tested, so there is always one.
fn regex(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

/// Where in a text the values of secrets are; they may lie in one another.
pub(super) fn secrets_in(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (names, values, place) in [
        (&FIELD, &FIELD_VALUE, Place::Field),
        (&MEMBER, &MEMBER_VALUE, Place::Anywhere),
        (&ELEMENT, &ELEMENT_VALUE, Place::Anywhere),
        (&PART, &PART_VALUE, Place::Field),
    ] {
        behind_names(text, names, values, place, &mut found);
    }
    for looks in places(&LOOKS, text) {
        found.extend(value(&LOOKS, text, looks.start()));
    }
    for tag in places(&TAG, text) {
        found.extend(in_tag(tag.as_str()).map(|value| tag.start() + value.start..tag.start() + value.end));
    }
    found.sort_by_key(|value| (value.start, value.end));
    found.dedup();
    found
}

/// The values behind names of secrets. They are looked for behind every name, also of those that stand in the value of another.
fn behind_names(text: &str, names: &'static Pattern, values: &Pattern, place: Place, found: &mut Vec<Range<usize>>) {
    let mut end = 0;
    for named in places(names, text) {
        let name = name_in(named.as_str());
        if named.start() >= end
            && is_secret(name, place)
            && let Some(value) = value(values, text, named.end())
            && !is_everyday(name, text.get(value.clone()).unwrap_or_default())
        {
            end = value.end;
            found.push(value);
        }
    }
}

/// The name in a match of what stands before a value.
fn name_in(named: &str) -> &str {
    let is_name = |c: char| c.is_alphanumeric() || "_$.-[]%".contains(c);
    let named = match named.as_bytes().first() {
        // An element with a namespace and attributes, and an ampersand that is escaped.
        Some(b'<') => {
            named.split([' ', '\t', '\r', '\n', '>']).next().unwrap_or_default().rsplit(['<', ':']).next().unwrap_or_default()
        }
        Some(b'&' | b'\\') => {
            named.strip_prefix("&amp;").or(named.strip_prefix("&#38;")).or(named.strip_prefix("\\u0026")).unwrap_or(named)
        }
        Some(b'F' | b'f') if named.ends_with('"') => named.trim_end_matches('"').rsplit('"').next().unwrap_or_default(),
        _ => named,
    };
    let name = named.trim_start_matches(|c| !is_name(c));
    let name = name.get(..name.find(|c| !is_name(c)).unwrap_or(name.len())).unwrap_or_default();
    if name.len() > LONGEST_NAME { "" } else { name }
}

/// Where a pattern matches.
fn places<'t>(pattern: &'static Pattern, text: &'t str) -> impl Iterator<Item = Match<'t>> {
    pattern.iter().flat_map(move |regex| regex.find_iter(text))
}

/// The group that took part, of a pattern that matches from this place of the text on.
fn value(pattern: &Pattern, text: &str, from: usize) -> Option<Range<usize>> {
    let end = text.floor_char_boundary(from + LONGEST_VALUE);
    let groups = pattern.as_ref()?.captures(text.get(from..end)?)?;
    let value = groups.iter().skip(1).flatten().next()?;
    Some(from + value.start()..from + value.end())
}

/// The value of a field that its tag names as a secret.
fn in_tag(tag: &str) -> Option<Range<usize>> {
    let (mut is_hit, mut found) = (false, None);
    for groups in ATTRIBUTE.iter().flat_map(|regex| regex.captures_iter(tag)) {
        let (Some(name), Some(value)) = (groups.get(1), groups.iter().skip(2).flatten().next()) else { continue };
        match name.as_str().to_ascii_lowercase().as_str() {
            "name" | "id" | "property" | "http-equiv" => is_hit |= is_secret(value.as_str(), Place::Anywhere),
            "type" => is_hit |= value.as_str().eq_ignore_ascii_case("password"),
            "value" | "content" => found = Some(value.range()),
            _ => {}
        }
    }
    found.filter(|value| is_hit && !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        secrets_in(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn the_patterns_are_well_formed() {
        for pattern in
            [&FIELD, &FIELD_VALUE, &MEMBER, &MEMBER_VALUE, &ELEMENT, &ELEMENT_VALUE, &PART, &PART_VALUE, &TAG, &ATTRIBUTE, &LOOKS]
        {
            assert!(pattern.is_some(), "{pattern:?}");
        }
    }

    #[test]
    fn secrets_are_found_by_what_stands_around_them() {
        for (text, expected) in [
            ("https://a.example/x?page=2&token=T1&sig=S2#access_token=A3&x=1", &["T1", "S2", "A3"][..]),
            ("/login?next=/x?token=T1&zip=10001", &["T1"]),
            ("<a onclick=\"login({token: 'T1'})\">", &["T1"]),
            ("/next?key=K1&amp;code=C2&zip=10001&code=US&key=price&code=10001", &["K1", "C2"]),
            ("user=ann&pass=p%26w&otp=123456", &["p%26w", "123456"]),
            (r#"{"user": "ann", "refreshJwt":"J1", "pin": 4711, 'pwd': 'W'}"#, &["J1", "4711", "W"]),
            (r#"{\"client_secret\":\"C1\"}"#, &["C1"]),
            (r#"var csrfToken = 'T1'; data.password="p\"w""#, &["T1", "p\\\"w"]),
            (
                "<input type=hidden name=csrf value='T1'><meta content=\"T2\" name=\"csrf-token\"><input type=password value=p>",
                &["T1", "T2", "p"],
            ),
            ("<soap:Password type=\"x\">P1</soap:Password><code>c</code>", &["P1"]),
            ("--b\r\nContent-Disposition: form-data; name=\"password\"\r\nContent-Type: text/plain\r\n\r\nP1\r\n--b", &["P1"]),
            ("Authorization: Bearer abcdefgh.1", &["abcdefgh.1"]),
            (
                "see eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl there",
                &["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"],
            ),
            ("ftp://ann:hunter22@a.example/", &["hunter22"]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn ordinary_text_has_none() {
        for text in [
            "https://a.example/?page=2&sort=price#top",
            "<input name=password type=text><input name=zip value=10001><a href='/token'>token</a>",
            r#"{"author": "Ann", "code": 200, "key": "sku", "token_type": "bearer"}"#,
            "the password is not here: see token",
            "<p class=pass>fine</p>",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
