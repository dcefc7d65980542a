//! How a pool behaves, told as short scripts in virtual time. Sessions are called a, b, c… in order of their opening.

mod breaker;
mod circuit;
mod life;
mod random;
mod script;
mod start;
mod winding_down;

use std::num::NonZeroU32;
use std::time::Duration;

use super::*;
use crate::settings::{OnBadInits, PoolOptions};
use script::Script;

fn options() -> PoolOptions {
    PoolOptions {
        size: 3,
        max_in_flight: NonZeroU32::new(1),
        margin: Duration::ZERO,
        randomize_delay: false,
        ..PoolOptions::default()
    }
}

fn eager() -> PoolOptions {
    PoolOptions {
        growth: Growth::Eager,
        rotation: Rotation::Fifo,
        max_in_flight: None,
        max_age: None,
        max_idle: None,
        on_bad_inits: OnBadInits::CloseCrawl,
        queue_timeout: Some(Duration::from_secs(59)),
        ..options()
    }
}

fn seconds(n: u64) -> Option<Duration> {
    Some(Duration::from_secs(n))
}

#[test]
fn the_first_request_opens_a_session_and_gets_it() {
    let mut pool = Script::new(options());
    pool.ask(1).does("open a for 1").opened("a", Opened::Ready).does("grant a to 1");
}

#[test]
fn a_live_session_with_room_is_used_before_another_is_opened() {
    let mut pool = Script::new(options()).with_live_sessions(1);
    pool.ask(1).does("grant a to 1").used("a", Used::Good).ask(2).does("grant a to 2");
}

#[test]
fn waiting_requests_are_served_in_order() {
    let mut pool = Script::new(PoolOptions { size: 1, ..options() }).with_live_sessions(1);
    pool.ask(1).does("grant a to 1").ask(2).ask(3).ask(4).does("").cancel(3);
    pool.used("a", Used::Good).does("grant a to 2").used("a", Used::Good).does("grant a to 4");
}

#[test]
fn a_session_carries_as_many_requests_at_once_as_it_may() {
    let mut pool = Script::new(PoolOptions { size: 1, max_in_flight: NonZeroU32::new(2), ..options() }).with_live_sessions(1);
    pool.ask(1).ask(2).ask(3).does("grant a to 1, grant a to 2").used("a", Used::Good).does("grant a to 3");
}

#[test]
fn thrifty_growth_waits_if_the_backlog_drains_sooner_than_a_session_opens() {
    let mut pool = Script::new(options());
    pool.ask(1).does("open a for 1").after(8).opened("a", Opened::Ready).does("grant a to 1");
    pool.ask(2).ask(3).ask(4).does("").after(2).used("a", Used::Good).does("grant a to 2");
}

#[test]
fn thrifty_growth_opens_what_a_long_backlog_is_worth() {
    let mut pool = Script::new(options());
    pool.ask(1).does("open a for 1").after(8).opened("a", Opened::Ready).does("grant a to 1");
    for n in 2..12 {
        pool.ask(n);
    }
    pool.does("").after(2).used("a", Used::Good).does("grant a to 2, open b for 3, open c for 4");
}

#[test]
fn on_demand_growth_opens_one_for_each_that_waits_up_to_the_size() {
    let mut pool = Script::new(PoolOptions { growth: Growth::OnDemand, ..options() });
    pool.ask(1).does("open a for 1").ask(2).does("open b for 2").ask(3).does("open c for 3").ask(4).does("");
    pool.opened("b", Opened::Ready).does("grant b to 1");
}

#[test]
fn requests_share_an_initialisation_under_way_that_will_carry_them_all() {
    let on_demand = PoolOptions { growth: Growth::OnDemand, max_in_flight: NonZeroU32::new(4), ..options() };
    let mut pool = Script::new(on_demand);
    pool.ask(1).ask(2).ask(3).ask(4).does("open a for 1").ask(5).does("open b for 5");
}

#[test]
fn eager_growth_opens_a_session_for_each_of_the_first_requests_though_others_are_idle() {
    let mut pool = Script::new(eager());
    for (n, session) in [(1, "a"), (2, "b"), (3, "c")] {
        pool.ask(n)
            .does(&format!("open {session} for {n}"))
            .opened(session, Opened::Ready)
            .does(&format!("grant {session} to {n}"));
        pool.used(session, Used::Good);
    }
    pool.ask(4).does("grant a to 4").ask(5).does("grant b to 5").ask(6).does("grant c to 6").ask(7).does("grant a to 7");
}

