//! Compares the retry policies with the real zyte-api 0.11.0 and scrapy-zyte-api 0.36.0, pause by pause, in virtual time.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

mod python;
#[path = "python/random.rs"]
mod random;

use carousel_core::retry::{Decision, Failure, PolicyName, RetryOptions, RetryState};
use random::Random;
use serde_json::{Value, json};
use std::time::Duration;

const POLICIES: [&str; 6] =
    ["default", "aggressive", "session-default", "session-aggressive", "only-throttling", "custom-download-x3"];
/// 0 stands for a network error.
const STATUSES: [u16; 19] = [0, 429, 503, 520, 521, 500, 502, 504, 599, 402, 400, 401, 403, 404, 413, 421, 422, 451, 499];
const SEQUENCES: usize = 1_500;

/// The failures of one request: a status and how long its attempt took, in quarters of a second.
type Failures = Vec<(u16, u64)>;

#[test]
fn policies_agree_with_zyte_api() {
    let mut random = Random(0x0e77);
    let each_class = STATUSES.iter().map(|status| vec![(*status, 4); 40]);
    let sequences: Vec<Failures> = each_class.chain((0..SEQUENCES).map(|_| failures(&mut random))).collect();
    let mut cases = Vec::new();
    for failures in &sequences {
        for policy in POLICIES {
            cases.extend([0_u8, 1].map(|random| (policy, random, failures)));
        }
    }
    let asked: Vec<Value> = cases.iter().map(|(policy, random, failures)| as_json(policy, *random, failures)).collect();
    let Some(answered) = python::ask("retry_answers.py", &Value::Array(asked)) else {
        return;
    };
    let answers = answered.as_array().unwrap();
    assert_eq!(answers.len(), cases.len());
    for ((policy, random, failures), answer) in cases.iter().zip(answers) {
        assert_eq!(drive(policy, f64::from(*random), failures), *answer, "{policy}, random {random}, {failures:?}");
    }
    let given_up = answers.iter().filter(|answer| answer["end"] == "gave up").count();
    println!("{} runs, {given_up} of them given up", answers.len());
}

/// Runs of failures of few kinds, short and long, so that every way to stop is met.
fn failures(random: &mut Random) -> Failures {
    let kind = |random: &mut Random| {
        let likely = if random.chance(70) { 9 } else { STATUSES.len() };
        STATUSES[random.below(likely)]
    };
    let kinds: Vec<u16> = (0..=random.below(3)).map(|_| kind(random)).collect();
    let longest = if random.chance(20) { 1_600 } else { 80 };
    (0..=random.below(40)).map(|_| (kinds[random.below(kinds.len())], u64::try_from(random.below(longest)).unwrap())).collect()
}

fn as_json(policy: &str, random: u8, failures: &Failures) -> Value {
    let failures: Vec<Value> = failures.iter().map(|(status, quarters)| json!([status, *quarters as f64 / 4.0])).collect();
    json!({"policy": policy, "random": random, "failures": failures})
}

fn drive(policy: &str, random: f64, failures: &Failures) -> Value {
    let mut state = RetryState::new(policy.parse::<PolicyName>().unwrap().policy(), RetryOptions::default());
    let mut now = Duration::ZERO;
    let mut pauses = Vec::new();
    for (status, quarters) in failures {
        now += Duration::from_millis(quarters * 250);
        let failure = if *status == 0 { Failure::Network } else { Failure::Answer { status: *status, problem: None } };
        match state.after(&failure, now, random, None) {
            Decision::Retry { after } => {
                now += after;
                pauses.push(after.as_secs_f64());
            }
            Decision::GiveUp => return json!({"pauses": pauses, "end": "gave up"}),
        }
    }
    json!({"pauses": pauses, "end": "used up"})
}
