//! A circuit that is open while sessions of its pool live: it is tried again all the same.

use super::*;

/// The circuit opens after one bad initialisation, and sessions live for as long as they are good.
fn fragile(size: u32, growth: Growth) -> PoolOptions {
    PoolOptions { size, growth, max_bad_inits: 1, max_age: None, max_idle: None, ..options() }
}

#[test]
fn a_circuit_is_tried_again_though_a_session_lives() {
    let mut pool = Script::new(fragile(2, Growth::OnDemand)).with_live_sessions(1);
    pool.ask(1).does("grant a to 1").ask(2).ask(3).does("open b for 2").opened("b", Opened::Bad).does("");
    pool.wakes_after(60, "open c for 2").opened("c", Opened::Bad).does("");
    pool.after(60).ask(4).does("").wakes_after(60, "open d for 2").opened("d", Opened::Ready).does("grant d to 2");
}

#[test]
fn a_circuit_is_tried_again_for_what_the_owner_holds_back_and_by_one_at_a_time() {
    let mut pool = Script::new(fragile(4, Growth::OnDemand)).with_live_sessions(1);
    pool.ask(1).does("grant a to 1").ask(2).does("open b for 2").called("b", true).cancel(2).opened("b", Opened::Bad).does("");
    assert_eq!(pool.pool.poll_timeout(), None, "nobody wants another session");
    assert_eq!(pool.outlook(3).growth, 0);
    pool.wakes_after(60, "");
    assert_eq!(pool.outlook(3).growth, 1);
    pool.ask(5).does("open c for 5").ask(6).does("").opened("c", Opened::Ready).does("grant c to 5, open d for 6");
}

#[test]
fn a_thrifty_pool_tries_its_circuit_again_where_its_sessions_are_too_slow() {
    let mut pool = Script::new(fragile(2, Growth::Thrifty));
    pool.ask(1).does("open a for 1").called("a", true).after(1).opened("a", Opened::Ready).does("grant a to 1");
    pool.after(10)
        .used("a", Used::Good)
        .ask(2)
        .does("grant a to 2")
        .ask(3)
        .does("open b for 3")
        .opened("b", Opened::Bad)
        .does("");
    pool.wakes_after(60, "open c for 3").opened("c", Opened::Ready).does("grant c to 3");
}
