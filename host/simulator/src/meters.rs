//! Meters: what was asked, billed, opened, ended and served, for `GET /simulator/report`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::ask::Ask;
use crate::sessions::End;
use crate::sites::Standing;

/// Hosts that are counted one by one; all others together are `(other hosts)`.
const COUNTED_HOSTS: usize = 10_000;

/// Counters by name.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<String, u64>);

impl Tally {
    /// Adds one.
    pub(crate) fn add(&mut self, name: &str) {
        if let Some(count) = self.0.get_mut(name) {
            *count += 1;
        } else {
            self.0.insert(name.to_owned(), 1);
        }
    }

    fn add_bounded(&mut self, name: &str) {
        let has_room = self.0.len() < COUNTED_HOSTS || self.0.contains_key(name);
        self.add(if has_room { name } else { "(other hosts)" });
    }

    /// Writes the counts.
    pub(crate) fn report(&self) -> Value {
        json!(self.0)
    }
}

/// What happened to sessions.
#[derive(Debug, Default)]
pub(crate) struct SessionCounts {
    pub(crate) created: u64,
    pub(crate) refused_expired: u64,
    pub(crate) refused_http_born: u64,
    pub(crate) reborn: u64,
    pub(crate) over_limit: u64,
    pub(crate) creation_errors: u64,
    pub(crate) geolocation_changed: u64,
    ended: Tally,
}

impl SessionCounts {
    /// Notes the end of a session.
    pub(crate) fn ended(&mut self, end: End) {
        self.ended.add(match end {
            End::Age => "age",
            End::Idle => "idle",
            End::Bans => "bans",
            End::Script => "script",
        });
    }

    /// Writes the counts, with the number of sessions alive.
    pub(crate) fn report(&self, active: usize) -> Value {
        json!({
            "created": self.created,
            "active": active,
            "ended": self.ended.report(),
            "refused_expired": self.refused_expired,
            "refused_http_born": self.refused_http_born,
            "reborn": self.reborn,
            "over_limit": self.over_limit,
            "creation_errors": self.creation_errors,
            "geolocation_changed": self.geolocation_changed,
        })
    }
}

/// What a billed request was to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionPart {
    /// It had none.
    None,
    /// It opened the session: an initialisation.
    First,
    /// It used the session.
    Later,
    /// It had one that the service manages.
    Managed,
}

/// All counters but those of sessions.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    total: u64,
    statuses: Tally,
    problems: Tally,
    billed_total: u64,
    billed_weight: u64,
    billed_modes: Tally,
    billed_extractions: Tally,
    billed_parts: Tally,
    billed_hosts: Tally,
    pages: Tally,
    families: BTreeMap<&'static str, Tally>,
    target_statuses: Tally,
    /// Results of actions, as `setLocation success`.
    pub(crate) actions: Tally,
    faults: Tally,
    /// Fields that the published schema does not know but clients send.
    pub(crate) tolerated: Tally,
}

impl Meters {
    /// Notes an answer of the API; `problem` is the type of an error.
    pub(crate) fn answered(&mut self, status: u16, problem: Option<&str>) {
        self.total += 1;
        self.statuses.add(status_name(status).as_str());
        if let Some(problem) = problem {
            self.problems.add(problem);
        }
    }

    /// Notes an answer that is charged.
    pub(crate) fn billed(&mut self, ask: &Ask<'_>, part: SessionPart) {
        self.billed_total += 1;
        self.billed_weight += u64::from(ask.weight);
        self.billed_modes.add(ask.mode.name());
        if let Some(extraction) = ask.extraction() {
            self.billed_extractions.add(extraction);
        }
        self.billed_parts.add(match part {
            SessionPart::None => "none",
            SessionPart::First => "first",
            SessionPart::Later => "later",
            SessionPart::Managed => "managed",
        });
        self.billed_hosts.add_bounded(&ask.host);
    }

    /// Answers that were charged.
    pub(crate) const fn billed_total(&self) -> u64 {
        self.billed_total
    }

    /// Notes a scripted fault that struck.
    pub(crate) fn faulted(&mut self, host: &str) {
        self.faults.add_bounded(host);
    }

    /// Notes a page that a site served.
    pub(crate) fn served(&mut self, family: &'static str, standing: Standing, status: u16) {
        self.pages.add(standing.name());
        self.families.entry(family).or_default().add(standing.name());
        self.target_statuses.add(status_name(status).as_str());
    }

    /// Writes all counters but those of sessions.
    pub(crate) fn report(&self) -> serde_json::Map<String, Value> {
        let families: BTreeMap<_, _> = self.families.iter().map(|(name, tally)| (*name, tally.report())).collect();
        let report = json!({
            "requests": {
                "total": self.total,
                "statuses": self.statuses.report(),
                "problems": self.problems.report(),
            },
            "billed": {
                "total": self.billed_total,
                "weight": self.billed_weight,
                "modes": self.billed_modes.report(),
                "extractions": self.billed_extractions.report(),
                "session_parts": self.billed_parts.report(),
                "hosts": self.billed_hosts.report(),
            },
            "pages": self.pages.report(),
            "families": families,
            "target_statuses": self.target_statuses.report(),
            "actions": self.actions.report(),
            "faults": self.faults.report(),
            "tolerated": self.tolerated.report(),
        });
        if let Value::Object(report) = report {
            return report;
        }
        serde_json::Map::new()
    }
}

fn status_name(status: u16) -> String {
    status.to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{COUNTED_HOSTS, Meters, SessionPart};
    use crate::ask::Ask;
    use crate::options::SimulatorOptions;

    #[test]
    fn hosts_beyond_a_bound_are_counted_together() {
        let mut meters = Meters::default();
        for host in 0..COUNTED_HOSTS + 5 {
            let request = json!({"url": format!("https://h{host}.example/"), "browserHtml": true});
            let ask = Ask::read(request.as_object().unwrap(), &SimulatorOptions::default()).ok().unwrap();
            meters.billed(&ask, SessionPart::None);
        }
        let report = meters.report();
        assert_eq!(report["billed"]["total"], COUNTED_HOSTS + 5);
        assert_eq!(report["billed"]["hosts"]["(other hosts)"], 5);
    }
}
