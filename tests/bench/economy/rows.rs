//! The rows: what is crawled, and what the default profile must show.

use std::time::Duration;

use serde_json::{Value, json};

use crate::busy;
use crate::contract;
use crate::crawl::Outcome;
use crate::workload::{Line, Workload, placed, plain, shop, zipf};

/// What a row must show, in words, where it does not.
pub(crate) type Misses = Vec<String>;

/// Judges what the other profile and the default one made of a workload.
type Judge = Box<dyn Fn(&Outcome, &Outcome) -> Misses>;

/// A workload with what both profiles made of it judged.
pub(crate) struct Row {
    /// What is crawled.
    pub(crate) workload: Workload,
    /// Judges the default profile's outcome; the first is the other profile's.
    pub(crate) judge: Judge,
}

/// How large the large row is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Sites.
    pub(crate) sites: usize,
    /// Lines.
    pub(crate) lines: usize,
    /// Lines that are read ahead.
    pub(crate) window: usize,
}

impl Scale {
    /// As the promise is worded.
    pub(crate) const FULL: Self = Self { sites: 10_000, lines: 1_000_000, window: 30_000 };
    /// A tenth in each direction.
    pub(crate) const TENTH: Self = Self { sites: 1_000, lines: 100_000, window: 3_000 };
}

/// All rows.
pub(crate) fn all(scale: Scale) -> anyhow::Result<Vec<Row>> {
    let mut rows = small()?;
    rows.extend(contract::all()?);
    rows.extend(busy::all()?);
    rows.push(broad(scale));
    Ok(rows)
}

/// The rows of an API that has time, but for the large one.
pub(crate) fn small() -> anyhow::Result<Vec<Row>> {
    Ok(vec![
        batch(5, 20, 100),
        batch(8, 20, 160),
        batch(20, 40, 160),
        rarely(),
        bad_site()?,
        unlucky_page()?,
        one_at_a_time(),
        two_places(),
        frugal(50),
    ])
}

pub(crate) fn row(workload: Workload, judge: impl Fn(&Outcome, &Outcome) -> Misses + 'static) -> Row {
    Row { workload, judge: Box::new(judge) }
}

/// 20 sites, all requests there at once, the sites in turn.
fn batch(pages: usize, most: u64, peer: u64) -> Row {
    let lines = (0..pages).flat_map(|page| (0..20).map(move |site| plain(site, page))).collect();
    // Where more run at once the other profile's sessions are not old before they are used again.
    let workload = Workload::new(format!("20 sites x {pages} pages"), lines).with(json!({"crawl": {"concurrency": 40}}));
    row(workload, move |other, ours| {
        let mut misses = all_right(ours, 20 * pages as u64);
        expect(&mut misses, ours.inits <= most, || format!("{} initialisations, {most} are allowed", ours.inits));
        expect(&mut misses, other.inits == peer, || format!("the other profile needed {}, not {peer}", other.inits));
        misses
    })
}

/// Visits so far apart that the API has ended each session and forgotten its id.
fn rarely() -> Row {
    const VISITS: usize = 16;
    const SITES: usize = 10;
    let line = |n: usize| {
        let (visit, site) = (n / SITES, n % SITES);
        Line { at: Duration::from_secs(visit as u64 * 6 * 120 + site as u64 * 5), request: shop(site, visit) }
    };
    let workload = Workload::timed("10 sites visited every 6 idle limits", VISITS * SITES, line);
    row(workload, |_, ours| all_right(ours, (VISITS * SITES) as u64))
}

/// One site whose initialisations always fail, among five good ones.
fn bad_site() -> anyhow::Result<Row> {
    let good = (0..40).flat_map(|page| (1..=5).map(move |site| plain(site, page)));
    let bad = (0..20).map(|page| plain(0, page));
    let mut lines: Vec<Value> = good.collect();
    for (n, line) in bad.enumerate() {
        lines.insert(n * 10, line);
    }
    let fault = json!([{"host": "s00000.plain.example", "session_use": [1], "status": 520}]);
    let workload = Workload::new("200 good pages and a site that always fails", lines).failing(fault)?;
    Ok(row(workload, |_, ours| {
        let mut misses = Vec::new();
        expect(&mut misses, ours.right == 200, || format!("{} of 200 good pages", ours.right));
        let bad = ours.engine["sessions"]["init/failed"].as_u64().unwrap_or_default();
        let most = 8 + ours.makespan.as_secs() / 60;
        expect(&mut misses, bad <= most, || format!("the bad site cost {bad} initialisations, {most} are allowed"));
        let with_reason = ours.attempts.iter().filter(|tries| tries.last().is_some_and(|kind| kind == "bad-inits")).count();
        expect(&mut misses, with_reason == 20, || format!("{with_reason} of its 20 requests failed with the reason"));
        misses
    }))
}

