//! Room to recurse. The engines recurse over an expression, some with large frames, and may be called on a small stack: what
//! nests deeply runs on a thread of its own.

use crate::Language;

/// Stack that any caller is expected to have left.
const CALLER_BYTES: usize = 384 << 10;

/// Stack of a thread besides what the expression needs.
const THREAD_BYTES: usize = 256 << 10;

/// Measured: what a level of brackets and an operator cost at most (XPath functions take 36 KiB, XPath operators 7 KiB, CSS
/// brackets 9 KiB, JMESPath steps 2 KiB, and 8 KiB where
/// nothing is optimised).
const XPATH_BRACKET: usize = 48 << 10;
const XPATH_OPERATOR: usize = 9 << 10;
const CSS_BRACKET: usize = 12 << 10;
const JMESPATH_STEP: usize = if cfg!(debug_assertions) { 12 << 10 } else { 3 << 10 };

/// Estimates from above the bytes of stack that compiling or evaluating the expression takes.
pub(crate) fn needed(language: Language, expression: &str) -> usize {
    let count = |wanted: fn(char) -> bool| expression.chars().filter(|&c| wanted(c)).count();
    match language {
        Language::Xpath => xpath(expression),
        Language::Css => CSS_BRACKET * count(|c| c == '('),
        Language::Jmespath => {
            JMESPATH_STEP * count(|c| matches!(c, '(' | '[' | '{' | '!' | '&' | '.' | '|' | '*' | '<' | '>' | '='))
        }
        Language::Pointer | Language::Regex => 0,
    }
}

/// Does the work, on a thread of its own if it needs much stack; none if the thread fails or cannot be had.
pub(crate) fn with_room<T: Send>(needed: usize, work: impl FnOnce() -> T + Send) -> Option<T> {
    if needed <= CALLER_BYTES {
        return Some(work());
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(needed + THREAD_BYTES);
        thread.spawn_scoped(scope, work).ok()?.join().ok()
    })
}

/// Brackets count by their depth, operators by their number, both outside of strings.
fn xpath(expression: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let mut quote = None;
    let mut outside = String::with_capacity(expression.len());
    for character in expression.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '(' | '[') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (None, ')' | ']') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        outside.push(if quote.is_none() { character } else { ' ' });
    }
    XPATH_BRACKET * deepest + XPATH_OPERATOR * operators(&outside)
}

/// A hyphen after a letter belongs to a name; a star after a slash, a colon or nothing is a name.
fn operators(expression: &str) -> usize {
    let signs = expression.chars().scan(' ', |before, c| {
        let operator = match c {
            '|' | '+' | '=' | '<' | '>' => true,
            '-' => !(before.is_alphabetic() || *before == '_'),
            '*' => !matches!(*before, '/' | ':' | '[' | '('),
            _ => false,
        };
        *before = c;
        Some(operator)
    });
    let words = expression.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.')));
    let words =
        words.filter(|word| word.ends_with("or") || word.ends_with("and") || word.ends_with("div") || word.ends_with("mod"));
    signs.filter(|&operator| operator).count() + words.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_expressions_run_on_the_callers_stack() {
        let cases = [
            (Language::Xpath, "//a/@href"),
            (
                Language::Xpath,
                "//*[contains(concat(' ', normalize-space(@class), ' '), ' big ')]//preceding-sibling::*[1]/text()",
            ),
            (Language::Xpath, "//h1/text() | //h2/text() | //a[@title = '((((((((((((((' or not(@x)]"),
            (Language::Css, "div.a > p:not(.b):has(a[href]) ~ li:nth-child(2n+1)::text"),
            (Language::Jmespath, "a.b[*].{x: c.d, y: e[0]} | [?x > `1`].y | length(@)"),
            (Language::Regex, "((((((((((((((((((((a))))))))))))))))))))"),
        ];
        for (language, expression) in cases {
            assert!(needed(language, expression) <= CALLER_BYTES, "{expression}");
        }
    }

    #[test]
    fn nesting_and_chains_get_a_thread() {
        for expression in ["string(".repeat(20), "1-".repeat(80), "--".repeat(40), "a or ".repeat(80), "1or ".repeat(80)] {
            assert!(needed(Language::Xpath, &expression) > CALLER_BYTES, "{expression}");
        }
        let here = std::thread::current().id();
        assert_eq!(with_room(0, || std::thread::current().id()), Some(here));
        assert_ne!(with_room(CALLER_BYTES + 1, || std::thread::current().id()), Some(here));
    }
}
