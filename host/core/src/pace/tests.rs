//! Who waits while the API is busy, told as short scripts.

use super::*;
use crate::exchange::Problem;

const PICK: Pick = Pick { random: 0.5, scale: 1.0 };

fn at(seconds: u64) -> Instant {
    Instant::after_start(Duration::from_secs(seconds))
}

fn site(name: &str) -> Scope {
    Scope::Site(name.into())
}

fn admitted(pace: &mut Pace) -> Vec<u64> {
    (0..).map_while(|_| pace.poll_admitted()).map(|ticket| ticket.to_string()[1..].parse().unwrap()).collect()
}

fn ask(pace: &mut Pace, tickets: std::ops::Range<u64>, on: &str, now: u64) -> Vec<u64> {
    for n in tickets {
        pace.handle_request(Ticket::new(n), site(on), at(now));
    }
    admitted(pace)
}

#[test]
fn what_a_problem_slows() {
    for (status, kind, scope) in [
        (429, "/limits/over-domain-limit", Some(site("shop.example"))),
        (429, "/limits/over-org-domain-limit", Some(site("shop.example"))),
        (429, "/limits/over-user-limit", Some(Scope::Everything)),
        (503, "/limits/over-global-limit", Some(Scope::Everything)),
        (503, "/extractor/over-global-limit", Some(Scope::Everything)),
        (429, "about:blank", Some(Scope::Everything)),
        (503, "about:blank", Some(Scope::Everything)),
        (503, "/problem/session-creation-error", None),
        (422, "/problem/over-session-limit", None),
        (520, "/download/temporary-error", None),
    ] {
        let problem = Problem { status, kind: kind.to_owned(), ..Problem::default() };
        assert_eq!(Scope::slowed_by(&problem, "https://www.shop.example/a"), scope, "{status} {kind}");
    }
}

#[test]
fn a_site_is_a_registered_domain() {
    for (url, domain) in [
        ("https://blog.shop.co.uk/a", "shop.co.uk"),
        ("https://WWW.Shop.example:8443/a", "shop.example"),
        ("http://localhost:8000/", "localhost"),
        ("http://127.0.0.1:8000/", "127.0.0.1"),
    ] {
        assert_eq!(Scope::site(url), site(domain), "{url}");
    }
}

#[test]
fn nobody_waits_while_nothing_is_slowed_and_nothing_is_remembered_afterwards() {
    let mut pace = Pace::default();
    assert_eq!(ask(&mut pace, 0..3, "a", 0), [0, 1, 2]);
    for n in 0..3 {
        pace.handle_done(Ticket::new(n), at(1));
    }
    assert!(pace.is_empty() && pace.poll_timeout().is_none());
}

#[test]
fn a_slowed_site_waits_and_others_go_on() {
    let mut pace = Pace::default();
    ask(&mut pace, 0..4, "a", 0);
    (0..2).for_each(|_| _ = pace.handle_busy(&site("a"), at(0), Some(Duration::from_secs(7)), PICK, at(1)));
    assert_eq!(ask(&mut pace, 4..6, "a", 1), [] as [u64; 0]);
    assert_eq!(ask(&mut pace, 6..8, "b", 1), [6, 7]);
    assert_eq!(pace.poll_timeout(), Some(at(8)));
    (0..4).for_each(|n| pace.handle_done(Ticket::new(n), at(2)));
    pace.handle_timeout(at(8));
    assert_eq!(admitted(&mut pace), [4, 5], "two of the four that were under way");
}

#[test]
fn a_busy_answer_alone_slows_the_scope_and_a_second_one_stops_it() {
    let mut pace = Pace::default();
    ask(&mut pace, 0..4, "a", 0);
    let busy = pace.handle_busy(&site("a"), at(0), None, PICK, at(1));
    assert_eq!(busy, Busy { again: at(31), is_asked_for: false, is_new: true }, "this call waits");
    (0..4).for_each(|n| pace.handle_done(Ticket::new(n), at(1)));
    assert_eq!(ask(&mut pace, 4..8, "a", 1), [4, 5, 6], "others of the site go on, a fifth fewer");
    assert!(!pace.takes_calls(&site("a")) && pace.takes_calls(&site("b")));
    pace.handle_answer(&site("a"), at(2));
    assert!(pace.takes_calls(&site("a")), "so the first one may go, too");
    pace.handle_busy(&site("a"), at(1), None, PICK, at(2));
    assert_eq!(pace.pauses_until(&site("a"), at(2)), None, "an answer came between");
    pace.handle_busy(&site("a"), at(2), None, PICK, at(3));
    assert_eq!(pace.pauses_until(&site("a"), at(3)), Some(at(33)), "20 to 40 s where the API says nothing");
}

