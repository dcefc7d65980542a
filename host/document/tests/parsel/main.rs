//! Compares answers with the real parsel on pages from the web, from documentation and from feeds. Where they differ, parsel
//! is asked again on the tree of an independent HTML5 parser, to tell whether the parser is the reason.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

#[path = "../python/mod.rs"]
mod python;
mod queries;
mod reason;

use carousel_document::{Document, Query};
use python::{Page, Peer};
use reason::{Answers, Reason};
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Queries = Vec<(&'static str, &'static str)>;

/// A query that was not answered as parsel answers it.
struct Difference {
    page: usize,
    query: usize,
    ours: Result<Vec<String>, String>,
    theirs: Value,
}

#[test]
fn answers_agree_with_parsel() {
    let Some(peer) = Peer::prepare() else {
        return;
    };
    let pages = peer.pages();
    let queries: Vec<Queries> = pages.iter().map(|page| queries_for(&page.kind)).collect();
    let answers = ask(&peer, &pages, &queries, "own");
    let mut asked = BTreeMap::new();
    let mut differences = Vec::new();
    for (number, page) in pages.iter().enumerate() {
        let document = document(page);
        for (query, (language, expression)) in queries[number].iter().enumerate() {
            let ours = answer(&document, language, expression);
            let theirs = &answers[number][query];
            *asked.entry((page.kind.clone(), *language)).or_insert(0) += 1;
            if !reason::same(language, &ours, theirs) {
                differences.push(Difference { page: number, query, ours, theirs: theirs.clone() });
            }
        }
    }
    let reasons = explain(&peer, &pages, &queries, &differences);
    report(&pages, &queries, &asked, &differences, &reasons);
}

fn queries_for(kind: &str) -> Queries {
    let table: &[(&str, &[&str])] = match kind {
        "html" => &queries::HTML,
        "xml" => &queries::XML,
        _ => &queries::JSON,
    };
    table.iter().flat_map(|(language, expressions)| expressions.iter().map(|&expression| (*language, expression))).collect()
}

fn document(page: &Page) -> Document {
    let media_type = match page.kind.as_str() {
        "html" => "text/html",
        "xml" => "text/xml",
        _ => "application/json",
    };
    Document::new([], Some(media_type), Some(page.text().into()), "")
}

fn answer(document: &Document, language: &str, expression: &str) -> Result<Vec<String>, String> {
    let query = Query::parse(language, expression, "all").unwrap();
    document.select(&[query]).map(|mut answers| answers.remove(0)).map_err(|error| error.to_string())
}

fn ask(peer: &Peer, pages: &[Page], queries: &[Queries], tree: &str) -> Value {
    let asked: Vec<Value> = pages
        .iter()
        .zip(queries)
        .map(|(page, queries)| json!({"path": page.path, "kind": page.kind, "tree": tree, "queries": queries}))
        .collect();
    peer.ask("parsel_answers.py", &Value::Array(asked))
}

/// Asks parsel again, on other trees, what was answered differently.
fn explain(peer: &Peer, pages: &[Page], queries: &[Queries], differences: &[Difference]) -> Vec<Option<Reason>> {
    let mut again: Vec<Queries> = vec![Vec::new(); pages.len()];
    for difference in differences {
        again[difference.page].push(queries[difference.page][difference.query]);
    }
    let (html5, caseless) = (ask(peer, pages, &again, "html5"), ask(peer, pages, &again, "caseless"));
    let mut next = vec![0; pages.len()];
    let reason = |difference: &Difference| {
        let (page, number) = (difference.page, next[difference.page]);
        next[page] += 1;
        let answers = Answers {
            ours: &difference.ours,
            theirs: &difference.theirs,
            html5: &html5[page][number],
            caseless: &caseless[page][number],
        };
        Reason::find(&pages[page].kind, queries[page][difference.query].0, &answers)
    };
    differences.iter().map(reason).collect()
}

fn report(
    pages: &[Page],
    queries: &[Queries],
    asked: &BTreeMap<(String, &str), usize>,
    differences: &[Difference],
    reasons: &[Option<Reason>],
) {
    let mut unexplained = Vec::new();
    let mut by_reason: BTreeMap<Reason, usize> = BTreeMap::new();
    for (difference, reason) in differences.iter().zip(reasons) {
        let (page, (language, expression)) = (&pages[difference.page], queries[difference.page][difference.query]);
        let line = format!("{}: {language} {expression}", page.name);
        match reason {
            Some(reason) => {
                *by_reason.entry(*reason).or_default() += 1;
                println!("{reason}: {line}");
            }
            None => unexplained.push(format!(
                "{line}\n    here  {}\n    there {}",
                short(&difference.ours),
                short(&difference.theirs)
            )),
        }
    }
    let total: usize = asked.values().sum();
    for ((kind, language), count) in asked {
        let of_kind =
            differences.iter().filter(|one| pages[one.page].kind == *kind && queries[one.page][one.query].0 == *language);
        println!("{kind} {language}: {count} answers, {} differ", of_kind.count());
    }
    for (reason, count) in &by_reason {
        println!("{count} times: {reason}");
    }
    let equal = total - differences.len();
    let share = 100.0 * equal as f64 / total as f64;
    println!("{} pages, {total} answers, {equal} equal: {share:.2} %", pages.len());
    assert!(
        unexplained.is_empty(),
        "{} without a reason, such as\n{}",
        unexplained.len(),
        unexplained[..unexplained.len().min(40)].join("\n")
    );
    assert!(share >= 97.0, "{share:.2} % equal");
    assert!(pages.iter().filter(|page| page.kind == "html").count() >= 100 && total > 15_000, "the corpus is too small to tell");
}

fn short(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").chars().take(300).collect()
}