#[test]
fn in_eager_growth_the_request_that_opened_a_session_is_its_first_user() {
    let mut pool = Script::new(PoolOptions { size: 2, ..eager() });
    pool.ask(1).does("open a for 1").ask(2).does("open b for 2").ask(3).does("");
    pool.opened("b", Opened::Ready).does("grant b to 2, grant b to 3").opened("a", Opened::Ready).does("grant a to 1");
}

#[test]
fn eager_growth_replaces_a_faulty_session_at_once_and_only_once() {
    let mut pool = Script::new(PoolOptions { size: 1, ..eager() });
    pool.ask(1).does("open a for 1").opened("a", Opened::Ready).does("grant a to 1").ask(2).does("grant a to 2");
    pool.used("a", Used::Expired).does("retire a (expired-upstream), open b for 0").used("a", Used::Banned).does("");
}

#[test]
fn the_most_recently_used_session_goes_first_unless_told_otherwise() {
    for (rotation, next) in [(Rotation::Recent, "b"), (Rotation::Fifo, "a")] {
        let mut pool = Script::new(PoolOptions { rotation, ..options() }).with_live_sessions(2);
        pool.ask(3).does(&format!("grant {next} to 3"));
    }
}

#[test]
fn a_session_rests_between_uses_and_after_its_initialisation() {
    let mut pool = Script::new(PoolOptions { size: 1, delay: Duration::from_secs(5), ..options() });
    pool.ask(1).does("open a for 1").opened("a", Opened::Ready).does("").wakes_after(5, "grant a to 1");
    pool.after(2).used("a", Used::Good).ask(2).does("").wakes_after(3, "grant a to 2");
}

#[test]
fn a_random_delay_lies_between_half_and_one_and_a_half_of_the_base_and_each_is_drawn_anew() {
    let mut pool = Pool::<()>::new(PoolOptions { delay: Duration::from_secs(10), randomize_delay: true, ..options() });
    pool.handle_request(Ticket::new(1), (), Start::ByInit, Instant::START, &mut Chance::from_seed(1));
    let rests: Vec<f64> = (0..100).map(|seed| pool.rest(&mut Chance::from_seed(seed)).as_secs_f64()).collect();
    assert!(rests.iter().all(|rest| (5.0..=15.0).contains(rest)));
    assert!(rests.iter().any(|rest| *rest < 6.0) && rests.iter().any(|rest| *rest > 14.0), "{rests:?}");
}

#[test]
fn a_throttled_session_is_left_alone_and_lives() {
    let mut pool = Script::new(PoolOptions { size: 1, ..options() }).with_live_sessions(1);
    pool.ask(1).does("grant a to 1").used("a", Used::Throttled(Duration::from_secs(7))).ask(2).does("");
    pool.wakes_after(7, "grant a to 2");
}

#[test]
fn a_session_that_nobody_used_for_too_long_ends_and_is_never_lent_again() {
    let mut pool = Script::new(PoolOptions { max_idle: seconds(120), ..options() }).with_live_sessions(1);
    pool.wakes_after(120, "retire a (expired-idle)").ask(2).does("open b for 2");
}

#[test]
fn a_session_ends_by_age_before_the_api_ends_it() {
    let with_margin = PoolOptions { max_age: seconds(900), max_idle: None, margin: Duration::from_secs(10), ..options() };
    let mut pool = Script::new(with_margin).with_live_sessions(1);
    pool.wakes_after(890, "retire a (expired-age)");
}

#[test]
fn a_session_in_use_past_its_life_goes_when_it_comes_back() {
    let mut pool = Script::new(PoolOptions { size: 1, max_age: seconds(900), ..options() }).with_live_sessions(1);
    pool.ask(1).does("grant a to 1").after(901).ask(2).does("");
    pool.used("a", Used::Good).does("retire a (expired-age), open b for 2");
}

#[test]
fn faults_count_over_the_life_of_a_session_each_kind_for_itself() {
    let two = PoolOptions { size: 1, max_errors: Some(2), max_check_failures: 2, ..options() };
    let mut pool = Script::new(two).with_live_sessions(1);
    for outcome in [Used::Banned, Used::Good, Used::CheckFailed, Used::Good] {
        pool.ask(1).does("grant a to 1").used("a", outcome).does("");
    }
    pool.ask(1).does("grant a to 1").used("a", Used::DownloadError).does("retire a (download-errors)");
}

