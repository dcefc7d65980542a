//! `carousel simulate` against the description that it gives of itself, and its flags in a crawl.

use serde_json::{Value, json};

use crate::harness::crawl::Crawl;
use crate::harness::process::{Running, command};
use crate::harness::python;
use crate::harness::simulator::Simulated;

/// Requests that are made up from the OpenAPI document, right ones and wrong ones: none is answered against it.
#[test]
fn no_request_contradicts_the_openapi_document() {
    let Some(programs) = python::programs_of("schemathesis", "schemathesis==4.32.5") else { return };
    let simulator = Simulated::start_with(&["--api-key", "right-key"]);
    let base = simulator.url.strip_suffix("/v1/").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut command = python::program(&programs, "schemathesis", dir.path());
    command.arg("--config-file").arg(python::script("schemathesis.toml"));
    command.args(["run", &format!("{base}/simulator/openapi.yaml"), "--url", base, "--auth", "right-key:", "--no-color"]);
    command.args(["--max-examples", "30", "--seed", "1", "--generation-database", "none", "--continue-on-failure"]);
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("No issues found"), "{told}");
    let report = simulator.report();
    let billed = &report["billed"];
    // The examples of the document are all answered with pages.
    assert_eq!(billed["extractions"].as_object().unwrap().len(), 11, "{billed}");
    for mode in ["browser", "http", "own-html", "search"] {
        assert!(billed["modes"][mode].as_u64() > Some(1), "{mode}: {billed}");
    }
    assert!(billed["session_parts"]["managed"].as_u64() > Some(0), "{billed}");
    let statuses = &report["requests"]["statuses"];
    for status in ["400", "401", "405"] {
        assert!(statuses[status].as_u64() > Some(1), "{status}: {statuses}");
    }
}

#[test]
fn a_crawl_meets_the_simulator_that_its_flags_ask_for() {
    let session = json!({"id": "3f0c6a1e-7d1b-4b52-9a53-0f6f5b0c9e11"});
    let other = json!({"id": "4f0c6a1e-7d1b-4b52-9a53-0f6f5b0c9e11"});
    let http = json!({"url": "https://shop.example/", "httpResponseBody": true, "session": session});
    let browser = json!({"url": "https://shop.example/a", "browserHtml": true, "session": session});
    let elsewhere = json!({"url": "https://shop.example/b", "httpResponseBody": true, "session": other});
    let context =
        json!({"url": "https://shop.example/c", "httpResponseBody": true, "sessionContext": [{"name": "a", "value": "b"}]});
    // Flags, requests one after the other, and the types of errors among their results.
    for (flags, requests, expected) in [
        (&["--latency", "none"][..], [&http, &browser], json!([null, null])),
        (&["--http-born-strict"], [&http, &browser], json!([null, "/problem/session-expired"])),
        (&["--max-active", "1"], [&http, &elsewhere], json!([null, "/problem/over-session-limit"])),
        (&["--ban", "shop.example=1"], [&http, &browser], json!([null, "/download/temporary-error"])),
        (&["--ban", "shop.example=1", "--managed-age", "0.000001"], [&context, &context], json!([null, null])),
        (&["--ban", "shop.example=1", "--managed-bans", "2"], [&context, &context], json!([null, "/download/temporary-error"])),
        (&["--faults", "faults.json"], [&http, &browser], json!([null, "/extractor/over-global-limit"])),
    ] {
        let faults = r#"{"faults": [{"mode": "browser", "status": 521, "type": "/extractor/over-global-limit"}]}"#;
        let crawl = Crawl::simulated().file("faults.json", faults).settings("[crawl]\ndedup = false\n");
        let crawl = crawl.args(["--n-conn", "1", "--ordered", "--store-errors", "--dont-retry-errors", "--annotate"]).args(flags);
        let crawled = crawl.run(&requests.map(|request| format!("{request}\n")).concat());
        let types: Vec<&Value> = (1..=2).map(|line| &crawled.about(line)["error"]["type"]).collect();
        assert_eq!(json!(types), expected, "{flags:?}: {}", crawled.process.stderr);
        crawled.process.says(&["the simulator saw 2 requests"]);
    }
}

#[test]
fn a_key_of_a_crawl_is_looked_at_by_its_simulator() {
    for (key, code) in [("right", 0), ("unknown-key", 3), ("suspended-key", 3)] {
        Crawl::simulated().args(["--api-key", key]).run("https://shop.example/a\n").exits(code);
    }
}

#[test]
fn a_simulator_may_know_one_key_only() {
    let simulator = Simulated::start_with(&["--api-key", "right-key"]);
    for (key, code) in [("right-key", 0), ("wrong-key", 3)] {
        Crawl::of("-").args(["--api-url", &simulator.url, "--api-key", key]).run("https://shop.example/a\n").exits(code);
    }
}

#[test]
fn pages_come_back_with_the_job_that_the_crawl_is_part_of() {
    for (key, told, expected) in [("1/2/3", "", json!("1/2/3")), ("", "SHUB_JOBKEY is not sent as jobId", Value::Null)] {
        let crawled = Crawl::simulated().env("SHUB_JOBKEY", key).run("https://shop.example/a\n");
        crawled.exits(0).process.says(&[told]);
        assert_eq!(crawled.lines[0]["jobId"], expected, "{key:?}");
    }
}

#[test]
fn a_faults_file_is_not_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("faults.json");
    for flag in ["--output", "--leftovers", "--stats"] {
        std::fs::write(&file, r#"{"status": 520}"#).unwrap();
        std::fs::write(dir.path().join("urls.txt"), "https://shop.example/a\n").unwrap();
        let mut crawl = command(dir.path());
        crawl.args(["crawl", "urls.txt", "--simulate", "--faults", "faults.json", flag, "faults.json"]);
        let ended = Running::start(crawl).end();
        assert_eq!(ended.code, Some(2), "{flag}: {}", ended.stderr);
        ended.says(&["faults.json", "is the faults file"]);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), r#"{"status": 520}"#, "{flag}");
    }
}
