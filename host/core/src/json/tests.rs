use serde_json::json;

use super::*;

/// What Python's `json.loads` takes and what it makes of it, but for what the module says.
#[test]
fn what_other_readers_take_is_read() {
    for (text, expected) in [
        (r#""a\ud83dz""#, json!("a\u{fffd}z")),
        (r#""\udc00\ud83d""#, json!("\u{fffd}\u{fffd}")),
        (r#""\ud83d\ud83d\ude00""#, json!("\u{fffd}😀")),
        (r#""\ud83d\n\u00e9\"\\\/\b\f\r\t""#, json!("\u{fffd}\né\"\\/\u{8}\u{c}\r\t")),
        (r#"{"\ud800":1}"#, json!({"\u{fffd}": 1})),
        ("[NaN, Infinity, -Infinity, -1.5, 0]", json!([null, null, null, -1.5, 0])),
        (r#"{"a":1,"b":2,"a":3}"#, json!({"a": 3, "b": 2})),
        ("\u{feff} {\"a\" : [ ] , \"b\":{ }}\n", json!({"a": [], "b": {}})),
        ("[true,false,null,[[],{}]]", json!([true, false, null, [[], {}]])),
    ] {
        assert_eq!(read(text).map(|value| value.to_string()), Ok(expected.to_string()), "{text}");
        assert!(Raw::checked(text).is_ok(), "{text}");
        let standard = Raw::of(text).standard();
        assert_eq!(serde_json::from_str::<Value>(&standard).unwrap().to_string(), expected.to_string(), "{standard}");
    }
}

#[test]
fn what_is_not_json_is_refused_with_its_place() {
    for (text, why) in [
        ("", "the text is cut short at line 1 column 1"),
        ("{", "the text is cut short at line 1 column 2"),
        ("[1,\n 2", "the text is cut short at line 2 column 3"),
        ("[1 2]", "expected a comma or an end at line 1 column 4"),
        ("[1,]", "expected a value at line 1 column 4"),
        ("{\"a\":1,}", "expected the name of a member at line 1 column 8"),
        ("{a:1}", "expected the name of a member at line 1 column 2"),
        ("{\"a\" 1}", "expected a colon at line 1 column 6"),
        ("[1}", "expected a comma or an end at line 1 column 3"),
        ("1 2", "something follows the value at line 1 column 3"),
        ("{}]", "something follows the value at line 1 column 3"),
        (",", "expected a value at line 1 column 1"),
        ("01", "something follows the value at line 1 column 2"),
        ("-", "a number has no digits at line 1 column 2"),
        ("1.", "a number has no digits at line 1 column 3"),
        ("1e", "a number has no digits at line 1 column 3"),
        ("+1", "expected a value at line 1 column 1"),
        ("nul", "expected a value at line 1 column 1"),
        ("\"é\n\"", "a control character in a string is not escaped at line 1 column 3"),
        ("\"abc", "a string has no end at line 1 column 5"),
        (r#""\x""#, "an escape in a string is not known at line 1 column 2"),
        (r#""\u12g4""#, "an escape in a string is not known at line 1 column 2"),
        (r#""\u12é""#, "an escape in a string is not known at line 1 column 2"),
    ] {
        assert_eq!(Raw::checked(text).map_err(|error| error.to_string()), Err(why.to_owned()), "{text}");
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn nesting_is_read_as_deep_as_in_python_and_checked_as_deep_as_it_goes() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert_eq!(read(&nested(MAX_DEPTH)).unwrap().to_string(), nested(MAX_DEPTH));
    assert_eq!(read(&nested(MAX_DEPTH + 1)).unwrap_err().why, "more than 1000 levels are nested");
    let deep = nested(1_000_000);
    assert_eq!(Raw::checked(&deep).unwrap().items().next().map(|inner| inner.text().len()), Some(deep.len() - 2));
}

#[test]
fn the_standards_reader_agrees_about_what_the_standard_allows() {
    // Each byte of a text is replaced by each of these, which makes about as many bad texts as good ones.
    let text = r#"{"aé\n12345":[-1.5e3,true,"x\u00e9",{"b":null},[]],"":0}"#;
    for at in 0..text.len() {
        for byte in br#"{}[]",:01-.etn\ a"# {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = *byte;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let expected = serde_json::from_str::<Value>(&text).ok();
            assert_eq!(read(&text).ok(), expected, "{text}");
            assert_eq!(Raw::checked(&text).is_ok(), expected.is_some(), "{text}");
        }
    }
}

#[test]
fn long_strings_end_where_they_end() {
    for length in 0..40 {
        let text = format!("[\"{}\",\"é\\\"{}\"]", "x".repeat(length), "ÿ".repeat(length));
        assert_eq!(read(&text).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
        let bad = format!("\"{}\u{1f}{}\"", "x".repeat(length), "y".repeat(20));
        assert_eq!(read(&bad).unwrap_err().column, length + 2);
    }
}

#[test]
fn parts_are_found_without_reading_the_rest() {
    let text = r#"{"a":{"b":[1,{"c~d":"x"},[2]]},"n/m":1,"a\u0062":2,"a":{"b":[3]},"":{"":4}}"#;
    let raw = Raw::checked(text).unwrap();
    for (pointer, found) in [
        ("/a/b/0", Some("3")),
        ("/a/b/1", None),
        ("/n~1m", Some("1")),
        ("/ab", Some("2")),
        ("//", Some("4")),
        ("/a", Some(r#"{"b":[3]}"#)),
        ("/a/b/00", None),
        ("/a/b/+0", None),
        ("/n~1m/0", None),
        ("a", None),
    ] {
        assert_eq!(raw.pointer(pointer).map(Raw::text), found, "{pointer}");
    }
    assert_eq!(raw.members().count(), 5);
    assert_eq!((raw.items().count(), Raw::of("[1, [2]]").members().count()), (0, 0));
    assert_eq!(Raw::of("[1, [2] , {}]").items().map(Raw::text).collect::<Vec<_>>(), ["1", "[2]", "{}"]);
    assert_eq!(Raw::of(r#"{"a":1,"b":"#).get("a").map(Raw::text), Some("1"), "what is cut is read as far as it goes");
}

#[test]
fn bytes_are_read_with_half_surrogate_pairs_and_nothing_else_that_is_not_utf8() {
    assert_eq!(utf8(b"a\xED\xA0\xBDb".to_vec()).as_deref(), Some("a\u{fffd}b"));
    assert_eq!(utf8("é\u{d7ff}".as_bytes().to_vec()).as_deref(), Some("é\u{d7ff}"));
    assert_eq!(utf8(b"\xED\xA0\xBD\xED\xB8\x80".to_vec()).as_deref(), Some("\u{fffd}\u{fffd}"));
    assert_eq!((utf8(b"\xE9".to_vec()), utf8(b"\xED\xA0".to_vec())), (None, None));
}

#[test]
fn numbers_of_any_size_keep_their_digits_and_equal_ones_may_be_written_in_one_way() {
    for (written, usual) in [
        ("12345678901234567890123", "12345678901234567890123"),
        ("-0", "0"),
        ("1.50", "1.5"),
        ("15e-1", "1.5"),
        ("1e+2", "100.0"),
        ("1e+999", "1e+999"),
    ] {
        let mut value = read(&format!("[{written},{{\"a\":{written}}}]")).unwrap();
        assert_eq!(value[0].to_string(), written);
        unify_numbers(&mut value);
        assert_eq!(value.to_string(), format!("[{usual},{{\"a\":{usual}}}]"));
    }
}
