//! Sites that replace each other in a circle.

use super::rule::{Rule, RuleError};
use std::collections::{HashMap, HashSet};

/// Refuses rules whose sites replace each other in a circle, whichever URLs they match.
pub(super) fn refuse_circles(rules: &[Rule]) -> Result<(), RuleError> {
    let mut replacers: HashMap<&str, Vec<&str>> = HashMap::new();
    for rule in rules {
        if let Some(replaced) = &rule.instead_of {
            replacers.entry(replaced).or_default().push(&rule.name);
        }
    }
    let mut cleared: HashSet<&str> = HashSet::new();
    for rule in rules {
        if let Some(circle) = circle_from(&rule.name, &replacers, &mut cleared) {
            return Err(RuleError::Circle { rules: circle.into_iter().map(str::to_owned).collect() });
        }
    }
    Ok(())
}

/// Walks who replaces whom, depth first and without recursion, until a site comes up that is still being walked.
fn circle_from<'a>(
    start: &'a str,
    replacers: &HashMap<&'a str, Vec<&'a str>>,
    cleared: &mut HashSet<&'a str>,
) -> Option<Vec<&'a str>> {
    let mut path: Vec<&str> = Vec::new();
    let mut on_path: HashSet<&str> = HashSet::new();
    let mut open = vec![(0, start)];
    while let Some((depth, name)) = open.pop() {
        for left in path.drain(depth..) {
            on_path.remove(left);
            cleared.insert(left);
        }
        if on_path.contains(name) {
            return Some(path.into_iter().skip_while(|other| *other != name).collect());
        }
        if !cleared.contains(name) {
            path.push(name);
            on_path.insert(name);
            open.extend(replacers.get(name).into_iter().flatten().map(|next| (depth + 1, *next)));
        }
    }
    cleared.extend(path);
    None
}
