//! Who sees what: the API key nobody but the API, the terminal nothing that it would obey, the user whatever was found and not named.

use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::crawl::Crawl;
use crate::harness::process::{Running, command, ends_unheard};
use crate::harness::reply::Reply;
use crate::harness::tool::Workshop;
use crate::harness::write_file;

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// What is sent as `Authorization`, after `Basic `.
const BASIC: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY6";

/// What a terminal obeys, what forges a line of the log, and what turns text around.
const EVIL: &str = "x\r\nERROR forged\u{1b}]0;title\u{7}\u{9b}2J\u{202e}";

fn assert_without_key(place: &str, text: &str) {
    for written in [KEY, BASIC, BASIC.trim_end_matches('6')] {
        assert!(!text.contains(written), "{written} is in {place}:\n{text}");
    }
}

/// Fails unless a text is made of printable lines none of which is forged.
fn assert_harmless(place: &str, text: &str) {
    let is_harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(is_harmful), "{place}:\n{text:?}");
    let forged = text.lines().find(|line| line.trim_start().starts_with("ERROR forged"));
    assert_eq!(forged, None, "{place}:\n{text}");
}

#[test]
fn a_key_that_the_api_repeats_is_shown_nowhere_but_in_the_pages_themselves() {
    let page = format!("<p class=ok>{KEY} {BASIC}</p>");
    let api = Api::start(move |call| {
        let basic = call.authorization.trim_start_matches("Basic ").to_owned();
        assert_eq!(basic, BASIC);
        match call.url().rsplit('/').next() {
            Some("page") => Reply::page(&page),
            _ => Reply::Told(
                422,
                json!({"type": format!("/request/{KEY}"), "title": format!("no {basic}"), "detail": format!("{KEY} sent {basic}")}),
            ),
        }
    });
    let settings =
        format!("[session]\nenabled = false\n[[site]]\nname = \"{KEY}\"\nplugin = \"guest-good\"\ninclude = [\"b.example\"]\n");
    let pool = json!({"url": "https://shop.example/x", "browserHtml": true, "meta": {"zyte_api_session_pool": KEY, "zyte_api_session_enabled": true}});
    let input = format!(
        "{}\n{pool}\n{}\n{{\"{KEY}\"\n",
        json!({"url": "https://shop.example/page", "browserHtml": true}),
        json!({"url": "https://shop.example/bad", "browserHtml": true})
    );
    for (flag, level) in [(true, "trace"), (false, "debug")] {
        let crawl = Crawl::of("-").args(["--api-url", &api.url, "--store-errors", "--annotate", "--intype", "jl", "-L", level]);
        let crawl = crawl.settings(&settings).plugin("guest-good");
        let crawled =
            if flag { crawl.args(["--api-key", KEY]) } else { crawl.file(".env", format!("ZYTE_API_KEY={KEY}\n")) }.run(&input);
        crawled.exits(1);
        assert_without_key("standard error", &crawled.process.stderr);
        assert_without_key("the stats file", &crawled.stats.to_string());
        assert!(crawled.process.stderr.contains("[API key]"), "{}", crawled.process.stderr);
        let (pages, errors): (Vec<&Value>, Vec<&Value>) = crawled.lines.iter().partition(|line| line.get("error").is_none());
        assert_eq!((pages.len(), errors.len()), (1, 3), "{}", crawled.process.stderr);
        assert!(pages[0]["browserHtml"].as_str().unwrap().contains(KEY), "a page stays as it came");
        errors.iter().for_each(|error| assert_without_key("an error line", &error.to_string()));
        assert!(crawled.about(3)["error"]["detail"].as_str().unwrap().contains("[API key] sent"), "{}", crawled.about(3));
    }
}

