//! The crawl ends: what is paid is finished, nothing new is begun.

use super::*;

fn wide() -> PoolOptions {
    PoolOptions { max_in_flight: NonZeroU32::new(2), growth: Growth::Thrifty, ..options() }
}

#[test]
fn an_initialisation_that_has_called_serves_as_many_as_its_session_takes() {
    let mut pool = Script::new(wide());
    pool.ask(1).does("open a for 1").called("a", true).ask(2).ask(3).does("");
    pool.wind_down().does("refuse 3 (closed: end)").ask(4).does("refuse 4 (closed: end)");
    pool.opened("a", Opened::Ready).does("grant a to 1, grant a to 2");
    pool.used("a", Used::CheckFailed).does("retire a (check-failed)").ask(5).does("refuse 5 (closed: end)");
}

#[test]
fn one_that_has_not_called_or_fails_ends_with_its_request() {
    let mut pool = Script::new(wide());
    pool.ask(1).does("open a for 1").wind_down().does("cancel a, refuse 1 (closed: end)");
    for outcome in [
        Opened::Bad,
        Opened::Unavailable(None),
        Opened::Hindered(None),
        Opened::PutOff(Duration::from_secs(9)),
        Opened::Abandoned,
    ] {
        let mut pool = Script::new(wide());
        pool.ask(1).does("open a for 1").called("a", true).wind_down().does("");
        pool.opened("a", outcome).does("refuse 1 (closed: end)");
        assert_eq!((pool.pool.opening(), pool.pool.waiting()), (0, 0), "{outcome:?}");
    }
}

#[test]
fn in_eager_growth_each_initialisation_has_its_request() {
    let mut pool = Script::new(eager());
    pool.ask(1).ask(2).does("open a for 1, open b for 2").called("a", true).wind_down().does("refuse 2 (closed: end), cancel b");
    pool.opened("a", Opened::Ready).does("grant a to 1");
}
