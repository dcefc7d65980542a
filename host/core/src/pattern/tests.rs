#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
use super::*;

#[track_caller]
fn check(pattern: &str, matching: &[&str], others: &[&str]) {
    let pattern_read = Pattern::parse(pattern).unwrap();
    for url in matching {
        assert!(pattern_read.matches(url), "{pattern} must match {url}");
    }
    for url in others {
        assert!(!pattern_read.matches(url), "{pattern} must not match {url}");
    }
}

#[test]
fn a_host_alone_covers_its_subdomains() {
    check(
        "shop.example",
        &["http://shop.example", "https://www.shop.example/a", "http://a.b.shop.example/?q#f", "http://SHOP.Example/"],
        &["http://myshop.example/", "http://shop.example:8080/", "http://shop.example.org/", "shop.example/a", "http://["],
    );
}

#[test]
fn a_host_with_more_covers_itself_with_or_without_www() {
    check(
        "shop.example/sale",
        &["http://shop.example/sale", "http://www.shop.example/Sales/1?a#b"],
        &["http://de.shop.example/sale", "http://shop.example/a/sale", "http://www.www.shop.example/sale"],
    );
    check("shop.example?id=1", &["http://shop.example/x?id=1"], &["http://de.shop.example/x?id=1"]);
    check("shop.example#top", &["http://shop.example/x#top-1"], &["http://de.shop.example/x#top"]);
}

#[test]
fn a_path_or_fragment_is_a_prefix_unless_it_ends_in_a_bar() {
    check("/a|", &["http://any.example/a", "/a", "http://x/a?b"], &["http://any.example/ab", "http://any.example/"]);
    check("/a*c|", &["http://x/ac", "http://x/a/b/c"], &["http://x/acd"]);
    check("#a|", &["http://x/#a"], &["http://x/#ab", "http://x/"]);
    check("//a", &["http://x//ab"], &["http://x/a", "http://a/"]);
    check("/a;b", &["http://x/a;bc"], &["http://x/a;c"]);
    check("/a;", &["http://x/a", "http://x/ab"], &["http://x/"]);
}

#[test]
fn every_query_parameter_of_the_pattern_must_be_there_with_one_of_its_values() {
    check("?a=1&a=2&b", &["http://x/?b=&c=3&A=2", "http://x?b&a=1"], &["http://x/?a=1", "http://x/?a=3&b=", "http://x/?a=1&b=2"]);
    check("?q=a*c", &["http://x/?q=abc", "http://x/?q=a+%42C"], &["http://x/?q=abcd", "http://x/?q=xac", "http://x/?q=a%0Ac"]);
    check("?q*=1", &["http://x/?q=1"], &["http://x/?qr=1"]);
    check("?*=1", &["http://x/"], &[]);
}

#[test]
fn schemes_must_be_equal_and_implied_ports_vanish() {
    check(
        "https://a.example",
        &["https://a.example/", "https://a.example:443/"],
        &["http://a.example/", "https://a.example:80/"],
    );
    check("a.example:80", &["http://a.example/", "http://a.example:80/"], &["https://a.example/", "http://a.example:8080/"]);
    check("a.example:443", &["https://a.example"], &["http://a.example", "http://a.example:443"]);
    check("a.example:81", &["https://a.example:81", "ftp://b.a.example:81"], &["http://a.example"]);
}

#[test]
fn the_empty_pattern_matches_every_url() {
    check("", &["http://a.example/", "", "not a url"], &["http://[/"]);
}

fn rule(name: &str, include: &[&str]) -> Rule {
    Rule { name: name.into(), include: include.iter().map(|text| (*text).into()).collect(), ..Rule::default() }
}

fn replacing(name: &str, include: &[&str], replaced: &str) -> Rule {
    Rule { instead_of: Some(replaced.into()), ..rule(name, include) }
}

