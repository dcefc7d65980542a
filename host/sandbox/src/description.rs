//! What a plugin says of itself, as the host keeps it.

use carousel_core::pattern::Rule;
use serde::{Deserialize, Serialize};

use crate::bindings::carousel::session::types;
use crate::words::cut;

/// The answer of `describe`. It is kept beside the compiled plugin, so that a plugin that is known need not be asked again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Description {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Not named yet: a rule is named after the site that has it.
    pub(crate) rules: Vec<Rule>,
    pub(crate) hooks: Vec<String>,
}

/// The bytes of a name or a version.
const NAME_BYTES: usize = 256;

/// The hooks that a plugin may name, among them those of later versions.
const HOOKS: usize = 64;

/// The bytes of all rules, each rule and each pattern counted as some bytes more.
const RULES_BYTES: usize = 1 << 20;

/// What a rule or a pattern takes besides its text.
const ENTRY_BYTES: usize = 64;

impl Description {
    /// What the plugin told, if it can be kept, looked through and printed; else what is wrong with it.
    pub(crate) fn read(told: types::Description) -> Result<Self, String> {
        let types::Description { name, version, rules, hooks } = told;
        if hooks.len() > HOOKS {
            return Err(format!("named {} hooks, more than {HOOKS}", hooks.len()));
        }
        for (what, text) in [("name", &name), ("version", &version)].into_iter().chain(hooks.iter().map(|hook| ("hook", hook))) {
            check_name(what, text)?;
        }
        let rules: Vec<Rule> = rules.into_iter().map(rule).collect();
        if rules.iter().map(rule_bytes).sum::<usize>() > RULES_BYTES {
            return Err(format!("gave rules of more than {RULES_BYTES} bytes"));
        }
        let patterns = rules.iter().flat_map(|rule| rule.include.iter().chain(&rule.exclude).chain(&rule.instead_of));
        match { patterns }.find(|pattern| pattern.chars().any(char::is_control)) {
            Some(pattern) => Err(format!("gave a rule with control characters: {:?}", cut(pattern))),
            None => Ok(Self { name, version, rules, hooks }),
        }
    }
}

fn check_name(what: &str, text: &str) -> Result<(), String> {
    if text.len() > NAME_BYTES {
        return Err(format!("gave a {what} of {} bytes, more than {NAME_BYTES}", text.len()));
    }
    match text.chars().any(char::is_control) {
        true => Err(format!("gave a {what} with control characters: {text:?}")),
        false => Ok(()),
    }
}

fn rule_bytes(rule: &Rule) -> usize {
    let patterns = rule.include.iter().chain(&rule.exclude).chain(&rule.instead_of);
    ENTRY_BYTES + patterns.map(|pattern| ENTRY_BYTES + pattern.len()).sum::<usize>()
}

fn rule(rule: types::Rule) -> Rule {
    let types::Rule { include, exclude, priority, instead_of } = rule;
    Rule { name: String::new(), include, exclude, priority, instead_of }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> types::Description {
        types::Description {
            name: "shop".to_owned(),
            version: "1.0".to_owned(),
            rules: vec![with("shop.example")],
            hooks: vec![],
        }
    }

    fn with(pattern: &str) -> types::Rule {
        types::Rule { include: vec![pattern.to_owned()], exclude: vec![], priority: 500, instead_of: None }
    }

    #[test]
    fn what_a_plugin_says_of_itself_is_bounded_and_can_be_printed() {
        assert!(Description::read(told()).is_ok());
        let many = types::Description { rules: vec![with("shop.example"); 5_000], ..told() };
        assert!(Description::read(many).is_ok());
        let long = "x".repeat(1 << 20);
        for (wrong, words) in [
            (types::Description { name: "shop\n WARN forged".to_owned(), ..told() }, "a name with control characters"),
            (types::Description { name: long.clone(), ..told() }, "a name of 1048576 bytes"),
            (types::Description { version: "\u{1b}[2J".to_owned(), ..told() }, "a version with control characters"),
            (types::Description { hooks: vec!["check".to_owned(); 100_000], ..told() }, "100000 hooks"),
            (types::Description { hooks: vec![long.clone()], ..told() }, "a hook of"),
            (types::Description { rules: vec![with(&long)], ..told() }, "more than 1048576 bytes"),
            (types::Description { rules: vec![with("a"); 100_000], ..told() }, "more than 1048576 bytes"),
            (types::Description { rules: vec![with("shop\r.example")], ..told() }, "a rule with control characters"),
        ] {
            let why = Description::read(wrong).unwrap_err();
            assert!(why.contains(words) && why.len() < 5_000, "{why}");
        }
    }
}