#[test]
fn what_comes_from_outside_commands_no_terminal_and_forges_no_record() {
    let api = Api::start(|call| match call.url() {
        url if url.contains("/bad") => Reply::Told(422, json!({"type": EVIL, "title": EVIL, "detail": EVIL})),
        _ => Reply::page(EVIL),
    });
    let settings = "[plugins]\ndeadline = 20\n[session]\nretry_times = 1\nmax_bad_inits = 1\n[api]\nretry_wait_scale = 0\n";
    let request = |url: &str, meta: Value| json!({"url": url, "browserHtml": true, "meta": meta}).to_string();
    let input = [
        request("https://shop.example/1", json!({"zyte_api_session_pool": EVIL})),
        request(&format!("https://shop.example/{EVIL}/bad"), json!({})),
        request(&format!("https://{EVIL}/"), json!({"zyte_api_session_enabled": false})),
        request("https://misbehaving.example/check/forge", json!({})),
        request("https://two.misbehaving.example/init-session/forge", json!({})),
        request("https://shop.example/2", json!({EVIL: EVIL, "zyte_api_session_params": EVIL})),
        format!("{{\"{EVIL}"),
    ];
    let input = input.map(|line| line.replace("\r\n", " ")).join("\n") + "\n";
    for level in ["trace", "debug", "info", "error"] {
        let crawl = Crawl::through(&api).settings(settings).plugin("guest-misbehaving");
        let crawled = crawl.args(["-L", level, "--intype", "jl", "--store-errors", "--annotate"]).run(&input);
        assert_harmless(level, &crawled.process.stderr);
        assert!(crawled.process.stderr.contains("ERROR forged"), "the words themselves are told:\n{}", crawled.process.stderr);
        assert!(crawled.process.stderr.contains("\\u001b]0;title") || crawled.process.stderr.contains("\\x1b]0;title"));
    }
}

#[test]
fn reports_and_errors_on_the_terminal_are_harmless_too() {
    let workshop = Workshop::new()
        .guest("guest-misbehaving")
        .file("r.json", json!({"url": "https://misbehaving.example/check/forge"}).to_string());
    let workshop = workshop.file("a.json", json!({"url": "u", "browserHtml": EVIL}).to_string());
    for args in [
        &["plugin", "explain", &format!("https://shop.example/{EVIL}"), "--plugins", "plugins"][..],
        &["plugin", "explain", &format!("https://shop.example/{EVIL}"), "--plugins", "plugins", "--json"],
        &["plugin", "explain", EVIL],
        &[
            "plugin",
            "run",
            "plugins/guest-misbehaving.wasm",
            "check",
            "--request",
            "r.json",
            "--response",
            "a.json",
            "-L",
            "trace",
        ],
        &["plugin", "run", EVIL, "check", "--request", "r.json"],
        &["plugin", "list", EVIL],
        &["plugin", "check", EVIL],
        &["plugin", "build", EVIL],
        &["crawl", EVIL, "--simulate"],
        &["crawl", "-", "--api-url", &format!("https://{EVIL}/"), "--api-key", KEY],
        &["crawl", "-", "--config", EVIL],
        &["crawl", "-", "--intype", &EVIL.replace("\r\n", " ")],
    ] {
        let ended = workshop.run_with(args);
        assert_harmless(&format!("{args:?}"), &format!("{}\n{}", ended.stdout.join("\n"), ended.stderr));
        assert!(ended.stderr.contains("forged") || ended.stdout.concat().contains("forged"), "{args:?}: {ended:?}");
    }
}

#[test]
fn a_command_line_that_is_refused_does_not_repeat_the_key() {
    let dir = tempfile::tempdir().unwrap();
    let flag = format!("--api-key={KEY}");
    for (args, environment) in [
        (&["crawl", "-", KEY][..], Some(KEY)),
        (&["crawl", "-", "--api-key", KEY, "--limit", KEY], None),
        (&["crawl", "-", &flag, KEY], None),
        (&[KEY], Some(KEY)),
    ] {
        let mut refused = command(dir.path());
        refused.args(args).envs(environment.map(|key| ("ZYTE_API_KEY", key)));
        let ended = Running::start(refused).end();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert_without_key("standard error", &ended.stderr);
        ended.says(&["[API key]"]);
    }
}

#[test]
fn a_crawl_ends_although_nobody_reads_its_log() {
    let dir = tempfile::tempdir().unwrap();
    // Far more is logged than a pipe holds.
    let lines: String = (0..2_000).map(|n| format!("https://shop.example/{n}/{}\n", "x".repeat(500))).collect();
    write_file(dir.path(), "urls.txt", lines);
    let mut crawl = command(dir.path());
    crawl.args(["crawl", "urls.txt", "--simulate", "-o", "out.jsonl", "-L", "trace"]);
    assert_eq!(ends_unheard(crawl), Some(0));
    assert_eq!(std::fs::read_to_string(dir.path().join("out.jsonl")).unwrap().lines().count(), 2_000);
}