#[track_caller]
fn check_found(rules: Vec<Rule>, expected: &[(&str, Option<&str>)]) {
    let index = RuleIndex::new(rules).unwrap();
    for (url, name) in expected {
        let found = index.find(url).map(|position| index.rules()[position].name.as_str());
        assert_eq!(found, *name, "{url}");
        assert_eq!(index.explain(url).chosen().map(|rule| rule.name.as_str()), *name, "explained: {url}");
    }
}

#[test]
fn the_more_specific_rule_wins_and_universal_ones_come_last() {
    check_found(
        vec![
            rule("shop", &["shop.example"]),
            rule("sale", &["shop.example/sale"]),
            rule("all", &[""]),
            rule("de", &["de.shop.example"]),
        ],
        &[
            ("http://shop.example/", Some("shop")),
            ("http://shop.example/sale/1", Some("sale")),
            ("http://de.shop.example/sale", Some("de")),
            ("http://other.example/", Some("all")),
        ],
    );
}

#[test]
fn priority_beats_specificity_and_the_later_of_equals_wins() {
    let first = Rule { priority: 501, ..rule("first", &["shop.example"]) };
    check_found(vec![first, rule("sale", &["shop.example/sale"])], &[("http://shop.example/sale", Some("first"))]);
    check_found(vec![rule("z", &["shop.example"]), rule("a", &["shop.example"])], &[("http://shop.example/", Some("a"))]);
    check_found(vec![rule("z", &[""]), rule("a", &[""])], &[("http://shop.example/", Some("a"))]);
}

#[test]
fn excludes_need_no_host() {
    let shop = Rule { exclude: vec!["/help".into(), "?preview=1".into()], ..rule("shop", &["shop.example"]) };
    check_found(
        vec![shop],
        &[
            ("http://shop.example/", Some("shop")),
            ("http://shop.example/help/1", None),
            ("http://a.shop.example/?preview=1", None),
        ],
    );
}

#[test]
fn a_rule_without_includes_is_never_picked_by_url() {
    check_found(vec![rule("named only", &[])], &[("http://shop.example/", None)]);
}

#[test]
fn a_public_suffix_is_nobodys_domain() {
    check_found(vec![rule("all britain", &["co.uk"])], &[("http://shop.co.uk/", None), ("http://co.uk/", Some("all britain"))]);
    check_found(vec![rule("blogs", &["blogspot.com"])], &[("http://my.blogspot.com/", Some("blogs"))]);
}

#[test]
fn an_uppercase_host_finds_its_rule() {
    check_found(
        vec![rule("shop", &["Shop.example/A"])],
        &[("http://SHOP.EXAMPLE/a", Some("shop")), ("HTTP://shop.example/A", Some("shop"))],
    );
}

#[test]
fn replacements_are_followed_to_the_end() {
    check_found(
        vec![
            rule("base", &["shop.example"]),
            replacing("sale", &["shop.example/sale"], "base"),
            replacing("last", &["shop.example/sale/last"], "sale"),
            replacing("elsewhere", &["other.example"], "base"),
        ],
        &[
            ("http://shop.example/", Some("base")),
            ("http://shop.example/sale", Some("sale")),
            ("http://shop.example/sale/last", Some("last")),
            ("http://other.example/", None),
        ],
    );
}

#[test]
fn every_matching_rule_is_explained() {
    let index = RuleIndex::new(vec![
        rule("all", &[""]),
        rule("base", &["shop.example"]),
        replacing("sale", &["shop.example/sale"], "base"),
        replacing("unreached", &["shop.example"], "all"),
        replacing("typo", &["shop.example/never"], "bsae"),
    ])
    .unwrap();
    let matching = index.explain("http://shop.example/sale").matching;
    let told: Vec<_> = matching.iter().map(|(rule, standing)| (rule.name.as_str(), *standing)).collect();
    let expected = [
        ("base", Standing::Replaced),
        ("all", Standing::Outranked(Reason::Universal)),
        ("sale", Standing::Chosen),
        ("unreached", Standing::Unreached),
    ];
    assert_eq!(told, expected);
    assert_eq!(index.unreachable().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["typo"]);
}