#[test]
fn what_ends_a_session_and_what_does_not() {
    for (outcome, action) in [
        (Used::Good, ""),
        (Used::Neutral, ""),
        (Used::Expired, "retire a (expired-upstream)"),
        (Used::Superseded, "retire a (superseded)"),
        (Used::CheckError, "retire a (check-error)"),
        (Used::CheckFailed, "retire a (check-failed)"),
        (Used::Banned, "retire a (banned)"),
        (Used::DownloadError, "retire a (download-errors)"),
    ] {
        let mut pool = Script::new(PoolOptions { max_errors: Some(1), ..options() }).with_live_sessions(1);
        pool.ask(1).does("grant a to 1").used("a", outcome).does(action);
    }
}

#[test]
fn three_bans_in_a_row_end_a_session_whatever_the_limit() {
    let mut pool = Script::new(PoolOptions { max_errors: Some(9), ..options() }).with_live_sessions(1);
    for outcome in [Used::Banned, Used::Banned, Used::Good, Used::Banned, Used::Banned] {
        pool.ask(1).does("grant a to 1").used("a", outcome).does("");
    }
    pool.ask(1).does("grant a to 1").used("a", Used::Banned).does("retire a (banned)");
}

#[test]
fn a_bad_initialisation_is_tried_again_under_a_new_id() {
    let mut pool = Script::new(options());
    pool.ask(1)
        .does("open a for 1")
        .opened("a", Opened::Bad)
        .does("open b for 1")
        .opened("b", Opened::Ready)
        .does("grant b to 1");
}

#[test]
fn too_many_bad_initialisations_open_the_circuit_and_a_later_request_tries_again() {
    let mut pool = Script::new(PoolOptions { max_bad_inits: 2, cool_down: Duration::from_secs(60), ..options() });
    pool.ask(1).does("open a for 1").ask(2).opened("a", Opened::Bad).does("open b for 1");
    pool.opened("b", Opened::Bad).does("refuse 1 (bad-inits, 60), refuse 2 (bad-inits, 60)");
    pool.after(59).ask(3).does("refuse 3 (bad-inits, 1)");
    pool.after(1).ask(4).does("open c for 4").ask(5).does("").opened("c", Opened::Bad);
    pool.does("refuse 4 (bad-inits, 120), refuse 5 (bad-inits, 120)");
    pool.after(120).ask(6).does("open d for 6").opened("d", Opened::Ready).does("grant d to 6");
    pool.used("d", Used::Expired).does("retire d (expired-upstream)").ask(7).does("open e for 7").opened("e", Opened::Bad);
    pool.does("open f for 7");
}

#[test]
fn too_many_bad_initialisations_end_the_crawl_where_that_is_wanted() {
    let mut pool = Script::new(PoolOptions { max_bad_inits: 1, ..eager() });
    pool.ask(1).does("open a for 1").opened("a", Opened::Bad).does("refuse 1 (bad-inits), close crawl");
    pool.ask(2).does("refuse 2 (bad-inits)");
}

#[test]
fn a_good_initialisation_resets_the_count_of_bad_ones() {
    let mut pool = Script::new(PoolOptions { max_bad_inits: 2, ..eager() });
    pool.ask(1)
        .does("open a for 1")
        .opened("a", Opened::Bad)
        .does("open b for 1")
        .opened("b", Opened::Ready)
        .does("grant b to 1");
    pool.ask(2).does("open c for 2").opened("c", Opened::Bad).does("open d for 2");
}

#[test]
fn an_initialisation_the_api_has_no_session_for_is_paused_and_not_counted() {
    let mut pool = Script::new(PoolOptions { max_bad_inits: 1, creation_retry_delay: Duration::from_secs(60), ..options() });
    pool.ask(1).does("open a for 1").opened("a", Opened::Unavailable(None)).does("").wakes_after(60, "open b for 1");
    pool.opened("b", Opened::Ready).does("grant b to 1");
}

