//! Compares how pages are decoded with the real w3lib: headers, marks, declarations in markup, the labels that Python knows, and
//! broken bytes. Every difference has a reason that is checked.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

mod cases;
#[path = "../python/mod.rs"]
mod python;
mod reason;

use cases::Case;
use python::Peer;
use reason::{Reason, decoded};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn pages_are_decoded_as_by_w3lib() {
    let Some(peer) = Peer::prepare() else {
        return;
    };
    let cases: Vec<Case> = cases::places().into_iter().chain(cases::bytes()).chain(labels(&peer)).collect();
    let asked: Vec<Value> = cases.iter().map(|case| json!({"header": case.header, "body": hex(&case.body)})).collect();
    let answers = peer.ask("w3lib_decode.py", &Value::Array(asked));
    let mut reasons: BTreeMap<Reason, usize> = BTreeMap::new();
    let mut unexplained = Vec::new();
    for (case, theirs) in cases.iter().zip(answers.as_array().unwrap()) {
        let (ours, theirs) = (decoded(&case.body, case.header.as_deref()), theirs.as_str().unwrap());
        if ours == theirs {
            continue;
        }
        let start = |text: &str| text.chars().take(60).collect::<String>();
        let line = format!("{:?} {:?}", case.header, start(&String::from_utf8_lossy(&case.body)));
        match Reason::find(case, &ours, theirs) {
            Some(reason) => {
                *reasons.entry(reason).or_default() += 1;
                println!("{reason}: {line}");
            }
            None => unexplained.push(format!("{line}\n    here  {:?}\n    there {:?}", start(&ours), start(theirs))),
        }
    }
    for (reason, count) in &reasons {
        println!("{count} times: {reason}");
    }
    let differ = reasons.values().sum::<usize>() + unexplained.len();
    println!("{} pages, {} decoded alike", cases.len(), cases.len() - differ);
    assert!(unexplained.is_empty(), "{} without a reason, such as\n{}", unexplained.len(), unexplained.join("\n"));
    assert!(cases.len() > 1_500, "too few cases to tell");
}

/// A page in each encoding that Python has a label for.
fn labels(peer: &Peer) -> Vec<Case> {
    let labels = peer.ask("w3lib_decode.py", &json!("labels"));
    let case = |entry: &Value| Case {
        header: Some(format!("text/html; charset={}", entry[0].as_str().unwrap())),
        body: unhex(entry[1].as_str().unwrap()),
    };
    labels.as_array().unwrap().iter().map(case).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
