//! The life of a session: from which calls its age and its idle time count, and what becomes of one that comes too late.

use super::*;

fn mortal() -> PoolOptions {
    PoolOptions { size: 1, max_age: seconds(900), max_idle: seconds(120), ..options() }
}

#[test]
fn age_counts_from_the_first_call_and_idle_time_from_the_last_one_of_the_initialisation() {
    let mut pool = Script::new(mortal());
    pool.ask(1).does("open a for 1").after(1000).called("a", true).after(20).called("a", false).after(30);
    pool.cancel(1).opened("a", Opened::Ready).does("").wakes_after(90, "retire a (unused)");
    let mut pool = Script::new(PoolOptions { max_idle: None, ..mortal() });
    pool.ask(1).does("open a for 1").after(1000).called("a", true).after(20).called("a", false).after(30);
    pool.cancel(1).opened("a", Opened::Ready).does("").wakes_after(850, "retire a (unused)");
}

#[test]
fn the_time_before_the_first_call_is_not_what_opening_takes() {
    let mut pool = Script::new(PoolOptions { size: 8, ..mortal() });
    pool.ask(1).does("open a for 1").after(600).called("a", true).after(2).opened("a", Opened::Ready).does("grant a to 1");
    pool.after(1).used("a", Used::Good).ask(2).does("grant a to 2");
    pool.ask(3).ask(4).does("").ask(5).does("open b for 3");
}

#[test]
fn a_session_whose_last_call_took_longer_than_it_may_idle_is_lent_at_once_or_not_at_all() {
    let mut pool = Script::new(mortal());
    pool.ask(1).does("open a for 1").called("a", true).after(150).opened("a", Opened::Ready).does("grant a to 1");
    let mut pool = Script::new(PoolOptions { margin: Duration::from_secs(200), ..mortal() });
    pool.ask(1).does("open a for 1").called("a", true).after(8).opened("a", Opened::Ready).does("grant a to 1");
    let mut pool = Script::new(mortal());
    pool.ask(1).does("open a for 1").called("a", true).after(150).cancel(1).opened("a", Opened::Ready).does("");
    pool.wakes_after(1, "retire a (unused)");
}

#[test]
fn an_initialisation_that_takes_as_long_as_its_session_may_live_is_a_bad_one() {
    let mut pool = Script::new(PoolOptions { max_bad_inits: 2, ..mortal() });
    for (name, then) in [("a", "open b for 1"), ("b", "refuse 1 (bad-inits, 60)")] {
        if name == "a" {
            pool.ask(1).does("open a for 1");
        }
        pool.called(name, true).after(899).called(name, false).after(1).opened(name, Opened::Ready).does(then);
    }
}

#[test]
fn a_use_that_the_api_refused_keeps_no_session_alive_while_another_use_is_under_way() {
    let mut pool = Script::new(PoolOptions { size: 2, max_in_flight: NonZeroU32::new(2), ..mortal() }).with_live_sessions(1);
    pool.ask(1).does("grant a to 1").after(100).ask(2).does("grant a to 2");
    let refused = pool.take_lease(1);
    pool.give_back(refused, Used::Neutral).after(30).ask(3).does("open b for 3");
}

#[test]
fn a_session_that_is_at_rest_when_it_would_lapse_rests_less_and_one_that_could_never_be_used_is_not_opened() {
    let mut pool = Script::new(PoolOptions { delay: Duration::from_secs(118), ..mortal() });
    pool.ask(1).does("open a for 1").called("a", true).after(8).opened("a", Opened::Ready).does("");
    pool.wakes_after(111, "grant a to 1");
    let mut pool = Script::new(PoolOptions { delay: Duration::from_secs(120), ..mortal() });
    pool.ask(1).does("refuse 1 (rests too long)");
}

#[test]
fn an_initialisation_that_has_not_called_is_taken_back_when_nobody_waits_any_more() {
    let mut pool = Script::new(mortal());
    pool.ask(1).does("open a for 1").ask(2).cancel(1).does("").cancel(2).does("cancel a").ask(3).does("open b for 3");
    let mut pool = Script::new(PoolOptions { size: 2, growth: Growth::OnDemand, ..mortal() }).with_live_sessions(1);
    pool.ask(1).ask(2).does("grant a to 1, open b for 2").used("a", Used::Good).does("grant a to 2, cancel b");
}

