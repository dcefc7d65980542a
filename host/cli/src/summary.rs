//! The counters of a crawl in words that a newcomer understands.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::logging::Lines;

/// Why sessions end, in plain words.
const END_REASONS: &[(&str, &str)] = &[
    ("expired-age", "reached the age at which the API ends them"),
    ("expired-idle", "were unused for too long"),
    ("expired-upstream", "had expired at the API"),
    ("banned", "were banned by the site"),
    ("download-errors", "could not download pages"),
    ("check-failed", "failed the site's check"),
    ("check-error", "could not be checked"),
    ("unused", "were never used"),
    ("superseded", "were made by an earlier version of their plugin"),
    ("uncreated", "did not come into being with their first request"),
    ("pool-closed", "belonged to a pool that was closed"),
    ("budget", "belonged to a pool that had spent its budget"),
    ("closed", "were alive at the end of the crawl"),
];

/// What became of initialisations that gave no session.
const INIT_FAILURES: &[(&str, &str)] = &[
    ("init/check-failed", "failed their check"),
    ("init/check-error", "could not be checked"),
    ("init/failed", "got no answer"),
    ("init/param-error", "had no parameters"),
    ("init/over-limit", "met the account's limit of sessions"),
    ("init/server-error", "met an error of the API"),
    ("init/throttled", "were put off by their check"),
];

/// Tells a stats document.
pub(crate) fn lines(document: &Value) -> Lines {
    let mut text = Lines::from(heading(document));
    for (name, lines) in [
        ("pages", pages(document)),
        ("sessions", sessions(document)),
        ("billed", billed(document)),
        ("retries", retries(document)),
        ("plugins", plugins(document)),
    ] {
        let mut name = name;
        for line in lines {
            text.push(format!("  {name:<9} {line}"));
            name = "";
        }
    }
    text
}

fn heading(document: &Value) -> String {
    let seconds = document["seconds"].as_f64().unwrap_or_default();
    match document["close_reason"].as_str() {
        None | Some("finished") => format!("crawl finished in {seconds:.1} s"),
        Some(reason) => format!("crawl closed early after {seconds:.1} s, reason: {reason}"),
    }
}

fn pages(document: &Value) -> Vec<String> {
    let requests = &document["requests"];
    let seconds = document["seconds"].as_f64().unwrap_or_default();
    let answered = count(&requests["ok"]);
    let mut line = format!("{} answered, {} failed", grouped(answered), grouped(count(&requests["failed"])));
    for (key, words) in
        [("duplicates", "dropped as duplicates"), ("aborted", "under way when it was stopped"), ("not_started", "not started")]
    {
        match requests[key].as_u64() {
            Some(0) | None => {}
            Some(number) => line += &format!(", {} {words}", grouped(number)),
        }
    }
    if requests["not_started"].is_null() {
        line += ", the rest of the input was not read";
    }
    if seconds > 0.0 && answered > 0 {
        line += &format!(" ({:.1} answers per second)", answered as f64 / seconds);
    }
    let kinds = named_counts(&requests["failed_by_kind"]).filter(|(kind, _)| kind != "duplicate");
    let failed = listed(kinds.map(|(kind, number)| format!("{} {kind}", grouped(number))));
    [Some(line), failed.map(|kinds| format!("failed: {kinds}"))].into_iter().flatten().collect()
}