#[test]
fn a_rule_that_loses_says_why_and_one_that_is_excluded_says_by_what() {
    let first = Rule { priority: 501, ..rule("first", &["shop.example"]) };
    let excluded = Rule { exclude: vec!["/help".into(), "?preview=1".into()], ..rule("excluded", &["shop.example/sale"]) };
    let rules =
        vec![rule("later", &["shop.example/s"]), rule("latest", &["shop.example/s"]), excluded, rule("wide", &["shop.example"])];
    let reasons = |rules: Vec<Rule>| {
        let index = RuleIndex::new(rules).unwrap();
        let explanation = index.explain("http://shop.example/sale?preview=1");
        let excluded: Vec<_> = explanation.excluded.iter().map(|(rule, by)| (rule.name.clone(), (*by).to_owned())).collect();
        assert_eq!(excluded, [("excluded".to_owned(), "?preview=1".to_owned())]);
        explanation.matching.iter().map(|(rule, standing)| (rule.name.clone(), *standing)).collect::<Vec<_>>()
    };
    let expected = [
        ("latest", Standing::Chosen),
        ("later", Standing::Outranked(Reason::Registration)),
        ("wide", Standing::Outranked(Reason::Specificity)),
    ];
    assert_eq!(reasons(rules.clone()), expected.map(|(name, standing)| (name.to_owned(), standing)));
    let with_first = reasons(rules.into_iter().chain([first]).collect());
    assert_eq!(with_first[0], ("first".to_owned(), Standing::Chosen));
    assert!(with_first[1..].iter().all(|(_, standing)| *standing == Standing::Outranked(Reason::Priority)), "{with_first:?}");
}

#[track_caller]
fn check_overlap(a: &str, b: &str, expected: bool) {
    let (a, b) = (rule("a", &[a]), rule("b", &[b]));
    for (a, b) in [(&a, &b), (&b, &a)] {
        let url = overlap(a, b);
        assert_eq!(url.is_some(), expected, "{:?} and {:?}: {url:?}", a.include, b.include);
    }
}

#[test]
fn rules_overlap_where_one_url_matches_both() {
    for (a, b) in [
        ("shop.example", "shop.example"),
        ("shop.example", "de.shop.example/sale"),
        ("shop.example/sale", "shop.example/sale/shoes|"),
        ("shop.example/sale", "shop.example?id=1*"),
        ("shop.example/*/sale", "shop.example/de"),
        ("shop.example?id=1", "shop.example?page=*"),
        ("", "shop.example/a"),
        ("www.shop.example", "shop.example"),
    ] {
        check_overlap(a, b, true);
    }
    for (a, b) in [
        ("shop.example", "shop.example.org"),
        ("shop.example/a", "shop.example/b"),
        ("shop.example/a|", "shop.example/a/b"),
        ("de.shop.example/a", "fr.shop.example"),
        ("http://shop.example", "https://shop.example"),
    ] {
        check_overlap(a, b, false);
    }
}

#[test]
fn an_exclude_and_an_empty_include_keep_rules_apart() {
    let shop = rule("shop", &["shop.example"]);
    let without_sale = Rule { exclude: vec!["/sale".into()], ..shop.clone() };
    assert_eq!(overlap(&without_sale, &rule("sale", &["shop.example/sale"])), None);
    assert_eq!(overlap(&shop, &rule("by name only", &[])), None);
}