/// One page that meets an expired session, a site that has lost the session's place, and a ban.
fn unlucky_page() -> anyhow::Result<Row> {
    let faults = json!([
        {"mode": "http", "nth": [1], "status": 422, "type": "/problem/session-expired"},
        {"mode": "http", "nth": [2], "lose_cookies": true},
        {"mode": "http", "nth": [3], "status": 520},
    ]);
    let workload = Workload::new("a page that meets expiry, failed check, ban", vec![shop(1, 1)]).failing(faults)?.checked();
    Ok(row(workload, |_, ours| {
        let mut misses = all_right(ours, 1);
        let tries = ours.attempts.first().map(|tries| tries.join(" ")).unwrap_or_default();
        let has_all = ["expired", "check", "ban"].iter().all(|word| tries.contains(word));
        expect(&mut misses, has_all, || format!("its attempts are: {tries}"));
        misses
    }))
}

/// 16 requests at once on one session.
fn one_at_a_time() -> Row {
    const DELAY: f64 = 2.0;
    let session = json!({"pool_size": 1, "max_in_flight": 1, "delay": DELAY, "randomize_delay": false});
    let lines = (0..16).map(|page| plain(0, page)).collect();
    let workload = Workload::new("16 requests, pool of 1, one in flight", lines).with(json!({"session": session}));
    row(workload, |_, ours| {
        let mut misses = all_right(ours, 16);
        let mut uses: Vec<(Duration, Duration)> = ours.uses.iter().map(|(_, start, end)| (*start, *end)).collect();
        uses.sort_unstable();
        for pair in uses.windows(2) {
            let [(start, end), (next, _)] = pair else { continue };
            expect(&mut misses, next >= end, || format!("two at once at {next:?}"));
            // The clock of the runtime ticks in milliseconds.
            let latest = (*end).max(*start + Duration::from_secs_f64(DELAY)) + Duration::from_millis(2);
            expect(&mut misses, *next <= latest, || format!("idle until {next:?}, could have gone on at {latest:?}"));
        }
        misses
    })
}

/// At each of five sites, two places whose addresses read alike once their names are left out.
fn two_places() -> Row {
    let lines = (0..100).flat_map(|page| {
        let url = |n: usize| format!("https://s{:05}.grocer.example/p/{n}", page % 5);
        [
            placed(&url(2 * page), "20002", &json!({"addressRegion": "10001", "postalCode": "20002"})),
            placed(&url(2 * page + 1), "10001", &json!({"postalCode": "10001", "streetAddress": "20002"})),
        ]
    });
    row(Workload::new("5 sites, two places that read alike", lines.collect()), |_, ours| {
        let mut misses = all_right(ours, 200);
        let pools = ours.engine["pools"].as_object().map_or(0, serde_json::Map::len);
        expect(&mut misses, pools == 10, || format!("{pools} pools"));
        misses
    })
}

/// A budget, and more pages than it pays for. That what is left undone can be crawled from its file is shown where `crawl` is: in the
/// scenario `what_a_spent_budget_leaves_undone_is_crawled_from_its_file`.
fn frugal(budget: u64) -> Row {
    const LINES: u64 = 200;
    let lines = (0..LINES as usize).map(|n| plain(n % 5, n / 5)).collect();
    let workload = Workload::new(format!("200 pages, a budget of {budget}"), lines).with(json!({"budget": {"billed": budget}}));
    row(workload, move |_, ours| {
        let mut misses = Vec::new();
        expect(&mut misses, ours.billed <= budget, || format!("{} answers were billed", ours.billed));
        // An initialisation for the sake of one page more than is left would be for nothing.
        expect(&mut misses, ours.billed + 1 >= budget, || format!("only {} answers were billed", ours.billed));
        expect(&mut misses, ours.right + ours.inits == ours.billed, || {
            format!("{} pages and {} initialisations for {} billed answers", ours.right, ours.inits, ours.billed)
        });
        expect(&mut misses, ours.wrong == 0 && ours.lost == ours.undone && ours.right + ours.undone == LINES, || {
            format!("{} pages, {} left undone, {} lost", ours.right, ours.undone, ours.lost)
        });
        misses
    })
}

