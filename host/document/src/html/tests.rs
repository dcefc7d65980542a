//! Pages made to hurt.

use super::parse;
use crate::{DocumentError, Limits};

fn depth(text: &str, limits: &Limits) -> usize {
    let tree = parse(text, limits).unwrap();
    let above = |node| std::iter::successors(tree.parent(node), |&node| tree.parent(node)).count();
    (0..tree.len()).map(above).max().unwrap_or(0)
}

#[test]
fn nesting_stops_at_the_limit_and_the_text_stays() {
    let limits = Limits { depth: 10, ..Limits::default() };
    for (open, close) in
        [("<div>", "</div>"), ("<b>", "</b>"), ("<table><td>", "</table>"), ("<svg>", "</svg>"), ("<div><p>", "")]
    {
        let text = format!("{}x{}<i>y</i>", open.repeat(100), close.repeat(100));
        assert!(depth(&text, &limits) <= 14, "{open}");
        assert_eq!(parse(&text, &limits).unwrap().string_value(0), "xy", "{open}");
    }
    let tree = parse(&format!("{}x{}<i>y</i>", "<div>".repeat(100), "</div>".repeat(100)), &limits).unwrap();
    assert!(tree.markup(0).ends_with("</div><i>y</i></body></html>"), "{}", tree.markup(0));
}

#[test]
fn what_is_not_markup_is_not_read_as_markup_below_the_limit() {
    let limits = Limits { depth: 5, ..Limits::default() };
    let text = format!("{}<script>'<i>'</script><textarea><u></textarea><br>", "<div>".repeat(10));
    let tree = parse(&text, &limits).unwrap();
    assert_eq!(tree.string_value(0), "'<i>'<u>");
    assert!(tree.markup(0).contains("<script>'<i>'</script><textarea>&lt;u&gt;</textarea><br></div>"));
}

#[test]
fn of_attributes_with_one_name_the_first_counts_however_many_there_are() {
    let many = |value: &str| (0..30).map(|n| format!(" A{n}={value}")).collect::<String>();
    let tree = parse(&format!("<p{}{} b='&amp;x' b=2>", many("1"), many("2")), &Limits::default()).unwrap();
    let expected: String = (0..30).map(|n| format!(" a{n}=\"1\"")).collect();
    assert!(tree.markup(0).contains(&format!("<p{expected} b=\"&amp;x\">")), "{}", tree.markup(0));
}

#[test]
fn work_and_size_are_bounded() {
    let repeated: String = (0..400).map(|n| format!("<p><font size={n}>")).collect::<String>() + &"<p>x".repeat(20_000);
    let limits = Limits { nodes: 100_000, ..Limits::default() };
    assert_eq!(parse(&repeated, &limits).unwrap_err(), DocumentError::TooComplex);
    let limits = Limits { parse_steps: 200_000, ..Limits::default() };
    let fostered = format!("<table>{}", "<b>x<tr>".repeat(20_000));
    assert_eq!(parse(&fostered, &limits).unwrap_err(), DocumentError::TooComplex);
    assert!(parse(&"<li>x".repeat(20_000), &limits).is_ok());
    let scanning = "<div>".repeat(500) + &"<p></p>".repeat(20_000);
    let limits = Limits { parse_steps: 1000, ..Limits::default() };
    assert_eq!(parse(&scanning, &limits).unwrap_err(), DocumentError::TooComplex);
}

/// The tree of a page whose tokens are those of html5ever's own tokenizer.
fn reference(text: &str) -> String {
    use html5ever::TokenizerResult;
    use html5ever::buffer_queue::BufferQueue;
    use html5ever::tokenizer::{Tokenizer, TokenizerOpts};
    // It would take a mark away after every script.
    let options = TokenizerOpts { discard_bom: false, ..TokenizerOpts::default() };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let tokenizer = Tokenizer::new(super::guard(text, &Limits::default()), options);
    let queue = BufferQueue::default();
    queue.push_back(text.into());
    while !matches!(tokenizer.feed(&queue), TokenizerResult::Done) {}
    tokenizer.end();
    tokenizer.sink.finish().finish(crate::tree::Flavour::Html, Vec::new()).markup(0)
}

#[test]
fn pages_are_read_as_by_the_tokenizer_that_the_tree_builder_comes_with() {
    const WORDS: [&str; 62] = [
        "<p>",
        "</p>",
        "<a href=",
        "<a",
        ">",
        "/>",
        " ",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "x",
        "é",
        "日本",
        "\0",
        "\u{feff}",
        "\"",
        "'",
        "=",
        "<",
        "</",
        "<!",
        "<!--",
        "-->",
        "--!>",
        "-",
        "<!doctype html>",
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2//EN\">",
        "<?php ?>",
        "&amp;",
        "&amp",
        "&notit;",
        "&#65;",
        "&#x80;",
        "&#0",
        "&",
        ";",
        "<script>",
        "</script>",
        "<SCRIPT",
        "<style>",
        "</style>",
        "<textarea>\n",
        "</textarea >",
        "<title>",
        "</title/>",
        "<table>",
        "<td>",
        "</table>",
        "<svg>",
        "</svg>",
        "<![CDATA[",
        "]]>",
        "<math>",
        "<B class='a b' ID=1 class=c>",
        "</b>",
        "<pre>\n",
        "<plaintext>",
        "<br/>",
        "<input type=hidden VALUE",
        "<noscript>",
        "<template>",
    ];
    let mut state = 3_u64;
    let mut noise = move |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % bound
    };
    for _ in 0..6_000 {
        let text: String = (0..=noise(24)).map(|_| WORDS[noise(WORDS.len())]).collect();
        assert_eq!(parse(&text, &Limits::default()).unwrap().markup(0), reference(&text), "{text:?}");
    }
}