#[test]
fn a_wrong_rule_is_refused_with_its_name_its_pattern_and_a_remedy() {
    let cases = [
        (vec![rule("shop", &["shop.example", "/sale"])], ["\"shop\"", "\"/sale\"", "write the host"]),
        (vec![rule("shop", &["", "shop.example"])], ["\"shop\"", "\"shop.example\"", "remove one"]),
        (vec![rule("shop", &["[::1/"])], ["\"shop\"", "\"[::1/\"", "remove or complete"]),
        (vec![rule("shop", &["*.shop.example"])], ["\"shop\"", "\"*.shop.example\"", "stands for its subdomains"]),
        (vec![rule("shop", &["shop.example:80*/a"])], ["\"shop\"", "\"shop.example:80*/a\"", "no port"]),
        (vec![rule("shop", &["https:/shop.example"])], ["\"shop\"", "https:/shop.example", "write https://"]),
        (vec![rule("shop", &["a.example, b.example"])], ["\"shop\"", "a.example, b.example", "a host has no ','"]),
        (vec![rule("shop", &["a.example b.example"])], ["\"shop\"", "a.example b.example", "no blanks"]),
        (vec![rule("shop", &[" shop.example"])], ["\"shop\"", "\" shop.example\"", "begins or ends with a blank"]),
        (vec![rule("shop", &["shop.example/a\t"])], ["\"shop\"", "shop.example/a", "begins or ends with a blank"]),
        (vec![rule("shop", &["(www.)?shop.example"])], ["\"shop\"", "(www.)?shop.example", "a host has no '('"]),
        (vec![rule("shop", &["^shop\\.example"])], ["\"shop\"", "shop", "a host has no '^'"]),
        (
            vec![Rule { exclude: vec!["*/help".into()], ..rule("shop", &["shop.example"]) }],
            ["\"shop\"", "\"*/help\"", "a host has no"],
        ),
        (vec![replacing("a", &["a.example"], "b"), replacing("b", &["a.example"], "a")], ["\"a\"", "\"b\"", "remove one"]),
        (vec![replacing("a", &["a.example"], "a")], ["\"a\"", "circle", "remove one"]),
    ];
    for (rules, parts) in cases {
        let message = RuleIndex::new(rules).unwrap_err().to_string();
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
}

#[test]
fn unusual_patterns_that_urls_can_match_are_read() {
    for (pattern, url) in [
        ("user@shop.example:8080", "http://user@shop.example:8080/"),
        ("[::1]:80/a", "http://[::1]/a"),
        ("köln.example/ä b", "http://köln.example/ä bc"),
        ("sub_domain.shop.example", "http://sub_domain.shop.example/"),
        ("shop.example:", "http://shop.example:/"),
        ("/list?filter[a]=*", "http://shop.example/list?filter[a]=1"),
        ("http.example", "http://http.example/"),
    ] {
        assert!(Pattern::parse(pattern).unwrap().matches(url), "{pattern}");
    }
}

#[test]
fn a_circle_of_many_names_is_named_and_a_long_chain_is_none() {
    let chain = |last: &str| -> Vec<Rule> {
        let names: Vec<String> = (0..5_000).map(|number| number.to_string()).collect();
        let links = names.windows(2).map(|pair| replacing(&pair[1], &["a.example"], &pair[0]));
        links.chain([rule("0", &["a.example"]), replacing("0", &["b.example"], last)]).collect()
    };
    let index = RuleIndex::new(chain("nobody")).unwrap();
    assert_eq!(index.find("http://a.example/").map(|position| index.rules()[position].name.clone()).as_deref(), Some("4999"));
    assert!(matches!(RuleIndex::new(chain("4999")), Err(RuleError::Circle { rules }) if rules.len() == 5_000));
}

#[test]
fn a_domain_shared_by_thousands_of_hosts_keeps_them_apart() {
    let rules = (0..20_000).map(|number| rule(&format!("site {number}"), &[&format!("s{number}.example")])).collect();
    check_found(
        rules,
        &[("http://s17777.example/", Some("site 17777")), ("http://a.s5.example/", Some("site 5")), ("http://t.example/", None)],
    );
}