#[test]
fn what_was_found_and_not_named_is_told_with_its_path() {
    let api = Api::start(|_| Reply::ok());
    let found = |settings: &str| {
        let crawl = Crawl::of("-").settings(settings).file(".env", format!("ZYTE_API_KEY={KEY}\n"));
        let (settings, env) = (crawl.path("carousel.toml"), crawl.path(".env"));
        let crawled = crawl.run("https://shop.example/1\n");
        for path in [settings, env] {
            let told = crawled.process.stderr.lines().filter(|line| line.contains(&path.display().to_string())).count();
            assert!(told >= 1, "{} is not told:\n{}", path.display(), crawled.process.stderr);
        }
        assert_without_key("standard error", &crawled.process.stderr);
        crawled
    };
    let crawled = found(&format!("[api]\nurl = \"{}\"\n", api.url));
    crawled.exits(0);
    assert!(!crawled.process.stderr.contains("the API key goes"), "{}", crawled.process.stderr);

    // Where compiled code is taken from is for the user to say.
    let cache = tempfile::tempdir().unwrap();
    let crawled = found(&format!("[api]\nurl = \"{}\"\n[plugins]\ncache = {:?}\n", api.url, cache.path()));
    assert!(crawled.process.stderr.contains("plugins.cache of "), "{}", crawled.process.stderr);

    // Nor does it give plugins what lies elsewhere.
    let elsewhere = cache.path().join("mine.json");
    std::fs::write(&elsewhere, "{}").unwrap();
    let table = format!("[[site]]\nname = \"a\"\nplugin = \"guest-good\"\ninclude = [\"a.example\"]\nconfig = {elsewhere:?}\n");
    let crawl = Crawl::simulated().settings(&table).plugin("guest-good");
    let crawled = crawl.run("https://shop.example/1\n");
    crawled.exits(2);
    crawled.process.says(&["config of site \"a\"", "mine.json is not below", "--config"]);
    let crawl = Crawl::simulated().settings(&table).plugin("guest-good");
    let named = crawl.path("carousel.toml").display().to_string();
    crawl.args(["--config", &named]).run("https://shop.example/1\n").exits(0);

    // Named is not found: nothing is told.
    let crawl = Crawl::through(&api).settings("");
    let named = crawl.path("carousel.toml").display().to_string();
    let crawled = crawl.args(["--config", &named]).run("https://shop.example/1\n");
    assert!(!crawled.process.stderr.contains(&named), "{}", crawled.process.stderr);
}

#[test]
fn a_settings_file_cannot_send_the_key_unencrypted_and_says_where_else_it_sends_it() {
    let dir = tempfile::tempdir().unwrap();
    // Nobody listens on the discard port of any of these; none of them is this machine by its name.
    let refused = |url: &str, args: &[&str]| {
        write_file(dir.path(), "carousel.toml", format!("[api]\nurl = \"{url}\"\nconnect_timeout = 0.01\n"));
        let mut crawl = command(dir.path());
        crawl.args(["crawl", "-", "--api-key", KEY]).args(args);
        let mut running = Running::start(crawl);
        running.write("https://shop.example/1\n");
        running
    };
    for url in
        ["http://evil.example:9/v1/", "http://0.0.0.0:9/v1/", "http://api.zyte.com:9/v1/", "http://127.0.0.1.evil.example:9/"]
    {
        let ended = refused(url, &[]).end();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        ended.says(&[url, "is not encrypted", "--insecure-api", "carousel.toml"]);
        assert_without_key("standard error", &ended.stderr);
    }
    for (url, args, told) in [
        ("http://0.0.0.0:9/v1/", &["--insecure-api"][..], "the API key goes unencrypted to http://0.0.0.0:9/v1/"),
        ("https://0.0.0.0:9/v1/", &[], "the API key goes to https://0.0.0.0:9/v1/, which is not Zyte's"),
    ] {
        let mut running = refused(url, args);
        running.wait_until_said(told);
        running.signal("-INT");
        running.signal("-INT");
        assert_ne!(running.end().code, Some(0));
    }
}
