//! Who waits while the API is busy, told as short scripts.

use serde_json::{Value, json};

use super::*;
use crate::exchange::Problem;

const PICK: Pick = Pick { random: 0.5, scale: 1.0 };

fn at(seconds: u64) -> Instant {
    Instant::after_start(Duration::from_secs(seconds))
}

fn site(name: &str) -> Scope {
    Scope::Site(name.into())
}

fn scopes(name: &str, output: &str) -> Scopes {
    let Value::Object(params) = json!({"url": format!("https://{name}"), output: true}) else { unreachable!() };
    Scopes::of(&params)
}

fn on(name: &str) -> Scopes {
    scopes(name, "browserHtml")
}

fn caller(n: u64) -> Caller {
    Caller { request: Ticket::new(n), part: Part::Request }
}

/// Those who are let in, who call at once.
fn admitted(pace: &mut Pace, now: Instant) -> Vec<u64> {
    let callers: Vec<Caller> = (0..).map_while(|_| pace.poll_admitted()).collect();
    let number = |caller: Caller| {
        pace.handle_sent(caller, now);
        let number = if let Part::Init(number) = caller.part { number } else { caller.request };
        number.to_string()[1..].parse().unwrap()
    };
    callers.into_iter().map(number).collect()
}

fn ask(pace: &mut Pace, tickets: std::ops::Range<u64>, name: &str, now: u64) -> Vec<u64> {
    for n in tickets {
        pace.handle_request(caller(n), on(name), at(now));
    }
    admitted(pace, at(now))
}

#[test]
fn what_a_problem_slows() {
    for (status, kind, plain, extraction) in [
        (429, "/limits/over-domain-limit", Some(site("shop.example")), Some(site("shop.example"))),
        (429, "/limits/over-org-domain-limit", Some(site("shop.example")), Some(site("shop.example"))),
        (429, "/limits/over-user-limit", Some(Scope::Everything), Some(Scope::Everything)),
        (503, "/limits/over-global-limit", Some(Scope::Everything), Some(Scope::Everything)),
        (503, "/extractor/over-global-limit", Some(Scope::Everything), Some(Scope::Extraction)),
        (429, "/extractor/over-user-limit", Some(Scope::Everything), Some(Scope::Extraction)),
        (429, "about:blank", Some(Scope::Everything), Some(Scope::Everything)),
        (503, "about:blank", Some(Scope::Everything), Some(Scope::Everything)),
        (503, "/problem/session-creation-error", None, None),
        (422, "/problem/over-session-limit", None, None),
        (520, "/download/temporary-error", None, None),
    ] {
        let problem = Problem { status, kind: kind.to_owned(), ..Problem::default() };
        for (output, expected) in [("browserHtml", &plain), ("product", &extraction), ("serp", &extraction)] {
            let scopes = scopes("www.shop.example/a", output);
            assert_eq!(scopes.slowed_by(&problem), expected.as_ref(), "{status} {kind} {output}");
        }
    }
}

#[test]
fn slowed_extraction_holds_extraction_on_every_site_and_nothing_else() {
    let mut pace = Pace::default();
    pace.handle_request(caller(0), scopes("a", "article"), at(0));
    assert_eq!(admitted(&mut pace, at(0)), [0]);
    pace.handle_busy(&Scope::Extraction, at(0), Some(Duration::from_secs(30)), PICK, at(1));
    pace.handle_request(caller(1), scopes("a", "product"), at(1));
    pace.handle_request(caller(2), scopes("b", "serp"), at(1));
    assert_eq!(ask(&mut pace, 3..9, "a", 1).len(), 6);
    assert!(pace.slows_extraction_alone(&scopes("b", "serp")) && !pace.slows_extraction_alone(&on("b")));
    assert_eq!(pace.poll_timeout(), Some(at(31)));
    pace.handle_busy(&site("b"), at(2), Some(Duration::from_secs(60)), PICK, at(2));
    assert!(!pace.slows_extraction_alone(&scopes("b", "serp")), "its site is slowed as well");
    pace.handle_timeout(at(31));
    assert_eq!(admitted(&mut pace, at(31)), [1]);
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
        pace.handle_done(caller(n), at(1));
    }
    assert!(pace.is_empty() && pace.poll_timeout().is_none());
}

#[test]
fn a_slowed_site_waits_and_others_go_on() {
    let mut pace = Pace::default();
    ask(&mut pace, 0..4, "a", 0);
    for n in 0..4 {
        pace.handle_busy(&site("a"), at(0), Some(Duration::from_secs(7)), PICK, at(1));
        pace.handle_done(caller(n), at(1));
    }
    assert_eq!(ask(&mut pace, 4..6, "a", 1), [] as [u64; 0]);
    assert_eq!(ask(&mut pace, 6..8, "b", 1), [6, 7]);
    assert_eq!(pace.poll_timeout(), Some(at(8)), "none of the four was taken, so all wait for as long as is asked for");
    pace.handle_timeout(at(8));
    assert_eq!(admitted(&mut pace, at(8)), [4]);
}

