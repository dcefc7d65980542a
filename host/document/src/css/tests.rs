//! Tables of selectors and what they find.

use super::Css;
use crate::budget::Budget;
use crate::tree::Tree;
use crate::{Limits, Want, html, xml};

const SHOP: &str = r##"<!DOCTYPE html><html><head><title>Shop</title></head><body id="top" class="a b">
<div class="box first" data-n="1">one<p>in<b>bold</b>side</p>two</div>
<div class="Box" data-n="2" lang="en-US"><ul><li>1</li><li class="on">2</li><li>3</li><li></li></ul></div>
<form><input type="checkbox" checked><input name="q" disabled value="a &amp; b"><select><option selected>x</option></select></form>
<a href="/x?a=1&amp;b=2" title='He said "hi"'>link</a><a name="no">none</a>
<svg viewBox="0 0 1 1"><path d="M0"/></svg><br><script>if (a < b && c) {}</script><!-- note -->
</body></html>"##;

fn find(tree: &Tree, selector: &str, want: Want) -> Vec<String> {
    let css = Css::compile(selector).unwrap_or_else(|error| panic!("{selector}: {error:?}"));
    let items = css.find(tree, &Budget::new(1_000_000), want);
    items.into_iter().map(|item| tree.item_text(item)).collect()
}

fn check(tree: &Tree, cases: &[(&str, &[&str])]) {
    for (selector, expected) in cases {
        assert_eq!(find(tree, selector, Want::All), *expected, "{selector}");
        let first = find(tree, selector, Want::First);
        assert_eq!(first.first().map(String::as_str), expected.first().copied(), "first of {selector}");
    }
}

#[test]
fn selectors_find_what_they_find_in_browsers() {
    let tree = html::parse(SHOP, &Limits::default()).unwrap();
    check(
        &tree,
        &[
            ("title::text", &["Shop"]),
            ("#top > .box::attr(data-n)", &["1"]),
            (".box.first p b::text", &["bold"]),
            ("LI.on::text", &["2"]),
            ("li:first-child::text", &["1"]),
            ("li:nth-child(2n+1)::text", &["1", "3"]),
            ("li:nth-last-child(2)::text", &["3"]),
            ("li:nth-child(1 of .on)::text", &["2"]),
            ("li:not(.on)::text", &["1", "3"]),
            ("li:not(.on, :first-child)::text", &["3"]),
            ("li:empty", &["<li></li>"]),
            ("li.on + li::text", &["3"]),
            ("li.on ~ li", &["<li>3</li>", "<li></li>"]),
            ("div:has(ul)::attr(data-n)", &["2"]),
            ("div:has(> p > b)::attr(data-n)", &["1"]),
            ("div:not(:has(ul))::attr(data-n)", &["1"]),
            (":is(b, title)::text", &["Shop", "bold"]),
            ("[data-n]::attr(data-n)", &["1", "2"]),
            ("[data-n='2']::attr(class)", &["Box"]),
            ("[class~=first]::attr(data-n)", &["1"]),
            ("[lang|=en]::attr(data-n)", &["2"]),
            ("[href^='/x']::text", &["link"]),
            ("[href$='2']::text", &["link"]),
            ("[href*='a=1&b']::text", &["link"]),
            ("[class=box i]::attr(data-n)", &["2"]),
            ("a:contains('in')::text", &["link"]),
            ("a:link::text", &["link"]),
            ("input:checked::attr(type)", &["checkbox"]),
            ("option:checked::text", &["x"]),
            ("input:disabled::attr(name)", &["q"]),
            ("input:enabled::attr(type)", &["checkbox"]),
            ("a:hover", &[]),
            (":root > head > title::text", &["Shop"]),
            ("body:root", &[]),
            ("p:only-child", &["<p>in<b>bold</b>side</p>"]),
            ("svg path::attr(d)", &["M0"]),
            ("svg::attr(viewbox)", &["0 0 1 1"]),
            ("svg::attr(viewBox)", &["0 0 1 1"]),
            ("nothing", &[]),
            ("nothing::text", &[]),
        ],
    );
}

