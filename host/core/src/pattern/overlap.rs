//! Whether two rules match the same URL, shown by such a URL.

use super::matcher::Target;
use super::reading::Reading;
use super::rule::Rule;
use super::split::Parts;

/// The host of a URL that only rules for every host are asked about.
const ANY_HOST: &str = "any.example";

/// A URL that both rules match; none where none was found.
///
/// URLs are made of the two rules' own patterns, part by part. What is found is true; rules that meet only where the `*` of both
/// stand for something that neither of them says are not found.
pub fn overlap(a: &Rule, b: &Rule) -> Option<String> {
    let (reading_a, reading_b) = (Reading::of(a).ok()?, Reading::of(b).ok()?);
    let matches_both =
        |url: &String| Target::parse(url).is_some_and(|target| reading_a.matches(&target) && reading_b.matches(&target));
    let pairs = parts(a).into_iter().flat_map(|of_a| parts(b).into_iter().map(move |of_b| (of_a.clone(), of_b)));
    pairs.flat_map(|(of_a, of_b)| candidates(&of_a, &of_b)).find(matches_both)
}

fn parts(rule: &Rule) -> Vec<Parts> {
    rule.include.iter().filter_map(|pattern| Parts::of_pattern(pattern).ok()).collect()
}

/// URLs of which one matches both patterns, if there is one that can be made of them.
fn candidates(a: &Parts, b: &Parts) -> Vec<String> {
    let scheme = [&a.scheme, &b.scheme].into_iter().find(|scheme| !scheme.is_empty()).map_or("https", String::as_str);
    let mut urls = Vec::new();
    for host in hosts(a, b) {
        for path in filled(&a.path, &b.path) {
            for query in queries(&a.query, &b.query) {
                for fragment in filled(&a.fragment, &b.fragment) {
                    let path = if path.starts_with('/') { path.clone() } else { format!("/{path}") };
                    urls.push(format!("{scheme}://{host}{path}{}{}", led_by('?', &query), led_by('#', &fragment)));
                }
            }
        }
    }
    urls
}

fn hosts(a: &Parts, b: &Parts) -> Vec<String> {
    match (a.netloc.is_empty(), b.netloc.is_empty()) {
        (true, true) => vec![ANY_HOST.to_owned()],
        (true, false) => vec![b.netloc.clone()],
        (false, true) => vec![a.netloc.clone()],
        (false, false) if a.netloc == b.netloc => vec![a.netloc.clone()],
        (false, false) => vec![a.netloc.clone(), b.netloc.clone()],
    }
}

/// Texts for a part: each pattern's own, its `*` standing for nothing, for something, or for what the other one says.
fn filled(a: &str, b: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for (own, other) in [(a, b), (b, a)] {
        let own = own.strip_suffix('|').unwrap_or(own);
        let other = other.trim_end_matches(['|', '*']).trim_matches('/');
        for star in ["", "x", other] {
            let text = own.replace('*', star);
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
    }
    texts
}

/// As [`filled`], and both together.
fn queries(a: &str, b: &str) -> Vec<String> {
    let mut queries = filled(a, b);
    if !a.is_empty() && !b.is_empty() {
        queries.extend(filled(&format!("{a}&{b}"), ""));
    }
    queries
}

fn led_by(sign: char, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{sign}{text}") }
}
