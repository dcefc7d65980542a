//! Compares patterns and rules with the real url-matcher 0.6.0 on random pairs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

mod python;
#[path = "python/random.rs"]
mod random;

use carousel_core::pattern::{Pattern, Rule, RuleError, RuleIndex};
use random::Random;
use serde_json::{Value, json};

const PAIRS: usize = 150_000;
const RESOLUTIONS: usize = 3_000;
const URLS_PER_RESOLUTION: usize = 12;

const HOSTS: [&str; 26] = [
    "shop.example",
    "www.shop.example",
    "de.shop.example",
    "a.b.shop.example",
    "myshop.example",
    "shop.com",
    "www.shop.com",
    "blog.shop.com",
    "wwwxshop.com",
    "shop.co.uk",
    "uk.shop.co.uk",
    "co.uk",
    "com",
    "my.blogspot.com",
    "blogspot.com",
    "127.0.0.1",
    "0.0.1",
    "localhost",
    "[::1]",
    "[2001:db8::1]",
    "xn--exmple-cua.com",
    "exämple.com",
    "user@shop.com",
    "user:pass@www.shop.com",
    "shop.com.",
    "shop-com",
];
const PORTS: [&str; 8] = ["", "", "", "", ":80", ":443", ":8080", ":"];
const SCHEMES: [&str; 7] = ["http://", "https://", "http://", "https://", "HTTP://", "ftp://", "svn+ssh://"];
const SEGMENTS: [&str; 20] =
    ["", "a", "A", "b", "sale", "Sale", "sales", "help", "a;b", ";", "a;", "%41", "é", "É", "ſale", "a.b", "a*", "*", "|", "\\*"];
const NAMES: [&str; 9] = ["id", "ID", "q", "Q", "page", "q*", "*", "", "%71"];
const VALUES: [&str; 15] =
    ["", "1", "12", "1*", "*2", "a", "A", "a b", "a+b", "a%20b", "a%0A", "%0Aa", "a%0Ab", "*a*b*", "K\u{212a}"];
const FRAGMENTS: [&str; 7] = ["", "top", "Top-1", "to*|", "top|", "*p", "a/b?c"];

#[test]
fn patterns_and_rules_agree_with_url_matcher() {
    let mut random = Random(0x0ca2_05e1);
    let pairs: Vec<(String, String)> = (0..PAIRS).map(|_| pair(&mut random)).collect();
    let resolutions: Vec<(Vec<Rule>, Vec<String>)> = (0..RESOLUTIONS).map(|_| resolution(&mut random)).collect();
    let asked = json!({"pairs": pairs, "resolutions": resolutions.iter().map(as_json).collect::<Vec<_>>()});
    let Some(answered) = python::ask("url_matcher_answers.py", &asked) else {
        return;
    };
    compare_pairs(&pairs, answered["pairs"].as_array().unwrap());
    compare_resolutions(&resolutions, answered["resolutions"].as_array().unwrap());
}

fn compare_pairs(pairs: &[(String, String)], answers: &[Value]) {
    assert_eq!(pairs.len(), answers.len());
    let mut matching = 0;
    let mut different = Vec::new();
    for ((pattern, url), answer) in pairs.iter().zip(answers) {
        let ours = Pattern::parse(pattern).is_ok_and(|pattern| pattern.matches(url));
        matching += usize::from(ours);
        if Value::Bool(ours) != *answer {
            different.push(format!("pattern {pattern:?} url {url:?}: here {ours}, there {answer}"));
        }
    }
    println!("{} pairs, {matching} of them match", pairs.len());
    assert!(different.is_empty(), "{} differ, such as\n{}", different.len(), different[..different.len().min(20)].join("\n"));
    assert!((pairs.len() / 5..pairs.len() * 4 / 5).contains(&matching), "the pairs are too one-sided to tell: {matching}");
}

fn compare_resolutions(resolutions: &[(Vec<Rule>, Vec<String>)], answers: &[Value]) {
    assert_eq!(resolutions.len(), answers.len());
    let (mut found, mut contested, mut refused, mut hopeless) = (0, 0, 0, 0);
    for ((rules, urls), answer) in resolutions.iter().zip(answers) {
        let Some(answer) = answer.as_array() else {
            assert!(RuleIndex::new(rules.clone()).is_err(), "url-matcher refuses {rules:#?}");
            refused += 1;
            continue;
        };
        let index = match RuleIndex::new(rules.clone()) {
            Ok(index) => index,
            // A pattern that nothing matches, such as `shop.com://;`, which the comparison of pairs has shown.
            Err(RuleError::BadPattern { .. }) => {
                hopeless += 1;
                continue;
            }
            Err(error) => panic!("{error}: {rules:#?}"),
        };
        for (url, expected) in urls.iter().zip(answer) {
            let expected: Vec<usize> = serde_json::from_value(expected.clone()).unwrap();
            let names: Vec<String> = index.explain(url).matching.iter().map(|(rule, _)| rule.name.clone()).collect();
            let expected_names: Vec<String> = expected.iter().map(usize::to_string).collect();
            assert_eq!(names, expected_names, "{url} with {rules:#?}");
            assert_eq!(index.find(url), expected.first().copied(), "{url} with {rules:#?}");
            found += usize::from(!expected.is_empty());
            contested += usize::from(expected.len() > 1);
        }
    }
    println!("{RESOLUTIONS} sets of rules ({refused} refused), {found} URLs with a rule, {contested} with several");
    assert!(hopeless < RESOLUTIONS / 50, "{hopeless} sets of rules have patterns that nothing matches");
    assert!(contested > RESOLUTIONS && refused > 10, "the rules are too tame to tell: {contested}, {refused}");
}

