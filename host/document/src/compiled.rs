//! Compiled expressions, and a bounded store of those used last: the same few are asked of millions of pages.

use crate::css::Css;
use crate::json::{Jmespath, check_pointer};
use crate::pattern::Pattern;
use crate::query::shorten;
use crate::stack;
use crate::xpath::Xpath;
use crate::{Language, Limits, QueryError};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Compiled expressions that one generation of the store keeps; there are two generations for each language and thread.
const GENERATION: usize = 512;

/// Most opening brackets of an expression: the parsers recurse at each.
const BRACKETS: usize = 200;

/// Most bytes of stack that an expression may need.
const STACK: usize = 4 << 20;

/// A compiled expression.
pub(crate) struct Compiled {
    pub(crate) engine: Engine,
    /// Bytes of stack that evaluating it takes at most.
    pub(crate) stack: usize,
}

/// A compiled expression in the form its engine knows.
pub(crate) enum Engine {
    Css(Css),
    Xpath(Xpath),
    Jmespath(Jmespath),
    Pointer,
    Regex(Pattern),
}

/// The expressions used last. When the young generation is full it becomes the old one, and what was old and not asked for
/// since is forgotten.
#[derive(Default)]
struct Store {
    young: HashMap<String, Arc<Compiled>>,
    old: HashMap<String, Arc<Compiled>>,
}

impl Store {
    fn find(&mut self, expression: &str) -> Option<Arc<Compiled>> {
        if let Some(known) = self.young.get(expression) {
            return Some(Arc::clone(known));
        }
        let (expression, known) = self.old.remove_entry(expression)?;
        self.keep(expression, Arc::clone(&known));
        Some(known)
    }

    fn keep(&mut self, expression: String, compiled: Arc<Compiled>) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(expression, compiled);
    }
}

thread_local! {
    /// Every thread has its own stores: at one for all, the threads would wait for each other with every query.
    static STORES: RefCell<[Store; 5]> = RefCell::default();
}

fn with_store<T>(language: Language, work: impl FnOnce(&mut Store) -> T) -> T {
    STORES.with_borrow_mut(|[css, xpath, jmespath, pointer, regex]| {
        work(match language {
            Language::Css => css,
            Language::Xpath => xpath,
            Language::Jmespath => jmespath,
            Language::Pointer => pointer,
            Language::Regex => regex,
        })
    })
}

/// Returns the compiled expression, compiling it if this thread did not use it lately.
pub(crate) fn compiled(language: Language, expression: &str, limits: &Limits) -> Result<Arc<Compiled>, QueryError> {
    check_length(language, expression, limits)?;
    if let Some(known) = with_store(language, |store| store.find(expression)) {
        return Ok(known);
    }
    check_recursion(language, expression)?;
    let stack = stack::needed(language, expression);
    let engine = stack::with_room(stack, || compile(language, expression))
        .unwrap_or_else(|| Err(malformed(language, expression, None, "the engine failed".to_owned())))?;
    let fresh = Arc::new(Compiled { engine, stack });
    with_store(language, |store| store.keep(expression.to_owned(), Arc::clone(&fresh)));
    Ok(fresh)
}

fn check_length(language: Language, expression: &str, limits: &Limits) -> Result<(), QueryError> {
    let (bytes, limit) = (expression.len(), limits.expression_bytes);
    if bytes > limit {
        let reason = format!("the expression has {bytes} bytes, more than the limit of {limit}");
        return Err(malformed(language, expression, None, reason));
    }
    Ok(())
}

fn check_recursion(language: Language, expression: &str) -> Result<(), QueryError> {
    let recursing = |c: char| matches!(c, '(' | '[' | '{' | '!' | '&');
    let brackets = expression.char_indices().filter(|&(_, c)| recursing(c)).map(|(at, _)| at);
    match { brackets }.nth(BRACKETS) {
        Some(at) => Err(malformed(language, expression, Some(at), "too many brackets".to_owned())),
        None if stack::needed(language, expression) > STACK => {
            Err(malformed(language, expression, None, "too many operators or brackets".to_owned()))
        }
        None => Ok(()),
    }
}

fn compile(language: Language, expression: &str) -> Result<Engine, QueryError> {
    let wrong = |at, reason| malformed(language, expression, at, reason);
    match language {
        Language::Css => Css::compile(expression).map(Engine::Css).map_err(|error| wrong(Some(error.at), error.reason)),
        Language::Xpath => Xpath::compile(expression).map(Engine::Xpath).map_err(|error| wrong(Some(error.at), error.reason)),
        Language::Jmespath => {
            Jmespath::compile(expression).map(Engine::Jmespath).map_err(|error| wrong(Some(error.at), error.reason))
        }
        Language::Pointer => match check_pointer(expression) {
            Ok(()) => Ok(Engine::Pointer),
            Err(reason) => Err(wrong(Some(0), reason.to_owned())),
        },
        Language::Regex => Pattern::compile(expression).map(Engine::Regex).map_err(|reason| wrong(None, reason)),
    }
}

fn malformed(language: Language, expression: &str, at: Option<usize>, reason: String) -> QueryError {
    QueryError::Expression { language: language.word(), expression: shorten(expression), at, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer() -> Arc<Compiled> {
        Arc::new(Compiled { engine: Engine::Pointer, stack: 0 })
    }

    #[test]
    fn the_store_is_bounded_and_keeps_what_is_used() {
        let mut store = Store::default();
        let used = pointer();
        store.keep("used".to_owned(), Arc::clone(&used));
        for n in 0..10 * GENERATION {
            store.keep(format!("/{n}"), pointer());
            assert!(store.find("used").is_some_and(|found| Arc::ptr_eq(&found, &used)), "{n}");
            assert!(store.young.len() + store.old.len() <= 2 * GENERATION, "{n}");
        }
        assert!(store.find("/0").is_none());
    }

    #[test]
    fn an_expression_is_compiled_once_by_a_thread() {
        let limits = Limits::default();
        let first = compiled(Language::Css, "p.compiled-once", &limits).unwrap();
        let second = compiled(Language::Css, "p.compiled-once", &limits).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
    }
}
