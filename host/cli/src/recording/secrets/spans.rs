//! Finds the secrets in a text by what stands around them: URLs, forms, JSON, scripts, HTML, XML, multipart bodies.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Match, Regex};

use super::names::{Place, is_secret};

/// `?NAME=`, `&NAME=`, `#NAME=`, also where `&` is escaped, and at the beginning of a text.
static FIELD: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r"(?:^|&amp;|&\#38;|\\u0026|[?&\#])([\w.\-\[\]%$]{1,64})="));

/// What stands behind it.
static FIELD_VALUE: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r#"^([^&\#;\s"'<>\\]+)"#));

/// `"NAME":`, also with other quotes or none around the name, with escaped quotes, and with `=`.
static MEMBER: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r#"([\w$][\w$.\-]{0,63})(?:\\?["'])?\s*[:=]\s*"#));

/// What stands behind it: a text in quotes, which may be escaped, or a number.
static MEMBER_VALUE: LazyLock<Option<Regex>> =
    LazyLock::new(|| regex(r#"^(?:\\"((?:[^"\\]|\\\\)+)\\"|"((?:[^"\\]|\\.)+)"|'((?:[^'\\]|\\.)+)'|(\d{1,20})\b)"#));

/// `<input name=NAME value=VALUE>`, `<meta name=NAME content=VALUE>`: the whole tag.
static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r"(?i)<(?:input|meta|param|button)\b[^>]*>"));

/// An attribute of such a tag.
static ATTRIBUTE: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r#"(?i)([\w\-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"#));

/// `<NAME>VALUE</`.
static ELEMENT: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r"<(?:[\w\-]+:)?([\w.\-]{1,64})(?:\s[^<>]*)?>([^<>]+)</"));

/// A part of a multipart body.
static PART: LazyLock<Option<Regex>> =
    LazyLock::new(|| regex(r#"(?i)form-data;[^\r\n]*?\bname="([^"\r\n]{1,64})"[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n([^\r\n]+)"#));

/// What is a secret by its own looks, or by the one word before it.
static LOOKS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(
        r#"\b(eyJ[\w\-]{8,}\.[\w\-]{8,}(?:\.[\w\-]*)?)|(?i:\b(?:bearer|basic)(?:\s|%20|\+)+([\w+/.~=\-]{8,}))|://[^/?\#\s"'<>@:]*:([^/?\#\s"'<>@]+)@"#,
    )
});

/// One of those above.
type Pattern = &'static LazyLock<Option<Regex>>;

/// Those above are tested, so there is always one.
fn regex(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

/// Where in a text the values of secrets are; they may lie in one another.
pub(super) fn secrets_in(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut add = |value: Option<Match<'_>>| found.extend(value.map(|value| value.range()));
    for (pattern, place) in
        [(&FIELD, Place::Field), (&MEMBER, Place::Anywhere), (&ELEMENT, Place::Anywhere), (&PART, Place::Field)]
    {
        for groups in captures(pattern, text) {
            if groups.get(1).is_some_and(|name| is_secret(name.as_str(), place)) {
                add(value(&groups, 2));
            }
        }
    }
    captures(&LOOKS, text).for_each(|groups| add(value(&groups, 1)));
    found.extend(behind_names(text, &FIELD, &FIELD_VALUE, Place::Field));
    found.extend(behind_names(text, &MEMBER, &MEMBER_VALUE, Place::Anywhere));
    for tag in captures(&TAG, text).filter_map(|groups| groups.get(0)) {
        found.extend(in_tag(tag.as_str()).map(|value| tag.start() + value.start..tag.start() + value.end));
    }
    found.sort_by_key(|value| (value.start, value.end));
    found.dedup();
    found
}

/// The values behind names of secrets. They are looked for behind every name, also of those that stand in the value of another.
fn behind_names(text: &str, names: Pattern, values: Pattern, place: Place) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for groups in captures(names, text) {
        let (Some(name), Some(whole)) = (groups.get(1), groups.get(0)) else { continue };
        let is_new = found.last().is_none_or(|last| last.end <= name.start());
        if !is_new || !is_secret(name.as_str(), place) {
            continue;
        }
        let groups = values.as_ref().and_then(|regex| regex.captures(text.get(whole.end()..)?));
        let value = groups.as_ref().and_then(|groups| value(groups, 1));
        found.extend(value.map(|value| whole.end() + value.start()..whole.end() + value.end()));
    }
    found
}

fn captures<'t>(pattern: Pattern, text: &'t str) -> impl Iterator<Item = Captures<'t>> {
    pattern.iter().flat_map(move |regex| regex.captures_iter(text))
}

/// The first group from this one on that took part.
fn value<'t>(groups: &Captures<'t>, from: usize) -> Option<Match<'t>> {
    (from..groups.len()).find_map(|group| groups.get(group))
}

/// The value of a field that its tag names as a secret.
fn in_tag(tag: &str) -> Option<Range<usize>> {
    let (mut is_hit, mut found) = (false, None);
    for groups in captures(&ATTRIBUTE, tag) {
        let (Some(name), Some(value)) = (groups.get(1), value(&groups, 2)) else { continue };
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
        for pattern in [&FIELD, &FIELD_VALUE, &MEMBER, &MEMBER_VALUE, &TAG, &ATTRIBUTE, &ELEMENT, &PART, &LOOKS] {
            assert!(pattern.is_some());
        }
    }

    #[test]
    fn secrets_are_found_by_what_stands_around_them() {
        for (text, expected) in [
            ("https://a.example/x?page=2&token=T1&sig=S2#access_token=A3&x=1", &["T1", "S2", "A3"][..]),
            ("/login?next=/x?token=T1&zip=10001", &["T1"]),
            ("<a onclick=\"login({token: 'T1'})\">", &["T1"]),
            ("/next?key=K1&amp;code=C2&zip=10001", &["K1", "C2"]),
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
