//! The longest time that any one query of each language takes on pages of a megabyte made to hurt, the page's parsing included.
//!
//! Run by hand: `cargo bench -p carousel-document --bench hostile`, one language: append `-- css`, only the pages of 10 to 50 MB:
//! `-- large`. Fails if a query of a page of a megabyte takes more than half a second.

#![allow(clippy::print_stdout, reason = "it prints its result")]

use carousel_document::{Document, Language, Query, Want};
use std::process::ExitCode;
use std::time::Duration;

/// The bound, for a page of a megabyte.
const BOUND: Duration = Duration::from_millis(500);

const MEGABYTE: usize = 1 << 20;

/// The slowest queries of a language that are printed.
const PRINTED: usize = 4;

struct Run {
    page: &'static str,
    expression: String,
    took: Duration,
    outcome: String,
}

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let mut worst = Duration::ZERO;
    for (language, kinds, expressions) in languages() {
        if !wanted.is_empty() && !wanted.iter().any(|word| word == language.word()) {
            continue;
        }
        let pages = pages().into_iter().filter(|(_, media_type, _)| kinds.contains(media_type));
        let mut runs: Vec<Run> =
            pages.flat_map(|(page, media_type, text)| ask(page, media_type, text.as_bytes(), language, &expressions)).collect();
        runs.sort_by_key(|run| std::cmp::Reverse(run.took));
        println!("{}: {} queries", language.word(), runs.len());
        for run in runs.iter().take(PRINTED) {
            let expression: String = run.expression.chars().take(60).collect();
            println!("  {:>4} ms  {:<28}{expression:<62}{}", run.took.as_millis(), run.page, run.outcome);
            worst = worst.max(run.took);
        }
    }
    println!("the worst: {} ms", worst.as_millis());
    if wanted.is_empty() || wanted.iter().any(|word| word == "large") {
        large();
    }
    if worst > BOUND { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Asks a page several things. It is parsed once, and every query is held to account for that.
fn ask(page: &'static str, media_type: &str, body: &[u8], language: Language, expressions: &[String]) -> Vec<Run> {
    let document = Document::new(body.to_owned(), Some(media_type), None, "");
    let start = processor_time();
    document.select(&[Query::new(language, simple(language), Want::First)]).ok();
    let parsing = processor_time() - start;
    let run = |expression: &String| {
        let start = processor_time();
        let answer = document.select(&[Query::new(language, expression, Want::All)]);
        let took = parsing + (processor_time() - start);
        let outcome = match answer {
            Ok(answers) => format!("{} answers", answers.iter().map(Vec::len).sum::<usize>()),
            Err(error) => error.to_string().rsplit(": ").next().unwrap_or_default().to_owned(),
        };
        Run { page, expression: expression.clone(), took, outcome }
    };
    expressions.iter().map(run).collect()
}

/// An expression that costs next to nothing once the page is parsed.
fn simple(language: Language) -> &'static str {
    match language {
        Language::Css => "html",
        Language::Xpath => "/*",
        Language::Jmespath => "a",
        Language::Pointer => "/a",
        Language::Regex => "^",
    }
}

/// Processor time that this process has used, in steps of 10 ms: others use the machine as well.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

fn fill(unit: &str) -> String {
    unit.repeat(MEGABYTE / unit.len())
}

/// Elements that declare half of the page and whose prefix is none of those declared.
fn prefixes() -> String {
    let declared = |depth: usize| (0..1_000).map(|n| format!(" xmlns:p{}='u'", 1_000 * depth + n)).collect::<String>();
    let open: String = (0..30).map(|depth| format!("<a{}>", declared(depth))).collect();
    let used = "<z:b/>".repeat((MEGABYTE - open.len()) / 6);
    open + &used
}

fn counted(make: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for number in 0.. {
        text.push_str(&make(number));
        if text.len() > MEGABYTE {
            break;
        }
    }
    text
}

