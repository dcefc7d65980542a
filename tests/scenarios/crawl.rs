//! Crawls that come to their end: what goes in, what comes out, what is counted.

use serde_json::{Value, json};

use crate::harness::api::{Api, Kind};
use crate::harness::crawl::Crawl;
use crate::harness::gate::gate;
use crate::harness::reply::{BAN, BUSY, EXPIRED, Reply, UNPROCESSABLE};
use crate::plugins::PATIENT;

/// Settings under which failed calls are repeated without pauses.
pub(crate) const NO_PAUSES: &str = "[api]\nretry_wait_scale = 0\n";

fn urls(number: usize) -> String {
    (1..=number).map(|n| format!("https://shop.example/{n}\n")).collect()
}

fn echoes(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["echoData"].as_str().unwrap()).collect()
}

#[test]
fn one_url_in_one_answer_out() {
    let crawled = Crawl::simulated().run("https://shop.example/a\n");
    crawled.exits(0);
    assert_eq!(crawled.lines.len(), 1);
    let line = &crawled.lines[0];
    assert_eq!((&line["url"], &line["echoData"]), (&json!("https://shop.example/a"), &json!("https://shop.example/a")));
    assert!(line["browserHtml"].is_string() && line.get("carousel").is_none(), "{line}");
    crawled.process.says(&["1 answered, 0 failed", "1 opened"]);
}

#[test]
fn what_a_line_is_follows_from_flag_name_and_first_line() {
    let text = "https://shop.example/1\n\n  https://shop.example/2  \n";
    let json_lines = "{\"url\": \"https://shop.example/1\", \"httpResponseBody\": true, \"meta\": {\"zyte_api_session_pool\": \"p\"}}\n\
                      {\"url\": \"https://shop.example/2\", \"httpResponseBody\": true, \"echoData\": {\"mine\": 2}}\n";
    let (page, body) = ("browserHtml", "httpResponseBody");
    for (name, content, args, output) in [
        ("in.txt", text, vec![], page),
        ("in.jl", json_lines, vec![], body),
        ("in.jsonl", json_lines, vec![], body),
        ("in", text, vec![], page),
        ("in", json_lines, vec![], body),
        ("in.dat", json_lines, vec!["--intype", "jl"], body),
        ("in.jl", text, vec!["--intype", "txt"], page),
    ] {
        let api = Api::start(|_| Reply::ok());
        let crawl =
            Crawl::of(name).file(name, content).args(["--api-url", &api.url, "--api-key", "k", "--n-conn", "1"]).args(args);
        crawl.run("").exits(0);
        let bodies: Vec<Value> = api.calls_of(Kind::Use).into_iter().map(|call| call.body).collect();
        assert_eq!(bodies.len(), 2, "{name}");
        for (index, sent) in bodies.iter().enumerate() {
            assert_eq!(
                (&sent["url"], &sent[output]),
                (&json!(format!("https://shop.example/{}", index + 1)), &json!(true)),
                "{name}"
            );
            assert_eq!(sent.get("meta"), None, "keys of ours stay here");
        }
        let echo = if output == body { json!({"mine": 2}) } else { json!("https://shop.example/2") };
        assert_eq!(bodies[1]["echoData"], echo, "{name}");
    }
}

#[test]
fn answers_are_written_as_they_came() {
    let members = json!({"price": 1.50, "statusCode": 404, "name": "Käse \u{1F9C0} \"x\""});
    let api = Api::start(move |_| Reply::Page { html: "<b>".to_owned(), members: members.clone() });
    let crawled = Crawl::through(&api).run("https://shop.example/1\n");
    crawled.exits(0);
    let line = &crawled.lines[0];
    assert_eq!((&line["price"], &line["statusCode"], &line["browserHtml"]), (&json!(1.5), &json!(404), &json!("<b>")));
    assert_eq!(line["name"], "Käse \u{1F9C0} \"x\"");
    let call = &api.calls_of(Kind::Use)[0];
    assert_eq!(call.authorization, "Basic c2NyaXB0ZWQ6", "the key is the user name, with an empty password");
}

