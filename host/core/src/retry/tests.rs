#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
use super::*;
use std::time::Duration;

const NETWORK: u16 = 0;

fn failure(status: u16) -> Failure<'static> {
    if status == NETWORK { Failure::Network } else { Failure::Answer { status, problem: None } }
}

/// Drives a policy through failures, the last one for ever, and counts the attempts; 50 stands for no end.
fn attempts(name: &str, failures: &[u16]) -> u32 {
    let mut state = RetryState::new(name.parse::<PolicyName>().unwrap().policy(), RetryOptions::default());
    for number in 0..50 {
        let status = failures.get(number).or(failures.last()).unwrap();
        if state.after(&failure(*status), Duration::ZERO, 0.5, None) == Decision::GiveUp {
            return state.attempts();
        }
    }
    50
}

#[test]
fn each_policy_gives_up_at_its_own_count() {
    let cases: [(&[u16], [u32; 6]); 13] = [
        // default, aggressive, session-default, session-aggressive, only-throttling, custom-download-x3
        (&[429], [50, 50, 50, 50, 50, 50]),
        (&[503], [50, 50, 50, 50, 50, 50]),
        (&[520], [4, 8, 1, 1, 1, 3]),
        (&[521], [2, 4, 1, 1, 1, 3]),
        (&[520, 521], [3, 5, 1, 1, 1, 3]),
        (&[521, 520], [4, 8, 1, 1, 1, 3]),
        (&[429, 429, 429, 520], [7, 11, 4, 4, 4, 6]),
        (&[500], [2, 4, 2, 4, 1, 2]),
        (&[500, 429, 500], [3, 5, 3, 5, 1, 3]),
        (&[599], [2, 4, 2, 4, 1, 2]),
        (&[402], [2, 2, 2, 2, 1, 2]),
        (&[422], [1, 1, 1, 1, 1, 1]),
        (&[499], [1, 1, 1, 1, 1, 1]),
    ];
    let names = ["default", "aggressive", "session-default", "session-aggressive", "only-throttling", "custom-download-x3"];
    for (failures, expected) in cases {
        assert_eq!(names.map(|name| attempts(name, failures)), expected, "{failures:?}");
    }
}

#[test]
fn network_errors_end_after_a_quarter_of_an_hour_without_another_error() {
    let check = |failures: &[(u16, u64)], ends: bool| {
        let mut state = RetryState::new(Policy::DEFAULT, RetryOptions::default());
        let decisions: Vec<_> =
            failures.iter().map(|(status, at)| state.after(&failure(*status), Duration::from_millis(*at), 0.0, None)).collect();
        let (last, others) = decisions.split_last().unwrap();
        assert!(!others.contains(&Decision::GiveUp), "{failures:?}");
        assert_eq!(*last == Decision::GiveUp, ends, "{failures:?}");
    };
    check(&[(NETWORK, 0), (NETWORK, 600_000), (NETWORK, 899_900), (NETWORK, 900_000)], true);
    check(&[(NETWORK, 0), (NETWORK, 899_999)], false);
    check(&[(NETWORK, 5_000_000)], false);
    check(&[(NETWORK, 0), (429, 600_000), (NETWORK, 900_000), (NETWORK, 1_799_999)], false);
    check(&[(NETWORK, 0), (429, 600_000), (NETWORK, 900_000), (NETWORK, 1_800_000)], true);
}

#[test]
fn a_problem_of_the_session_is_never_repeated_whatever_its_status() {
    for problem in ["/problem/session-expired", "/problem/over-session-limit", "/problem/session-creation-error"] {
        for status in [422, 429, 500, 503, 520] {
            let mut state = RetryState::new(Policy::AGGRESSIVE, RetryOptions::default());
            let failure = Failure::Answer { status, problem: Some(problem) };
            assert_eq!(state.after(&failure, Duration::ZERO, 0.0, None), Decision::GiveUp, "{status} {problem}");
        }
    }
    let busy = Failure::Answer { status: 503, problem: Some("/limits/over-global-limit") };
    assert_eq!(busy.class(), ErrorClass::Throttling);
}

