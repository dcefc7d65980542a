//! Pages and expressions made to hurt: each ends in an answer or an error, never in a crash. The threads of tests have
//! stacks of 2 MiB, as those of servers do.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use carousel_document::{Document, DocumentError, Language, Limits, Query, QueryError, Want};

const LANGUAGES: [Language; 5] = [Language::Css, Language::Xpath, Language::Jmespath, Language::Pointer, Language::Regex];

fn ask(document: &Document, language: Language, expression: &str, want: Want) -> Result<Vec<String>, QueryError> {
    document.select(&[Query::new(language, expression, want)]).map(|answers| answers[0].clone())
}

fn page(body: impl Into<Vec<u8>>, content_type: &str) -> Document {
    Document::new(body.into(), Some(content_type), None, "https://shop.example/")
}

#[test]
fn nested_pages_are_answered_with_all_their_text() {
    let cases = ["<div>", "<b>", "<a><div>", "<table><td>", "<ul><li>", "<svg><g>", "<font size=1><p>", "<template>", "<x>"];
    for tags in cases {
        for end in ["", "</div>"] {
            let text = format!("{}deep{}<i id=last>end</i>", tags.repeat(100_000 / tags.len()), end.repeat(2_000));
            let document = page(text, "text/html");
            assert_eq!(ask(&document, Language::Xpath, "contains(/, 'deep')", Want::First).unwrap(), ["true"], "{tags}");
            let markup = ask(&document, Language::Css, ":root", Want::First);
            assert!(markup.is_ok_and(|markup| markup[0].contains("end")), "{tags}");
            ask(&document, Language::Css, "* * ~ * > :last-child:not(:has(x))", Want::Count).ok();
        }
    }
}

#[test]
fn deep_xml_and_deep_json_do_not_overflow() {
    let xml = page(format!("{}deep", "<a b='1'>".repeat(100_000)), "text/xml");
    assert_eq!(ask(&xml, Language::Xpath, "contains(/, 'deep')", Want::First).unwrap(), ["true"]);
    assert!(ask(&xml, Language::Css, "a", Want::First).is_ok());
    for open in ["[", "{\"a\":"] {
        let json = page(open.repeat(100_000), "application/json");
        for (language, expression) in [(Language::Jmespath, "a"), (Language::Pointer, "/a/a")] {
            let error = ask(&json, language, expression, Want::First).unwrap_err();
            assert!(matches!(error, QueryError::Document(DocumentError::NotJson(_))), "{error}");
            assert!(error.to_string().contains("more than 500 levels are nested"), "{error}");
        }
    }
}

#[test]
fn declarations_are_in_force_where_they_stand_and_too_many_over_too_many_elements_are_refused() {
    let with = |count: usize, elements: usize| {
        let nested: String = (0..40).map(|depth| format!("<a{}>", declarations(depth, count))).collect();
        let last = "<p7:last xmlns:p7='inner'><p7:b/></p7:last><p7:c/>";
        page(format!("{nested}{}{last}{}", "<z:b/>".repeat(elements), "</a>".repeat(40)), "text/xml")
    };
    let xml = with(25, 2_000);
    for (expression, answer) in [
        ("count(//*[local-name() = 'b'])", "2001"),
        ("namespace-uri(//*[local-name() = 'last']/*)", "inner"),
        ("namespace-uri(//*[local-name() = 'c'])", "u7"),
    ] {
        assert_eq!(ask(&xml, Language::Xpath, expression, Want::First).unwrap(), [answer], "{expression}");
    }
    let error = ask(&with(1_000, 80_000), Language::Xpath, "//namespace::*", Want::First).unwrap_err();
    assert!(matches!(error, QueryError::Document(DocumentError::TooComplex)), "{error}");
}

fn declarations(depth: usize, count: usize) -> String {
    (0..count).map(|n| format!(" xmlns:p{0}='u{0}'", depth * count + n)).collect()
}

#[test]
fn pages_that_repeat_themselves_are_refused() {
    let fonts: String = (0..300).map(|n| format!("<font size={n}>")).collect();
    for text in [fonts + &"<p>x".repeat(100_000), "<div>".repeat(505) + &"<p></p>".repeat(150_000)] {
        let limits = Limits { nodes: 100_000, ..Limits::default() };
        let document = Document::with_limits(text, Some("text/html"), None, "", limits);
        let answer = ask(&document, Language::Css, "i", Want::First);
        assert_eq!(answer, Err(QueryError::Document(DocumentError::TooComplex)));
    }
}

#[test]
fn a_tag_with_a_hundred_thousand_attributes_is_read() {
    let attributes: String = (0..100_000).map(|n| format!("a{n} ")).collect();
    let document = page(format!("<p {attributes}{attributes}>"), "text/html");
    assert_eq!(ask(&document, Language::Xpath, "count(//p/@*)", Want::First).unwrap(), ["100000"]);
}

