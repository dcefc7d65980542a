//! Watches over sessions that the API manages: one `sessionContext` must always come with the same `sessionContextParameters`,
//! or its requests share sessions that were not made for them.

use std::collections::VecDeque;

use serde_json::Value;

use crate::defaults::{canonical, is_truthy};
use crate::exchange::Object;

/// How many contexts are remembered, the most recently used ones (as in the peer).
const REMEMBERED: usize = 128;

/// The parameters with which each context was used.
#[derive(Debug, Default)]
pub struct SessionContexts {
    /// The context used longest ago first. A context that has been told of has no parameters any more.
    known: VecDeque<(String, Option<Value>)>,
}

impl SessionContexts {
    /// Remembers the context of a call. True if it was used with other parameters before; each context is told of once.
    pub fn is_contradiction(&mut self, params: &Object) -> bool {
        let Some(context) = params.get("sessionContext").filter(|context| is_truthy(context)) else { return false };
        let name = canonical(context);
        let now = params.get("sessionContextParameters").cloned().unwrap_or_else(|| Object::new().into());
        let known = self.known.iter().position(|(known, _)| *known == name).and_then(|place| self.known.remove(place));
        let (before, is_contradiction) = match known {
            None => (Some(now), false),
            Some((_, Some(before))) if before != now => (None, true),
            Some((_, before)) => (before, false),
        };
        if self.known.len() >= REMEMBERED {
            self.known.pop_front();
        }
        self.known.push_back((name, before));
        is_contradiction
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn use_of(contexts: &mut SessionContexts, context: &Value, parameters: Option<Value>) -> bool {
        let mut params = Object::new();
        params.insert("sessionContext".to_owned(), context.clone());
        params.extend(parameters.map(|value| ("sessionContextParameters".to_owned(), value)));
        contexts.is_contradiction(&params)
    }

    #[test]
    fn a_context_with_other_parameters_is_told_of_once() {
        let mut contexts = SessionContexts::default();
        let context = json!([{"name": "id", "value": "1"}]);
        let us = json!({"actions": [{"action": "waitForTimeout", "timeout": 1}]});
        assert!(!use_of(&mut contexts, &context, Some(us.clone())));
        assert!(!use_of(&mut contexts, &context, Some(us.clone())));
        assert!(!use_of(&mut contexts, &json!([{"name": "id", "value": "2"}]), None), "another context");
        assert!(use_of(&mut contexts, &context, None), "no parameters are other ones");
        assert!(!use_of(&mut contexts, &context, Some(us)) && !use_of(&mut contexts, &context, None));
    }

    #[test]
    fn a_request_without_a_context_is_no_contradiction() {
        let mut contexts = SessionContexts::default();
        for context in [json!(null), json!([])] {
            assert!(!use_of(&mut contexts, &context, Some(json!({"a": 1}))));
            assert!(!use_of(&mut contexts, &context, None));
        }
        assert!(contexts.known.is_empty());
    }

    #[test]
    fn the_context_used_longest_ago_is_forgotten_first() {
        let mut contexts = SessionContexts::default();
        for n in 0..REMEMBERED {
            assert!(!use_of(&mut contexts, &json!(format!("c{n}")), None));
        }
        assert!(!use_of(&mut contexts, &json!("c0"), None) && !use_of(&mut contexts, &json!("new"), None));
        assert!(use_of(&mut contexts, &json!("c0"), Some(json!(1))), "used again, so remembered");
        assert!(!use_of(&mut contexts, &json!("c1"), Some(json!(1))), "forgotten");
    }
}
