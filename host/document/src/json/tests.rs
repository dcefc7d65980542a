use super::*;
use crate::budget::{Stopped, run};

fn find_within(text: &str, expression: &str, steps: u64) -> Result<Told<String>, Stopped> {
    let tree = Tree::of(text).unwrap();
    let compiled = Jmespath::compile(expression).unwrap();
    let found = run(&Budget::new(steps), |budget| compiled.find(tree.page(text), budget))?;
    Ok(found.map(|found| found.write(1 << 20).unwrap()))
}

fn found(text: &str, expression: &str) -> Told<String> {
    find_within(text, expression, 1_000_000).unwrap()
}

/// A page with what pages may have.
const PAGE: &str = r#"{"b": {"zip": "10115", "\u0061": 1}, "a": [1, 2.5, null, {"x": [true]}], "n": null, "big": [12345678901234567890123, 2], "s": "a\ud83dé", "e": "", "words": ["b", "a", "c"], "dup": 1, "dup": 2, "nan": NaN, "items": [{"k": 2, "v": "x"}, {"k": 1, "v": "y"}, {"k": 1, "v": "z"}]}"#;

/// What Python's `jmespath` 1.1.0 finds; half a surrogate pair and NaN as this crate writes them.
#[test]
fn expressions_find_what_they_find_in_python() {
    for (expression, expected) in [
        ("big[0]", "12345678901234567890123"),
        ("big", "[12345678901234567890123,2]"),
        ("length(big)", "2"),
        ("max(big) == big[0]", "true"),
        ("big[0] > `5`", "true"),
        ("b.a", "1"),
        ("dup", "2"),
        ("s", r#""a�é""#),
        ("length(s)", "3"),
        ("keys(b)", r#"["zip","a"]"#),
        ("values(b)", r#"["10115",1]"#),
        ("@.b", r#"{"zip":"10115","a":1}"#),
        ("a[-1].x[0]", "true"),
        ("a[]", r#"[1,2.5,{"x":[true]}]"#),
        ("a[::-1]", r#"[{"x":[true]},2.5,1]"#),
        ("a[1:3]", "[2.5]"),
        ("a[-3::2]", r#"[2.5,{"x":[true]}]"#),
        ("a[?@]", r#"[1,2.5,{"x":[true]}]"#),
        ("items[?k == `1`].v", r#"["y","z"]"#),
        ("items[?k < `2`] | [0].v", r#""y""#),
        ("items[*].[k, v]", r#"[[2,"x"],[1,"y"],[1,"z"]]"#),
        ("items[*].{x: v, y: k}", r#"[{"x":"x","y":2},{"x":"y","y":1},{"x":"z","y":1}]"#),
        ("sort_by(items, &k)[*].v", r#"["y","z","x"]"#),
        ("max_by(items, &k).v", r#""x""#),
        ("min_by(items, &v).v", r#""x""#),
        ("sort(words)", r#"["a","b","c"]"#),
        ("reverse(words)", r#"["c","a","b"]"#),
        ("reverse('abc')", r#""cba""#),
        ("join('-', words)", r#""b-a-c""#),
        ("sum(items[*].k)", "4"),
        ("avg(items[*].k)", "1.3333333333333333"),
        ("sum([`1`, `2.5`])", "3.5"),
        ("ceil(`1.2`)", "2"),
        ("floor(`-1.2`)", "-2"),
        ("abs(`-3`)", "3"),
        ("abs(`-3.5`)", "3.5"),
        ("to_number('12')", "12"),
        ("to_number('1.5')", "1.5"),
        ("to_number('x')", "null"),
        ("to_string(a)", r#""[1,2.5,null,{\"x\":[true]}]""#),
        ("to_string('x')", r#""x""#),
        ("type(a)", r#""array""#),
        ("type(n)", r#""null""#),
        ("type(b)", r#""object""#),
        ("not_null(n, e, b.zip)", r#""""#),
        ("merge(b, {zip: 'z', q: `1`})", r#"{"zip":"z","a":1,"q":1}"#),
        ("map(&k, items)", "[2,1,1]"),
        ("map(&q, items)", "[null,null,null]"),
        ("contains(words, 'a')", "true"),
        ("contains('abc', 'b')", "true"),
        ("starts_with(b.zip, '10')", "true"),
        ("ends_with(b.zip, '10')", "false"),
        ("to_array(b.zip)", r#"["10115"]"#),
        ("to_array(words)", r#"["b","a","c"]"#),
        ("words[0] < words[1]", "false"),
        ("`1` == `1.0`", "true"),
        ("`true` == `1`", "false"),
        ("b == {a: `1`, zip: '10115'}", "true"),
        ("a[3] == {x: [`true`]}", "true"),
        ("!e", "true"),
        ("e || 'x'", r#""x""#),
        ("n && 'x'", "null"),
        ("nan", "null"),
        ("items[].k", "[2,1,1]"),
        ("b.*", r#"["10115",1]"#),
        ("missing.x", "null"),
        ("missing[*]", "null"),
        ("{q: missing}", r#"{"q":null}"#),
        ("[missing, b.zip]", r#"[null,"10115"]"#),
        ("length(items[?v > 'x'])", "2"),
        ("sum(`[]`)", "0"),
        ("avg(`[]`)", "null"),
        ("max(`[]`)", "null"),
        ("items[5]", "null"),
        ("items[-5]", "null"),
        ("words[2:0:-1]", r#"["c","a"]"#),
        (r#"`{"a": [1, 2.50]}`"#, r#"{"a":[1,2.5]}"#),
        ("a[?type(@) == 'number']", "[1,2.5]"),
        ("@.items | [?v=='y'] | [0]", r#"{"k":1,"v":"y"}"#),
    ] {
        assert_eq!(found(PAGE, expression).as_deref(), Ok(expected), "{expression}");
    }
}

/// So are these.
#[test]
fn wrong_arguments_are_told() {
    for expression in [
        "sum(words)",
        "sort(a)",
        "max(a)",
        "length(`1`)",
        "nosuch(a)",
        "abs(a)",
        "join('-', a)",
        "sort_by(items, &q)",
        "keys(a)",
        "length(a, a)",
        "map(a, a)",
        "a[::0]",
        "to_number()",
        "sort_by(items, `1`)",
    ] {
        let told = found(PAGE, expression).unwrap_err();
        assert!(told.contains("()") || told.contains("slice"), "{expression}: {told}");
    }
}

#[test]
fn names_are_compared_by_what_they_stand_for() {
    let text = r#"{"a\\b": 1, "\\": 2, "é": 3, "\u00e9\n": 4, "": 5, "\ud800": 6}"#;
    for (expression, expected) in [
        (r#""a\\b""#, "1"),
        (r#""\\""#, "2"),
        ("\"é\"", "3"),
        (r#""é\n""#, "4"),
        ("\"\"", "5"),
        ("\"\u{fffd}\"", "6"),
        ("\"a\"", "null"),
    ] {
        assert_eq!(found(text, expression).as_deref(), Ok(expected), "{expression}");
    }
}

#[test]
fn a_tree_takes_eight_bytes_for_a_value_or_a_name() {
    for (text, nodes) in [("1", 1), ("[]", 1), ("[0,[0],{}]", 5), (r#"{"a":[1,2],"b":{"c":null}}"#, 9)] {
        let tree = Tree::of(text).unwrap();
        assert_eq!(found(text, "@").as_deref(), Ok(text));
        assert_eq!(tree.bytes(), 8 * nodes, "{text}");
    }
}

#[test]
fn what_an_expression_allocates_is_bounded_by_the_page() {
    let text = format!("[{}0]", "0,".repeat(1 << 20));
    for (expression, fits) in [
        ("length(@)", true),
        ("[0]", true),
        ("[-1]", true),
        ("[*] | length(@)", true),
        ("sum(@)", true),
        ("[*].to_string(@)", false),
        ("[*].[@, @, @, @]", false),
        ("map(&{a: @}, @)", false),
        ("[@, @, @][] | [@, @, @][] | [@, @, @][]", false),
        ("sort([*].{a: @, b: @})", false),
    ] {
        let result = find_within(&text, expression, 1 << 30);
        assert_eq!(result.is_ok(), fits, "{expression}: {result:?}");
    }
}

#[test]
fn values_that_share_their_parts_are_compared_and_written_within_bounds() {
    let doubled = format!("@{} | @ == [@, @]", " | [@, @]".repeat(40));
    assert_eq!(find_within("[1]", &doubled, 1_000_000), Ok(Ok("false".to_owned())));
    let twice = format!("{{a: @{0}, b: @{0}}} | a == b", " | [@, @]".repeat(20));
    assert_eq!(find_within("[1]", &twice, 1_000), Err(Stopped::Spent));
    let tree = Tree::of("[1]").unwrap();
    let compiled = Jmespath::compile(&format!("@{}", " | [@, @]".repeat(40))).unwrap();
    let found = run(&Budget::new(1_000_000), |budget| compiled.find(tree.page("[1]"), budget)).unwrap().unwrap();
    assert_eq!(found.write(1 << 20), None);
}
