//! One site, one plugin never hurts another: not its time, not its bill. Told by counting what the API was asked, never by a clock.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use crate::harness::api::{Api, Call, Kind};
use crate::harness::crawl::{Crawl, Crawled};
use crate::harness::gate::GIVE_UP;
use crate::harness::reply::Reply;

/// Pages of the slow site, and of the five others together.
const SLOW: usize = 120;
const OTHERS: usize = 240;

/// Rounds that take tens of milliseconds: legal, and as long as hundreds of pages of others.
const ROUNDS: usize = 60_000;

/// Mixed lines: one of the slow site, two of the others.
fn mixed_lines(slow: impl Fn(usize) -> String) -> String {
    (0..SLOW).fold(String::new(), |mut lines, n| {
        let other = |n: usize| format!("https://other{}.example/{n}", n % 5);
        writeln!(lines, "{}\n{}\n{}", slow(n), other(2 * n), other(2 * n + 1)).unwrap();
        lines
    })
}

fn is_slow(call: &Call) -> bool {
    call.url().contains("slow.example")
}

#[test]
fn a_site_whose_hooks_are_slow_holds_up_nobody_elses_pages() {
    for hook in ["pool", "process_request", "check", "params"] {
        let (others_done, done) = channel();
        let others = AtomicUsize::new(0);
        let api = Api::start(move |call| {
            if call.kind == Kind::Use && !is_slow(call) && 1 + others.fetch_add(1, Ordering::SeqCst) == OTHERS {
                others_done.send(()).unwrap();
            }
            Reply::ok()
        });
        let settings = format!(
            "[plugins]\ndeadline = 30\n[[site]]\nname = \"slow\"\nplugin = \"guest-slow\"\n\
             config = {{ hook = \"{hook}\", rounds = {ROUNDS} }}\n"
        );
        // Where initialisations are slow each page needs one.
        let slow = |n| if hook == "params" { format!("https://h{n}.slow.example/") } else { format!("https://slow.example/{n}") };
        let crawl = Crawl::through(&api).settings(&settings).plugin("guest-slow").args(["--n-conn", "50"]);
        let (running, _dir) = crawl.start(&mixed_lines(slow));
        done.recv_timeout(GIVE_UP).expect("the others' pages are fetched");
        let slow = api.calls_of(Kind::Use).iter().filter(|call| is_slow(call)).count();
        assert!(slow <= SLOW / 2, "{hook}: {slow} of {SLOW} slow pages were sent before the last one of the others");
        drop(running);
    }
}

/// Sites of one plugin that fails at all of them, and the pages of each.
const SITES: usize = 50;
const PAGES: usize = 4;

/// Ways in which a plugin fails at every initialisation: its name and its config.
const FAILURES: [(&str, &str); 8] = [
    ("guest-scripted", r#"{ hooks = { check = { raise = "the page has no price" } } }"#),
    ("guest-scripted", r#"{ hooks = { init_session = { chain = [{}], raise = "no token" } } }"#),
    ("guest-scripted", r#"{ hooks = { params = { chain = [{}], raise = "no store" } } }"#),
    ("guest-misbehaving", r#"{ check = "panic" }"#),
    ("guest-misbehaving", r#"{ check = "loop" }"#),
    ("guest-misbehaving", r#"{ check = "allocate" }"#),
    ("guest-misbehaving", r#"{ check = "recurse" }"#),
    ("guest-misbehaving", r#"{ init-session = "panic" }"#),
];

/// Crawls some pages of each host; `tables` says which sites there are.
fn crawl_hosts(plugin: &str, tables: &str) -> Crawled {
    let api = Api::start(|_| Reply::ok());
    let settings = format!("[plugins]\ndeadline = 0.5\n{tables}");
    let lines = (0..SITES * PAGES).map(|n| format!("https://h{}.example/{n}\n", n % SITES)).collect::<String>();
    let crawl = Crawl::through(&api).settings(&settings).plugin(plugin);
    crawl.args(["--store-errors", "--n-conn", "50"]).run(&lines)
}

fn table(name: &str, plugin: &str, include: &str, config: &str) -> String {
    format!("[[site]]\nname = \"{name}\"\nplugin = \"{plugin}\"\ninclude = [{include}]\nconfig = {config}\n")
}

fn costs_little(crawled: &Crawled, what: &str) {
    crawled.exits(1);
    assert_eq!(crawled.answers_and_errors(), (0, SITES * PAGES), "{what}");
    let billed: u64 = crawled.stats["billed"].as_object().unwrap().values().filter_map(serde_json::Value::as_u64).sum();
    assert!(billed <= 10, "{what}: {billed} billed answers:\n{}", crawled.process.stderr);
    let failures = crawled.process.stderr.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).count();
    assert!(failures <= 20, "{what}: {failures} lines are said of it:\n{}", crawled.process.stderr);
}

#[test]
fn a_plugin_that_fails_at_every_initialisation_costs_a_few_answers_whatever_the_number_of_its_sites() {
    for (plugin, config) in FAILURES {
        let tables: String = (0..SITES).map(|n| table(&format!("s{n}"), plugin, &format!("\"h{n}.example\""), config)).collect();
        costs_little(&crawl_hosts(plugin, &tables), &format!("{plugin} {config} at {SITES} sites"));
    }
}

#[test]
fn and_whatever_the_number_of_its_pools() {
    let hosts: Vec<String> = (0..SITES).map(|n| format!("\"h{n}.example\"")).collect();
    for (plugin, config) in FAILURES {
        costs_little(
            &crawl_hosts(plugin, &table("all", plugin, &hosts.join(","), config)),
            &format!("{plugin} {config} in {SITES} pools"),
        );
    }
}

#[test]
fn a_checker_of_the_whole_crawl_that_always_fails_costs_as_little() {
    let checker = table("checker", "guest-scripted", "", r#"{ hooks = { check = { raise = "no price" } } }"#);
    costs_little(&crawl_hosts("guest-scripted", &format!("[session]\nchecker = \"checker\"\n{checker}")), "a checker");
}

#[test]
fn a_plugin_that_fails_at_one_site_goes_on_at_its_others() {
    let raise = r#"{ hooks = { check = { raise = "no price" } } }"#;
    let good = r#"{ hooks = { check = { return = true } } }"#;
    let tables: String = (0..SITES)
        .map(|n| table(&format!("s{n}"), "guest-scripted", &format!("\"h{n}.example\""), if n == 0 { raise } else { good }))
        .collect();
    let crawled = crawl_hosts("guest-scripted", &tables);
    assert_eq!(crawled.answers_and_errors(), ((SITES - 1) * PAGES, PAGES), "{}", crawled.process.stderr);
}
