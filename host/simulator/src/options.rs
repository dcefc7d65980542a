//! What can be set: seed, session rules, latency, bans, faults.

use std::time::Duration;

use crate::faults::FaultRule;

/// How a simulator behaves.
#[derive(Clone, Debug)]
pub struct SimulatorOptions {
    /// Everything that looks random follows from it; default 1.
    pub seed: u64,
    /// The only accepted API key; `None` (default) accepts any non-empty key. Keys that start with `unknown` are never known
    /// and keys that start with `suspended` always belong to a suspended account.
    pub api_key: Option<String>,
    /// Requests per minute and key before 429 `/limits/over-user-limit`; `None` (default) sets no limit. The real service
    /// allows 3,000.
    pub requests_per_minute: Option<u32>,
    /// The life of user-managed sessions.
    pub sessions: SessionRules,
    /// The life of Zyte-managed sessions.
    pub managed: ManagedRules,
    /// Whether `session` and `sessionContext` in one request are refused with 422; default true (undocumented).
    pub refuse_session_with_context: bool,
    /// Which sites ban a session, and when; default: club sites after 40 uses, market sites after 60.
    pub bans: Vec<BanRule>,
    /// Scripted faults, tried in order; the first that strikes counts. Default none.
    pub faults: Vec<FaultRule>,
    /// How long answers take; default no time at all.
    pub latency: Latency,
    /// Virtual seconds that pass in one real second of the HTTP face: sessions age faster and latencies shrink. Default 1.
    pub time_scale: f64,
    /// How long the body of a request may take to arrive over HTTP before the answer is 408, in real time; default 10 s. The real
    /// service's limit is not published.
    pub body_timeout: Duration,
    /// Seconds since 1970 at time zero of the simulator, for dates in answers; default 2026-01-01.
    pub epoch_seconds: i64,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            api_key: None,
            requests_per_minute: None,
            sessions: SessionRules::default(),
            managed: ManagedRules::default(),
            refuse_session_with_context: true,
            bans: vec![BanRule::after_uses("*.club.example", 40), BanRule::after_uses("*.market.example", 60)],
            faults: Vec::new(),
            latency: Latency::default(),
            time_scale: 1.0,
            body_timeout: Duration::from_secs(10),
            epoch_seconds: 1_767_225_600,
        }
    }
}

/// The life of user-managed sessions; the defaults are the documented values where there are any.
#[derive(Clone, Debug)]
pub struct SessionRules {
    /// Life after creation; default 900 s.
    pub max_age: Duration,
    /// Life after the start of the last use; default 120 s.
    pub max_idle: Duration,
    /// Bans in a row that end a session; default 3.
    pub max_bans: u32,
    /// Shortest time an expired id is refused before it silently means a new session; default 300 s.
    pub tombstone_min: Duration,
    /// Longest such time; each session draws its own in between. Default 600 s.
    pub tombstone_max: Duration,
    /// Sessions alive at the same time before 422 `/problem/over-session-limit`; default `None`, no limit.
    pub max_active: Option<usize>,
    /// Share of session creations that fail with 503 `/problem/session-creation-error`, 0.0 to 1.0; default 0.
    pub creation_fault_share: f64,
    /// Whether a session born by an HTTP request refuses browser requests with 422 (one field report says so); default false.
    pub http_born_strict: bool,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(900),
            max_idle: Duration::from_secs(120),
            max_bans: 3,
            tombstone_min: Duration::from_secs(300),
            tombstone_max: Duration::from_secs(600),
            max_active: None,
            creation_fault_share: 0.0,
            http_born_strict: false,
        }
    }
}

/// The life of Zyte-managed sessions; the defaults are the documented values.
#[derive(Clone, Debug)]
pub struct ManagedRules {
    /// Life after creation; default 4 hours.
    pub max_age: Duration,
    /// Bans, in a row or not, that end a session; default 3.
    pub max_bans: u32,
}

impl Default for ManagedRules {
    fn default() -> Self {
        Self { max_age: Duration::from_secs(4 * 3_600), max_bans: 3 }
    }
}

/// How long answers take, in virtual time; by default none.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    /// A browser request.
    pub browser: Duration,
    /// Whether the time that its actions take comes on top, waits among them; default no, they are told as if it had passed.
    pub actions: bool,
    /// An HTTP request.
    pub http: Duration,
    /// An answer that needed no fetch, such as 400 or 429.
    pub refusal: Duration,
    /// Seeded spread around these times: 0.2 means 20 % less to 20 % more.
    pub spread: f64,
}

impl Latency {
    /// Times like those of the real service: browser 8 s, HTTP 1.5 s, refusals 0.2 s, spread 30 %.
    pub const fn realistic() -> Self {
        Self {
            browser: Duration::from_secs(8),
            actions: true,
            http: Duration::from_millis(1_500),
            refusal: Duration::from_millis(200),
            spread: 0.3,
        }
    }
}

/// When a site bans a session: from then on every fetch of that session there ends in 520.
#[derive(Clone, Debug)]
pub struct BanRule {
    /// The host, or `*.` and a domain for all hosts below it and itself; `*` for all.
    pub host: String,
    /// Uses of one session on one host that are served before the ban; `None` sets no limit.
    pub after_uses: Option<u32>,
    /// Shortest time between the starts of two uses of a session on one host; a use that comes sooner is banned (it alone).
    /// `None` sets no limit.
    pub min_interval: Option<Duration>,
}

impl BanRule {
    /// Bans a session after `uses` served uses on one host.
    pub fn after_uses(host: &str, uses: u32) -> Self {
        Self { host: host.to_owned(), after_uses: Some(uses), min_interval: None }
    }
}

/// Tells whether a host is meant by `pattern` (`host`, `*.domain` or `*`).
pub(crate) fn host_matches(pattern: &str, host: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    pattern.strip_prefix("*.").map_or(pattern == host, |domain| is_within(host, domain))
}

/// Tells whether `host` is `domain` or below it.
pub(crate) fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::host_matches;

    #[test]
    fn host_patterns_name_one_host_a_domain_or_all() {
        for (pattern, host, expected) in [
            ("*", "shop.example", true),
            ("shop.example", "shop.example", true),
            ("shop.example", "a.shop.example", false),
            ("*.shop.example", "a.shop.example", true),
            ("*.shop.example", "shop.example", true),
            ("*.shop.example", "ashop.example", false),
        ] {
            assert_eq!(host_matches(pattern, host), expected, "{pattern} {host}");
        }
    }
}
