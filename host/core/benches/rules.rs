//! Prints what it costs to find the rule of a URL among 100 and among 100,000 rules, and the ratio.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program whose output is read by people")]

use carousel_core::pattern::{Rule, RuleIndex};
use std::hint::black_box;
use std::time::Instant;

const LOOKUPS: usize = 200_000;
const ROUNDS: usize = 5;

fn main() {
    let few = nanoseconds_per_lookup(100);
    let many = nanoseconds_per_lookup(100_000);
    println!("rule lookup: 100 rules {few:.0} ns, 100,000 rules {many:.0} ns, ratio {:.2}", many / few);
}

/// The best of several rounds over rules of the shapes people write: hosts, paths, excludes, replacements.
fn nanoseconds_per_lookup(rules: usize) -> f64 {
    let index = RuleIndex::new((0..rules).map(rule).collect()).unwrap();
    let urls: Vec<String> = (0..1_000).map(|number| url(number * 7_919 % rules)).collect();
    let round = || {
        let started = Instant::now();
        for number in 0..LOOKUPS {
            black_box(index.find(black_box(urls.get(number % urls.len()).unwrap())));
        }
        started.elapsed().as_secs_f64() * 1e9 / LOOKUPS as f64
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}

fn rule(number: usize) -> Rule {
    let host = host(number);
    let include = if number.is_multiple_of(3) { vec![format!("{host}/sale")] } else { vec![host] };
    Rule { name: number.to_string(), include, exclude: vec!["/help".to_owned()], ..Rule::default() }
}

fn host(number: usize) -> String {
    match number % 4 {
        0 => format!("shop{number}.com"),
        1 => format!("blog.shop{number}.co.uk"),
        2 => format!("shop{number}.example"),
        _ => format!("s{number}.stores.com"),
    }
}

fn url(number: usize) -> String {
    format!("https://www.{}/sale/item-{number}?id={number}", host(number))
}