#[test]
fn a_busy_answer_among_good_ones_lets_calls_follow_each_other_at_the_rate_that_was_taken() {
    let mut pace = Pace::default();
    for second in 0..20 {
        assert_eq!(ask(&mut pace, 4 * second..4 * second + 4, "a", second).len(), 4);
        pace.handle_answer(&on("a"), at(second));
    }
    let busy = pace.handle_busy(&site("a"), at(19), None, PICK, at(20));
    assert_eq!(busy, Busy { again: at(50), is_asked_for: false, is_new: true }, "this call waits");
    assert_eq!(pace.pauses_until(&on("a"), at(20)), None, "others go on");
    assert_eq!(ask(&mut pace, 100..200, "a", 20), [] as [u64; 0]);
    let starts = std::iter::from_fn(|| {
        let next = pace.poll_timeout()?;
        pace.handle_timeout(next);
        Some((next, admitted(&mut pace, next).len()))
    });
    let starts: Vec<(Instant, usize)> = starts.take_while(|(start, _)| *start <= at(25)).collect();
    assert!(starts.iter().all(|(_, calls)| *calls == 1), "one after the other: {starts:?}");
    assert!((15..=18).contains(&starts.len()), "about nine tenths of four a second, for five seconds: {starts:?}");
    assert!(!pace.takes_calls(&on("a")) && pace.takes_calls(&on("b")));
    pace.handle_answer(&on("a"), at(25));
    assert!(pace.takes_calls(&on("a")), "so the first one may go, too");
}

#[test]
fn slowing_everything_holds_every_site() {
    let mut pace = Pace::default();
    ask(&mut pace, 0..1, "a", 0);
    pace.handle_busy(&Scope::Everything, at(0), Some(Duration::from_secs(30)), PICK, at(1));
    assert!(ask(&mut pace, 2..4, "b", 1).is_empty());
    assert_eq!(pace.poll_timeout(), Some(at(31)));
}

#[test]
fn calls_sent_before_slow_a_scope_once_and_later_ones_slow_it_further() {
    let mut pace = Pace::default();
    ask(&mut pace, 0..16, "a", 0);
    let busy = |pace: &mut Pace, sent, now| {
        let busy = pace.handle_busy(&site("a"), at(sent), None, PICK, at(now));
        (busy.is_new, pace.pauses_until(&on("a"), at(now)))
    };
    assert_eq!(busy(&mut pace, 0, 1), (true, None));
    assert_eq!(busy(&mut pace, 0, 1), (false, None));
    assert_eq!(busy(&mut pace, 5, 6), (true, None), "half as fast");
    assert_eq!(
        busy(&mut pace, 10, 11),
        (true, Some(at(43))),
        "nothing was taken in between: 30 to 34 s where the API says nothing"
    );
}

#[test]
fn a_longer_pause_of_a_call_sent_before_is_kept_to() {
    let mut pace = Pace::default();
    ask(&mut pace, 0..2, "a", 0);
    for (n, pause) in [(0, 5), (1, 60)] {
        pace.handle_busy(&site("a"), at(0), Some(Duration::from_secs(pause)), PICK, at(1 + n));
        pace.handle_done(caller(n), at(1 + n));
    }
    assert_eq!(pace.pauses_until(&on("a"), at(2)), Some(at(62)));
    assert_eq!(pace.pauses_until(&on("b"), at(2)), None);
}

#[test]
fn a_scope_that_takes_all_is_forgotten_when_nobody_waits() {
    let mut pace = Pace::default();
    ask(&mut pace, 0..4, "a", 0);
    pace.handle_busy(&site("a"), at(0), None, PICK, at(1));
    (0..4).for_each(|n| pace.handle_done(caller(n), at(1)));
    ask(&mut pace, 4..7, "a", 2);
    for (now, is_slowed) in [(5, true), (60, true), (61, false)] {
        pace.handle_answer(&on("a"), at(now));
        assert_eq!(pace.slowed(&site("a")).is_some(), is_slowed, "{now}");
    }
}

#[test]
fn pauses_grow_while_no_answer_comes_between() {
    let mut pace = Pace::default();
    let (mut now, mut pauses) = (0, Vec::new());
    for n in 0..6 {
        assert_eq!(ask(&mut pace, n..n + 1, "a", now), [n]);
        let busy = pace.handle_busy(&site("a"), at(now), None, Pick { random: 1.0, scale: 1.0 }, at(now));
        pace.handle_done(caller(n), at(now));
        pauses.push(busy.again.since(at(now)).as_secs());
        now += pauses.last().unwrap();
    }
    assert_eq!(pauses, [40, 40, 34, 38, 46, 62]);
}

