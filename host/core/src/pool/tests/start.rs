//! Sessions that a request creates, being the first on them.

use super::*;

fn seconds_of(n: u64) -> Option<Duration> {
    Some(Duration::from_secs(n))
}

#[test]
fn a_request_creates_its_session_and_others_wait_for_it_as_for_an_initialisation() {
    let mut pool = Script::new(PoolOptions { max_in_flight: NonZeroU32::new(4), ..options() });
    pool.ask_to_begin(1).does("begin a for 1, grant a to 1").ask_to_begin(2).ask(3).does("");
    pool.after(8).used("a", Used::Good).does("grant a to 2, grant a to 3");
}

#[test]
fn only_the_request_at_the_head_of_the_queue_creates_a_session() {
    let mut pool = Script::new(options());
    pool.ask(1).does("open a for 1").ask_to_begin(2).does("").opened("a", Opened::Ready).does("grant a to 1");
    pool.used("a", Used::Expired).does("retire a (expired-upstream), begin b for 2, grant b to 2");
}

#[test]
fn on_demand_and_eager_growth_let_each_request_create_one() {
    let mut pool = Script::new(PoolOptions { growth: Growth::OnDemand, ..options() });
    pool.ask_to_begin(1).does("begin a for 1, grant a to 1").ask_to_begin(2).does("begin b for 2, grant b to 2");
    pool.ask(3).does("open c for 3").ask_to_begin(4).does("").used("a", Used::Good).does("grant a to 3");
    let mut pool = Script::new(PoolOptions { size: 2, ..eager() });
    pool.ask_to_begin(1).ask(2).does("begin a for 1, grant a to 1, open b for 2").ask_to_begin(3).does("");
    pool.used("a", Used::Banned).does("retire a (banned), begin c for 3, grant c to 3");
}

#[test]
fn a_session_that_its_first_request_did_not_create_ends_and_the_next_request_tries_another() {
    for (outcome, reason) in [
        (Used::Neutral, "uncreated"),
        (Used::CheckFailed, "check-failed"),
        (Used::CheckError, "check-error"),
        (Used::Banned, "banned"),
        (Used::DownloadError, "download-errors"),
        (Used::Expired, "expired-upstream"),
    ] {
        let mut pool = Script::new(PoolOptions { max_errors: Some(3), max_check_failures: 3, ..options() });
        pool.ask_to_begin(1).does("begin a for 1, grant a to 1").ask_to_begin(2).does("");
        pool.used("a", outcome).does(&format!("retire a ({reason}), begin b for 2, grant b to 2"));
    }
}

#[test]
fn what_fails_to_create_sessions_opens_the_circuit_but_what_tells_nothing_does_not() {
    let mut pool = Script::new(PoolOptions { max_bad_inits: 2, ..options() });
    for (n, name, outcome, reason) in [
        (1, "a", Used::Banned, "banned"),
        (2, "b", Used::Good, ""),
        (3, "b", Used::Expired, "expired-upstream"),
        (4, "c", Used::CheckFailed, "check-failed"),
        (5, "d", Used::Neutral, "uncreated"),
        (6, "e", Used::Banned, "banned"),
    ] {
        pool.ask_to_begin(n);
        let begins = if n == 3 { String::new() } else { format!("begin {name} for {n}, ") };
        pool.does(&format!("{begins}grant {name} to {n}")).used(name, outcome);
        pool.does(&if reason.is_empty() { String::new() } else { format!("retire {name} ({reason})") });
    }
    pool.ask_to_begin(7).does("refuse 7 (bad-inits, 60)");
}

#[test]
fn a_session_that_the_api_had_no_room_for_is_tried_again_after_its_pause_by_whoever_waits() {
    for (outcome, pause) in [
        (Used::Unavailable(None), 60),
        (Used::Unavailable(seconds_of(7)), 7),
        (Used::Hindered(None), 60),
        (Used::Hindered(seconds_of(90)), 90),
    ] {
        let mut pool = Script::new(options());
        pool.ask_to_begin(1).does("begin a for 1, grant a to 1").used("a", outcome).does("retire a (uncreated)");
        pool.ask_to_begin(1).ask_to_begin(2).does("").wakes_after(pause, "begin b for 1, grant b to 1");
        pool.used("b", Used::Good).does("grant b to 2");
    }
}

#[test]
fn a_session_that_was_initialised_elsewhere_begins_with_its_first_use() {
    let mut pool = Script::new(PoolOptions { max_in_flight: NonZeroU32::new(4), ..options() });
    pool.ask(1).ask(2).does("open a for 1").opened("a", Opened::ReadyElsewhere).does("grant a to 1");
    pool.used("a", Used::Neutral).does("grant a to 2").used("a", Used::Unavailable(seconds_of(5)));
    pool.does("retire a (uncreated)").ask(2).does("").wakes_after(5, "open b for 0");
    pool.opened("b", Opened::ReadyElsewhere).does("grant b to 2").ask(3).does("").used("b", Used::Good).does("grant b to 3");
}

#[test]
fn where_the_api_never_creates_what_was_initialised_elsewhere_the_pool_gives_up() {
    let options = PoolOptions { creation_timeout: seconds_of(100), ..options() };
    for elsewhere in [true, false] {
        let mut pool = Script::new(options.clone());
        let ask = |pool: &mut Script, n| {
            let _ = if elsewhere { pool.ask(n) } else { pool.ask_to_begin(n) };
        };
        let opens = |pool: &mut Script, name: &str, trigger: u64, n: u64| {
            if elsewhere {
                pool.does(&format!("open {name} for {trigger}")).opened(name, Opened::ReadyElsewhere);
                pool.does(&format!("grant {name} to {n}"));
            } else {
                pool.does(&format!("begin {name} for {n}, grant {name} to {n}"));
            }
        };
        ask(&mut pool, 1);
        opens(&mut pool, "a", 1, 1);
        pool.used("a", Used::Unavailable(None)).does("retire a (uncreated)");
        ask(&mut pool, 2);
        pool.does("").wake_after(60);
        opens(&mut pool, "b", 0, 2);
        pool.after(40).used("b", Used::Unavailable(None)).does("retire b (uncreated)");
        ask(&mut pool, 3);
        pool.does("refuse 3 (unavailable, 60)");
    }
}
