//! Scripted faults: rules given in the options, and the magic hosts.

use std::collections::HashMap;
use std::time::Duration;

use carousel_core::contract::EXTRACTIONS;
use serde::Deserialize;

use crate::ask::{Ask, Mode};
use crate::chance::Chance;
use crate::options::host_matches;
use crate::problem::Problem;
use crate::rate::Rate;
use crate::simulator::WireFault;

/// URLs of magic hosts with a count that are remembered; beyond that they start anew.
const REMEMBERED_URLS: usize = 100_000;

/// A fault for the requests that a rule means. All conditions that are given must hold; a rule without conditions means every
/// request. At least one of `status`, `connection`, `latency_seconds` and `lose_cookies` says what happens.
///
/// ```
/// let rules = carousel_simulator::FaultRule::read_list(
///     r#"[{"host": "*.market.example", "every": 20, "status": 520},
///         {"url_contains": "/p/7", "nth": [1], "status": 429, "type": "/limits/over-domain-limit", "retry_after": 5},
///         {"session_use": [1], "probability": 0.1, "connection": "drop"},
///         {"host": "*.grocer.example", "over_per_second": 5, "status": 429, "type": "/limits/over-domain-limit", "retry_after": 1}]"#,
/// );
/// assert_eq!(rules.map(|it| it.len()).ok(), Some(4));
/// ```
///
/// Where an error strikes follows from its type: 429, 503 and the like before a session is touched, `/problem/…` instead of
/// entering the session, all others in place of the page. A scripted 520 counts as a ban of the session.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaultRule {
    /// The host, or `*.` and a domain, or `*`.
    pub host: Option<String>,
    /// A part of the URL.
    pub url_contains: Option<String>,
    /// `browser`, `http`, `own-html` (the HTML came with the request) or `search`.
    pub mode: Option<String>,
    /// Whether data is extracted: true for requests that ask for any type, false for all others, or the names of types, such as
    /// `"product"` or `["article", "serp"]`.
    pub extraction: Option<Extraction>,
    /// Which uses of its session, counted from 1 (the initialisation).
    pub session_use: Vec<u32>,
    /// Which of the requests that meet the conditions above, counted from 1 in this rule.
    pub nth: Vec<u64>,
    /// Every so many of them: 3 strikes the 3rd, 6th and so on. 0 (default): no condition.
    pub every: u64,
    /// Share of them that is struck, 0.0 to 1.0, by seeded chance.
    pub probability: Option<f64>,
    /// Those of them that are more than so many a second, counted over all hosts that the rule means: a rate limit. As many as fit
    /// into a second may come at once; calls that are struck do not count.
    pub over_per_second: Option<f64>,
    /// The status of the error.
    pub status: Option<u16>,
    /// The `type` of the error; without it the first known one of the status.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The `blockedDomain` of a 451; without it the host of the request.
    pub blocked_domain: Option<String>,
    /// `Retry-After` of the error, in seconds.
    pub retry_after: Option<u64>,
    /// Extra latency, in seconds.
    pub latency_seconds: f64,
    /// `drop`, `truncate` or `wrong-content-type`.
    pub connection: Option<WireFault>,
    /// Whether the session's cookies are gone before the page is fetched: the site no longer knows its visitor.
    pub lose_cookies: bool,
}

/// Which requests a rule means, by what they extract.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "extraction must be true, false, the name of a type or a list of names")]
pub enum Extraction {
    /// Those that extract something, or those that do not.
    Any(bool),
    /// Those that extract this type.
    Type(String),
    /// Those that extract one of these types.
    Types(Vec<String>),
}

impl Extraction {
    fn names(&self) -> &[String] {
        match self {
            Self::Any(_) => &[],
            Self::Type(name) => std::slice::from_ref(name),
            Self::Types(names) => names,
        }
    }

    fn means(&self, extraction: Option<&str>) -> bool {
        match self {
            Self::Any(wanted) => extraction.is_some() == *wanted,
            Self::Type(_) | Self::Types(_) => extraction.is_some_and(|found| self.names().iter().any(|name| name == found)),
        }
    }
}

/// What a file of fault rules may be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    faults: Vec<FaultRule>,
}

/// A list of fault rules that cannot be read.
#[derive(Debug)]
pub struct FaultRuleError(String);

impl std::fmt::Display for FaultRuleError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for FaultRuleError {}