#[test]
fn slowing_everything_holds_every_site() {
    let mut pace = Pace::default();
    ask(&mut pace, 0..2, "a", 0);
    pace.handle_busy(&Scope::Everything, at(0), None, PICK, at(1));
    pace.handle_busy(&Scope::Everything, at(0), None, PICK, at(1));
    assert!(ask(&mut pace, 2..4, "b", 1).is_empty());
    assert_eq!(pace.poll_timeout(), Some(at(31)), "20 to 40 s where the API says nothing");
}

#[test]
fn calls_sent_before_slow_a_scope_once_and_later_ones_slow_it_further() {
    let mut pace = Pace::default();
    ask(&mut pace, 0..16, "a", 0);
    for _ in 0..16 {
        pace.handle_busy(&site("a"), at(0), Some(Duration::from_secs(5)), PICK, at(1));
    }
    (0..16).for_each(|n| pace.handle_done(Ticket::new(n), at(1)));
    assert_eq!(ask(&mut pace, 16..32, "a", 6).len(), 8);
    pace.handle_busy(&site("a"), at(6), Some(Duration::from_secs(5)), PICK, at(7));
    (16..24).for_each(|n| pace.handle_done(Ticket::new(n), at(7)));
    pace.handle_timeout(at(12));
    assert_eq!(admitted(&mut pace), [24, 25, 26, 27]);
}

#[test]
fn a_longer_pause_of_a_call_sent_before_is_kept_to() {
    let mut pace = Pace::default();
    ask(&mut pace, 0..2, "a", 0);
    pace.handle_busy(&site("a"), at(0), Some(Duration::from_secs(5)), PICK, at(1));
    pace.handle_busy(&site("a"), at(0), Some(Duration::from_secs(60)), PICK, at(2));
    assert_eq!(pace.pauses_until(&site("a"), at(2)), Some(at(62)));
    assert_eq!(pace.pauses_until(&site("b"), at(2)), None);
}

#[test]
fn each_round_of_answers_lets_one_more_in_until_it_is_over() {
    let mut pace = Pace::default();
    ask(&mut pace, 0..4, "a", 0);
    (0..2).for_each(|_| _ = pace.handle_busy(&site("a"), at(0), Some(Duration::from_secs(1)), PICK, at(1)));
    (0..4).for_each(|n| pace.handle_done(Ticket::new(n), at(1)));
    let mut under_way: VecDeque<u64> = ask(&mut pace, 4..100, "a", 2).into();
    let mut widths = vec![under_way.len()];
    for _ in 0..6 {
        let n = under_way.pop_front().unwrap();
        pace.handle_answer(&site("a"), at(3));
        pace.handle_done(Ticket::new(n), at(3));
        under_way.extend(admitted(&mut pace));
        widths.push(under_way.len());
    }
    assert_eq!(widths[..7], [2, 2, 2, 3, 3, 3, 90], "as many as before, and the site is free");
}

#[test]
fn pauses_grow_while_no_answer_comes_between() {
    let mut pace = Pace::default();
    let (mut now, mut pauses) = (0, Vec::new());
    for n in 0..6 {
        assert_eq!(ask(&mut pace, n..n + 1, "a", now), [n]);
        let busy = pace.handle_busy(&site("a"), at(now), None, Pick { random: 1.0, scale: 1.0 }, at(now));
        pace.handle_done(Ticket::new(n), at(now));
        pauses.push(busy.again.since(at(now)).as_secs());
        now += pauses.last().unwrap();
    }
    assert_eq!(pauses, [40, 40, 34, 38, 46, 62]);
}

#[test]
fn one_who_goes_away_makes_room() {
    let mut pace = Pace::default();
    ask(&mut pace, 0..2, "a", 0);
    pace.handle_busy(&site("a"), at(0), Some(Duration::ZERO), PICK, at(1));
    pace.handle_done(Ticket::new(0), at(1));
    assert!(ask(&mut pace, 2..4, "a", 1).is_empty());
    pace.handle_done(Ticket::new(2), at(1));
    pace.handle_done(Ticket::new(1), at(1));
    assert_eq!(admitted(&mut pace), [3]);
}
