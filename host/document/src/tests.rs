//! Pages and questions through the public door.

use crate::{Document, DocumentError, Kind, Language, Limits, Query, QueryError, Want};
use std::sync::Arc;

fn page(text: &str) -> Document {
    Document::new(text.to_owned(), None, None, "")
}

fn ask(document: &Document, language: &str, expression: &str, want: &str) -> Result<Vec<String>, QueryError> {
    let query = Query::parse(language, expression, want)?;
    document.select(&[query]).map(|mut answers| answers.remove(0))
}

#[test]
fn a_page_that_is_never_asked_is_never_decoded_or_parsed() {
    let document = Document::new(b"<p>x</p>".to_vec(), Some("text/html"), None, "");
    assert_eq!(document.body(), b"<p>x</p>");
    assert_eq!(document.kind(), Kind::Html);
    assert!(!document.is_decoded() && !document.is_parsed());
    document.text().unwrap();
    assert!(document.is_decoded() && !document.is_parsed());
    ask(&document, "css", "p", "first").unwrap();
    assert!(document.is_parsed());
}

#[test]
fn a_bad_query_or_a_regex_does_not_parse_the_page() {
    let document = page("<p>x</p>");
    ask(&document, "css", "p[", "first").unwrap_err();
    ask(&document, "regex", "x", "first").unwrap();
    assert!(!document.is_parsed());
}

#[test]
fn text_that_is_known_goes_before_the_bytes() {
    let document = Document::new(b"{}".to_vec(), None, Some(Arc::from("<p>ü</p>")), "");
    assert_eq!(document.text().unwrap(), "<p>ü</p>");
    assert_eq!(ask(&document, "css", "p::text", "all").unwrap(), ["ü"]);
    assert!(!document.is_decoded());
}

#[test]
fn threads_share_a_document() {
    fn shared<T: Send + Sync + 'static>(value: T) -> Arc<T> {
        Arc::new(value)
    }
    let document = shared(page("<p>x</p>"));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let document = Arc::clone(&document);
            std::thread::spawn(move || ask(&document, "css", "p::text", "first").unwrap())
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), ["x"]);
    }
}

#[test]
fn several_questions_are_answered_in_order() {
    let document = page("<a href=1>x</a><a href=2>y</a>");
    let queries = [
        Query::new(Language::Css, "a::attr(href)", Want::All),
        Query::new(Language::Xpath, "//a[2]/text()", Want::First),
        Query::new(Language::Regex, r"href=(\d)", Want::All),
        Query::new(Language::Css, "b", Want::First),
        Query::new(Language::Css, "b", Want::Exists),
        Query::new(Language::Css, "a", Want::Count),
    ];
    let expected: [&[&str]; 6] = [&["1", "2"], &["y"], &["1", "2"], &[], &["false"], &["2"]];
    assert_eq!(document.select(&queries).unwrap(), expected);
}

#[test]
fn one_question_can_be_asked_without_a_query() {
    let document = page("<a href=1>x</a><a href=2>y</a>");
    assert_eq!(document.first(Language::Css, "a::attr(href)").unwrap(), Some("1".to_owned()));
    assert_eq!(document.first(Language::Xpath, "//b").unwrap(), None);
    assert_eq!(document.all(Language::Xpath, "//a/text()").unwrap(), ["x", "y"]);
}

#[test]
fn the_format_is_decided_by_header_then_by_content() {
    let cases: [(Option<&str>, &str, Kind); 14] = [
        (Some("text/html; charset=utf-8"), "{}", Kind::Html),
        (Some("application/json"), "<p>", Kind::Json),
        (Some("application/problem+json"), "", Kind::Json),
        (Some("application/rss+xml"), "<rss/>", Kind::Xml),
        (Some("text/xml"), "<rss/>", Kind::Xml),
        (Some("application/xhtml+xml"), "<?xml version='1.0'?><a/>", Kind::Html),
        (Some("text/plain"), " {\"a\": 1}", Kind::Json),
        (None, "[1]", Kind::Json),
        (None, "<?xml version='1.0'?><a/>", Kind::Xml),
        (None, "<?xml version='1.0'?><!DOCTYPE HTML><a/>", Kind::Html),
        (None, "\u{feff}{}", Kind::Json),
        (None, "<rss/>", Kind::Html),
        (None, "", Kind::Html),
        (None, "null", Kind::Html),
    ];
    for (header, text, kind) in cases {
        let document = Document::new(text.to_owned(), header, None, "");
        assert_eq!(document.kind(), kind, "{header:?} {text:?}");
    }
}

