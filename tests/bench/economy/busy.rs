//! The rows where the API is too busy: only what it speaks of slows, and comes near to what it allows.

use serde_json::{Value, json};

use crate::crawl::{Outcome, crawl};
use crate::rows::{Misses, Row, all_right, expect, row};
use crate::workload::{Workload, plain};

/// Pages of each of the two sites.
const PAGES: u64 = 300;

/// The site that a limit is about, and one of another domain.
const LIMITED: &str = "s00000.plain.example";
const NEIGHBOUR: &str = "s00000.bakery.example";

/// Calls a second that the API takes on the one site, or on both; without a limit each gets between six and seven.
const ON_ONE: f64 = 4.0;
const ON_BOTH: f64 = 8.0;

/// The share of what a limit lets through from the first page to the last that is used, at least (sessions must be opened, too); and the
/// share of calls that may be put off.
const REACHED: f64 = 0.75;
const PUT_OFF: f64 = 0.1;

/// What is slowed: the name of the row, the answer, and the sites.
struct Limit {
    name: &'static str,
    status: u16,
    kind: &'static str,
    sites: &'static [&'static str],
}

const LIMITS: [Limit; 5] = [
    Limit { name: "429 for a site", status: 429, kind: "/limits/over-domain-limit", sites: &[LIMITED] },
    Limit { name: "429 for the organisation's site", status: 429, kind: "/limits/over-org-domain-limit", sites: &[LIMITED] },
    Limit { name: "429 for the account", status: 429, kind: "/limits/over-user-limit", sites: &[LIMITED, NEIGHBOUR] },
    Limit { name: "429 for all", status: 429, kind: "/limits/over-global-limit", sites: &[LIMITED, NEIGHBOUR] },
    Limit { name: "503", status: 503, kind: "/limits/over-global-limit", sites: &[LIMITED, NEIGHBOUR] },
];

/// Each scope with the pause that the API asks for, and without one.
pub(crate) fn all() -> anyhow::Result<Vec<Row>> {
    let calm = crawl(&workload("without a limit"), "default", 1)?;
    let pauses = [(None, ""), (Some(2), ", Retry-After")];
    let limits = LIMITS.iter().flat_map(|limit| pauses.map(|(pause, words)| (limit, pause, words)));
    let limited = limits.map(|(limit, pause, words)| limited(limit, pause, format!("{}{words}", limit.name), calm.clone()));
    limited.chain(pauses.map(|(pause, words)| small_sites(pause, words))).collect()
}

/// Many small sites, so that a third of the calls are initialisations: they keep to the limit as requests do.
fn small_sites(retry_after: Option<u64>, words: &str) -> anyhow::Result<Row> {
    const SITES: usize = 300;
    const PAGES_OF_ONE: usize = 2;
    const PLACES: u64 = 100;
    let lines = (0..SITES * PAGES_OF_ONE).map(|n| plain(n % SITES, n / SITES)).collect();
    let mut fault = json!({"over_per_second": ON_BOTH, "status": 429, "type": "/limits/over-user-limit"});
    if let Some(seconds) = retry_after {
        fault["retry_after"] = seconds.into();
    }
    let workload = Workload::new(format!("429 for the account, {SITES} sites of {PAGES_OF_ONE} pages{words}"), lines);
    let workload = workload.with(json!({"crawl": {"concurrency": PLACES}})).failing(json!([fault]))?;
    Ok(row(workload, |_, ours| {
        let mut misses = all_right(ours, (SITES * PAGES_OF_ONE) as u64);
        expect(&mut misses, ours.inits == SITES as u64, || format!("{} initialisations", ours.inits));
        let most = ON_BOTH * ours.makespan.as_secs_f64();
        let calls = ours.billed as f64;
        expect(&mut misses, calls >= REACHED * most, || format!("{calls} calls in a time for {most:.0}"));
        // Before anything is known of a limit, all places call at once.
        let later = ours.busy().saturating_sub(PLACES - ON_BOTH as u64);
        let share = later as f64 / calls;
        expect(&mut misses, share < PUT_OFF, || format!("{:.1} % of the later calls were put off", share * 100.0));
        misses
    }))
}

fn workload(name: impl Into<String>) -> Workload {
    let page = |host: &str, page: u64| json!({"url": format!("https://{host}/p/{page}"), "httpResponseBody": true});
    let lines = (0..PAGES).flat_map(|n| [LIMITED, NEIGHBOUR].map(|host| page(host, n)));
    Workload::new(name, lines.collect())
}

/// Sites that the API limits to so many calls a second settle near that, others keep their pace, nothing is lost and no session ends
/// for it.
fn limited(limit: &'static Limit, retry_after: Option<u64>, name: String, calm: Outcome) -> anyhow::Result<Row> {
    let rate = if limit.sites.len() == 1 { ON_ONE } else { ON_BOTH };
    let mut fault = json!({"over_per_second": rate, "status": limit.status, "type": limit.kind});
    if let [site] = limit.sites {
        fault["host"] = (*site).into();
    }
    if let Some(seconds) = retry_after {
        fault["retry_after"] = seconds.into();
    }
    let workload = workload(name).failing(json!([fault]))?;
    Ok(row(workload, move |_, ours| {
        let mut misses = all_right(ours, 2 * PAGES);
        no_session_burnt(&mut misses, ours, &calm);
        let most = rate * span(ours, limit.sites);
        let pages = (limit.sites.len() as u64 * PAGES) as f64;
        expect(&mut misses, pages >= REACHED * most, || format!("{pages} pages in a time for {most:.0}"));
        let share = ours.busy() as f64 / pages;
        expect(&mut misses, (0.0..PUT_OFF).contains(&share), || format!("{:.1} % of the calls were put off", share * 100.0));
        for host in [LIMITED, NEIGHBOUR].iter().filter(|host| !limit.sites.contains(host)) {
            let (gap, before) = (ours.longest_gap(host), calm.longest_gap(host));
            expect(&mut misses, gap <= before, || format!("{host} stood still for {gap:?}, without a limit for {before:?}"));
            let (done, before) = (ours.host_done(host), calm.host_done(host));
            expect(&mut misses, done <= before, || format!("{host} was done after {done:?}, without a limit after {before:?}"));
        }
        misses
    }))
}

/// From the first answer of these sites to their last one.
fn span(ours: &Outcome, sites: &[&str]) -> f64 {
    let uses = || ours.uses.iter().filter(|(host, ..)| sites.contains(&host.as_str()));
    let (first, last) = (uses().map(|(_, start, _)| *start).min(), uses().map(|(_, start, _)| *start).max());
    last.unwrap_or_default().saturating_sub(first.unwrap_or_default()).as_secs_f64()
}

fn no_session_burnt(misses: &mut Misses, ours: &Outcome, calm: &Outcome) {
    let ended: Option<&serde_json::Map<String, Value>> = ours.engine["ended"].as_object();
    let reasons = ended.into_iter().flatten().map(|(reason, _)| reason);
    let burnt: Vec<&String> = reasons.filter(|reason| !["closed", "expired-idle"].contains(&reason.as_str())).collect();
    let is_thrifty = ours.inits <= calm.inits;
    expect(misses, burnt.is_empty() && is_thrifty, || format!("{} sessions, ended: {burnt:?}", ours.inits));
}