#[test]
fn an_initialisation_that_the_api_refuses_ends_its_request_and_the_next_one_is_for_another() {
    let mut pool = Script::new(PoolOptions { max_bad_inits: 3, ..options() });
    pool.ask(1).does("open a for 1").ask(2).opened("a", Opened::Refused).does("refuse 1 (bad-init), open b for 2");
    pool.opened("b", Opened::Ready).does("grant b to 2").used("b", Used::Expired);
    pool.does("retire b (expired-upstream)").ask(4).does("open c for 4").ask(5).ask(6).ask(7);
    pool.opened("c", Opened::Refused).does("refuse 4 (bad-init), open d for 5").cancel(5).opened("d", Opened::Refused);
    pool.does("open e for 6").opened("e", Opened::Refused).does("refuse 6 (bad-init), refuse 7 (bad-inits, 60)");
    let mut pool = Script::new(PoolOptions { size: 1, max_bad_inits: 3, on_bad_inits: OnBadInits::OpenCircuit, ..eager() });
    pool.ask(1).does("open a for 1").ask(2).opened("a", Opened::Refused).does("refuse 1 (bad-init), open b for 2");
}

#[test]
fn while_its_plugin_is_left_alone_those_who_wait_are_refused_one_by_one_and_nothing_is_counted() {
    let mut pool = Script::new(PoolOptions { max_bad_inits: 1, ..options() });
    pool.ask(1).does("open a for 1").ask(2).ask(3).opened("a", Opened::LeftAlone).does("refuse 1 (left alone), open b for 2");
    pool.cancel(2)
        .opened("b", Opened::LeftAlone)
        .does("open c for 3")
        .opened("c", Opened::LeftAlone)
        .does("refuse 3 (left alone)");
    pool.ask(4).does("open d for 4").opened("d", Opened::Ready).does("grant d to 4");
    let mut pool = Script::new(PoolOptions { size: 1, max_bad_inits: 1, ..eager() });
    pool.ask(1).does("open a for 1").ask(2).opened("a", Opened::LeftAlone).does("refuse 1 (left alone), open b for 2");
}

#[test]
fn requests_do_not_wait_for_ever_for_a_session_that_the_api_does_not_have() {
    let mut pool = Script::new(PoolOptions { creation_timeout: seconds(120), ..options() });
    pool.ask(1).does("open a for 1").opened("a", Opened::Unavailable(None)).does("").wakes_after(60, "open b for 1");
    pool.opened("b", Opened::Unavailable(None)).does("").ask(2).wakes_after(60, "open c for 1");
    pool.opened("c", Opened::Unavailable(None)).does("refuse 1 (unavailable, 60), refuse 2 (unavailable, 60)");
    pool.after(59).ask(3).does("refuse 3 (unavailable, 1)").after(1).ask(4).does("open d for 4");
    pool.opened("d", Opened::Unavailable(None)).does("refuse 4 (unavailable, 120)");
    pool.after(120).ask(5).does("open e for 5").opened("e", Opened::Ready).does("grant e to 5").used("e", Used::Expired);
    pool.does("retire e (expired-upstream)").ask(6).does("open f for 6").opened("f", Opened::Unavailable(None)).does("");
}

#[test]
fn the_time_without_a_session_begins_anew_when_another_outcome_was_seen_or_nobody_waited() {
    for between in [Opened::Hindered(None), Opened::PutOff(Duration::from_secs(60)), Opened::BadFor(Duration::from_secs(60))] {
        let mut pool = Script::new(PoolOptions { creation_timeout: seconds(120), ..options() });
        pool.ask(1).does("open a for 1").opened("a", Opened::Unavailable(None)).does("").wakes_after(60, "open b for 1");
        pool.opened("b", between).does("").wakes_after(60, "open c for 1").opened("c", Opened::Unavailable(None)).does("");
    }
    let mut pool = Script::new(PoolOptions { creation_timeout: seconds(120), ..options() });
    pool.ask(1).does("open a for 1").opened("a", Opened::Unavailable(None)).does("").cancel(1).wakes_after(60, "");
    pool.after(60).ask(2).does("open b for 2").opened("b", Opened::Unavailable(None)).does("");
}