#[test]
fn a_limit_ends_the_input_early() {
    for (args, number) in [(vec!["--limit", "2"], 2), (vec!["--limit", "0"], 5), (vec!["--limit", "2", "--shuffle"], 2)] {
        let api = Api::start(|_| Reply::ok());
        let crawled = Crawl::through(&api).args(&args).run(&urls(5));
        crawled.exits(0);
        assert_eq!((crawled.lines.len(), api.calls_of(Kind::Use).len()), (number, number), "{args:?}");
    }
}

#[test]
fn the_same_seed_crawls_in_the_same_order() {
    let order = |seed: &str| {
        let crawled = Crawl::simulated().args(["--shuffle", "--limit", "10", "--n-conn", "1", "--seed", seed]).run(&urls(40));
        echoes(&crawled.lines).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(order("7").len(), 10);
    assert_eq!(order("7"), order("7"));
    assert_ne!(order("7"), order("8"));
}

#[test]
fn the_same_seed_gives_the_same_counters() {
    let lines: String = (1..=300).map(|n| format!("https://s{:03}.market.example/p/{n}\n", 1 + n % 7)).collect();
    let stats = |seed: &str| {
        let mut stats = Crawl::simulated().args(["--n-conn", "1", "--seed", seed]).run(&lines).stats;
        stats["seconds"] = json!(null);
        stats
    };
    assert_eq!(stats("3")["requests"]["total"], 300);
    assert_eq!(stats("3"), stats("3"));
}

#[test]
fn each_answer_is_written_while_the_next_is_awaited() {
    let (mut gate, held) = gate();
    let api = Api::start(move |call| {
        if call.kind == Kind::Use && call.nth == 2 {
            held.pass();
        }
        Reply::ok()
    });
    let (running, dir) = Crawl::through(&api).args(["--n-conn", "1", "--output", "-"]).start(&urls(2));
    gate.wait_for_arrival();
    assert!(running.next_line().contains("https://shop.example/1"));
    gate.open();
    assert!(running.next_line().contains("https://shop.example/2"));
    assert_eq!(running.end().code, Some(0));
    drop(dir);
}

#[test]
fn a_line_is_answered_before_the_next_is_given() {
    let (mut running, dir) = Crawl::simulated().start("");
    for n in 1..=3 {
        let url = format!("https://s{}.shop.example/{n}", n % 2);
        running.write(&format!("{url}\n"));
        assert!(running.next_line().contains(&url));
    }
    assert_eq!(running.end().code, Some(0));
    drop(dir);
}

/// Crawls three pages of each of four sites, the sites in turn, on the one of two places that is left beside a request without an
/// answer; the pages in the order in which they were asked for, and in that of the input.
fn order_of_starts(flags: &[&str], reads_ahead: bool) -> (Vec<String>, Vec<String>) {
    let ((mut stays, held_to_the_end), (mut waits, held)) = (gate(), gate());
    let api = Api::start(move |call| {
        match (call.kind, call.url().contains("held.example")) {
            (Kind::Use, true) => held_to_the_end.pass(),
            (Kind::Use, false) if reads_ahead && call.nth == 2 => held.pass(),
            _ => {}
        }
        Reply::ok()
    });
    let pages: Vec<String> = (1..=12).map(|n| format!("https://shop{}.example/{n}", n % 4)).collect();
    let crawl = Crawl::through(&api).args(["--intype", "jl", "--n-conn", "2"]).args(flags);
    let (mut running, dir) = crawl.start("{\"url\": \"https://held.example/\", \"browserHtml\": true}\n");
    stays.wait_for_arrival();
    let lines: String = pages.iter().map(|url| format!("{{\"url\": \"{url}\", \"browserHtml\": true}}\n")).collect();
    // Whoever complains about the last line has read the others; while the input is open nothing comes to its end.
    running.write(&(lines + "no request\n"));
    if reads_ahead {
        waits.wait_for_arrival();
        running.wait_until_said("line 14");
        waits.open();
    }
    for _ in &pages {
        running.next_line();
    }
    let asked = api.calls_of(Kind::Use).iter().skip(1).map(|call| call.url().to_owned()).collect();
    stays.open();
    assert_eq!(running.end().code, Some(1), "the last line is no request");
    drop(dir);
    (asked, pages)
}

#[test]
fn requests_start_in_the_order_of_the_input_where_that_is_wanted() {
    let (asked, pages) = order_of_starts(&["--ordered"], false);
    assert_eq!(asked, pages);
}

#[test]
fn otherwise_they_start_site_by_site() {
    let (asked, pages) = order_of_starts(&[], true);
    let runs = asked.chunk_by(|one, next| one.split('/').nth(2) == next.split('/').nth(2)).count();
    assert_eq!((asked.len(), runs), (pages.len(), 4), "{asked:?}");
}

#[test]
fn requests_are_under_way_at_once_as_far_as_the_limit_goes() {
    let (mut gate, held) = gate();
    let api = Api::start(move |call| {
        if call.kind == Kind::Use {
            held.pass();
        }
        Reply::ok()
    });
    let (running, dir) = Crawl::through(&api).settings("[session]\nenabled = false\n").args(["--n-conn", "3"]).start(&urls(9));
    for _ in 0..3 {
        gate.wait_for_arrival();
    }
    assert_eq!(api.calls().len(), 3);
    gate.open();
    assert_eq!(running.end().stdout.len(), 9);
    drop(dir);
}

#[test]
fn an_output_file_is_written_instead_of_standard_output() {
    let crawl = Crawl::of("urls.txt").file("urls.txt", urls(3)).args(["--simulate", "--output", "out.jsonl"]);
    let out = crawl.path("out.jsonl");
    let (running, dir) = crawl.start("");
    let ended = running.end();
    assert_eq!((ended.code, ended.stdout.len()), (Some(0), 0), "{}", ended.stderr);
    assert_eq!(std::fs::read_to_string(out).unwrap().lines().count(), 3);
    drop(dir);
}

/// Per case: what the API answers to the page, and of the error line: kind, status and type.
#[test]
fn a_request_that_fails_has_a_line_that_says_why() {
    type Case = (fn() -> Reply, &'static str, Value);
    let cases: [Case; 4] = [
        (|| UNPROCESSABLE, "api", json!([422, "/request/unprocessable"])),
        (|| Reply::Problem(451, "/download/domain-forbidden"), "api", json!([451, "/download/domain-forbidden"])),
        (|| BAN, "api", json!([520, "/download/temporary-error"])),
        (|| Reply::NotJson, "bad-answer", json!([null, null])),
    ];
    for (reply, kind, status_and_type) in cases {
        let api = Api::start(move |call| if call.kind == Kind::Use { reply() } else { Reply::ok() });
        let crawl = Crawl::through(&api).settings(NO_PAUSES).args(["--store-errors"]);
        let crawled = crawl.run("{\"url\": \"https://shop.example/1\", \"browserHtml\": true, \"meta\": {\"mine\": [1]}}\n");
        crawled.exits(1);
        assert_eq!(crawled.lines.len(), 1, "{kind}");
        let line = &crawled.lines[0];
        assert_eq!(line["error"]["kind"], kind, "{line}");
        assert_eq!(json!([line["error"]["status"], line["error"]["type"]]), status_and_type, "{line}");
        let request = json!({
            "url": "https://shop.example/1", "browserHtml": true, "meta": {"mine": [1]}, "echoData": "https://shop.example/1",
        });
        assert_eq!((&line["request"], &line["echoData"]), (&request, &json!("https://shop.example/1")));
        assert_eq!(line["requestId"].is_string(), kind == "api", "{line}");
        crawled.process.says(&["no answer", "https://shop.example/1"]);
        assert_eq!(crawled.stats["requests"]["failed_by_kind"], json!({kind: 1}));
    }
}

#[test]
fn without_store_errors_only_answers_are_written() {
    let api = Api::start(|call| if call.url().ends_with("/2") { UNPROCESSABLE } else { Reply::ok() });
    let crawled = Crawl::through(&api).settings("[session]\nenabled = false\n").args(["--n-conn", "1"]).run(&urls(3));
    crawled.exits(1);
    assert_eq!(echoes(&crawled.lines), ["https://shop.example/1", "https://shop.example/3"]);
}

#[test]
fn annotations_tell_line_pool_session_and_each_attempt() {
    let api = Api::start(|call| if call.kind == Kind::Use && call.nth == 1 { EXPIRED } else { Reply::ok() });
    let crawled =
        Crawl::through(&api).settings(NO_PAUSES).args(["--annotate", "--n-conn", "1"]).run("\nhttps://shop.example/1\n");
    crawled.exits(0);
    let told = &crawled.about(2)["carousel"];
    let sessions: Vec<String> = api.calls_of(Kind::Use).iter().map(|call| call.session().to_owned()).collect();
    assert_eq!(sessions.len(), 2);
    assert_ne!(sessions[0], sessions[1]);
    assert_eq!((&told["pool"], &told["session"]), (&json!("shop.example"), &json!(sessions[1])));
    assert_eq!(told["attempts"].as_array().unwrap().len(), 2);
    assert_eq!((&told["attempts"][0]["session"], &told["attempts"][1]["session"]), (&json!(sessions[0]), &json!(sessions[1])));
    assert_ne!(told["attempts"][0]["outcome"], "ok");
    assert_eq!(told["attempts"][1]["outcome"], "ok");
    assert!(told["fingerprint"].as_str().is_some_and(|text| text.len() >= 32), "{told}");
}

#[test]
fn the_stats_file_counts_what_happened() {
    let api = Api::start(|call| match (call.kind, call.nth) {
        (Kind::Use, 1) => EXPIRED,
        (Kind::Use, 2) => BUSY,
        (Kind::Use, _) if call.url().ends_with("/3") => UNPROCESSABLE,
        _ => Reply::ok(),
    });
    let settings = format!("{NO_PAUSES}[session]\npool_size = 1\ninit = \"always\"\n");
    let crawled = Crawl::through(&api).settings(&settings).args(["--n-conn", "1"]).run(&urls(4));
    let stats = &crawled.exits(1).stats;
    assert_eq!(stats["close_reason"], "finished");
    let requests = &stats["requests"];
    assert_eq!(
        json!([requests["total"], requests["ok"], requests["failed"], requests["not_started"], requests["failed_by_kind"]]),
        json!([4, 3, 1, 0, {"api": 1}]),
        "{requests}"
    );
    assert_eq!(requests["retries"], json!({"count": 1, "max_reached": 0, "reason_count/session_expired": 1}));
    assert_eq!(stats["billed"], json!({"init": 2, "use": 3, "discarded": 0}));
    assert_eq!(stats["pools"]["shop.example"]["billed"], stats["billed"]);
    assert_eq!((&stats["sessions"]["init/check-passed"], &stats["sessions"]["use/expired"]), (&json!(2), &json!(1)));
    assert_eq!(stats["ended"]["expired-upstream"], 1);
    assert_eq!(stats["api"]["429"], 1);
    assert_eq!(stats["api"]["attempts"], json!(api.calls().len()));
    assert_eq!(stats["api"]["error_types"]["/problem/session-expired"], 1);
    assert!(stats["seconds"].is_number());
}

#[test]
fn counters_are_kept_per_pool_where_that_is_wanted() {
    let crawl = Crawl::simulated().settings("[session]\nstats_per_pool = true\n");
    let crawled = crawl.run("https://a.example/\nhttps://b.example/\n");
    let sessions = &crawled.exits(0).stats["sessions"];
    for pool in ["a.example", "b.example"] {
        assert_eq!(sessions[format!("pools/{pool}/use/check-passed")], 1, "{sessions}");
    }
}

#[test]
fn a_line_that_is_no_request_is_named_and_the_others_are_crawled() {
    let line = |n: usize| match n {
        17 => "{\"url\": \"https://shop.example/17\", oops}\n".to_owned(),
        n => format!("{{\"url\": \"https://shop.example/{n}\", \"browserHtml\": true}}\n"),
    };
    let crawl = Crawl::of("in.jsonl").file("in.jsonl", (1..=20).map(line).collect::<String>());
    let crawled = crawl.args(["--simulate", "--store-errors", "--annotate"]).run("");
    crawled.exits(1).process.says(&["line 17 of in.jsonl: not JSON"]);
    assert_eq!(crawled.answers_and_errors(), (19, 1));
    assert_eq!(crawled.about(17)["error"]["kind"], "bad-request");
}

#[test]
fn the_settings_file_of_the_directory_is_read_and_flags_win_over_it() {
    let settings = "profile = \"scrapy-zyte-api\"\n[crawl]\ndedup = true\nconcurrency = 7\n";
    let crawl = Crawl::simulated().settings(settings).args(["--n-conn", "1"]);
    let crawled = crawl.run("https://a.example/\nhttps://a.example/\nhttps://b.example/\n");
    crawled.exits(0).process.says(&["at most 1 requests at once"]);
    assert_eq!(crawled.lines.len(), 2);
    assert!(crawled.lines.iter().all(|line| line.get("echoData").is_none()), "the peer's profile adds none");
    assert_eq!((&crawled.stats["requests"]["duplicates"], &crawled.stats["sessions"]), (&json!(1), &json!({"use/disabled": 2})));
}

#[test]
fn the_key_comes_from_the_flag_the_environment_or_the_nearest_dotenv() {
    let api = Api::start(|_| Reply::ok());
    let crawl = Crawl::of("-").args(["--api-url", &api.url]).file(".env", "ZYTE_API_KEY=from-file\n");
    crawl.run("https://shop.example/1\n").exits(0);
    assert_eq!(api.calls()[0].authorization, "Basic ZnJvbS1maWxlOg==");
}

#[test]
fn the_key_is_never_said() {
    let key = "a-key-that-nobody-may-see";
    let api = Api::start(|call| if call.nth == 1 { BUSY } else { Reply::ok() });
    let crawl = Crawl::of("-").args(["--api-url", &api.url, "--api-key", key, "-L", "TRACE", "--annotate"]);
    let crawled = crawl.settings(NO_PAUSES).run("https://shop.example/1\n");
    crawled.exits(0);
    for text in [&crawled.process.stderr, &crawled.process.stdout.concat(), &crawled.stats.to_string()] {
        assert!(!text.contains(key) && !text.contains("YS1rZXktdGhhdC1ub2JvZHktbWF5LXNlZTo"), "{text}");
    }
}

/// Each answer is larger than all of the memory, and each session takes three of them.
#[test]
fn a_crawl_without_memory_for_one_answer_still_ends_with_all_of_them() {
    let api = Api::start(|_| Reply::page(&"<p class=ok>fine</p>".repeat(10_000)));
    let step = |page: &str| format!("{{ url = \"https://{{host}}/{page}\", params = {{ browserHtml = true }} }}");
    let chain = ["a", "b", "c"].map(step).join(", ");
    let hooks = format!("config = {{ hooks = {{ init_session = {{ chain = [{chain}], return = true }} }} }}\n");
    let site =
        "[[site]]\nname = \"chain\"\nplugin = \"guest-scripted\"\ninclude = [\"c0.example\", \"c1.example\", \"c2.example\"]\n";
    let settings = format!("{PATIENT}[crawl]\nmemory = \"1 KiB\"\n{site}{hooks}");
    let lines: String = (0..60).map(|n| format!("https://c{}.example/{n}\n", n % 6)).collect();
    let crawl = Crawl::through(&api).settings(&settings).plugin("guest-scripted").args(["--n-conn", "30"]);
    let crawled = crawl.run(&lines);
    crawled.exits(0);
    assert_eq!(crawled.answers_and_errors(), (60, 0));
    assert!(api.calls_of(Kind::Init).len() >= 9, "three hosts have chains");
}

/// Each initialisation that fails opens the next one.
#[test]
fn a_debug_log_names_one_initialisation_on_a_line() {
    let api = Api::start(|call| if call.kind == Kind::Init && call.nth <= 6 { BAN } else { Reply::ok() });
    let settings = format!("{NO_PAUSES}[session]\ninit = \"always\"\n");
    let crawled = Crawl::through(&api).settings(&settings).args(["-L", "debug", "--n-conn", "1"]).run(&urls(2));
    let said = &crawled.exits(0).process.stderr;
    assert!(said.contains("init{"), "{said}");
    for line in said.lines() {
        assert!(line.matches("init{").count() <= 1 && line.len() < 1000, "{line}");
        assert!(!(line.contains("init{") && line.contains("opening a session")), "an opening belongs to none: {line}");
    }
}