impl FaultRule {
    /// Reads rules: a JSON array of them, a single one, or an object whose `faults` is such an array. Fails on unknown keys and on
    /// rules that would do nothing.
    pub fn read_list(json: &str) -> Result<Vec<Self>, FaultRuleError> {
        let rules = Self::parse(json).map_err(|error| FaultRuleError(format!("fault rules: {error}")))?;
        for (index, rule) in rules.iter().enumerate() {
            rule.check().map_err(|fault| FaultRuleError(format!("fault rule {}: {fault}", index + 1)))?;
        }
        Ok(rules)
    }

    fn parse(json: &str) -> serde_json::Result<Vec<Self>> {
        let value: serde_json::Value = serde_json::from_str(json)?;
        match value.as_object() {
            Some(object) if object.contains_key("faults") => Wrapped::deserialize(value).map(|wrapped| wrapped.faults),
            Some(_) => Self::deserialize(value).map(|rule| vec![rule]),
            // From the text, so that an error tells the line.
            None => serde_json::from_str(json),
        }
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.status.is_none() && self.connection.is_none() && self.latency_seconds == 0.0 && !self.lose_cookies {
            return Err("it says nothing to do, add status, connection, latency_seconds or lose_cookies");
        }
        if !(0.0..=3_600.0).contains(&self.latency_seconds) {
            return Err("latency_seconds must be from 0 to 3600");
        }
        if self.over_per_second.is_some_and(|it| !it.is_finite() || it <= 0.0) {
            return Err("over_per_second must be more than 0");
        }
        if self.status.is_some_and(|it| !(400..=599).contains(&it)) {
            return Err("status must be from 400 to 599");
        }
        if self.probability.is_some_and(|it| !(0.0..=1.0).contains(&it)) {
            return Err("probability must be from 0 to 1");
        }
        if self.blocked_domain.is_some() && self.status != Some(451) {
            return Err("blocked_domain is for status 451");
        }
        let is_type = |name: &String| name == "serp" || EXTRACTIONS.contains(&name.as_str());
        if !self.extraction.as_ref().is_none_or(|it| it.names().iter().all(is_type)) {
            return Err("extraction must be true, false or types such as product, articleList or serp");
        }
        match self.mode.as_deref().map(Mode::named) {
            Some(None) => Err("mode must be browser, http, own-html or search"),
            None | Some(Some(_)) => Ok(()),
        }
    }

    fn means(&self, ask: &Ask<'_>, session_use: u32) -> bool {
        self.host.as_ref().is_none_or(|pattern| host_matches(pattern, &ask.host))
            && self.url_contains.as_ref().is_none_or(|part| ask.url.as_str().contains(part.as_str()))
            && self.mode.as_ref().is_none_or(|mode| mode == ask.mode.name())
            && self.extraction.as_ref().is_none_or(|it| it.means(ask.extraction()))
            && (self.session_use.is_empty()
                || (ask.session.is_some() || ask.context.is_some()) && self.session_use.contains(&session_use))
    }

    fn strikes(&self, count: u64, chance: &mut Chance) -> bool {
        (self.nth.is_empty() || self.nth.contains(&count))
            && (self.every == 0 || count.is_multiple_of(self.every))
            && self.probability.is_none_or(|share| chance.fraction() < share)
    }

    fn strike(&self, host: &str) -> Strike {
        let problem = self.status.map(|status| {
            let detail = "scripted fault";
            let problem = match &self.kind {
                Some(kind) => Problem::new(status, kind, detail),
                None => Problem::of_status(status, detail),
            };
            problem.retry_after(self.retry_after).blocking(self.blocked_domain.as_deref().unwrap_or(host))
        });
        let latency = Duration::try_from_secs_f64(self.latency_seconds).unwrap_or_default();
        Strike { problem, wire: self.connection, latency, loses_cookies: self.lose_cookies }
    }
}

/// What a fault does to a request.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Strike {
    pub(crate) problem: Option<Problem>,
    pub(crate) wire: Option<WireFault>,
    pub(crate) latency: Duration,
    pub(crate) loses_cookies: bool,
}

/// The rules with what they have counted.
#[derive(Debug)]
pub(crate) struct Faults {
    rules: Vec<Counted>,
    urls: HashMap<String, u32>,
}

/// A rule with the requests that have met its conditions.
#[derive(Debug)]
struct Counted {
    rule: FaultRule,
    count: u64,
    rate: Option<Rate>,
}

impl Counted {
    fn new(rule: FaultRule) -> Self {
        Self { rate: rule.over_per_second.map(Rate::new), rule, count: 0 }
    }