#[test]
fn json_is_asked_with_jmespath_and_pointers() {
    let text = r#"{"b": {"zip": "10115"}, "a": [1, 2.5, null, {"x": [true]}], "n": null, "k/~": 3}"#;
    let cases: [(&str, &str, &str, &[&str]); 24] = [
        ("jmespath", "length(a) > `9`", "exists", &["false"]),
        ("jmespath", "length(a) > `3`", "exists", &["true"]),
        ("jmespath", "a[?@ > `9`]", "exists", &["false"]),
        ("jmespath", "contains(b.zip, '7')", "count", &["0"]),
        ("jmespath", "b.zip", "value", &["\"10115\""]),
        ("jmespath", "b.zip", "first", &["\"10115\""]),
        ("jmespath", "a", "first", &["[1,2.5,null,{\"x\":[true]}]"]),
        ("jmespath", "a", "all", &["1", "2.5", "null", "{\"x\":[true]}"]),
        ("jmespath", "a", "count", &["4"]),
        ("jmespath", "n", "first", &[]),
        ("jmespath", "n", "exists", &["false"]),
        ("jmespath", "missing", "count", &["0"]),
        ("jmespath", "a[?@ > `1`]", "all", &["2.5"]),
        ("jmespath", "length(a)", "first", &["4"]),
        ("jmespath", "@", "count", &["1"]),
        ("jmespath", "{z: b.zip, y: a[0]}", "first", &["{\"z\":\"10115\",\"y\":1}"]),
        ("pointer", "/b/zip", "first", &["\"10115\""]),
        ("pointer", "/a/3/x", "all", &["true"]),
        ("pointer", "/k~1~0", "first", &["3"]),
        ("pointer", "/a/9", "first", &[]),
        ("pointer", "/n", "exists", &["false"]),
        ("pointer", "", "count", &["1"]),
        ("pointer", "/b", "exists", &["true"]),
        ("regex", r"zip.: .(\d+)", "first", &["10115"]),
    ];
    let document = page(text);
    for (language, expression, want, expected) in cases {
        assert_eq!(ask(&document, language, expression, want).unwrap(), expected, "{language} {expression} {want}");
    }
}

#[test]
fn what_xpath_computes_is_a_match_where_xpath_takes_it_for_true() {
    let document = page("<ul><li>1<li title=''>x</ul><p>false</p>");
    let cases: [(&str, &str, &str, &str, &[&str]); 14] = [
        ("count(//li) > 1", "true", "1", "true", &["true"]),
        ("count(//li) > 3", "false", "0", "false", &["false"]),
        ("not(//li)", "false", "0", "false", &["false"]),
        ("boolean(//i)", "false", "0", "false", &["false"]),
        ("count(//li)", "true", "1", "2", &["2"]),
        ("count(//i)", "false", "0", "0", &["0"]),
        ("number(//p)", "false", "0", "", &["NaN"]),
        ("1 div 0", "true", "1", "\"Infinity\"", &["Infinity"]),
        ("3 div 2", "true", "1", "1.5", &["1.5"]),
        ("string(//li)", "true", "1", "\"1\"", &["1"]),
        ("string(//img)", "false", "0", "\"\"", &[""]),
        ("//li/@title", "true", "1", "\"\"", &[""]),
        ("//p/text()", "true", "1", "\"false\"", &["false"]),
        ("//i", "false", "0", "", &[]),
    ];
    for (expression, exists, count, value, all) in cases {
        assert_eq!(ask(&document, "xpath", expression, "exists").unwrap(), [exists], "{expression}");
        assert_eq!(ask(&document, "xpath", expression, "count").unwrap(), [count], "{expression}");
        assert_eq!(ask(&document, "xpath", expression, "value").unwrap().concat(), value, "{expression}");
        assert_eq!(ask(&document, "xpath", expression, "all").unwrap(), all, "{expression}");
    }
    assert_eq!(ask(&document, "css", "p::text", "value").unwrap(), ["\"false\""]);
    assert_eq!(ask(&document, "regex", "(f)(a)", "value").unwrap(), ["\"f\""]);
}

#[test]
fn pages_without_content_have_no_matches() {
    let expressions = [("css", "p"), ("xpath", "//p"), ("jmespath", "a"), ("pointer", "/a"), ("regex", "x+")];
    for header in [None, Some("text/html"), Some("application/json"), Some("text/xml"), Some("image/png"), Some("")] {
        for body in ["", " ", "null", "\0", "\u{feff}"] {
            if header == Some("application/json") && body == "\0" {
                continue;
            }
            let document = Document::new(body.to_owned(), header, None, "");
            for (language, expression) in expressions {
                for (want, expected) in
                    [("first", vec![]), ("all", vec![]), ("value", vec![]), ("exists", vec!["false"]), ("count", vec!["0"])]
                {
                    let answer = ask(&document, language, expression, want);
                    assert_eq!(answer.unwrap(), expected, "{header:?} {body:?} {language} {want}");
                }
            }
        }
    }
}

#[test]
fn a_page_that_is_not_json_has_no_json_but_broken_json_is_an_error() {
    assert_eq!(ask(&page("<p>no</p>"), "jmespath", "a", "all").unwrap(), [""; 0]);
    let error = ask(&page("{\"a\": 1,"), "jmespath", "a", "all").unwrap_err();
    assert!(matches!(error, QueryError::Document(DocumentError::NotJson(_))), "{error}");
    assert!(error.to_string().contains("line 1 column 9"), "{error}");
    let declared = Document::new("<p>".to_owned(), Some("application/json"), None, "");
    assert!(ask(&declared, "pointer", "/a", "all").is_err());
}