fn pages() -> Vec<(&'static str, &'static str, String)> {
    let nested = |open: &str, close: &str| open.repeat(MEGABYTE / 2 / open.len()) + &close.repeat(MEGABYTE / 2 / close.len());
    let html: Vec<(&str, String)> = vec![
        ("nested div", nested("<div>", "</div>")),
        ("unclosed div", fill("<div>")),
        ("nested div with text", fill("<div>a ")),
        ("siblings", fill("<p>a</p>")),
        ("siblings with classes", fill("<p class='a b c'><b>x</b>")),
        ("empty elements", fill("<br>")),
        ("links", counted(|n| format!("<a href=/{n} id=i{n}>{n}</a>"))),
        ("nested links", fill("<a href=1><div>")),
        ("one attribute of a megabyte", format!("<p title='{}'>x</p>", fill("a b "))),
        ("a tag with many attributes", counted(|n| if n == 0 { "<p ".to_owned() } else { format!("a{n}=1 ") })),
        ("tags with many attributes", counted(|n| if n % 300 == 0 { "><p ".to_owned() } else { format!("a{n}=1 ") })),
        ("formatting, unclosed", fill("<b><i><u><p>")),
        ("formatting, misnested", fill("<b><i></b></i>")),
        ("adoption agency", fill("<a><b><div></a></b>")),
        ("fonts over paragraphs", counted(|n| if n < 400 { format!("<font size={n}>") } else { "<p>x".to_owned() })),
        ("foster parenting", format!("<table>{}", fill("<b>x<tr>"))),
        ("foster parenting, text", format!("<table>{}", fill("x<td>y"))),
        ("tables in tables", fill("<table><tr><td>")),
        ("selects", fill("<select><option>x")),
        ("options", format!("<select>{}", fill("<option>x"))),
        ("forms", fill("<form><input></form>")),
        ("entities", fill("&amp;&lt;&#65;&notit;")),
        ("entities without an end", fill("&ampamp")),
        ("comments", fill("<!--a-->")),
        ("comment without an end", format!("<!--{}", fill("--"))),
        ("less-than signs", fill("<")),
        ("zeros", fill("\0")),
        ("list items", fill("<li>a")),
        ("links over paragraphs", fill("<a>x<p>")),
        ("columns", format!("<table>{}", fill("<col>x"))),
        ("script without an end", format!("<script>{}", fill("<!--<script>"))),
        ("templates", fill("<template><b>")),
        ("svg", fill("<svg><g a=1>")),
        ("headings", fill("<h1><h2>")),
        ("lists", fill("<ul><li>")),
        ("definition lists", fill("<dl><dt><dd>")),
        ("frames", format!("<frameset>{}", fill("<frameset><frame>"))),
        ("bodies", counted(|n| format!("<body a{n}=1><html b{n}=2>"))),
        ("letters", fill("ab")),
        ("words", fill("ab cd ef ")),
    ];
    let xml: Vec<(&str, String)> = vec![
        ("nested xml", fill("<a>")),
        ("xml siblings", format!("<a>{}", fill("<b c='1'>x</b>"))),
        ("xml namespaces", counted(|n| format!("<a xmlns:p{n}='u{n}'>"))),
        ("xml prefixes", prefixes()),
        ("xml entities", format!("<!DOCTYPE a [<!ENTITY e 'eeee'>]><a>{}", fill("&e;&amp;"))),
        ("xml attributes", counted(|n| if n == 0 { "<a ".to_owned() } else { format!("b{n}='1' ") })),
        ("xml end tags", format!("<a>{}", fill("</b>"))),
    ];
    let json: Vec<(&str, String)> = vec![
        ("nested json", fill("[")),
        ("numbers", format!("[{}1]", fill("1,"))),
        ("objects", format!("[{}1]", fill("{\"a\":{\"b\":[1,2]}},"))),
        ("members", counted(|n| if n == 0 { "{\"x\":1".to_owned() } else { format!(",\"k{n}\":{n}") }) + "}"),
        ("quotes", format!("[{}1]", fill("\"\\\"\\\\\","))),
        ("a string", format!("[\"{}\"]", fill("\\u0041"))),
    ];
    let of = |media_type, pages: Vec<(&'static str, String)>| pages.into_iter().map(move |(name, text)| (name, media_type, text));
    of("text/html", html).chain(of("text/xml", xml)).chain(of("application/json", json)).collect()
}

fn languages() -> Vec<(Language, &'static [&'static str], Vec<String>)> {
    let own = |expressions: &[&str]| expressions.iter().map(|&expression| expression.to_owned()).collect::<Vec<_>>();
    let mut css = own(&[
        "p",
        "*",
        "a b c d",
        "p b i u",
        "div div div div div div x",
        "div > div > div > x",
        "* * * * *",
        "* ~ * ~ *",
        "p + p ~ b",
        "p ~ p ~ p ~ x",
        ":has(x)",
        "div:has(div:has(div:has(x)))",
        "*:has(* * x)",
        ":not(:has(~ x))",
        "p:has(~ p ~ x)",
        ":nth-child(2n+1 of .a)",
        ":nth-last-child(3n)",
        ":nth-last-of-type(2n)",
        ":only-of-type",
        "*:contains('x')",
        ":is(div, p) :is(b, i) :where(u, x)",
        "[title*='b a']",
        "[class~=c]",
        "* ::text",
        "*::attr(id)",
        ":root:has(:empty)",
        "a:not(:is(b a, c a, div a))",
    ]);
    css.push(":not(".repeat(190) + "x" + &")".repeat(190));
    css.push("* ".repeat(2000));
    css.push("*~".repeat(1000) + "*");
    css.push("div ".repeat(800) + "x");
    css.push(":has(".repeat(60) + "x" + &")".repeat(60));
    css.push("p,".repeat(2000) + "p");
    let mut xpath = own(&[
        "//a/@href",
        "//*//*//*",
        "//*[count(//*) > 1]",
        "//*[//*[1 = 1]]",
        "//*[.//*[.//*]]",
        "//*[. = 'x']",
        "//*[contains(., 'x')]",
        "//*[following::x]",
        "//*[preceding::*[1]]",
        "//*[count(preceding-sibling::*) > 5]",
        "//p[last()]/preceding-sibling::p/following-sibling::p",
        "//*[ancestor::*[descendant::x]]",
        "//* = //*/@*",
        "//*[@* = //@*]",
        "count(//*[//b < (//i | //u)])",
        "//node()/ancestor-or-self::node()",
        "//@*/..//@*",
        "string(//*[sum(//*) > 1])",
        "//*[normalize-space(.) = normalize-space(/)]",
        "translate(/, /, /)",
        "string-length(concat(/, /, /, /, /, /, /, /, /, /))",
        "//*[re:test(., '[ab]*a[ab]{20}')]",
        "//*[re:test(., '(\\w+\\s)+$')]",
        "id(//*)",
        "//*[lang('en')]",
        "//*[name() = local-name(..)]",
        "//namespace::*",
        "(//*)[position() mod 2 = 1][position() mod 2 = 1]",
        "//*[position() = last() - 1]",
    ]);
    xpath.push(format!("//*[{}1]", "1+".repeat(400)));
    xpath.push("normalize-space(".repeat(60) + "/" + &")".repeat(60));
    xpath.push("//*".repeat(1300));
    xpath.push(format!("//node()[{}]", "self::*/".repeat(400) + "self::x"));
    xpath.push(format!("translate(/, '{}', '')", "bcdefgh".repeat(400)));
    xpath.push(format!("//*[{}x]", "..//".repeat(60)));
    let mut jmespath = own(&[
        "@",
        "[*].a.b[]",
        "[*].[@, @, @]",
        "[?a.b[?@ > `1`]]",
        "sort(@)",
        "sort_by(@, &to_string(@))",
        "to_string(@)",
        "keys(@)",
        "values(@) | [*].to_string(@)",
        "[*].to_string(@) | join(',', @)",
        "max_by(@, &length(to_string(@)))",
        "map(&[@, @, @, @], @)",
        "[?contains(to_string(@), '1')]",
        "reverse(@) | reverse(@) | sort(@)",
        "[::-1] | [::2] | [?@ == `1`]",
        "[] | [] | [] | []",
        "*.* | *.*",
    ]);
    jmespath.push("to_string([".repeat(40) + "@" + &"])".repeat(40));
    jmespath.push(format!("@{}", " | [@, @][]".repeat(40)));
    jmespath.push(format!("@{}", " | to_string([@])".repeat(90)));
    jmespath.push(format!("@{}", " | map(&to_string([@, @]), [@, @])".repeat(20)));
    jmespath.push(format!("@{}", " | join('', [to_string(@), to_string(@)])".repeat(40)));
    let mut regex = own(&[
        "x",
        r"\w+",
        r"<([a-z]+)[^>]*>([^<]*)",
        r"(?i)\bprice\b\D*(\d+[.,]\d{2})",
        r"(a+)+$",
        r".*.*.*=.*",
        r".*[^A-Z]|[A-Z]",
        r"(?s)(.*?)(.*?)(.*?)x$",
        r"\w{60}",
        r"(a|b|c| )*a(a|b|c| |<){60}q",
        r"[ab]*a[abc <>]{15}[qz]",
        r"[^q]*a[^q]{80}\b[qz]",
        r"(?:a?){50}a{50}[qz]",
        r"(\w+\s){10}[qz]",
        r"(\S+\s*)+[qz]",
        r"(?i)[a-z ]{100}[0-9]",
        r"(?s).{900}[qz]",
        r"(\w+)\W+(\w+)\W+(\w+)",
        "",
        r"\b",
        r"(?:(?:(?:a*)*)*)*b{0,99}[qz]",
    ]);
    regex.push(format!("({})+[qz]", ["ab", "a b", "<p", "div", "[^x]", r"\w\s"].join("|")));
    regex.push("(?:a|b|[^c])".repeat(300) + "q");
    let pointers = own(&["", "/0", "/0/a/b", "/k5", &"/0".repeat(1000)]);
    let (markup, json, all): (&'static [&'static str], &'static [&'static str], &'static [&'static str]) =
        (&["text/html", "text/xml"], &["application/json"], &["text/html", "application/json"]);
    vec![
        (Language::Css, markup, css),
        (Language::Xpath, markup, xpath),
        (Language::Jmespath, json, jmespath),
        (Language::Pointer, json, pointers),
        (Language::Regex, all, regex),
    ]
}

