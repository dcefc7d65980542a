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
fn work_and_size_are_bounded() {
    let repeated: String = (0..400).map(|n| format!("<p><font size={n}>")).collect::<String>() + &"<p>x".repeat(20_000);
    let limits = Limits { nodes: 100_000, ..Limits::default() };
    assert_eq!(parse(&repeated, &limits).unwrap_err(), DocumentError::TooComplex);
    let scanning = "<div>".repeat(500) + &"<p></p>".repeat(20_000);
    let limits = Limits { parse_steps: 1000, ..Limits::default() };
    assert_eq!(parse(&scanning, &limits).unwrap_err(), DocumentError::TooComplex);
}
