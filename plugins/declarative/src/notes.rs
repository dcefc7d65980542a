//! What is collected while a config is read, to be looked at when all of it is known.

use std::cell::RefCell;
use std::collections::BTreeSet;

use carousel_guest::check_query;
use carousel_guest::prelude::*;
use regex_lite::Regex;

use crate::reading::{fault, suggestion};

/// What is collected.
#[derive(Default)]
pub(crate) struct Notes {
    /// Paths, languages and expressions of queries.
    queries: RefCell<Vec<(String, &'static str, String)>>,
    /// Paths and patterns of `matches`.
    patterns: RefCell<Vec<(String, String)>>,
    /// The names under which something is saved.
    saved: RefCell<BTreeSet<String>>,
    /// Paths and names of saved values that are used.
    used: RefCell<Vec<(String, String)>>,
}

impl Notes {
    pub(crate) fn query(&self, path: &str, language: &'static str, expression: &str) {
        self.queries.borrow_mut().push((path.to_owned(), language, expression.to_owned()));
    }

    pub(crate) fn pattern(&self, path: &str, pattern: &str) {
        self.patterns.borrow_mut().push((path.to_owned(), pattern.to_owned()));
    }

    pub(crate) fn saves(&self, name: &str) {
        self.saved.borrow_mut().insert(name.to_owned());
    }

    pub(crate) fn uses(&self, path: &str, name: &str) {
        self.used.borrow_mut().push((path.to_owned(), name.to_owned()));
    }

    /// Refuses what nobody can answer: expressions that cannot be read, saved values that nothing saves.
    pub(crate) fn check(&self) -> Result<()> {
        for (path, language, expression) in self.queries.borrow().iter() {
            check_query(language, expression).map_err(|error| fault(path, error.message()))?;
        }
        for (path, pattern) in self.patterns.borrow().iter() {
            Regex::new(pattern).map_err(|error| fault(path, format!("the regular expression \"{pattern}\": {error}")))?;
        }
        let saved = self.saved.borrow();
        let known: Vec<&str> = saved.iter().map(String::as_str).collect();
        for (path, name) in self.used.borrow().iter() {
            if !saved.contains(name) {
                return Err(fault(path, format!("nothing saves \"{name}\"{}", suggestion(name, &known, "saved"))));
            }
        }
        Ok(())
    }
}