#[test]
fn the_time_without_a_session_is_not_begun_anew_by_what_is_opened_beside() {
    for beside in [Opened::Hindered(None), Opened::PutOff(Duration::from_secs(60))] {
        let parallel = PoolOptions { creation_timeout: seconds(120), growth: Growth::OnDemand, size: 2, ..options() };
        let mut pool = Script::new(parallel);
        pool.ask(1).ask(2).does("open a for 1, open b for 2").opened("a", Opened::Unavailable(None)).does("");
        pool.after(1)
            .opened("b", beside)
            .does("")
            .wakes_after(59, "open c for 1")
            .opened("c", Opened::Unavailable(None))
            .does("");
        pool.wakes_after(1, "open d for 2").after(1).opened("d", beside).does("").wakes_after(58, "open e for 1");
        pool.opened("e", Opened::Unavailable(None)).does("refuse 1 (unavailable, 60), refuse 2 (unavailable, 60)");
    }
    // That it has one now is news for all.
    let parallel = PoolOptions { creation_timeout: seconds(60), growth: Growth::OnDemand, size: 2, ..options() };
    let mut pool = Script::new(parallel);
    pool.ask(1).ask(2).does("open a for 1, open b for 2").opened("a", Opened::Unavailable(None)).does("");
    pool.after(1).opened("b", Opened::Ready).does("grant b to 1").wakes_after(59, "open c for 1");
    pool.opened("c", Opened::Unavailable(None)).does("");
}

#[test]
fn a_pool_that_only_waited_for_a_session_in_vain_can_be_forgotten_later() {
    let mut pool = Script::new(PoolOptions { creation_timeout: seconds(0), ..options() });
    pool.ask(1).does("open a for 1").opened("a", Opened::Unavailable(None)).does("refuse 1 (unavailable, 60)");
    assert!(!pool.pool.is_forgettable());
    pool.wakes_after(60 + 3600, "");
    assert!(pool.pool.is_forgettable());
}

#[test]
fn a_bad_initialisation_that_asks_for_time_is_not_tried_again_before_and_counts() {
    let later = Opened::BadFor(Duration::from_secs(30));
    let mut pool = Script::new(PoolOptions { max_bad_inits: 2, ..options() });
    pool.ask(1).does("open a for 1").opened("a", later).does("").ask(2).does("").wakes_after(30, "open b for 1");
    pool.opened("b", later).does("refuse 1 (bad-inits, 60), refuse 2 (bad-inits, 60)");
}

#[test]
fn a_request_gives_up_when_no_session_becomes_free_in_time() {
    let mut pool = Script::new(PoolOptions { size: 1, queue_timeout: seconds(5), ..eager() });
    pool.ask(1).does("open a for 1").after(1).ask(2).does("").wakes_after(5, "refuse 2 (no-session)");
    pool.opened("a", Opened::Ready).does("grant a to 1");
}

#[test]
fn a_pool_of_size_zero_refuses_at_once_or_when_the_wait_is_over() {
    Script::new(PoolOptions { size: 0, ..options() }).ask(1).does("refuse 1 (no-session)");
    let mut pool = Script::new(PoolOptions { size: 0, queue_timeout: seconds(5), ..eager() });
    pool.ask(1).does("").wakes_after(5, "refuse 1 (no-session)");
}

#[test]
fn a_cancelled_request_leaves_no_trace() {
    let mut pool = Script::new(options());
    pool.ask(1).does("open a for 1").called("a", true).cancel(1).opened("a", Opened::Ready).does("").ask(2).does("grant a to 2");
    let mut pool = Script::new(eager());
    pool.ask(1).does("open a for 1").cancel(1).opened("a", Opened::Ready).does("").ask(2).does("open b for 2");
}

#[test]
fn a_closed_pool_refuses_everybody_and_ends_its_sessions() {
    let mut pool = Script::new(PoolOptions { size: 1, ..options() }).with_live_sessions(1);
    pool.ask(1).does("grant a to 1").ask(2).close("enough").does("retire a (closed), refuse 2 (closed: enough)");
    pool.ask(3).does("refuse 3 (closed: enough)").used("a", Used::Good).does("");
}

#[test]
fn an_empty_pool_can_be_forgotten_once_its_memory_of_failures_has_faded() {
    let hour = Duration::from_secs(3600);
    let mut pool =
        Script::new(PoolOptions { max_bad_inits: 2, cool_down: Duration::from_secs(60), max_cool_down: hour, ..options() });
    assert!(pool.pool.is_forgettable());
    pool.ask(1).does("open a for 1").called("a", true).cancel(1).opened("a", Opened::Bad).does("");
    assert!(!pool.pool.is_forgettable());
    pool.after(10).ask(2).does("open b for 2").opened("b", Opened::Bad).does("refuse 2 (bad-inits, 60)");
    pool.wakes_after(60 + 3600, "");
    assert!(pool.pool.is_forgettable());
}

