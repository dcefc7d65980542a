//! The life of sessions in virtual time, as scripts.

use std::time::Duration;

use super::{Entry, Sessions};
use crate::ask::Mode;
use crate::chance::Chance;
use crate::options::SessionRules;

struct Clock {
    sessions: Sessions,
    chance: Chance,
}

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

impl Clock {
    fn new(rules: SessionRules) -> Self {
        Self { sessions: Sessions::new(rules), chance: Chance::new(1) }
    }

    fn enter(&mut self, id: u128, mode: Mode, seconds: f64) -> Result<Entry, String> {
        self.sessions.advance(at(seconds), &mut self.chance);
        self.sessions
            .enter(id, mode, None, at(seconds), &mut self.chance)
            .map_err(|problem| format!("{} {}", problem.status, problem.kind))
    }

    fn ban(&mut self, id: u128, seconds: f64) {
        self.sessions.banned(id, at(seconds), &mut self.chance);
    }
}

const EXPIRED: &str = "422 /problem/session-expired";

fn check(rules: SessionRules, script: &[(f64, Result<Entry, &str>)]) -> Clock {
    let mut clock = Clock::new(rules);
    for (seconds, expected) in script {
        let outcome = clock.enter(1, Mode::Http, *seconds);
        assert_eq!(outcome, expected.map_err(str::to_owned), "at {seconds} s");
    }
    clock
}

#[test]
fn a_session_ends_120_seconds_after_its_last_use() {
    let clock = check(
        SessionRules::default(),
        &[(0.0, Ok(Entry::First)), (119.9, Ok(Entry::Later)), (239.8, Ok(Entry::Later)), (359.8, Err(EXPIRED))],
    );
    assert_eq!(clock.sessions.counts.report(0)["ended"]["idle"], 1);
}

#[test]
fn a_session_ends_900_seconds_after_its_creation() {
    let mut script: Vec<_> = (1..9).map(|n| (f64::from(n) * 100.0, Ok(Entry::Later))).collect();
    script.insert(0, (0.0, Ok(Entry::First)));
    script.push((899.9, Ok(Entry::Later)));
    script.push((900.0, Err(EXPIRED)));
    let clock = check(SessionRules::default(), &script);
    assert_eq!(clock.sessions.counts.report(0)["ended"]["age"], 1);
}

#[test]
fn three_bans_in_a_row_end_a_session() {
    let mut clock = Clock::new(SessionRules::default());
    assert_eq!(clock.enter(1, Mode::Http, 0.0), Ok(Entry::First));
    clock.ban(1, 0.0);
    clock.ban(1, 1.0);
    clock.sessions.session_mut(1).unwrap().bans_in_a_row = 0;
    clock.ban(1, 2.0);
    clock.ban(1, 3.0);
    assert_eq!(clock.enter(1, Mode::Http, 4.0), Ok(Entry::Later));
    clock.ban(1, 4.0);
    assert_eq!(clock.enter(1, Mode::Http, 5.0), Err(EXPIRED.to_owned()));
    assert_eq!(clock.sessions.counts.report(0)["ended"]["bans"], 1);
    assert_eq!(clock.sessions.active(), 0);
}

#[test]
fn an_expired_id_is_refused_for_300_to_600_seconds_and_then_means_a_new_session() {
    let clock = check(
        SessionRules::default(),
        &[(0.0, Ok(Entry::First)), (120.0, Err(EXPIRED)), (419.9, Err(EXPIRED)), (720.1, Ok(Entry::First))],
    );
    assert_eq!(clock.sessions.counts.reborn, 1);
    assert_eq!(clock.sessions.counts.refused_expired, 2);
}

#[test]
fn a_reborn_session_has_an_empty_jar() {
    let mut clock = Clock::new(SessionRules::default());
    clock.enter(1, Mode::Http, 0.0).unwrap();
    let jar = &mut clock.sessions.session_mut(1).unwrap().jar;
    jar.put(crate::cookies::Cookie::set_by("a.example", "zip", "1"));
    clock.enter(1, Mode::Http, 1_000.0).unwrap();
    assert_eq!(clock.sessions.session_mut(1).unwrap().jar.iter().count(), 0);
}

#[test]
fn active_sessions_can_be_limited() {
    let mut clock = Clock::new(SessionRules { max_active: Some(2), ..SessionRules::default() });
    clock.enter(1, Mode::Http, 0.0).unwrap();
    clock.enter(2, Mode::Http, 60.0).unwrap();
    assert_eq!(clock.enter(3, Mode::Http, 119.0), Err("422 /problem/over-session-limit".to_owned()));
    assert_eq!(clock.enter(3, Mode::Http, 120.0), Ok(Entry::First));
    assert_eq!(clock.sessions.counts.over_limit, 1);
}

#[test]
fn creation_can_fail() {
    let mut clock = Clock::new(SessionRules { creation_fault_share: 1.0, ..SessionRules::default() });
    assert_eq!(clock.enter(1, Mode::Http, 0.0), Err("503 /problem/session-creation-error".to_owned()));
    assert_eq!(clock.sessions.active(), 0);
}

#[test]
fn a_session_born_by_http_may_refuse_the_browser() {
    for (strict, expected) in [(true, Err(EXPIRED.to_owned())), (false, Ok(Entry::Later))] {
        let mut clock = Clock::new(SessionRules { http_born_strict: strict, ..SessionRules::default() });
        clock.enter(1, Mode::Http, 0.0).unwrap();
        clock.enter(2, Mode::Browser, 0.0).unwrap();
        assert_eq!(clock.enter(1, Mode::Browser, 1.0), expected);
        assert_eq!(clock.enter(2, Mode::Http, 1.0), Ok(Entry::Later));
        assert_eq!(clock.enter(2, Mode::Browser, 1.0), Ok(Entry::Later));
    }
}

#[test]
fn memory_does_not_grow_with_the_sessions_ever_seen() {
    let mut clock = Clock::new(SessionRules::default());
    for id in 0..100_000_u128 {
        clock.enter(id, Mode::Http, id as f64).unwrap();
    }
    assert!(clock.sessions.known.len() <= 720, "{}", clock.sessions.known.len());
    assert_eq!(clock.sessions.due.len(), clock.sessions.known.len());
    assert_eq!(clock.sessions.gone.len(), super::REMEMBERED_IDS);
}
