//! Tables of expressions and what they find.

use super::{Found, Xpath};
use crate::budget::Budget;
use crate::tree::Tree;
use crate::{Limits, html, xml};

const SHOP: &str = r##"<!DOCTYPE html><html><body><h1 id="t"> Red   shoe </h1>
<ul class="list big"><li data-p="10">a<b>1</b></li><li data-p="20">b</li><li>c<!--note--></li></ul>
<a href="/1">one</a><a href="/2" title="x">two</a><svg><path d="M0"/></svg><table><tr><td>1.5</td><td>2</td></tr></table>
</body></html>"##;

fn find(tree: &Tree, expression: &str) -> Vec<String> {
    let xpath = Xpath::compile(expression).unwrap_or_else(|error| panic!("{expression}: {error:?}"));
    match xpath.find(tree, &Budget::new(1_000_000)).unwrap() {
        Found::Items(items) => items.into_iter().map(|item| tree.item_text(item)).collect(),
        Found::Scalar { text, .. } => vec![text],
    }
}

fn check(tree: &Tree, cases: &[(&str, &[&str])]) {
    for (expression, expected) in cases {
        assert_eq!(find(tree, expression), *expected, "{expression}");
    }
}

#[test]
fn paths_find_nodes_in_document_order() {
    let tree = html::parse(SHOP, &Limits::default()).unwrap();
    check(
        &tree,
        &[
            ("//a/@href", &["/1", "/2"]),
            ("//a[2]/text()", &["two"]),
            ("//a[last()]/@title", &["x"]),
            ("//li[@data-p]/@data-p", &["10", "20"]),
            ("//li[@data-p > 15]/text()", &["b"]),
            ("//li[not(@data-p)]", &["<li>c<!--note--></li>"]),
            ("//li[1]//text()", &["a", "1"]),
            ("/html/body/ul/li[position() > 1]/text()", &["b", "c"]),
            ("//b/ancestor::ul/@class", &["list big"]),
            ("//b/..", &["<li data-p=\"10\">a<b>1</b></li>"]),
            ("//li[2]/preceding-sibling::li/@data-p", &["10"]),
            ("//li[1]/following-sibling::*[1]/text()", &["b"]),
            ("//a[contains(@href, '2')]/text()", &["two"]),
            ("//a[starts-with(., 'o')]/@href", &["/1"]),
            ("//*[contains(concat(' ', normalize-space(@class), ' '), ' big ')]/@class", &["list big"]),
            ("//b | //a[1] | //h1/@id", &["t", "<b>1</b>", "<a href=\"/1\">one</a>"]),
            ("//comment()", &["<!--note-->"]),
            ("//svg/path/@d", &["M0"]),
            ("//*[local-name() = 'path']/@d", &["M0"]),
            ("//table//tr/td[2]/text()", &["2"]),
            ("id('t')/@id", &["t"]),
            ("(//li)[3]/text()", &["c"]),
            ("//li[b = '1']/@data-p", &["10"]),
            ("//li[text() = //li[2]/text()]/@data-p", &["20"]),
            ("//li[@data-p < //li/@data-p]/@data-p", &["10"]),
            ("//*[has-class('big')]/@class", &["list big"]),
            ("//*[has-class('list', 'big') and not(has-class('lis'))]/@class", &["list big"]),
            ("//*[has-class('bi')]", &[]),
            ("//a[re:test(@href, '[13]')]/text()", &["one"]),
            ("//a[re:test(string(.), 'T\\w', 'i')]/text()", &["two"]),
            ("//li[re:test(., '^.$')]/@data-p", &["20"]),
            ("//a[not(re:test(@title, 'x|^$'))]", &[]),
            ("//a[re:test(@title, 'y|^$')]/@href", &["/1"]),
            ("//li[re:test(@data-p, '1') or re:test(@data-p, '2')]/@data-p", &["10", "20"]),
            ("//@href[re:test(., '2')]", &["/2"]),
            ("//text()[re:test(., '^[bc]$')]", &["b", "c"]),
            ("//li[re:test(@none, 'x') or . = 'b']/@data-p", &["20"]),
            ("body/h1/@id", &["t"]),
            ("*/a[1]/@href", &["/1"]),
            ("/html/body/a[1]/@href", &["/1"]),
            ("//DIV", &[]),
            ("//nothing/@x", &[]),
            ("//x:a", &[]),
        ],
    );
}

#[test]
fn expressions_can_be_strings_numbers_and_truth_values() {
    let tree = html::parse(SHOP, &Limits::default()).unwrap();
    check(
        &tree,
        &[
            ("normalize-space(//h1)", &["Red shoe"]),
            ("string(//li)", &["a1"]),
            ("count(//li)", &["3"]),
            ("sum(//td)", &["3.5"]),
            ("count(//li) > 2", &["true"]),
            ("boolean(//nothing)", &["false"]),
            ("substring-after(//a[2]/@href, '/')", &["2"]),
            ("translate('abc', 'ab', 'AB')", &["ABc"]),
            ("1 div 0", &["Infinity"]),
            ("name()", &["html"]),
            ("string-length('é')", &["1"]),
            ("concat('a', 1, true())", &["a1true"]),
        ],
    );
}

#[test]
fn prefixes_of_the_page_can_be_used_in_xml() {
    let text = "<?xml version='1.0'?><feed xmlns='urn:a' xmlns:m='urn:m'><entry m:id='7'>x<m:thumb url='u'/></entry></feed>";
    let tree = xml::parse(text, &Limits::default()).unwrap();
    check(
        &tree,
        &[
            ("//entry", &[]),
            ("//*[local-name() = 'entry']/text()", &["x"]),
            ("//m:thumb/@url", &["u"]),
            ("//@m:id", &["7"]),
            ("//m:*", &["<m:thumb url=\"u\" xmlns=\"urn:a\" xmlns:m=\"urn:m\"/>"]),
            ("namespace-uri(/*)", &["urn:a"]),
            ("name(//*[@url])", &["m:thumb"]),
            ("//m:thumb/namespace::m", &["urn:m"]),
            ("count(/*/namespace::*)", &["2"]),
            ("count(/*/@*)", &["0"]),
        ],
    );
}