#[test]
fn a_use_without_an_answer_does_not_keep_a_session_alive() {
    for (outcome, lasts) in [(Used::Good, 120), (Used::CheckFailed, 120), (Used::Neutral, 70), (Used::Banned, 70)] {
        let idle = PoolOptions { max_idle: seconds(120), max_errors: Some(9), max_check_failures: 9, ..options() };
        let mut pool = Script::new(idle).with_live_sessions(1);
        pool.ask(1).does("grant a to 1").used("a", Used::Good).after(50);
        pool.ask(1).does("grant a to 1").used("a", outcome).does("").wakes_after(lasts, "retire a (expired-idle)");
    }
}

#[test]
fn a_session_that_only_a_use_under_way_may_keep_alive_is_lent_when_that_was_answered() {
    let answers = [
        (Used::Good, "grant a to 2"),
        (Used::Throttled(Duration::ZERO), "grant a to 2"),
        (Used::Neutral, "retire a (expired-idle), open b for 2"),
        (Used::Banned, "retire a (expired-idle), open b for 2"),
    ];
    for (outcome, then) in answers {
        let two = PoolOptions { size: 2, max_idle: seconds(120), max_in_flight: NonZeroU32::new(2), ..options() };
        let two = PoolOptions { max_errors: Some(9), ..two };
        let mut pool = Script::new(two).with_live_sessions(1);
        pool.after(100).ask(1).does("grant a to 1").after(50);
        assert_eq!(pool.outlook(1).room, 0, "nobody knows yet whether it lives");
        pool.ask(2).does("").used("a", outcome).does(then);
    }
}

#[test]
fn those_who_wait_for_a_use_that_may_keep_their_session_alive_get_another_when_that_takes_too_long() {
    let two = PoolOptions { size: 2, max_idle: seconds(120), max_in_flight: NonZeroU32::new(2), ..options() };
    let mut pool = Script::new(two).with_live_sessions(1);
    pool.after(100).ask(1).does("grant a to 1").after(50).ask(2).does("").wakes_after(70, "open b for 2");
    assert_eq!(pool.pool.poll_timeout(), None, "it is not woken in vain");
    pool.used("a", Used::Good).does("retire a (expired-idle)");
}

#[test]
fn a_session_that_nobody_used_ends_as_unused() {
    let mut pool = Script::new(PoolOptions { max_idle: seconds(120), ..options() });
    pool.ask(1).does("open a for 1").called("a", true).cancel(1).opened("a", Opened::Ready).does("");
    pool.wakes_after(120, "retire a (unused)");
}

#[test]
fn a_successor_is_opened_before_a_session_is_too_old_only_if_somebody_waits() {
    let mut pool = Script::new(PoolOptions { size: 2, max_age: seconds(900), max_idle: None, ..options() });
    pool.ask(1).does("open a for 1").after(8).opened("a", Opened::Ready).does("grant a to 1");
    pool.after(1).used("a", Used::Good).after(884).ask(2).does("grant a to 2");
    pool.ask(3).does("open b for 3").called("b", true).after(1).used("a", Used::Good).does("grant a to 3").ask(4).does("");
}

#[test]
fn an_initialisation_that_is_put_off_is_tried_again_later_and_not_for_ever() {
    let mut pool = Script::new(PoolOptions { max_bad_inits: 1, max_throttled: 2, ..options() });
    let later = Opened::PutOff(Duration::from_secs(30));
    pool.ask(1).does("open a for 1").opened("a", later).does("").wakes_after(30, "open b for 1");
    pool.opened("b", later).does("").wakes_after(30, "open c for 1");
    pool.opened("c", later).does("refuse 1 (bad-inits, 60)");
}

#[test]
fn a_pool_that_cannot_afford_another_session_lives_on_those_it_has() {
    let demanding = PoolOptions { growth: Growth::OnDemand, max_idle: seconds(120), ..options() };
    let mut pool = Script::new(demanding).with_live_sessions(1);
    pool.ask(1).ask(2).does("grant a to 1, open b for 2").opened("b", Opened::Unaffordable).does("");
    pool.used("a", Used::Good).does("grant a to 2").ask(3).does("").used("a", Used::Expired);
    pool.does("retire a (expired-upstream), refuse 3 (budget)").ask(4).does("refuse 4 (budget)");
}