/// Many sites, few of them giants, in random order.
pub(crate) fn broad(scale: Scale) -> Row {
    let counts = zipf(scale.sites, scale.lines);
    let mut sites: Vec<u32> = counts.iter().zip(0..).flat_map(|(count, site)| std::iter::repeat_n(site, *count)).collect();
    fastrand::Rng::with_seed(7).shuffle(&mut sites);
    let count = sites.len();
    let line = move |n: usize| Line { at: Duration::ZERO, request: shop(sites.get(n).map_or(0, |site| *site as usize), n) };
    let name = format!("{} sites, {count} lines after Zipf, shuffled", scale.sites);
    let workload = Workload::timed(name, count, line).with(json!({"crawl": {"window": scale.window}})).checked();
    row(workload, move |other, ours| {
        let mut misses = all_right(ours, count as u64);
        let (share, others) = (per_page(ours), per_page(other));
        expect(&mut misses, share * 10.0 <= others, || {
            format!("{share:.3} initialisations a page, the other profile {others:.3}")
        });
        expect(&mut misses, ours.done.len() == counts.len(), || format!("{} of {} sites", ours.done.len(), counts.len()));
        let small = small_before_giants(ours, scale.sites);
        expect(&mut misses, small >= 0.9, || format!("{:.1} % of the small sites were done before the giants", small * 100.0));
        misses
    })
}

fn per_page(outcome: &Outcome) -> f64 {
    outcome.inits as f64 / outcome.right.max(1) as f64
}

/// The share of the smaller half of the sites that was done before the ten largest were.
pub(crate) fn small_before_giants(outcome: &Outcome, sites: usize) -> f64 {
    let at = |site: usize| outcome.done.get(&format!("s{site:05}.grocer.example")).copied();
    let giants = (0..10).filter_map(at).max().unwrap_or_default();
    let small: Vec<Duration> = (sites / 2..sites).filter_map(at).collect();
    small.iter().filter(|done| **done < giants).count() as f64 / small.len().max(1) as f64
}

pub(crate) fn all_right(ours: &Outcome, count: u64) -> Misses {
    let mut misses = Vec::new();
    expect(&mut misses, ours.right == count && ours.wrong == 0 && ours.lost == 0, || {
        format!("{} right, {} wrong, {} lost of {count}", ours.right, ours.wrong, ours.lost)
    });
    let lapsed = ours.meter("/sessions/reborn");
    expect(&mut misses, lapsed == 0, || format!("{lapsed} requests on lapsed sessions"));
    misses
}

pub(crate) fn expect(misses: &mut Misses, holds: bool, miss: impl FnOnce() -> String) {
    if !holds {
        misses.push(miss());
    }
}

/// What holds for every row.
pub(crate) fn judge(row: &Row, other: &Outcome, ours: &Outcome) -> Misses {
    let mut misses = (row.judge)(other, ours);
    let lapsed = ours.meter("/sessions/refused_expired");
    let scripted = row.workload.faults.to_string().matches("session-expired").count() as u64;
    // A call that was under way beside the third ban in a row came too late: one at most, where four share a session.
    let late = ours.meter("/sessions/ended/bans");
    let expected = scripted..=scripted + late;
    expect(&mut misses, expected.contains(&lapsed), || format!("{lapsed} requests on sessions that the API had ended"));
    // A crawl that the other profile gave up is no measure of time.
    let is_whole = other.lost == 0 && other.wrong == 0;
    expect(&mut misses, !is_whole || ours.makespan <= other.makespan, || {
        format!("it took {:.1} s, the other profile {:.1} s", ours.makespan.as_secs_f64(), other.makespan.as_secs_f64())
    });
    misses
}
