//! The official Python client against `carousel simulate`: it works, and it sees the documented errors.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::python;
use crate::harness::simulator::Simulated;

/// What became of queries that a small program sends through the client; nothing where the client cannot be installed.
fn ask(simulator: &Simulated, cases: &[Value]) -> Option<Vec<Value>> {
    let programs = python::programs()?;
    let dir = tempfile::tempdir().unwrap();
    let mut command = python::program(programs, "python", dir.path());
    let mut child = command
        .arg(python::script("errors.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = json!({"api_url": simulator.url, "cases": cases}).to_string();
    child.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn its_command_gets_pages_and_stores_errors() {
    let simulator = Simulated::start(&json!([]));
    let Some(programs) = python::programs() else { return };
    let dir = tempfile::tempdir().unwrap();
    let input = "https://shop.example/a\nhttps://shop.example/b\nhttps://e451.example/\n";
    std::fs::write(dir.path().join("in.txt"), input).unwrap();
    let mut command = python::program(programs, "zyte-api", dir.path());
    command.args(["in.txt", "--api-url", &simulator.url, "--api-key", "any", "--store-errors", "-o", "out.jsonl"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let out = std::fs::read_to_string(dir.path().join("out.jsonl")).unwrap();
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    for url in ["https://shop.example/a", "https://shop.example/b"] {
        let line = lines.iter().find(|line| line["url"] == url).expect("each page has its line");
        assert!(line["browserHtml"].is_string() && line["statusCode"] == 200 && line["echoData"] == url, "{line}");
    }
    // The command writes an error as text that is JSON again.
    let error: Value = lines.iter().find_map(Value::as_str).map(|text| serde_json::from_str(text).unwrap()).expect("an error");
    assert_eq!((&error["status"], &error["type"]), (&json!(451), &json!("/download/domain-forbidden")), "{out}");
}

#[test]
fn it_sees_the_documented_errors_and_asks_again_where_it_should() {
    let simulator = Simulated::start(&json!([
        {"host": "busy.example", "nth": [1, 2], "status": 429, "retry_after": 1},
        {"host": "full.example", "nth": [1], "status": 503},
        {"host": "banned.example", "status": 520},
        {"host": "lucky.example", "nth": [1, 2, 3], "status": 520},
        {"host": "broken.example", "status": 521},
        {"host": "fault.example", "status": 500},
    ]));
    let query = |query: Value| json!({"key": "any", "query": query});
    let page = |host: &str| query(json!({"url": format!("https://{host}/"), "browserHtml": true}));
    let with_key = |key: &str| json!({"key": key, "query": page("shop.example")["query"]});
    // The case, then status and type of the error (null for an answer), then the attempts.
    let cases = [
        (page("shop.example"), json!([null, null]), 1),
        (with_key("unknown"), json!([401, "/auth/key-not-found"]), 1),
        (with_key("suspended"), json!([403, "/auth/account-suspended"]), 1),
        (query(json!({"url": "https://shop.example/", "browserHtml": true, "colour": 1})), json!([400, "/request/invalid"]), 1),
        (query(json!({"url": "https://shop.example/"})), json!([422, "/request/unprocessable"]), 1),
        (page("e422.example"), json!([422, "/request/unprocessable"]), 1),
        (page("e451.example"), json!([451, "/download/domain-forbidden"]), 1),
        (page("busy.example"), json!([null, null]), 3),
        (page("full.example"), json!([null, null]), 2),
        (page("banned.example"), json!([520, "/download/temporary-error"]), 4),
        (page("lucky.example"), json!([null, null]), 4),
        (page("broken.example"), json!([521, "/download/internal-error"]), 2),
        (page("fault.example"), json!([500, "/server/internal"]), 2),
    ];
    let asked: Vec<Value> = cases.iter().map(|(case, ..)| case.clone()).collect();
    let Some(told) = ask(&simulator, &asked) else { return };
    for ((case, error, attempts), told) in cases.iter().zip(&told) {
        assert_eq!(&json!([told["error"]["status"], told["error"]["type"]]), error, "{case}: {told}");
        assert_eq!(told["attempts"], *attempts, "{case}: {told}");
        if told["answer"].is_null() {
            assert!(told["error"]["title"].is_string(), "{case}: {told}");
        } else {
            assert!(told["answer"]["browserHtml"].is_string(), "{case}: {told}");
        }
    }
}

#[test]
fn it_uses_sessions_as_the_api_means_them() {
    let simulator = Simulated::start(&json!([]));
    let id = "6c1bd3c5-3f5c-4c8e-9a52-0d9f4d4c1a11";
    let query = |session: &str| {
        json!({"key": "any", "query": {
            "url": "https://shop.example/", "browserHtml": true, "session": {"id": session},
        }})
    };
    let Some(told) = ask(&simulator, &[query(id), query(id), query("not-an-id")]) else { return };
    assert_eq!((&told[0]["answer"]["session"]["id"], &told[1]["answer"]["session"]["id"]), (&json!(id), &json!(id)));
    assert_eq!(told[2]["error"]["status"], 400, "{}", told[2]);
}