fn sessions(document: &Value) -> Vec<String> {
    let counters = without_pools(&document["sessions"]);
    let of = |name: &str| counters.get(name).copied().unwrap_or_default();
    let failures = INIT_FAILURES.iter().filter(|(key, _)| of(key) > 0);
    let failed = listed(failures.map(|(key, words)| format!("{} {words}", grouped(of(key)))));
    let ends = named_counts(&document["ended"]).filter(|(_, number)| *number > 0);
    let ended = listed(ends.map(|(reason, number)| format!("{} {}", grouped(number), end_reason(&reason))));
    let (without, own) = (of("use/disabled"), of("use/own-session"));
    [
        Some(format!("{} opened", grouped(of("init/check-passed")))),
        failed.map(|list| format!("initialisations in vain: {list}")),
        ended.map(|list| format!("why they ended: {list}")),
        (without > 0).then(|| format!("{} requests were sent without a session", grouped(without))),
        (own > 0).then(|| format!("{} requests brought a session of their own", grouped(own))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The counters summed over the pools, where they are kept per pool.
fn without_pools(counters: &Value) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for (key, number) in named_counts(counters) {
        let mut words = key.rsplitn(3, '/');
        let name = match (words.next(), words.next()) {
            (Some(last), Some(before)) => format!("{before}/{last}"),
            _ => key,
        };
        *sums.entry(name).or_default() += number;
    }
    sums
}

fn end_reason(reason: &str) -> &str {
    END_REASONS.iter().find(|(key, _)| *key == reason).map_or(reason, |(_, words)| words)
}

fn billed(document: &Value) -> Vec<String> {
    let billed = &document["billed"];
    let [init, used, discarded] = ["init", "use", "discarded"].map(|key| count(&billed[key]));
    let total = init + used + discarded;
    let mut line = format!(
        "{} answers: {} pages delivered, {} to initialise sessions, {} thrown away",
        grouped(total),
        grouped(used),
        grouped(init),
        grouped(discarded)
    );
    if let Some(each) = document.pointer("/cost/billed_per_kept_page").and_then(Value::as_f64) {
        line += &format!(" ({each:.3} for each page)");
    }
    vec![line]
}

fn retries(document: &Value) -> Vec<String> {
    let retries = document.pointer("/requests/retries").unwrap_or(&Value::Null);
    let reasons = named_counts(retries).filter_map(|(key, number)| {
        let reason = key.strip_prefix("reason_count/")?.replace('_', " ");
        Some(format!("{} {reason}", grouped(number)))
    });
    let mut line = grouped(count(&retries["count"]));
    if let Some(list) = listed(reasons) {
        line += &format!(": {list}");
    }
    match count(&retries["max_reached"]) {
        0 => {}
        number => line += &format!("; {} requests used up all of theirs", grouped(number)),
    }
    vec![line]
}

/// What each plugin did, over all of its sites.
fn plugins(document: &Value) -> Vec<String> {
    let mut plugins: BTreeMap<&str, PluginSums<'_>> = BTreeMap::new();
    for site in document["sites"].as_object().into_iter().flat_map(|sites| sites.values()) {
        let sums = plugins.entry(site["plugin"].as_str().unwrap_or("?")).or_default();
        sums.sites += 1;
        for (hook, counts) in site["hooks"].as_object().into_iter().flatten() {
            *sums.calls.entry(hook).or_default() += count(&counts["calls"]);
            sums.failures += count(&counts["failures"]);
            sums.traps += count(&counts["traps"]);
        }
    }
    plugins.into_iter().map(|(name, sums)| sums.line(name)).collect()
}

#[derive(Default)]
struct PluginSums<'d> {
    sites: u64,
    calls: BTreeMap<&'d str, u64>,
    failures: u64,
    traps: u64,
}

impl PluginSums<'_> {
    fn line(&self, name: &str) -> String {
        let sites = if self.sites > 1 { format!(" ({} sites)", self.sites) } else { String::new() };
        let calls = listed(self.calls.iter().map(|(hook, number)| format!("{hook} {}", grouped(*number))));
        let mut line = format!("{name}{sites}: {}", calls.unwrap_or_else(|| "not called".to_owned()));
        for (number, words) in [(self.failures, "reported failures"), (self.traps, "stopped calls")] {
            if number > 0 {
                line += &format!("; {} {words}", grouped(number));
            }
        }
        line
    }
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn named_counts(object: &Value) -> impl Iterator<Item = (String, u64)> + '_ {
    object.as_object().into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), value.as_u64()?)))
}

fn listed(items: impl Iterator<Item = String>) -> Option<String> {
    let list = items.collect::<Vec<_>>().join(", ");
    (!list.is_empty()).then_some(list)
}

/// A number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn a_summary_tells_pages_sessions_bill_retries_and_plugins() {
        let document = json!({
            "close_reason": "finished", "seconds": 10.0,
            "requests": {
                "total": 2503, "ok": 2500, "failed": 2, "duplicates": 1, "aborted": 0, "not_started": 0,
                "failed_by_kind": {"api": 1, "bad-request": 1, "duplicate": 1},
                "retries": {"count": 5, "max_reached": 1, "reason_count/session_expired": 3, "reason_count/download_error": 2},
            },
            "sessions": {"pools/a/init/check-passed": 3, "pools/b/init/check-passed": 4, "pools/b/init/failed": 1, "use/disabled": 9, "use/own-session": 4},
            "ended": {"banned": 2, "closed": 5},
            "billed": {"init": 8, "use": 2500, "discarded": 3},
            "cost": {"billed_per_kept_page": 1.0044, "init_share": 0.003},
            "sites": {
                "a": {"plugin": "store", "hooks": {"check": {"calls": 1200, "failures": 0, "traps": 1}}},
                "b": {"plugin": "store", "hooks": {"check": {"calls": 1, "failures": 2, "traps": 0}}},
                "c": {"plugin": "token", "hooks": {}},
            },
        });
        let expected = "\
crawl finished in 10.0 s
  pages     2,500 answered, 2 failed, 1 dropped as duplicates (250.0 answers per second)
            failed: 1 api, 1 bad-request
  sessions  7 opened
            initialisations in vain: 1 got no answer
            why they ended: 2 were banned by the site, 5 were alive at the end of the crawl
            9 requests were sent without a session
            4 requests brought a session of their own
  billed    2,511 answers: 2,500 pages delivered, 8 to initialise sessions, 3 thrown away (1.004 for each page)
  retries   5: 3 session expired, 2 download error; 1 requests used up all of theirs
  plugins   store (2 sites): check 1,201; 2 reported failures; 1 stopped calls
            token: not called";
        assert_eq!(lines(&document).to_string(), expected);
    }

    #[test]
    fn an_early_end_is_said_first() {
        let document = json!({"close_reason": "bad_session_inits", "seconds": 1.0, "requests": {"not_started": 12}});
        let text = lines(&document).to_string();
        assert!(text.starts_with("crawl closed early after 1.0 s, reason: bad_session_inits\n"), "{text}");
        assert!(text.contains("12 not started"), "{text}");
    }
}