fn as_json((rules, urls): &(Vec<Rule>, Vec<String>)) -> Value {
    let rule = |rule: &Rule| json!({"include": rule.include, "exclude": rule.exclude, "priority": rule.priority});
    json!({"rules": rules.iter().map(rule).collect::<Vec<_>>(), "urls": urls})
}

/// A URL, and a pattern that is mostly a damaged copy of it, else one of its own.
fn pair(random: &mut Random) -> (String, String) {
    let address = Address::random(random);
    let pattern = if random.chance(75) { address.pattern(random) } else { Address::random(random).pattern(random) };
    (pattern, address.url(random))
}

/// Rules over few hosts, so that they compete. Hosts of URLs are lower case, since url-matcher finds no rule for others.
fn resolution(random: &mut Random) -> (Vec<Rule>, Vec<String>) {
    let hosts: Vec<&str> = (0..4).map(|_| random.one(&HOSTS)).collect();
    let on_one_host = |random: &mut Random| Address { host: random.one(&hosts).to_owned(), ..Address::random(random) };
    let count = 1 + random.below(12);
    let rules = (0..count).map(|number| rule(random, number, &on_one_host)).collect();
    let urls = (0..URLS_PER_RESOLUTION).map(|_| on_one_host(random).url(random)).collect();
    (rules, urls)
}

fn rule(random: &mut Random, number: usize, address: &dyn Fn(&mut Random) -> Address) -> Rule {
    let includes = 1 + random.below(3);
    let mut include: Vec<String> = (0..includes).map(|_| address(random).rule_pattern(random)).collect();
    match random.below(60) {
        0..=5 => include = vec![String::new()],
        6 => include.push(String::new()),
        7 => include.push("/a".to_owned()),
        _ => {}
    }
    let excludes = random.below(3).saturating_sub(1);
    Rule {
        name: number.to_string(),
        include,
        exclude: (0..excludes).map(|_| address(random).pattern(random)).collect(),
        priority: [500, 500, 500, 501, -1][random.below(5)],
        instead_of: None,
    }
}

struct Address {
    scheme: &'static str,
    host: String,
    port: &'static str,
    path: String,
    query: String,
    fragment: &'static str,
}

impl Address {
    fn random(random: &mut Random) -> Self {
        let segments = random.below(4);
        let parameters = random.below(4).saturating_sub(1);
        let path = (0..segments).map(|_| format!("/{}", random.one(&SEGMENTS))).collect();
        let query = (0..parameters).map(|_| format!("{}={}", random.one(&NAMES), random.one(&VALUES))).collect::<Vec<_>>();
        Self {
            scheme: random.one(&SCHEMES),
            host: random.one(&HOSTS).to_owned(),
            port: random.one(&PORTS),
            path,
            query: query.join(random.one(&["&", "&", "&", "&&", ";"])),
            fragment: if random.chance(80) { "" } else { random.one(&FRAGMENTS) },
        }
    }

    fn url(&self, random: &mut Random) -> String {
        let more = if random.chance(30) { random.one(&SEGMENTS) } else { "" };
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        let fragment = if self.fragment.is_empty() { String::new() } else { format!("#{}", self.fragment) };
        let host = if random.chance(15) { format!("www.{}", self.host) } else { self.host.clone() };
        let text = format!("{}{host}{}{}{more}{query}{fragment}", self.scheme, self.port, self.path);
        if random.chance(1) { format!(" \t{}", text.replace("shop", "sh\nop")) } else { text }
    }

    fn pattern(&self, random: &mut Random) -> String {
        let mut text = String::new();
        if random.chance(85) {
            text = self.rule_pattern(random);
        } else {
            self.push_rest(&mut text, random);
        }
        if random.chance(5) { swap_case(&text) } else { text }
    }

    /// A pattern with a host.
    fn rule_pattern(&self, random: &mut Random) -> String {
        let mut text = String::new();
        if random.chance(20) {
            text.push_str(self.scheme);
        }
        text.push_str(if random.chance(20) {
            self.host.split_once('.').map_or(&self.host, |(_, parent)| parent)
        } else {
            &self.host
        });
        if random.chance(if self.port.is_empty() { 0 } else { 70 }) {
            text.push_str(self.port);
        }
        self.push_rest(&mut text, random);
        text
    }

    fn push_rest(&self, text: &mut String, random: &mut Random) {
        // Marks right behind the host are no part of any host: such a pattern is refused here.
        if random.chance(50) && !self.path.is_empty() {
            let characters: Vec<char> = self.path.chars().collect();
            let kept = if random.chance(60) { characters.len() } else { 1 + random.below(characters.len()) };
            text.extend(&characters[..kept]);
            text.push_str(random.one(&["", "", "", "", "|", "*", "*|", "/*/", ";"]));
        }
        if random.chance(30) && !self.query.is_empty() {
            let pairs: Vec<&str> = self.query.split('&').collect();
            text.push('?');
            text.push_str(if random.chance(60) { &self.query } else { random.one(&pairs) });
            text.push_str(random.one(&["", "", "", "&", "&id=*", "&q", "&ID=1"]));
        }
        if random.chance(20) {
            text.push('#');
            text.push_str(if random.chance(60) { self.fragment } else { random.one(&FRAGMENTS) });
        }
    }
}

fn swap_case(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }).collect()
}