#[test]
fn a_page_of_fifty_megabytes_is_text_but_not_parsed() {
    let document = page(vec![b'<'; 50 << 20], "text/html");
    assert_eq!(document.text().unwrap().len(), 50 << 20);
    let answer = ask(&document, Language::Css, "p", Want::First);
    assert!(matches!(answer, Err(QueryError::Document(DocumentError::TooLarge { .. }))));
    assert_eq!(ask(&document, Language::Regex, "<<<$", Want::Exists).unwrap(), ["true"]);
}

#[test]
fn noise_is_a_page_too() {
    let mut state = 1_u32;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    let alphabet = b"<>/!?&;-=\"' []{}:,abptdlisvgmx0\0\xC3\xFF\n";
    for round in 0..600 {
        let length = usize::from(noise()) * 4;
        let bytes: Vec<u8> = match round % 2 {
            0 => (0..length).map(|_| alphabet[usize::from(noise()) % alphabet.len()]).collect(),
            _ => (0..length).map(|_| noise()).collect(),
        };
        for content_type in ["text/html", "text/xml", "application/json", ""] {
            let document = page(bytes.clone(), content_type);
            for (language, expression) in
                [(Language::Css, "p *"), (Language::Xpath, "//a/@*"), (Language::Jmespath, "a"), (Language::Pointer, "/a")]
            {
                ask(&document, language, expression, Want::All).ok();
            }
        }
    }
}

#[test]
fn noise_is_an_expression_too() {
    const CSS: &str =
        "p * > + ~ , : :: . # [ ] ( ) = ~= ^= 'a' a b :not( :has( :is( :nth-child( 2n+1 of ::text ::attr( :contains(";
    const XPATH: &str = "// / a b * @ . .. [ ] ( ) | = != < and or not( count( position() last() 1 'a' ancestor:: following:: - + div \
                         contains( concat( has-class('a') re:test(.,'a') text() namespace:: self:: $x , normalize-space( translate(";
    const JMESPATH: &str =
        "a b @ . [ ] [*] [] * | || && ! { } : , ( ) & keys( sort( to_string( map( `1` 'a' ? [?a] == < join(',', 0 -1";
    const REGEX: &str = "a b . * + ? ( ) [ ] (?: | ^ $ \\w \\b {2,9} {30} [^a] (?i) \\d (?P<extract>";
    let mut state = 7_u64;
    let mut noise = move |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % bound
    };
    let limits = Limits { query_steps: 200_000, ..Limits::default() };
    let documents = [
        Document::with_limits("<a class=a b=1>a<b>b</b><p>1<b>2</p>3</b></a>".repeat(50), Some("text/html"), None, "", limits),
        Document::with_limits("<a xmlns:x='u'><x:b b='1'>b</x:b><p/></a>", Some("text/xml"), None, "", limits),
        Document::with_limits("[{\"a\": [1, {\"b\": \"a\"}]}, null, \"x\"]", Some("application/json"), None, "", limits),
    ];
    let mut answered = 0;
    for (language, words) in
        [(Language::Css, CSS), (Language::Xpath, XPATH), (Language::Jmespath, JMESPATH), (Language::Regex, REGEX)]
    {
        let words: Vec<&str> = words.split_whitespace().collect();
        for _ in 0..2_500 {
            let expression: Vec<&str> = (0..=noise(9)).map(|_| words[noise(words.len())]).collect();
            let expression = expression.join(["", "", " "][noise(3)]);
            let want = [Want::First, Want::All, Want::Exists, Want::Count, Want::Value][noise(5)];
            answered += documents.iter().filter(|document| ask(document, language, &expression, want).is_ok()).count();
        }
    }
    assert!(answered > 2_000, "the expressions are too wild to tell: {answered}");
}

#[test]
fn costs_that_double_are_foreseen() {
    let json = page("[\"\\\"\", 1]".to_owned(), "application/json");
    for unit in [" | to_string([@])", " | map(&to_string([@, @]), [@, @])", " | join('', [to_string(@), to_string(@)])"] {
        let error = ask(&json, Language::Jmespath, &format!("@{}", unit.repeat(30)), Want::First).unwrap_err();
        assert!(matches!(error, QueryError::TooCostly { .. }), "{error}");
    }
    let html = page("<p>a b</p>".repeat(100_000), "text/html");
    for (language, expression) in [
        (Language::Regex, r"(a|b|c| )*a(a|b|c| |<){60}q".to_owned()),
        (Language::Regex, r"\w{60}".to_owned()),
        (Language::Xpath, format!("//*[{}1]", "1+".repeat(400))),
        (Language::Xpath, "//*[count(//*) > 1]".to_owned()),
        (Language::Xpath, format!("//node()[{}self::x]", "self::*/".repeat(400))),
        (Language::Xpath, format!("//*[re:test(/, '{}')]", "[ab]?".repeat(40))),
    ] {
        let error = ask(&html, language, &expression, Want::Count).unwrap_err();
        assert!(matches!(error, QueryError::TooCostly { .. }), "{error}");
    }
    assert_eq!(ask(&html, Language::Regex, r"<p>(a\s\w)</p>", Want::First).unwrap(), ["a b"]);
}