#[test]
fn a_grant_of_which_nothing_came_is_as_if_it_had_not_been() {
    let rests = PoolOptions { delay: Duration::from_secs(30), randomize_delay: false, ..mortal() };
    let mut pool = Script::new(rests);
    pool.ask(1).does("open a for 1").called("a", true).opened("a", Opened::Ready).ask(2).wakes_after(30, "grant a to 1");
    pool.after(1).unused("a").does("grant a to 2").ask(3).does("").used("a", Used::Good).wakes_after(30, "grant a to 3");
    // It keeps no session alive, and a session that nobody has used is told as such.
    let mut pool = Script::new(mortal());
    pool.ask(1).does("open a for 1").called("a", true).opened("a", Opened::Ready).does("grant a to 1");
    pool.after(100).unused("a").wakes_after(20, "retire a (unused)");
    // What a check has asked for since stays.
    let mut pool = Script::new(PoolOptions { max_in_flight: NonZeroU32::new(2), ..mortal() }).with_live_sessions(1);
    pool.ask(1).ask(2).does("grant a to 1, grant a to 2");
    let unsent = pool.take_lease(1);
    pool.used("a", Used::Throttled(Duration::from_secs(20))).ask(3).does("");
    pool.give_up(unsent).does("").wakes_after(20, "grant a to 3");
}

#[test]
fn a_call_is_not_sent_on_a_session_that_has_ended_or_lapsed_since_it_was_granted() {
    let mut pool = Script::new(PoolOptions { max_in_flight: NonZeroU32::new(2), ..mortal() }).with_live_sessions(1);
    pool.ask(1).ask(2).does("grant a to 1, grant a to 2");
    let (first, second) = (pool.take_lease(0), pool.take_lease(0));
    assert!(pool.takes_call(first) && pool.takes_call(second));
    pool.after(115);
    assert!(pool.takes_call(first), "its idle time counts from the use before");
    pool.after(6);
    assert!(!pool.takes_call(first), "it would be idle for too long");
    let mut pool = Script::new(PoolOptions { max_in_flight: NonZeroU32::new(2), ..mortal() }).with_live_sessions(1);
    pool.ask(1).ask(2).does("grant a to 1, grant a to 2");
    let waiting = pool.take_lease(0);
    pool.used("a", Used::CheckFailed).does("retire a (check-failed)");
    assert!(!pool.takes_call(waiting), "it has ended");
}

#[test]
fn one_who_comes_again_goes_before_those_who_came_later() {
    let mut pool = Script::new(PoolOptions { max_in_flight: NonZeroU32::new(1), ..mortal() });
    pool.ask(1).ask(3).ask(4).does("open a for 1").opened("a", Opened::Ready).does("grant a to 1").ask(2).cancel(3);
    pool.unused("a")
        .does("grant a to 2")
        .ask(1)
        .used("a", Used::Good)
        .does("grant a to 1")
        .used("a", Used::Good)
        .does("grant a to 4");
}

#[test]
fn a_session_that_was_idle_for_too_long_after_the_last_call_of_its_initialisation_is_a_bad_one() {
    for (call, after, fits) in [(8, 100, true), (8, 113, false), (150, 0, true), (150, 2, false)] {
        let mut pool = Script::new(PoolOptions { max_bad_inits: 1, ..mortal() });
        pool.ask(1).does("open a for 1").called("a", true).after(call).call_over("a").after(after).opened("a", Opened::Ready);
        pool.does(if fits { "grant a to 1" } else { "refuse 1 (bad-inits, 60)" });
    }
}

#[test]
fn a_call_that_waited_is_not_sent_on_a_session_that_another_use_was_to_keep_alive_and_has_not() {
    let mut pool = Script::new(PoolOptions { max_in_flight: NonZeroU32::new(2), ..mortal() }).with_live_sessions(1);
    pool.ask(1).does("grant a to 1").after(60).used("a", Used::Good).ask(2).does("grant a to 2").after(50).ask(3);
    pool.does("grant a to 3");
    let (refused, waiting) = (pool.take_lease(0), pool.take_lease(0));
    assert!(pool.takes_call(waiting));
    pool.give_back(refused, Used::Neutral).after(9);
    assert!(pool.takes_call(waiting), "119 s after the last use that was answered");
    pool.after(2);
    assert!(!pool.takes_call(waiting));
}
