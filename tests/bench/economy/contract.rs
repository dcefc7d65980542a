//! The rows about what need not be paid for: initialisations that tell nothing, sessions given up for a chance ban, and sessions that
//! are not where their page is from.

use carousel_simulator::BanRule;
use serde_json::{Value, json};

use crate::crawl::{Outcome, crawl};
use crate::rows::{Misses, Row, all_right, expect, row};
use crate::workload::{Workload, in_browser, plain};

/// All of them.
pub(crate) fn all() -> anyhow::Result<Vec<Row>> {
    let mut rows = vec![single_pages(1_000, 1), single_pages(20, 5), four_places()];
    rows.extend(bans()?);
    rows.push(without_room()?);
    Ok(rows)
}

/// Sites of few pages, in a browser, with nothing to be set up.
fn single_pages(sites: usize, pages: usize) -> Row {
    let lines = (0..sites * pages).map(|n| in_browser(n % sites, n / sites)).collect();
    let workload = Workload::new(format!("{sites} sites x {pages} pages in a browser"), lines);
    let workload = workload.with(json!({"crawl": {"concurrency": 40}}));
    row(workload, move |other, ours| {
        let count = (sites * pages) as u64;
        let mut misses = all_right(ours, count);
        expect(&mut misses, ours.billed == count, || format!("{} billed answers for {count} pages", ours.billed));
        expect(&mut misses, other.billed == 2 * count, || format!("{} by the other profile, not {}", other.billed, 2 * count));
        misses
    })
}

/// One host whose pages differ by the place that they are asked for from.
fn four_places() -> Row {
    let place = |n: usize| ["DE", "US", "FR", "JP"][n % 4];
    let line = |n: usize| {
        let mut line = plain(0, n);
        line["geolocation"] = place(n).into();
        line
    };
    row(Workload::new("one host, four places", (0..16).map(line).collect()), |_, ours| {
        let mut misses = all_right(ours, 16);
        let pools = ours.engine["pools"].as_object().map_or(0, serde_json::Map::len);
        expect(&mut misses, pools == 4, || format!("{pools} pools"));
        let changed = ours.meter("/sessions/geolocation_changed");
        expect(&mut misses, changed == 0, || format!("{changed} calls left the place of their session"));
        misses
    })
}

/// A kind of ban.
struct Ban {
    name: &'static str,
    faults: Value,
    /// Uses after which a session stays banned.
    after: Option<u32>,
    /// Pages that can be had.
    right: u64,
}

/// Sites and pages of each that are banned like this.
const SITES: usize = 10;
const PAGES: usize = 60;

fn bans() -> anyhow::Result<Vec<Row>> {
    let whole = (SITES * PAGES) as u64;
    let all_of_one = json!([{"host": "s00000.plain.example", "mode": "http", "status": 520}]);
    let kinds = [
        Ban { name: "one page in six", faults: json!([{"mode": "http", "every": 6, "status": 520}]), after: None, right: whole },
        Ban { name: "a session from its 20th page on", faults: json!([]), after: Some(20), right: whole },
        Ban { name: "all pages of one site in ten", faults: all_of_one, after: None, right: whole - PAGES as u64 },
    ];
    kinds.into_iter().map(banned).collect()
}

fn ban_workload(ban: &Ban, settings: Value) -> anyhow::Result<Workload> {
    let lines = (0..SITES * PAGES).map(|n| plain(n % SITES, n / SITES)).collect();
    let mut workload = Workload::new(format!("bans: {}", ban.name), lines).with(settings).failing(ban.faults.clone())?;
    workload.api.bans = ban.after.map(|uses| BanRule::after_uses("*.plain.example", uses)).into_iter().collect();
    Ok(workload)
}

/// The default must be the best of what could be set.
fn banned(ban: Ban) -> anyhow::Result<Row> {
    let with = |most: u32| crawl(&ban_workload(&ban, json!({"session": {"max_errors": most}}))?, "default", 1);
    let others: Vec<Outcome> = [1, 2, 3, 5].into_iter().map(with).collect::<anyhow::Result<_>>()?;
    let (right, workload) = (ban.right, ban_workload(&ban, json!({}))?);
    Ok(row(workload, move |other, ours| {
        let mut misses = Misses::new();
        expect(&mut misses, ours.right == right, || format!("{} pages of {right}", ours.right));
        let best = others.iter().filter(|with| with.right == right).map(|with| with.billed).min().unwrap_or(u64::MAX);
        expect(&mut misses, ours.billed <= best, || format!("{} billed answers, {best} with another max_errors", ours.billed));
        expect(&mut misses, ours.billed < other.billed, || format!("{} billed, {} by the other", ours.billed, other.billed));
        misses
    }))
}

/// The API has no room for sessions at first: whoever creates one waits, an initialisation or the first page itself.
fn without_room() -> anyhow::Result<Row> {
    let refusal = json!([{"nth": [1, 2, 3], "status": 422, "type": "/problem/over-session-limit", "retry_after": 5}]);
    let lines = (0..10).map(|n| in_browser(0, n)).collect();
    let workload = Workload::new("a session created by a page, over the limit", lines).failing(refusal)?;
    Ok(row(workload, |_, ours| {
        let mut misses = all_right(ours, 10);
        expect(&mut misses, ours.billed == 10, || format!("{} billed answers", ours.billed));
        let over = ours.engine["sessions"]["init/over-limit"].as_u64().unwrap_or_default();
        expect(&mut misses, over == 3, || format!("{over} times over the limit"));
        expect(&mut misses, ours.makespan.as_secs() < 60, || format!("it took {:?}", ours.makespan));
        misses
    }))
}