fn pause(options: RetryOptions, status: u16, random: f64, retry_after: Option<u64>) -> Duration {
    let mut state = RetryState::new(Policy::DEFAULT, options);
    match state.after(&failure(status), Duration::ZERO, random, retry_after.map(Duration::from_secs)) {
        Decision::Retry { after } => after,
        Decision::GiveUp => panic!("{status} is repeated at first"),
    }
}

#[test]
fn retry_after_prolongs_a_pause_but_never_shortens_it() {
    let honour = RetryOptions::default();
    let ignore = RetryOptions { honour_retry_after: false, ..honour };
    let instant = RetryOptions { wait_scale: 0.0, ..honour };
    let half = RetryOptions { wait_scale: 0.5, ..honour };
    let cases = [
        (honour, 429, 0.0, None, 20),
        (honour, 429, 0.0, Some(5), 20),
        (honour, 429, 0.0, Some(90), 90),
        (honour, 520, 0.0, Some(90), 90),
        (honour, 429, 0.0, Some(1_000_000), 3_600),
        (ignore, 429, 0.0, Some(90), 20),
        (instant, 429, 1.0, Some(90), 0),
        (half, 429, 1.0, Some(90), 45),
        (half, 429, 1.0, None, 20),
        (RetryOptions { wait_scale: f64::NAN, ..honour }, 429, 1.0, None, 0),
        (RetryOptions { wait_scale: f64::INFINITY, ..honour }, 429, 1.0, None, 40),
        (honour, 429, f64::NAN, None, 20),
        (honour, 429, 7.0, None, 40),
    ];
    for (options, status, random, retry_after, seconds) in cases {
        let got = pause(options, status, random, retry_after);
        assert_eq!(got, Duration::from_secs(seconds), "{options:?} {status} {random} {retry_after:?}");
    }
}

#[test]
fn pauses_grow_with_all_attempts_up_to_a_limit() {
    let backoff = [8, 9, 11, 15, 23, 39, 62, 62];
    let throttling =
        [(20, 40), (20, 40), (30, 34), (30, 38), (30, 46), (30, 62), (30, 94), (30, 158), (30, 286), (30, 542), (30, 630)];
    for (attempt, longest) in (1..).zip(backoff) {
        assert_eq!(Wait::BACKOFF.after(attempt), Span::seconds(3, longest), "{attempt}");
    }
    for (attempt, (shortest, longest)) in (1..).zip(throttling) {
        assert_eq!(Wait::THROTTLING.after(attempt), Span::seconds(shortest, longest), "{attempt}");
    }
    for attempt in [12, 63, 64, 65, u32::MAX] {
        assert_eq!(Wait::THROTTLING.after(attempt), Span::seconds(30, 630), "{attempt}");
        assert_eq!(Wait::NONE.after(attempt), Span::seconds(0, 0), "{attempt}");
    }
}

#[test]
fn names_are_read_and_written_alike() {
    for name in ["default", "aggressive", "session-default", "session-aggressive", "only-throttling", "custom-download-x3"] {
        assert_eq!(name.parse::<PolicyName>().unwrap().to_string(), name);
    }
    for name in ["", "Default", "custom-download-x0", "custom-download-x", "custom-download-x-1"] {
        let message = name.parse::<PolicyName>().unwrap_err().to_string();
        assert!(message.contains(&format!("\"{name}\"")) && message.contains("session-aggressive"), "{message}");
    }
    assert_eq!("zyte_api.aggressive_retrying".parse::<PolicyName>().unwrap().for_sessions(), PolicyName::SessionAggressive);
    assert_eq!(PolicyName::Default.for_sessions(), PolicyName::SessionDefault);
    assert_eq!(PolicyName::OnlyThrottling.for_sessions(), PolicyName::OnlyThrottling);
}