#[test]
fn one_who_goes_away_is_not_let_in() {
    let mut pace = Pace::default();
    ask(&mut pace, 0..1, "a", 0);
    pace.handle_busy(&site("a"), at(0), Some(Duration::from_secs(5)), PICK, at(1));
    assert!(ask(&mut pace, 2..4, "a", 1).is_empty());
    pace.handle_done(caller(2), at(1));
    pace.handle_timeout(at(6));
    assert_eq!(admitted(&mut pace, at(6)), [3]);
}

#[test]
fn an_initialisation_goes_before_its_request_and_after_those_that_came_before_it() {
    let mut pace = Pace::default();
    ask(&mut pace, 0..1, "a", 0);
    pace.handle_busy(&Scope::Everything, at(0), Some(Duration::from_secs(5)), PICK, at(1));
    assert!(ask(&mut pace, 1..4, "b", 1).is_empty());
    pace.handle_request(Caller { request: Ticket::new(2), part: Part::Init(Ticket::new(9)) }, on("a"), at(2));
    assert_eq!(pace.poll_admitted(), None);
    let mut order = Vec::new();
    while let Some(next) = pace.poll_timeout() {
        pace.handle_timeout(next);
        order.extend(admitted(&mut pace, next));
    }
    assert_eq!(order, [1, 9, 2, 3]);
}

#[test]
fn one_who_was_let_in_before_a_scope_was_slowed_and_has_not_called_must_wait_again() {
    let mut pace = Pace::default();
    for (n, name) in [(0, "a"), (1, "a"), (2, "b")] {
        pace.handle_request(caller(n), on(name), at(0));
    }
    assert!(!pace.must_wait_again(caller(1), at(0)));
    pace.handle_sent(caller(0), at(0));
    pace.handle_busy(&site("a"), at(0), None, PICK, at(1));
    assert_eq!([1, 2].map(|n| pace.must_wait_again(caller(n), at(1))), [true, false]);
    pace.handle_request(caller(1), on("a"), at(1));
    pace.handle_timeout(pace.poll_timeout().unwrap());
    assert!(!pace.must_wait_again(caller(1), at(2)), "now it has its place");
}

#[test]
fn one_who_was_let_in_and_does_not_call_says_nothing_of_what_the_api_takes() {
    for (calls, taken) in [(false, false), (true, true)] {
        let mut pace = Pace::default();
        ask(&mut pace, 0..1, "a", 0);
        pace.handle_busy(&site("a"), at(0), None, PICK, at(1));
        for n in 1..5 {
            pace.handle_request(caller(n), on("a"), at(10 * n));
            assert_eq!(pace.poll_admitted(), Some(caller(n)));
            if calls {
                pace.handle_sent(caller(n), at(10 * n));
            }
        }
        // The second refusal in a row, unless calls were sent that were not refused.
        pace.handle_busy(&site("a"), at(41), None, PICK, at(41));
        pace.handle_busy(&site("a"), at(42), None, PICK, at(42));
        assert_eq!(pace.pauses_until(&on("a"), at(42)).is_none(), taken, "four calls were sent: {calls}");
    }
}

/// An API that takes so many calls a second, as many as fit into one at once, and has two hundred callers, and one more for each that waits for its second
/// try.
struct Limited {
    per_second: f64,
    latency: Duration,
    retry_after: Option<Duration>,
    room: f64,
    looked_at: Instant,
}

enum Event {
    Taken(Caller),
    Refused(Caller, Instant),
    Again(Caller),
}

/// Between the start and the news that the API is too busy.
const REFUSAL: Duration = Duration::from_millis(200);

impl Limited {
    fn to(per_second: f64, latency: f64, retry_after: Option<u64>) -> Self {
        Self {
            per_second,
            latency: Duration::from_secs_f64(latency),
            retry_after: retry_after.map(Duration::from_secs),
            room: if per_second > 0.0 { per_second.max(1.0) } else { 0.0 },
            looked_at: Instant::START,
        }
    }

    fn takes(&mut self, now: Instant) -> bool {
        let most = self.per_second.max(1.0);
        self.room = (self.room + now.since(self.looked_at).as_secs_f64() * self.per_second).min(most);
        self.looked_at = now;
        let is_taken = self.room >= 1.0;
        self.room -= f64::from(u8::from(is_taken));
        is_taken
    }