#[test]
fn an_open_circuit_keeps_nobody_from_the_sessions_that_live() {
    let demanding = PoolOptions { growth: Growth::OnDemand, max_bad_inits: 1, max_errors: Some(1), ..options() };
    let mut pool = Script::new(demanding).with_live_sessions(1);
    pool.ask(1).ask(2).does("grant a to 1, open b for 2").opened("b", Opened::Bad).does("");
    pool.used("a", Used::Good).does("grant a to 2").ask(3).does("").used("a", Used::Banned);
    pool.does("retire a (banned), refuse 3 (bad-inits, 60)");
}

#[test]
fn sessions_of_a_pool_that_was_closed_end_for_the_reason_it_was_closed_for() {
    for (why, reason) in [(Refusal::PoolClosed("x".into()), "pool-closed"), (Refusal::Budget, "budget")] {
        let mut pool = Script::new(options()).with_live_sessions(1);
        pool.pool.handle_close(why);
        pool.does(&format!("retire a ({reason})"));
    }
}

#[test]
fn a_pool_that_grows_eagerly_is_forgotten_as_well_when_nothing_is_left_in_it() {
    let mut pool = Script::new(PoolOptions { max_idle: seconds(120), size: 2, ..eager() });
    pool.ask(1).does("open a for 1").opened("a", Opened::Ready).does("grant a to 1").used("a", Used::Good);
    assert!(!pool.pool.is_forgettable());
    pool.wakes_after(120, "retire a (expired-idle)");
    assert!(pool.pool.is_forgettable());
}

#[test]
fn without_a_number_of_errors_three_in_a_row_end_a_session_whatever_else_it_met() {
    for (outcome, reason) in [(Used::Banned, "banned"), (Used::DownloadError, "download-errors")] {
        let mut pool = Script::new(PoolOptions { size: 1, ..options() }).with_live_sessions(1);
        for (n, used) in (1..).zip([outcome, outcome, Used::Good, outcome, Used::CheckFailed, outcome]).take(4) {
            pool.ask(n).does(&format!("grant a to {n}")).used("a", used).does("");
        }
        pool.ask(5).does("grant a to 5").used("a", outcome).does("");
        pool.ask(6).does("grant a to 6").used("a", outcome).does(&format!("retire a ({reason})"));
    }
    let mut pool = Script::new(PoolOptions { size: 1, max_errors: Some(2), ..options() }).with_live_sessions(1);
    pool.ask(1).does("grant a to 1").used("a", Used::DownloadError).ask(2).does("grant a to 2").used("a", Used::Good);
    pool.ask(3).does("grant a to 3").used("a", Used::Banned).does("retire a (banned)");
}

#[test]
fn sessions_that_are_banned_before_a_page_was_good_open_the_circuit_which_a_good_page_closes() {
    let banned = PoolOptions { size: 1, max_errors: Some(1), max_bad_inits: 2, ..options() };
    let mut pool = Script::new(banned);
    pool.ask(1).does("open a for 1").opened("a", Opened::Ready).does("grant a to 1").used("a", Used::Banned);
    pool.does("retire a (banned)").ask(2).does("open b for 2").opened("b", Opened::Ready).does("grant b to 2");
    pool.ask(3).used("b", Used::Banned).does("retire b (banned), refuse 3 (banned, 60)").after(60);
    pool.ask(4).ask(5).does("open c for 4").opened("c", Opened::Ready).does("grant c to 4").ask(6).does("");
    pool.used("c", Used::Banned).does("retire c (banned), refuse 5 (banned, 120), refuse 6 (banned, 120)").after(120);
    pool.ask(7).does("open d for 7").opened("d", Opened::Ready).does("grant d to 7").used("d", Used::Good).does("");
    for (n, name) in [(8, "d"), (9, "e")] {
        pool.ask(n);
        if name == "e" {
            pool.does("open e for 9").opened("e", Opened::Ready);
        }
        pool.does(&format!("grant {name} to {n}")).used(name, Used::Banned).does(&format!("retire {name} (banned)"));
    }
    pool.ask(10).does("open f for 10");
}