#[test]
fn expressions_cannot_overflow_the_stack() {
    let bodies = [("text/html", "<a><b>1</b><b>2</b></a>"), ("application/json", "{\"a\": [[1, 2], [3]]}")];
    let units = [
        "(",
        "[",
        "{",
        "a(",
        "a[",
        "not(",
        ":not(",
        ":has(",
        ":is(",
        "a{",
        "!",
        "-",
        "&",
        "a ",
        "a>",
        "a~",
        "a+",
        ".a",
        "a.",
        "a|",
        "a||",
        "a&&",
        "a or ",
        "1+",
        "1=",
        "/a",
        "//",
        "a/",
        "../",
        "*",
        "@",
        "[0]",
        "[]",
        "[*]",
        "*.",
        "?",
        "a?",
        "::",
        "\\",
        "'",
        "\"",
        "`",
        ",",
        "a,",
        "|",
        "<",
        "not(a)",
        "map(&",
        "(?:",
        "x{9}",
        "$",
        "a[b]",
        "[a=b]",
        ":first-child",
    ];
    for unit in units {
        for (repeat, end) in
            [(150, "a"), (150, "1"), (190, ""), (4095 / unit.len(), ""), (4090 / unit.len(), "a"), (4090 / unit.len(), "1")]
        {
            let open = unit.repeat(repeat) + end;
            let close: String = unit.chars().rev().filter_map(closing).collect();
            for expression in [open.clone() + &close.repeat(repeat), open] {
                for language in LANGUAGES {
                    for (content_type, body) in bodies {
                        ask(&page(body, content_type), language, &expression, Want::Count).ok();
                    }
                }
            }
        }
    }
}

fn closing(open: char) -> Option<char> {
    match open {
        '(' => Some(')'),
        '[' => Some(']'),
        '{' => Some('}'),
        _ => None,
    }
}

#[test]
fn what_copies_texts_or_names_costs_more_than_looking_at_nodes() {
    let limits = Limits { query_steps: 60_000, ..Limits::default() };
    let document = |text: String| Document::with_limits(text, Some("text/html"), None, "", limits);
    let nested = document("<div>a b ".repeat(400));
    let names = document("<p>".repeat(6_000));
    let words = document("a b ".repeat(16_000));
    let cases: [(&Document, Language, &str, String); 6] = [
        (&nested, Language::Xpath, "count(//*)", "count(id(//*))".to_owned()),
        (
            &nested,
            Language::Xpath,
            "count(//*[contains(., 'x')])",
            format!("count(//*[{}.{}])", "string(".repeat(20), ")".repeat(20)),
        ),
        (&names, Language::Xpath, "count(//*[..])", "count(//*[name() = local-name(..)])".to_owned()),
        (&words, Language::Xpath, "string-length(/)", format!("{}/{}", "normalize-space(".repeat(60), ")".repeat(60))),
        (&words, Language::Xpath, "translate(/, 'a', 'b')", format!("string(translate(/, '{}', ''))", "bcdefgh ".repeat(31))),
        (&nested, Language::Css, "div x", "div".to_owned()),
    ];
    for (document, language, cheap, dear) in cases {
        assert!(ask(document, language, cheap, Want::All).is_ok(), "{cheap}");
        let answer = ask(document, language, &dear, Want::All).map(|answers| answers.len());
        assert!(matches!(answer, Err(QueryError::TooCostly { .. })), "{dear}: {answer:?}");
    }
}

#[test]
fn costly_queries_end() {
    let list: String = (0..20_000).map(|n| format!("<li class='a b'>{n}<b>x</b></li>")).collect();
    let html = page(list, "text/html");
    let costly = [
        (Language::Xpath, "//*[count(following::*) > 0]"),
        (Language::Xpath, "//li = //b/following::li"),
        (Language::Xpath, "//li/@class = //b"),
        (Language::Xpath, "count(//li[//b < (//i | //li)]) = 0"),
        (Language::Xpath, "//li[preceding-sibling::li[. = 'x']]"),
        (Language::Css, "i ~ li"),
        (Language::Css, "li:nth-last-of-type(3n)"),
    ];
    for (language, expression) in costly {
        let error = ask(&html, language, expression, Want::Count).unwrap_err();
        assert!(matches!(error, QueryError::TooCostly { .. }), "{error}");
        assert!(error.to_string().contains(expression), "{error}");
    }
    let json = page(format!("[{}1]", "1,".repeat(10_000)), "application/json");
    let doubling = format!("@{}", " | [@, @][]".repeat(40));
    let error = ask(&json, Language::Jmespath, &doubling, Want::Count).unwrap_err();
    assert!(matches!(error, QueryError::TooCostly { .. }), "{error}");
    assert_eq!(ask(&json, Language::Jmespath, "[*].{a: @, b: @, c: @} | length(@)", Want::First).unwrap(), ["10001"]);
}