    /// Counts a request and says whether it is struck.
    fn strikes(&mut self, now: Duration, chance: &mut Chance) -> bool {
        self.count += 1;
        self.rule.strikes(self.count, chance) && self.rate.as_mut().is_none_or(|rate| rate.is_exceeded(now))
    }
}

impl Faults {
    /// Starts counting.
    pub(crate) fn new(rules: Vec<FaultRule>) -> Self {
        Self { rules: rules.into_iter().map(Counted::new).collect(), urls: HashMap::new() }
    }

    /// Says what happens to a request; every rule that means it counts it, the first that strikes decides.
    pub(crate) fn strike(&mut self, ask: &Ask<'_>, session_use: u32, now: Duration, chance: &mut Chance) -> Option<Strike> {
        let mut struck = None;
        for counted in self.rules.iter_mut().filter(|counted| counted.rule.means(ask, session_use)) {
            if struck.is_none() {
                struck = counted.strikes(now, chance).then(|| counted.rule.strike(&ask.host));
            } else {
                counted.count += 1;
            }
        }
        struck.or_else(|| self.magic(ask))
    }

    fn magic(&mut self, ask: &Ask<'_>) -> Option<Strike> {
        let label = ask.host.strip_suffix(".example")?;
        let label = label.rsplit('.').next().unwrap_or(label);
        let wire = |fault| Some(Strike { wire: Some(fault), ..Strike::default() });
        match label {
            "expired" if ask.session.is_some() => error(422, "/problem/session-expired", ask),
            "drop" => wire(WireFault::Drop),
            "truncated" => wire(WireFault::Truncate),
            "wrong-type" => wire(WireFault::WrongContentType),
            "slow" => Some(Strike { latency: Duration::from_secs(30), ..Strike::default() }),
            _ => self.numbered(label, ask),
        }
    }

