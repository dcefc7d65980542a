//! How a simulator behaves: the words that `simulate` and `crawl --simulate` share.

use std::path::PathBuf;
use std::time::Duration;

use carousel_simulator::BanRule;
use clap::{Args, ValueEnum};

/// Flags of a simulator.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Simulator options")]
pub(crate) struct Simulation {
    /// How long simulated answers take: none (default) or realistic
    #[arg(long, value_enum, hide_possible_values = true)]
    pub(crate) latency: Option<LatencyName>,
    /// Requests per minute before the simulator answers 429; no limit if absent
    #[arg(long, value_name = "N")]
    pub(crate) requests_per_minute: Option<u32>,
    /// Sessions alive at the same time before the simulator answers 422 over-session-limit; no limit if absent
    #[arg(long, value_name = "N")]
    pub(crate) max_active: Option<usize>,
    /// Share of new sessions that fail with 503 session-creation-error, from 0 (default) to 1
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) creation_faults: Option<f64>,
    /// A host (or *.DOMAIN, or *) that bans sessions: after N uses (HOST=N), or when a use comes sooner than S seconds after the one
    /// before (HOST=Ss); may be repeated. In place of the bans of the fictional sites; none for no bans at all
    #[arg(long, value_name = "HOST=N|HOST=Ss|none", value_parser = ban)]
    pub(crate) ban: Vec<Ban>,
    /// Refuse browser requests on sessions that an HTTP request created
    #[arg(long)]
    pub(crate) http_born_strict: bool,
    /// Seconds that a session of a sessionContext lives; 14400 if absent
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub(crate) managed_age: Option<Duration>,
    /// Bans that end a session of a sessionContext; 3 if absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) managed_bans: Option<u32>,
    /// Scripted faults: a JSON file with a list of rules, one rule, or an object with the list under "faults"
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
}

impl Simulation {
    /// The first flag that is given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        [
            (self.latency.is_some(), "--latency"),
            (self.requests_per_minute.is_some(), "--requests-per-minute"),
            (self.max_active.is_some(), "--max-active"),
            (self.creation_faults.is_some(), "--creation-faults"),
            (!self.ban.is_empty(), "--ban"),
            (self.http_born_strict, "--http-born-strict"),
            (self.managed_age.is_some(), "--managed-age"),
            (self.managed_bans.is_some(), "--managed-bans"),
            (self.faults.is_some(), "--faults"),
        ]
        .into_iter()
        .find_map(|(is_given, flag)| is_given.then_some(flag))
    }
}

/// How long simulated answers take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LatencyName {
    /// No time at all, waits of actions neither.
    None,
    /// Seconds, as those of the real service.
    Realistic,
}

/// A word of `--ban`.
#[derive(Clone, Debug)]
pub(crate) enum Ban {
    /// Nobody bans.
    None,
    /// A host bans.
    Rule(BanRule),
}

fn ban(text: &str) -> Result<Ban, String> {
    if text == "none" {
        return Ok(Ban::None);
    }
    let Some((host, when)) = text.split_once('=').filter(|(host, _)| !host.is_empty()) else {
        return Err("write HOST=N, such as *.shop.example=40, HOST=Ss, such as shop.example=2s, or none".to_owned());
    };
    let mut rule = BanRule { host: host.to_ascii_lowercase(), after_uses: None, min_interval: None };
    match when.strip_suffix('s') {
        Some(pause) => rule.min_interval = Some(seconds(pause)?),
        None => {
            let uses = when.parse().map_err(|_| format!("{when:?} is neither a number of uses nor seconds, such as 2s"))?;
            rule.after_uses = Some(uses);
        }
    }
    Ok(Ban::Rule(rule))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok();
    number.and_then(|it| Duration::try_from_secs_f64(it).ok()).ok_or_else(|| format!("{text:?} is not a number of seconds"))
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|it| (0.0..=1.0).contains(it));
    number.ok_or_else(|| format!("{text:?} is not a number from 0 to 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_names_a_host_and_when() {
        for (text, host, uses, pause) in [
            ("shop.example=40", "shop.example", Some(40), None),
            ("*.Shop.example=0", "*.shop.example", Some(0), None),
            ("*=1.5s", "*", None, Some(1.5)),
        ] {
            let Ok(Ban::Rule(rule)) = ban(text) else { panic!("{text}") };
            assert_eq!((rule.host.as_str(), rule.after_uses), (host, uses), "{text}");
            assert_eq!(rule.min_interval, pause.map(Duration::from_secs_f64), "{text}");
        }
        assert!(matches!(ban("none"), Ok(Ban::None)));
        for text in ["", "shop.example", "=3", "shop.example=", "shop.example=s", "shop.example=-1", "shop.example=-1s", "a=NaNs"]
        {
            assert!(ban(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_and_seconds_are_numbers_in_range() {
        for (text, is_share, is_seconds) in [
            ("0", true, true),
            ("1", true, true),
            ("0.5", true, true),
            ("1.1", false, true),
            ("-0.1", false, false),
            ("NaN", false, false),
            ("inf", false, false),
            ("1e30", false, false),
            ("", false, false),
        ] {
            assert_eq!((share(text).is_ok(), seconds(text).is_ok()), (is_share, is_seconds), "{text}");
        }
    }
}
