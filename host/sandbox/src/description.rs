//! What a plugin says of itself, as the host keeps it.

use carousel_core::pattern::Rule;
use serde::{Deserialize, Serialize};

use crate::bindings::carousel::session::types;

/// The answer of `describe`. It is kept beside the compiled plugin, so that a plugin that is known need not be asked again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Description {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Not named yet: a rule is named after the site that has it.
    pub(crate) rules: Vec<Rule>,
    pub(crate) hooks: Vec<String>,
}

impl From<types::Description> for Description {
    fn from(told: types::Description) -> Self {
        let types::Description { name, version, rules, hooks } = told;
        Self { name, version, rules: rules.into_iter().map(rule).collect(), hooks }
    }
}

fn rule(rule: types::Rule) -> Rule {
    let types::Rule { include, exclude, priority, instead_of } = rule;
    Rule { name: String::new(), include, exclude, priority, instead_of }
}