/// Pages of 50 MB, and about as long as is parsed, 16 MB: there is no bound but that they end, and how long it takes is printed.
fn large() {
    let of = |unit: &[u8], megabytes: usize| unit.repeat((megabytes << 20) / unit.len());
    let cases = [
        ("50 MB of <", of(b"<", 50)),
        ("50 MB of broken UTF-8", of(b"<p>\xC3\xFF", 50)),
        ("50 MB of broken UTF-16", of(b"\xFF\xFE\x00\xD8", 50)),
        ("16 MB of <div>", of(b"<div>", 16)),
        ("16 MB of <p>x", of(b"<p>x", 16)),
        ("16 MB of misnested links", of(b"<a><b><div></a></b>", 16)),
        ("15 MB of strays in a table", [&b"<table>"[..], &of(b"<b>x<tr>", 15)].concat()),
        ("15 MB of attributes", [&b"<p "[..], &of(b"a=1 bc=2 ", 15)].concat()),
        ("10 MB of broken UTF-8", of(b"<p>\xC3\xFF", 10)),
    ];
    for (page, body) in cases {
        for (language, expression) in
            [(Language::Css, "a b"), (Language::Xpath, "//*[.//x]"), (Language::Regex, r"(\w+)\W"), (Language::Jmespath, "a")]
        {
            for run in ask(page, "text/html", &body, language, &[expression.to_owned()]) {
                println!("  {:>4} ms  {page:<28}{expression:<12}{}", run.took.as_millis(), run.outcome);
            }
        }
    }
}