    /// How many calls of so many seconds were taken, and how many refused after the first second.
    fn serve(mut self, seconds: u64) -> (u32, u32) {
        let (mut pace, mut events) = (Pace::default(), BTreeMap::new());
        let (mut now, mut taken, mut refused) = (Instant::START, 0, 0);
        let mut tickets = (0..).map(caller);
        tickets.by_ref().take(200).for_each(|caller| pace.handle_request(caller, on("a"), now));
        while now <= at(seconds) {
            while let Some(ticket) = pace.poll_admitted() {
                pace.handle_sent(ticket, now);
                let (event, after) =
                    if self.takes(now) { (Event::Taken(ticket), self.latency) } else { (Event::Refused(ticket, now), REFUSAL) };
                events.insert((now + after, ticket), event);
            }
            let first = events.first_key_value().map(|((at, _), _)| *at);
            now = first.into_iter().chain(pace.poll_timeout()).min().unwrap();
            if first != Some(now) {
                pace.handle_timeout(now);
                continue;
            }
            match events.pop_first().unwrap().1 {
                Event::Taken(ticket) => {
                    taken += 1;
                    pace.handle_answer(&on("a"), now);
                    pace.handle_done(ticket, now);
                    pace.handle_request(tickets.next().unwrap(), on("a"), now);
                }
                Event::Refused(ticket, sent) => {
                    refused += u32::from(now > at(1));
                    let busy = pace.handle_busy(&site("a"), sent, self.retry_after, PICK, now);
                    pace.handle_done(ticket, now);
                    events.insert((busy.again, ticket), Event::Again(ticket));
                    pace.handle_request(tickets.next().unwrap(), on("a"), now);
                }
                Event::Again(ticket) => pace.handle_request(ticket, on("a"), now),
            }
        }
        (taken, refused)
    }
}

#[test]
fn a_limited_site_is_used_nearly_as_far_as_its_limit_goes_and_few_calls_are_refused() {
    for (per_second, latency, retry_after, reached, share) in [
        (50.0, 1.5, None, 0.95, 0.02),
        (10.0, 20.0, None, 0.95, 0.03),
        (4.0, 1.5, None, 0.95, 0.05),
        (4.0, 1.5, Some(2), 0.95, 0.05),
        (4.0, 1.5, Some(30), 0.95, 0.05),
        (4.0, 0.2, None, 0.95, 0.05),
        (1.0, 1.5, None, 0.75, 0.15),
        (0.3, 1.5, None, 0.75, 0.2),
    ] {
        let (taken, refused) = Limited::to(per_second, latency, retry_after).serve(120);
        let used = f64::from(taken) / (per_second * (120.0 - latency));
        let put_off = f64::from(refused) / f64::from(taken + refused);
        assert!(used >= reached && put_off <= share, "{per_second} a second: {used:.2} of it used, {put_off:.3} refused");
    }
}

#[test]
fn while_nothing_is_taken_hardly_anything_is_sent() {
    for (retry_after, most) in [(None, 8), (Some(10), 20), (Some(60), 4)] {
        let (taken, refused) = Limited::to(0.0, 1.5, retry_after).serve(120);
        assert!(taken == 0 && refused <= most, "{retry_after:?}: {refused} calls");
    }
}

#[test]
fn slowed_sites_that_nobody_calls_any_more_leave_memory() {
    let (mut pace, mut largest) = (Pace::default(), 0);
    for n in 0..10_000 {
        let (name, now) = (n.to_string(), at(n));
        assert_eq!(ask(&mut pace, n..n + 1, &name, n), [n]);
        pace.handle_busy(&site(&name), now, None, PICK, now);
        pace.handle_done(caller(n), now);
        largest = largest.max(pace.len());
    }
    assert!(largest <= 2 * FEW, "{largest} scopes of 10,000");
}

#[test]
fn a_slowed_site_is_remembered_while_somebody_waits_for_it_calls_it_or_is_to_call_it_again() {
    let mut pace = Pace::default();
    for (n, name) in [(0, "waiting"), (10, "called"), (20, "refused"), (30, "gone")] {
        assert_eq!(ask(&mut pace, n..n + 1, name, 0), [n]);
        let asked = Duration::from_secs(if name == "refused" { 900 } else { 30 });
        pace.handle_busy(&site(name), at(0), Some(asked), PICK, at(0));
        if name != "called" {
            pace.handle_done(caller(n), at(0));
        }
    }
    assert!(ask(&mut pace, 1..2, "waiting", 1).is_empty());
    for n in 0..FEW as u64 {
        pace.handle_busy(&site(&format!("other {n}")), at(800), None, PICK, at(800));
    }
    for (name, is_known) in [("waiting", true), ("called", true), ("refused", true), ("gone", false)] {
        assert_eq!(pace.slowed(&site(name)).is_some(), is_known, "{name}");
    }
}
