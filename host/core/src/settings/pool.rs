//! The options of one pool, after all sources have been asked.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;

/// Whether a session is initialised by a call of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitRule {
    /// Unless that would tell nothing, and the first request on the session is a browser request, which creates the session itself.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Only where something has to be set up: `params`, a location, `init_session`, cookies. Else the first request creates the session,
    /// one by HTTP too.
    None,
}

/// When a pool opens another session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Growth {
    /// When the waiting requests would take longer, at the pace measured in this pool, than opening a session has taken.
    #[default]
    Thrifty,
    /// As soon as a request waits.
    OnDemand,
    /// The first `size` requests open one each, and an ended session is replaced at once: the peer's rule.
    Eager,
}

/// Which of the usable sessions is used next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rotation {
    /// The most recently used one: few sessions live, and they live.
    #[default]
    Recent,
    /// The least recently handed out one: the peer's rule; spreads the load.
    Fifo,
}

/// What too many bad initialisations in a row do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnBadInits {
    /// The pool refuses requests for a while and tries again after a growing cool-down; the crawl goes on.
    #[default]
    OpenCircuit,
    /// The crawl ends with the reason `bad_session_inits`: the peer's rule.
    CloseCrawl,
}

/// The options of one pool. Fixed when the pool is first seen.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolOptions {
    /// Sessions at most, those being opened included. 0: every request is refused.
    pub size: u32,
    /// Requests at once on one session; none: no limit.
    pub max_in_flight: Option<NonZeroU32>,
    /// Pause between two uses of one session, measured from hand-out, and once after its initialisation.
    pub delay: Duration,
    /// Whether each pause is multiplied by a random number from 0.5 to 1.5.
    pub randomize_delay: bool,
    /// When another session is opened.
    pub growth: Growth,
    /// Which session is used next.
    pub rotation: Rotation,
    /// Age at which the API ends a session; none: it does not, or we do not care.
    pub max_age: Option<Duration>,
    /// Time without use after which the API ends a session; none: it does not, or we do not care.
    pub max_idle: Option<Duration>,
    /// How long before `max_age` and `max_idle` a session is no longer lent.
    pub margin: Duration,
    /// Download errors (520, 521) that end a session, counted over its life; 0 acts as 1; none: three in a row do.
    pub max_errors: Option<u32>,
    /// Failed checks that end a session, counted over its life; 0 acts as 1.
    pub max_check_failures: u32,
    /// Bad initialisations in a row that open the circuit or end the crawl; 0 acts as 1.
    pub max_bad_inits: u32,
    /// Which of the two.
    pub on_bad_inits: OnBadInits,
    /// How long the circuit stays open the first time; doubled each time up to `max_cool_down`.
    pub cool_down: Duration,
    /// The longest cool-down.
    pub max_cool_down: Duration,
    /// Pause before an initialisation is repeated that the API had no session for.
    pub creation_retry_delay: Duration,
    /// How long the API may have no session for the pool before the circuit opens; none: for ever.
    pub creation_timeout: Option<Duration>,
    /// How often in a row a check may put an initialisation off before that is a bad one.
    pub max_throttled: u32,
    /// How long a request waits for a session that it did not ask to open; none: as long as the pool lives.
    pub queue_timeout: Option<Duration>,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            size: 8,
            max_in_flight: NonZeroU32::new(4),
            delay: Duration::ZERO,
            randomize_delay: true,
            growth: Growth::Thrifty,
            rotation: Rotation::Recent,
            max_age: Some(Duration::from_secs(900)),
            max_idle: Some(Duration::from_secs(120)),
            margin: Duration::from_secs(10),
            max_errors: None,
            max_check_failures: 1,
            max_bad_inits: 8,
            on_bad_inits: OnBadInits::OpenCircuit,
            cool_down: Duration::from_secs(60),
            max_cool_down: Duration::from_secs(3600),
            creation_retry_delay: Duration::from_secs(60),
            creation_timeout: Some(Duration::from_secs(1800)),
            max_throttled: 10,
            queue_timeout: None,
        }
    }
}
