//! The table of nodes after HTML's error recovery and XML's.

use crate::{Limits, html, xml};

#[test]
fn html_is_repaired_as_in_browsers() {
    let cases = [
        ("", "<html><head></head><body></body></html>"),
        ("<p>a<p>b", "<html><head></head><body><p>a</p><p>b</p></body></html>"),
        ("<b>1<i>2</b>3</i>", "<html><head></head><body><b>1<i>2</i></b><i>3</i></body></html>"),
        (
            "<table>x<tr><td>y</table>",
            "<html><head></head><body>x<table><tbody><tr><td>y</td></tr></tbody></table></body></html>",
        ),
        (
            "<table>x<b>z</b>w<tr></table>",
            "<html><head></head><body>x<b>z</b>w<table><tbody><tr></tr></tbody></table></body></html>",
        ),
        ("<a href=1>x<p>y<a>z", "<html><head></head><body><a href=\"1\">x</a><p><a href=\"1\">y</a><a>z</a></p></body></html>"),
        ("<p>a</body><!--c-->b<p>d", "<html><head></head><body><p>ab</p><p>d</p></body><!--c--></html>"),
        ("<body>a</body></html><!--c--> ", "<html><head></head><body>a </body></html><!--c-->"),
        ("<body a=1><p b=2>x<body c=3>y", "<html><head></head><body a=\"1\" c=\"3\"><p b=\"2\">xy</p></body></html>"),
        (
            "<p>1<table>2<tr><td>3</td>4</tr></table>5",
            "<html><head></head><body><p>124<table><tbody><tr><td>3</td></tr></tbody></table>5</p></body></html>",
        ),
        ("<html a=1><html a=2 b=3>", "<html a=\"1\" b=\"3\"><head></head><body></body></html>"),
        ("<noscript><p>x</p></noscript>", "<html><head><noscript></noscript></head><body><p>x</p></body></html>"),
        ("<template><p>x</p></template>", "<html><head><template><p>x</p></template></head><body></body></html>"),
        (
            "<select><option>a<option>b</select>",
            "<html><head></head><body><select><option>a</option><option>b</option></select></body></html>",
        ),
        ("a&nbsp;&lt;b", "<html><head></head><body>a\u{a0}&lt;b</body></html>"),
        ("<!-- c --><!doctype html><p>", "<!-- c --><html><head></head><body><p></p></body></html>"),
        ("<p>\0x", "<html><head></head><body><p>x</p></body></html>"),
        ("<svg><foreignObject><p>x", "<html><head></head><body><svg><foreignObject><p>x</p></foreignObject></svg></body></html>"),
    ];
    for (text, markup) in cases {
        let tree = html::parse(text, &Limits::default()).unwrap();
        assert_eq!(tree.markup(0), markup, "{text}");
    }
}

#[test]
fn xml_is_read_without_expanding_entities_and_ends_where_it_breaks() {
    let cases = [
        ("", ""),
        ("<a/>", "<a/>"),
        ("<?xml version='1.0'?>\n<a>x</a>\n", "<a>x</a>"),
        ("<a b='1&amp;2' c=\"&#65;\">&lt;&#x42;<![CDATA[<c>]]></a>", "<a b=\"1&amp;2\" c=\"A\">&lt;B&lt;c&gt;</a>"),
        ("<!DOCTYPE a [<!ENTITY e 'boom'>]><a>&e;</a>", "<a>&amp;e;</a>"),
        ("<a>1 & 2</a>", "<a>1 &amp; 2</a>"),
        ("<a><b>x</a>", "<a><b>x</b></a>"),
        ("<a></b>x</a>", "<a>x</a>"),
        ("<a><!--c--><?p d?></a>", "<a><!--c--><?p d?></a>"),
        ("<a>x<", "<a>x</a>"),
        ("<a x:b='1' xmlns:x='u'/>", "<a x:b=\"1\" xmlns:x=\"u\"/>"),
    ];
    for (text, markup) in cases {
        let tree = xml::parse(text, &Limits::default()).unwrap();
        assert_eq!(tree.markup(0), markup, "{text}");
    }
}

#[test]
fn every_node_can_be_reached_both_ways() {
    let tree = html::parse("<div>a<p>b<i>c</i></p><!--d--><table>e<td>f</table>g</div>", &Limits::default()).unwrap();
    for node in 0..tree.len() {
        let children: Vec<_> = tree.children(node).collect();
        for pair in children.windows(2) {
            assert_eq!((tree.next(pair[0]), tree.previous(pair[1])), (Some(pair[1]), Some(pair[0])));
        }
        assert!(children.iter().all(|&child| tree.parent(child) == Some(node) && tree.end(child) <= tree.end(node)));
        assert_eq!(tree.previous(children.first().copied().unwrap_or(0)), None);
        assert_eq!(tree.next(children.last().copied().unwrap_or(0)), None);
    }
    assert_eq!(tree.string_value(0), "abcefg");
}