#[test]
fn regular_expressions_answer_with_groups() {
    let document = page("a1b22c333");
    let cases: [(&str, &str, &[&str]); 9] = [
        (r"\d+", "all", &["1", "22", "333"]),
        (r"[a-z](\d+)", "all", &["1", "22", "333"]),
        (r"([a-z])(\d+)", "all", &["a", "1", "b", "22", "c", "333"]),
        (r"([a-z])(?P<extract>\d+)", "all", &["1", "22", "333"]),
        (r"([a-z])(\d+)", "first", &["a"]),
        (r"(x)|b", "all", &[""]),
        (r"(?i)B\d", "first", &["b2"]),
        (r"z", "exists", &["false"]),
        (r"\d", "count", &["6"]),
    ];
    for (expression, want, expected) in cases {
        assert_eq!(ask(&document, "regex", expression, want).unwrap(), expected, "{expression} {want}");
    }
}

#[test]
fn a_bad_expression_is_named_with_the_place() {
    let cases = [
        ("css", "p >", "css \"p >\": a selector is missing after the combinator near byte 3"),
        ("css", "", "css \"\": a selector is missing near byte 0"),
        ("css", "a, b..c", "css \"a, b..c\": a class name is missing after the dot near byte 7"),
        ("css", "a:nonsense", "css \"a:nonsense\": unknown pseudo-class near byte 10"),
        ("css", "a::txt", "css \"a::txt\": unknown pseudo-element \"::txt\", use ::text or ::attr(name) at the end near byte 1"),
        (
            "css",
            "a::text b",
            "css \"a::text b\": unknown pseudo-element \"::text b\", use ::text or ::attr(name) at the end near byte 1",
        ),
        ("css", "a[href", "css \"a[href\": a bracket or quote is never closed near byte 1"),
        ("css", "a[href='", "css \"a[href='\": a bracket or quote is never closed near byte 7"),
        ("css", "ns|a", "css \"ns|a\": unknown namespace prefix near byte 4"),
        ("xpath", "//a[", "xpath \"//a[\": "),
        ("xpath", "", "xpath \"\": empty expression near byte 0"),
        ("xpath", "foo(1)", "xpath \"foo(1)\": unknown function: foo"),
        ("xpath", "$x", "xpath \"$x\": unbound variable: $x"),
        ("jmespath", "a.", "jmespath \"a.\": "),
        ("jmespath", "length(`1`)", "jmespath \"length(`1`)\": "),
        ("pointer", "a", "pointer \"a\": a JSON pointer is empty or starts with a slash near byte 0"),
        ("regex", "(a", "regex \"(a\": unclosed group"),
        ("regex", "(?=a)", "regex \"(?=a)\": look-around"),
        ("sql", "x", "unknown query language \"sql\": use css, xpath, jmespath, pointer or regex"),
    ];
    let document = page("{}");
    for (language, expression, start) in cases {
        let error = ask(&document, language, expression, "all").unwrap_err().to_string();
        assert!(error.starts_with(start), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
    let error = ask(&document, "css", "a", "some").unwrap_err().to_string();
    assert_eq!(error, "unknown want \"some\": use first, all, exists, count or value");
}

#[test]
fn a_long_expression_is_cut_in_messages() {
    let error = ask(&page(""), "css", &"é".repeat(3000), "all").unwrap_err().to_string();
    assert!(error.len() < 600, "{error}");
    assert!(error.contains("6000 bytes, more than the limit of 4096"), "{error}");
}

#[test]
fn limits_name_themselves() {
    let limits = Limits { text_bytes: 10, ..Limits::default() };
    let document = Document::with_limits("x".repeat(11), None, None, "", limits);
    assert_eq!(document.text(), Err(DocumentError::TooLarge { bytes: 11, limit: 10 }));
    let limits = Limits { parse_bytes: 10, ..Limits::default() };
    let document = Document::with_limits("<p>x</p>xxx", None, None, "", limits);
    assert_eq!(document.text().unwrap().len(), 11);
    for (language, expression) in [("css", "p"), ("xpath", "//p"), ("jmespath", "a"), ("pointer", "/a")] {
        let error = ask(&document, language, expression, "all").unwrap_err();
        assert_eq!(error, QueryError::Document(DocumentError::TooLarge { bytes: 11, limit: 10 }));
    }
    let limits = Limits { answer_bytes: 10, ..Limits::default() };
    let document = Document::with_limits("<p>123456</p><p>123456</p>", None, None, "", limits);
    assert_eq!(ask(&document, "css", "p::text", "first").unwrap(), ["123456"]);
    assert_eq!(ask(&document, "css", "p::text", "all"), Err(QueryError::AnswerTooLarge { limit: 10 }));
}
