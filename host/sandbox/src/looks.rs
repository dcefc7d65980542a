//! Words for what a guest looks at in an answer, with the part of the page around it.

use std::fmt::Display;

use carousel_core::text::shorten;
use carousel_document::{Language, Limits, Query, Want};

use crate::page::{AskError, Page};
use crate::trace::{self, Look};

/// What is shown of an answer.
const TOLD_CHARS: usize = 200;

/// What is shown of a page on each side of a match, and of a match itself.
const AROUND_CHARS: usize = 80;

/// What is shown of a page where nothing matches.
const BEGINNING_CHARS: usize = 240;

/// Asks a page one question.
pub(crate) fn ask(page: &Page, query: Query, limits: &Limits) -> Result<Vec<String>, AskError> {
    let words = trace::wants_looks().then(|| (query.language, query.expression.clone()));
    let answers = page.ask(query, limits);
    if let Some((language, expression)) = words {
        trace::looked(|| Look {
            asked: format!("{} {expression:?}", language.word()),
            told: told(&answers),
            excerpt: excerpt(page, limits, language, &expression, answers.as_deref().unwrap_or_default()),
        });
    }
    answers
}

/// Notes a look at something that is no part of the page's text.
pub(crate) fn at(asked: &str, argument: Option<&str>, told: impl Display) {
    trace::looked(|| Look {
        asked: argument.map_or_else(|| asked.to_owned(), |argument| format!("{asked} {argument:?}")),
        told: shorten(&told.to_string(), TOLD_CHARS),
        excerpt: String::new(),
    });
}

/// Notes a look at the whole text of a page.
pub(crate) fn at_text(text: &str) {
    trace::looked(|| Look {
        asked: "text".to_owned(),
        told: format!("{} characters", text.chars().count()),
        excerpt: beginning(text),
    });
}

fn told(answers: &Result<Vec<String>, AskError>) -> String {
    match answers {
        Ok(answers) if answers.is_empty() => "nothing".to_owned(),
        Ok(answers) => {
            let quoted: Vec<String> = answers.iter().map(|answer| format!("{:?}", one_line(answer))).collect();
            shorten(&quoted.join(", "), TOLD_CHARS)
        }
        Err(error) => format!("an error: {error}"),
    }
}

/// The markup of the first match with what stands around it; the beginning of the page where nothing matches.
fn excerpt(page: &Page, limits: &Limits, language: Language, expression: &str, answers: &[String]) -> String {
    let text = page.text().unwrap_or_default();
    let found = match language {
        Language::Css => page.ask(Query::new(language, elements(expression), Want::First), limits).ok(),
        Language::Xpath => page.ask(Query::new(language, element(expression), Want::First), limits).ok(),
        Language::Jmespath | Language::Pointer | Language::Regex => Some(answers.to_vec()),
    };
    match found.and_then(|found| found.into_iter().next()).filter(|markup| !markup.is_empty()) {
        Some(markup) => around(text, &markup),
        None => beginning(text),
    }
}

/// A selector without `::text` and `::attr(name)`, so that it gives elements.
fn elements(selector: &str) -> String {
    let mut parts = selector.split("::");
    let mut elements = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.strip_prefix("text").or_else(|| part.strip_prefix("attr(")?.split_once(')').map(|(_, rest)| rest));
        elements.push_str(rest.unwrap_or(part));
    }
    elements
}

/// A path without the step to a text or an attribute, so that it gives elements.
fn element(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((element, "text()")) => element.trim_end_matches('/'),
        Some((element, step)) if step.starts_with('@') => element.trim_end_matches('/'),
        _ => path,
    }
}

/// A match in the text it comes from. Markup that was written differently there is shown alone.
fn around(text: &str, markup: &str) -> String {
    let shown = shorten(&one_line(markup), 2 * AROUND_CHARS);
    let Some((before, after)) = text.split_once(markup) else { return shown };
    let start = before.char_indices().rev().nth(AROUND_CHARS - 1).map_or(0, |(at, _)| at);
    let lead = if start > 0 { "…" } else { "" };
    format!("{lead}{}{shown}{}", one_line(before.get(start..).unwrap_or_default()), shorten(&one_line(some(after)), AROUND_CHARS))
}

fn beginning(text: &str) -> String {
    let body = text.find("<body").and_then(|at| text.get(at..)).unwrap_or(text);
    shorten(&one_line(some(body)), BEGINNING_CHARS)
}

/// As much of a text as is ever shown of it, white space included.
fn some(text: &str) -> &str {
    text.get(..text.floor_char_boundary(8 * BEGINNING_CHARS)).unwrap_or(text)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use carousel_core::exchange::Answer;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(html: &str, language: Language, expression: &str, expected: (&str, &str, &str)) {
        let page = Page::new(Answer::parse(json!({"url": "u", "browserHtml": html}).to_string(), None).unwrap());
        let ((), trace) = trace::observe(|| drop(ask(&page, Query::new(language, expression, Want::First), &Limits::default())));
        let [look] = trace.looks.as_slice() else { panic!("{trace:?}") };
        assert_eq!((look.asked.as_str(), look.told.as_str(), look.excerpt.as_str()), expected);
    }

    #[test]
    fn a_look_is_shown_with_the_markup_around_it() {
        let html = "<html><body>\n <p>Prices for\n <span class=\"zip\">10002</span></p> <b>1</b></body>";
        let shown = "<html><body> <p>Prices for<span class=\"zip\">10002</span></p> <b>1</b></body>";
        check(html, Language::Css, ".zip::text", (r#"css ".zip::text""#, "\"10002\"", shown));
        check(html, Language::Css, ".zip::attr(class)", (r#"css ".zip::attr(class)""#, "\"zip\"", shown));
        check(html, Language::Xpath, "//span/text()", (r#"xpath "//span/text()""#, "\"10002\"", shown));
        let beginning = "<body> <p>Prices for <span class=\"zip\">10002</span></p> <b>1</b></body>";
        check(html, Language::Css, ".price", (r#"css ".price""#, "nothing", beginning));
        let long = format!("<body>{}<i>x</i>{}", "a".repeat(500), "b".repeat(500));
        let around = format!("…{}<i>x</i>{}…", "a".repeat(AROUND_CHARS), "b".repeat(AROUND_CHARS));
        check(&long, Language::Css, "i", (r#"css "i""#, "\"<i>x</i>\"", &around));
    }

    #[test]
    fn pseudo_elements_and_last_steps_are_left_out() {
        for (selector, expected) in [("a::text, b::attr(x) > c", "a, b > c"), ("p", "p"), ("p::first-line", "pfirst-line")] {
            assert_eq!(elements(selector), expected);
        }
        for (path, expected) in [("//a//text()", "//a"), ("//a/@href", "//a"), ("count(//a)", "count(//a)")] {
            assert_eq!(element(path), expected);
        }
    }
}