    /// Reads `eNNN` and `eNNN-K`.
    fn numbered(&mut self, label: &str, ask: &Ask<'_>) -> Option<Strike> {
        let number = label.strip_prefix('e')?;
        let (status, times) = match number.split_once('-') {
            Some((status, times)) => (status, Some(times.parse::<u32>().ok()?)),
            None => (number, None),
        };
        let status = status.parse().ok().filter(|it| (400..600).contains(it))?;
        if let Some(times) = times {
            if self.urls.len() >= REMEMBERED_URLS {
                self.urls.clear();
            }
            let seen = self.urls.entry(ask.url.as_str().to_owned()).or_default();
            *seen += 1;
            if *seen > times {
                return None;
            }
        }
        let problem = Problem::of_status(status, "this host always answers so");
        Some(Strike { problem: Some(problem.blocking(&ask.host)), ..Strike::default() })
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands as an arm beside others that may have nothing to say")]
fn error(status: u16, kind: &str, ask: &Ask<'_>) -> Option<Strike> {
    let problem = Problem::new(status, kind, "this host always answers so");
    Some(Strike { problem: Some(problem.blocking(&ask.host)), ..Strike::default() })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{FaultRule, Faults};
    use crate::ask::Ask;
    use crate::chance::Chance;
    use crate::options::SimulatorOptions;

    /// Sends the same request so many times, four a second, and writes down which were struck.
    fn struck(rules: &str, request: &serde_json::Value, times: usize) -> Vec<usize> {
        let mut faults = Faults::new(FaultRule::read_list(rules).unwrap());
        let mut chance = Chance::new(1);
        let options = SimulatorOptions::default();
        (1..=times)
            .filter(|nth| {
                let ask = Ask::read(request.as_object().unwrap(), &options).ok().unwrap();
                let nth = u32::try_from(*nth).unwrap();
                faults.strike(&ask, nth, Duration::from_millis(250) * nth, &mut chance).is_some()
            })
            .collect()
    }

    #[test]
    fn conditions_pick_the_requests_of_a_rule() {
        let plain = json!({"url": "https://a.shop.example/p/1", "browserHtml": true});
        let mut in_session = plain.clone();
        in_session["session"] = json!({"id": "3f0c6a1e-7d1b-4b52-9a53-0f6f5b0c9e11"});
        let mut in_context = plain.clone();
        in_context["sessionContext"] = json!([{"name": "zip", "value": "10001"}]);
        let own_html = json!({"url": "https://a.example/", "product": true, "extractFrom": "userHtml",
            "productOptions": {"userHtml": "<p>"}});
        for (rule, request, expected) in [
            (r#"{"status": 520}"#, &plain, vec![1, 2, 3, 4, 5, 6]),
            (r#"{"status": 520, "nth": [2, 5]}"#, &plain, vec![2, 5]),
            (r#"{"status": 520, "every": 3}"#, &plain, vec![3, 6]),
            (r#"{"status": 520, "host": "*.shop.example", "nth": [1]}"#, &plain, vec![1]),
            (r#"{"status": 520, "host": "shop.example"}"#, &plain, vec![]),
            (r#"{"status": 520, "url_contains": "/p/", "nth": [1]}"#, &plain, vec![1]),
            (r#"{"status": 520, "url_contains": "/q/"}"#, &plain, vec![]),
            (r#"{"status": 520, "mode": "http"}"#, &plain, vec![]),
            (r#"{"status": 520, "mode": "browser", "nth": [3]}"#, &plain, vec![3]),
            (r#"{"status": 520, "mode": "own-html"}"#, &plain, vec![]),
            (r#"{"status": 520, "mode": "own-html", "nth": [3]}"#, &own_html, vec![3]),
            (r#"{"status": 503, "extraction": true}"#, &plain, vec![]),
            (r#"{"status": 503, "extraction": false, "nth": [1]}"#, &plain, vec![1]),
            (r#"{"status": 503, "extraction": true, "nth": [1]}"#, &own_html, vec![1]),
            (r#"{"status": 503, "extraction": "product", "nth": [1]}"#, &own_html, vec![1]),
            (r#"{"status": 503, "extraction": "serp"}"#, &own_html, vec![]),
            (r#"{"status": 503, "extraction": ["serp", "product"], "nth": [1]}"#, &own_html, vec![1]),
            (r#"{"status": 520, "session_use": [2]}"#, &plain, vec![]),
            (r#"{"status": 520, "session_use": [2]}"#, &in_context, vec![2]),
            (r#"{"status": 520, "session_use": [2]}"#, &in_session, vec![2]),
            (r#"{"status": 520, "probability": 0.0}"#, &plain, vec![]),
            (r#"{"status": 429, "over_per_second": 2}"#, &plain, vec![4, 6]),
            (r#"{"status": 429, "over_per_second": 2, "host": "other.example"}"#, &plain, vec![]),
            (r#"{"latency_seconds": 1, "nth": [4]}"#, &plain, vec![4]),
            (r#"{"connection": "drop", "nth": [6]}"#, &plain, vec![6]),
        ] {
            assert_eq!(struck(&format!("[{rule}]"), request, 6), expected, "{rule}");
        }
    }

    #[test]
    fn rules_are_a_list_or_an_object() {
        for (rules, count) in
            [("[]", 0), (r#"{"faults": []}"#, 0), (r#"{"status": 520}"#, 1), (r#"{"faults": [{"status": 520}]}"#, 1)]
        {
            assert_eq!(FaultRule::read_list(rules).unwrap().len(), count, "{rules}");
        }
    }

    #[test]
    fn a_magic_host_with_a_count_recovers() {
        let request = json!({"url": "https://e520-2.example/a", "browserHtml": true});
        assert_eq!(struck("[]", &request, 4), [1, 2]);
    }

    #[test]
    fn a_rule_that_cannot_work_is_refused() {
        for (rules, expected) in [
            ("[{}]", "fault rule 1: it says nothing to do"),
            (r#"[{"status": 200}]"#, "fault rule 1: status must be"),
            (r#"[{"status": 429, "over_per_second": 0}]"#, "fault rule 1: over_per_second must"),
            (r#"[{"status": 520, "mode": "x"}]"#, "fault rule 1: mode must"),
            (r#"[{"status": 520, "probability": 2}]"#, "fault rule 1: probability must"),
            (r#"[{"status": 520, "blocked_domain": "a.example"}]"#, "fault rule 1: blocked_domain is for"),
            (r#"[{"status": 503, "extraction": "products"}]"#, "fault rule 1: extraction must"),
            (r#"[{"status": 503, "extraction": 1}]"#, "fault rules: extraction must be true, false"),
            (r#"[{"colour": 1}]"#, "fault rules: unknown field `colour`"),
            (r#"{"colour": 1}"#, "fault rules: unknown field `colour`"),
            (r#"{"faults": [], "colour": 1}"#, "fault rules: unknown field `colour`"),
            (r#"{"faults": [{"status": 520}, {}]}"#, "fault rule 2: it says nothing to do"),
            ("1", "fault rules: invalid type"),
            (r#"[{"connection": "melt"}]"#, "fault rules: unknown variant"),
        ] {
            let error = FaultRule::read_list(rules).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