#[test]
fn text_and_attributes_are_taken_as_in_parsel() {
    let tree = html::parse(SHOP, &Limits::default()).unwrap();
    check(
        &tree,
        &[
            (".box::text", &["one", "two"]),
            (".first ::text", &["one", "in", "bold", "side", "two"]),
            (".first *::text", &["one", "in", "bold", "side", "two"]),
            ("p ::attr(class), #top > ::attr(data-n)", &["1", "2"]),
            ("div ::attr(data-n)", &["1", "2"]),
            (".first > ::text", &["in", "side"]),
            (
                ".first, .first *::text",
                &[
                    "<div class=\"box first\" data-n=\"1\">one<p>in<b>bold</b>side</p>two</div>",
                    "one",
                    "in",
                    "bold",
                    "side",
                    "two",
                ],
            ),
            ("b::text, title::text", &["Shop", "bold"]),
            ("a::attr(href), b::text", &["bold", "/x?a=1&b=2"]),
            ("a::attr( href )", &["/x?a=1&b=2"]),
            ("A::attr(HREF)", &["/x?a=1&b=2"]),
            ("a::attr(title)", &["He said \"hi\""]),
            ("input::attr(disabled)", &[""]),
            ("li.on,li.on", &["<li class=\"on\">2</li>"]),
            ("title, ::attr(lang)", &["<title>Shop</title>", "en-US"]),
        ],
    );
}

#[test]
fn an_attribute_is_named_as_in_css_also_with_a_prefix() {
    let tree = html::parse(
        "<svg><use xlink:href='#a' href='#b' data-x:y='c' xml:lang='en'/></svg><a xlink:href='#p' href='#q'>",
        &Limits::default(),
    )
    .unwrap();
    check(
        &tree,
        &[
            (r"use::attr(xlink\:href)", &["#a"]),
            (r"use::attr(XLINK\:HREF)", &["#a"]),
            ("use::attr('xlink:href')", &["#a"]),
            (r"use::attr(xml\3a lang)", &["en"]),
            (r"use::attr(data-x\:y)", &["c"]),
            ("use::attr(href)", &["#b"]),
            (r"a::attr(xlink\:href)", &["#p"]),
            ("a::attr(\"href\")", &["#q"]),
            ("a::attr( 'href' ), use::attr(\"data-x:y\")", &["c", "#q"]),
            (r"a::attr(\68ref)", &["#q"]),
        ],
    );
    for selector in [
        "a::attr(*)",
        "a::attr()",
        "a::attr('')",
        "a::attr(a b)",
        "a::attr('a' 'b')",
        "a::attr(xlink:href)",
        "a::attr(2x)",
        "a::attr([a])",
    ] {
        let error = Css::compile(selector).unwrap_err();
        assert!(error.at == 1 && error.reason.contains("does not name one attribute"), "{selector}: {}", error.reason);
    }
}

#[test]
fn texts_come_in_document_order_also_when_matches_nest() {
    let tree = html::parse("<div>a<div>b</div>c</div>", &Limits::default()).unwrap();
    check(&tree, &[("div::text", &["a", "b", "c"])]);
    let tree = html::parse("<div><div>b</div>c</div>", &Limits::default()).unwrap();
    check(&tree, &[("div::text", &["b", "c"])]);
}

#[test]
fn markup_is_written_so_that_it_reads_the_same() {
    let tree = html::parse(SHOP, &Limits::default()).unwrap();
    check(
        &tree,
        &[
            ("a[href]", &["<a href=\"/x?a=1&amp;b=2\" title=\"He said &quot;hi&quot;\">link</a>"]),
            ("br", &["<br>"]),
            ("script", &["<script>if (a < b && c) {}</script>"]),
            ("input[name]", &["<input name=\"q\" disabled=\"\" value=\"a &amp; b\">"]),
        ],
    );
}

#[test]
fn xml_keeps_the_case_of_names() {
    let tree = xml::parse("<Root><Item Key='1'>x</Item><item>y</item></Root>", &Limits::default()).unwrap();
    check(
        &tree,
        &[("Item::text", &["x"]), ("item::text", &["y"]), ("ITEM", &[]), ("Item::attr(Key)", &["1"]), ("Item::attr(key)", &[])],
    );
}
