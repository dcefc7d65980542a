//! The command as people and programs use it: arguments, files, pipes, signals and exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a failing test may panic")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

/// The command in an empty directory, without settings and keys of the person who runs the tests.
fn carousel(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carousel"));
    command.args(args).current_dir(dir);
    for variable in ["ZYTE_API_KEY", "CAROUSEL_CONFIG", "CAROUSEL_PLUGINS", "CAROUSEL_API_URL"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(dir: &Path, args: &[&str], stdin: &str) -> Output {
    let mut child = carousel(dir, args).spawn().unwrap();
    // A command that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stats(dir: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(dir.join("stats.json")).unwrap()).unwrap()
}

fn send_signal(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn one_url_in_one_answer_out() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["crawl", "-", "--simulate"], "https://shop.example/a\n");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let lines = lines(&output);
    assert_eq!((lines.len(), &lines[0]["url"]), (1, &json!("https://shop.example/a")));
    assert_eq!(lines[0]["echoData"], "https://shop.example/a");
    assert!(lines[0]["browserHtml"].is_string());
    assert!(stderr(&output).contains("1 answered, 0 failed"), "{}", stderr(&output));
}

#[test]
fn failures_have_lines_of_their_own_and_exit_code_one() {
    let dir = tempfile::tempdir().unwrap();
    let input = "{\"url\": \"https://shop.example/a\", \"httpResponseBody\": true}\n\n{oops\n\
                 {\"url\": \"https://e451.example/\", \"httpResponseBody\": true, \"meta\": {\"zyte_api_session_enabled\": false}}\n";
    let args = ["crawl", "-", "--simulate", "--store-errors", "--annotate", "--stats", "stats.json", "--n-conn", "1"];
    let output = run(dir.path(), &args, input);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let lines = lines(&output);
    let numbers: Vec<_> = lines.iter().map(|line| line["carousel"]["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 3, 4]);
    assert_eq!(lines[0]["carousel"]["attempts"][0]["outcome"], "ok");
    assert!(lines[0]["carousel"]["fingerprint"].is_string());
    assert_eq!(lines[1]["error"]["kind"], "bad-request");
    assert_eq!(
        (&lines[2]["error"]["kind"], &lines[2]["error"]["status"], &lines[2]["error"]["type"]),
        (&json!("api"), &json!(451), &json!("/download/domain-forbidden"))
    );
    assert!(lines[2]["requestId"].is_string());
    assert_eq!(lines[2]["request"]["meta"], json!({"zyte_api_session_enabled": false}));
    assert!(stderr(&output).contains("line 3 of standard input: not JSON"), "{}", stderr(&output));
    let stats = stats(dir.path());
    assert_eq!(stats["close_reason"], "finished");
    assert_eq!(
        (&stats["requests"]["total"], &stats["requests"]["ok"], &stats["requests"]["failed"]),
        (&json!(3), &json!(1), &json!(2))
    );
    assert_eq!(stats["sessions"], json!({"init/check-passed": 1, "use/check-passed": 1, "use/disabled": 1}));
}

#[test]
fn what_keeps_a_crawl_from_starting_is_told_with_exit_code_two() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("bad.toml"), "[session]\npol_size = 3\n").unwrap();
    std::fs::write(dir.path().join("checker.toml"), "[session]\nchecker = \"nobody\"\n").unwrap();
    std::fs::write(dir.path().join("policy.toml"), "[api]\nretry_policy = \"sometimes\"\n").unwrap();
    std::fs::create_dir(dir.path().join("plugins")).unwrap();
    std::fs::write(dir.path().join("plugins/text.wasm"), "not a plugin").unwrap();
    for (args, part) in [
        (&["crawl", "no-such-file", "--simulate"][..], "cannot read the input file no-such-file"),
        (&["crawl", "-", "--simulate"], "no requests in standard input: is it empty?"),
        (&["crawl", "-"], "no API key: give --api-key KEY, set the variable ZYTE_API_KEY"),
        (&["crawl", "-", "--simulate", "--config", "bad.toml"], "bad.toml: line 2: unknown key \"session.pol_size\""),
        (&["crawl", "-", "--simulate", "--config", "checker.toml"], "session.checker"),
        (&["crawl", "-", "--simulate", "--config", "policy.toml"], "api.retry_policy"),
        (&["crawl", "-", "--simulate", "--plugins", "nowhere"], "the plugin directory nowhere does not exist"),
        (&["crawl", "-", "--simulate", "--plugins", "plugins"], "text.wasm"),
        (&["crawl", "-", "--simulate", "--output", "no/such/dir/out"], "cannot write the output file"),
        (&["crawl", "-", "--api-url", "ftp://x/", "--api-key", "k"], "must start with http"),
        (&["crawl", "-", "--frob"], "--frob"),
    ] {
        let output = run(dir.path(), args, "");
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(part), "{args:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn the_settings_file_of_the_directory_is_read_and_flags_win_over_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("carousel.toml"), "profile = \"scrapy-zyte-api\"\n[crawl]\ndedup = true\n").unwrap();
    std::fs::write(dir.path().join("urls.txt"), "https://a.example/\nhttps://a.example/\nhttps://b.example/\n").unwrap();
    let args = ["crawl", "urls.txt", "--simulate", "-o", "out.jsonl", "--stats", "stats.json", "--n-conn", "1"];
    let output = run(dir.path(), &args, "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(output.stdout.is_empty());
    let out = std::fs::read_to_string(dir.path().join("out.jsonl")).unwrap();
    assert_eq!(out.lines().count(), 2);
    assert!(!out.contains("echoData"), "the peer's profile adds none: {out}");
    let stats = stats(dir.path());
    assert_eq!((&stats["requests"]["duplicates"], &stats["sessions"]), (&json!(1), &json!({"use/disabled": 2})));
}

#[test]
fn a_bad_key_closes_the_crawl_with_exit_code_three() {
    let dir = tempfile::tempdir().unwrap();
    let mut simulator = carousel(dir.path(), &["simulate", "--port", "0"]).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(simulator.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
    let urls: String = (0..50).map(|n| format!("https://shop.example/{n}\n")).collect();
    std::fs::write(dir.path().join("urls.txt"), urls).unwrap();
    let args = ["crawl", "urls.txt", "--api-url", url.trim(), "--stats", "stats.json", "--n-conn", "1"];
    let output = carousel(dir.path(), &args).env("ZYTE_API_KEY", "unknown-key").output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("closed early: zyte_api_bad_key"), "{}", stderr(&output));
    let stats = stats(dir.path());
    assert_eq!(stats["close_reason"], "zyte_api_bad_key");
    let requests = &stats["requests"];
    assert_eq!(requests["total"].as_u64().unwrap() + requests["not_started"].as_u64().unwrap(), 50);

    let output = carousel(dir.path(), &args).env("ZYTE_API_KEY", "any-other-key").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(lines(&output).len(), 50);

    send_signal(&simulator, "-INT");
    assert_eq!(simulator.wait().unwrap().code(), Some(0));
    let mut meters = String::new();
    simulator.stderr.unwrap().read_to_string(&mut meters).unwrap();
    assert!(meters.contains("the simulator saw"), "{meters}");
}

#[test]
fn answers_come_while_the_input_is_still_open_and_a_signal_ends_it() {
    for signal in ["-INT", "-TERM"] {
        let dir = tempfile::tempdir().unwrap();
        let mut child = carousel(dir.path(), &["crawl", "-", "--simulate", "--stats", "stats.json"]).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        for path in ["a", "b"] {
            writeln!(stdin, "https://shop.example/{path}").unwrap();
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            assert!(line.contains(&format!("https://shop.example/{path}")));
        }
        send_signal(&child, signal);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let stats = stats(dir.path());
        assert_eq!((&stats["close_reason"], &stats["requests"]["ok"]), (&json!("interrupted"), &json!(2)));
        drop(stdin);
    }
}

#[test]
fn a_reader_that_goes_away_stops_the_crawl() {
    let dir = tempfile::tempdir().unwrap();
    let urls: String = (0..5000).map(|n| format!("https://shop.example/{n}\n")).collect();
    std::fs::write(dir.path().join("urls.txt"), urls).unwrap();
    let mut child = carousel(dir.path(), &["crawl", "urls.txt", "--simulate", "--stats", "stats.json"]).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let stats = stats(dir.path());
    assert_eq!(stats["close_reason"], "output_error");
    assert!(stats["requests"]["not_started"].as_u64().unwrap() > 4000, "{stats}");
}

#[cfg(target_os = "linux")]
#[test]
fn ten_thousand_lines_need_no_more_memory_than_a_hundred() {
    let (few, many) = (peak_kib(100), peak_kib(10_000));
    assert!(many < few + 8 * 1024, "{few} KiB for 100 lines, {many} KiB for 10,000");
}

/// Crawls so many lines and asks the system for the peak of memory while the input is still open.
#[cfg(target_os = "linux")]
fn peak_kib(lines: usize) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let mut child = carousel(dir.path(), &["crawl", "-", "--simulate"]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        for n in 0..lines {
            writeln!(stdin, "https://s{}.plain.example/p/{n}", n % 20).unwrap();
        }
        stdin
    });
    let stdout = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(stdout.lines().take(lines).map_while(Result::ok).count(), lines);
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    drop(writer.join().unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let peak = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    peak.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn the_same_seed_crawls_in_the_same_order() {
    let dir = tempfile::tempdir().unwrap();
    let urls: String = (0..40).map(|n| format!("https://s{n}.example/\n")).collect();
    let run_with = |seed: &str| {
        let args = ["crawl", "-", "--simulate", "--shuffle", "--limit", "10", "--n-conn", "1", "--seed", seed];
        let output = run(dir.path(), &args, &urls);
        lines(&output).iter().map(|line| line["echoData"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(run_with("7").len(), 10);
    assert_eq!(run_with("7"), run_with("7"));
    assert_ne!(run_with("7"), run_with("8"));
}

#[test]
fn a_new_plugin_is_a_project_and_its_name_is_checked() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["plugin", "new", "my-shop"], "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for file in ["Cargo.toml", "src/lib.rs", "README.md"] {
        assert!(dir.path().join("my-shop").join(file).is_file(), "{file}");
    }
    let output = run(dir.path(), &["plugin", "new", "My Shop"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("cannot name a plugin"), "{}", stderr(&output));
}
