//! `[session]`: how sessions are made, checked, used and replaced.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{Growth, InitRule, KindRule, OnBadInits, PoolOptions, Profile, Rotation, Seconds, SessionKind};
use crate::cookies::CookieLimits;
use crate::exchange::Object;
use crate::hooks::PoolChoice;
use crate::id::PoolId;
use crate::retry::PolicyName;

/// The `[session]` table. Names are those of the peer's settings (`ZYTE_API_SESSION_POOL_SIZE` is `pool_size`).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionSettings {
    /// Whether requests use sessions. Default true, false in the peer's profile. A request's `zyte_api_session_enabled` wins.
    pub enabled: Option<bool>,
    /// Sessions of a pool at most. Default 8. Too few queue requests; too many cost an initialisation each.
    pub pool_size: u32,
    /// Options per pool name; they win over what the `pool` hook says.
    pub pools: BTreeMap<String, PoolTable>,
    /// The old form of `pools`: sizes only, per pool name. `pools` wins. The peer's `ZYTE_API_SESSION_POOL_SIZES`, deprecated there.
    pub pool_sizes: BTreeMap<String, u32>,
    /// Seconds between two uses of one session. Default 0. Where it is longer than a session lives unused (`max_idle` less `margin`)
    /// no session could ever be used, and requests fail as `no-session`.
    pub delay: Seconds,
    /// Whether each delay is multiplied by a random number from 0.5 to 1.5. Default true.
    pub randomize_delay: bool,
    /// API parameters of initialisation requests. Default: none. A request's `zyte_api_session_params` and
    /// `zyte_api_session_location` win.
    pub params: Object,
    /// The address that initialisations set with `setLocation`. Default: none. A request's `zyte_api_session_location` wins.
    pub location: Object,
    /// Whether a session is initialised by a call of its own: `auto` (default), unless nobody looks at that call, nothing is set up by it,
    /// and the first request on the session is a browser request, which creates it; `always` (the peer's); `none`, only where `params`, a
    /// location, `init_session` or cookies set something up, so that requests by HTTP create sessions too (which the API is said to refuse
    /// to browser requests afterwards). `[[site]]` and `[session.pools]` may say otherwise.
    pub init: Option<InitRule>,
    /// The `[[site]]` whose `check` hook judges where a site has no check of its own. Default: the built-in check.
    pub checker: Option<String>,
    /// What sessions consist of: `user` (sessions of the API that this program opens and ends), `zyte` (sessions that Zyte keeps for up to
    /// 4 hours or three bans and sets up by itself, by actions or a location alone: no initialisation, and nobody sees whether it went
    /// well), `cookies` (as `cookie_mode`), `auto` (`zyte` where nothing but actions or a location sets up and nobody checks, else
    /// `user`). Default: `cookies` where `cookie_mode` is true, else `user`. `[session.pools]` may say otherwise. Too bold a `zyte` loses
    /// pages of sites that forget what was set up.
    pub kind: Option<KindRule>,
    /// Whether sessions are the cookies of their initialisation instead of sessions of the API. Default false. Such sessions end by
    /// `max_age` and `max_idle` only where these are set, and stay in memory, some kilobytes each, until the end where they are not.
    pub cookie_mode: bool,
    /// Bytes of a cookie of a cookie session at most: name, value, domain and path with what joins them. Default 4097, as the
    /// API. Larger ones are left out; too little loses cookies that the site needs, too much has the API refuse the request (400).
    pub max_cookie_bytes: usize,
    /// The same for its name alone. Default 4085.
    pub max_cookie_name_length: usize,
    /// The same for its value alone. Default 4085.
    pub max_cookie_value_length: usize,
    /// Download errors (520, 521) that end a session, counted over its life; 0 acts as 1. Default: any number, as long as there are not
    /// three in a row, at which the API ends a session itself; 1 in the peer's profile. Fewer cost an initialisation for each chance ban.
    pub max_errors: Option<u32>,
    /// Failed checks that end a session, counted over its life. Default 1; 0 acts as 1.
    pub max_check_failures: u32,
    /// Bad initialisations of a pool in a row that are too many. Default 8; 0 acts as 1.
    pub max_bad_inits: u32,
    /// The same per pool name, higher or lower.
    pub max_bad_inits_per_pool: BTreeMap<String, u32>,
    /// What too many bad initialisations do: `open-circuit` (the pool pauses; default) or `close-crawl` (the peer's).
    pub on_bad_inits: Option<OnBadInits>,
    /// Seconds that a pool pauses after too many bad initialisations, doubled each time. Default 60.
    pub cool_down: Seconds,
    /// The longest such pause, in seconds. Default 3600.
    pub max_cool_down: Seconds,
    /// What an error of the `pool` hook, or a site without `setLocation`, ends: `open-circuit` (its requests fail; default) or
    /// `close-crawl` (the peer's).
    pub on_pool_error: Option<OnBadInits>,
    /// Seconds before an initialisation is repeated that the API had no session for. Default 60.
    pub creation_retry_delay: Seconds,
    /// Seconds for which the API may have no session for a pool, in a row, before that is as bad as too many bad initialisations. Default
    /// 1800, twice as long as a session of another crawl can take up the account's limit; for ever in the peer's profile. The time in
    /// which this crawl itself holds sessions under that limit, or in which the API is busy, does not count. Too little loses pages that a little
    /// patience would have brought, too much holds the end of the crawl up.
    pub creation_timeout: Option<Seconds>,
    /// How often a check may answer `throttled` to one page, or in a row to a pool's initialisations, before the page fails and
    /// the initialisation counts as bad. Default 10. It spends no other retries; more waits longer for sites that never relent.
    pub max_throttled: u32,
    /// Seconds between two looks for a free session. The peer polls; here it is the unit of `queue_max_attempts`. Default 1.
    pub queue_wait_time: Seconds,
    /// How many such looks a request is given before it fails with `no-session`. Default: no limit (60 in the peer's profile).
    pub queue_max_attempts: Option<u32>,
    /// When a failed call of a session is repeated on the same session: `default`, `aggressive` (neither repeats 520 and 521)
    /// or `custom-download-xN` (up to N attempts for these). Default: that of `api.retry_policy`.
    pub retry_policy: Option<PolicyName>,
    /// How often a page is tried again because of its session (expired, banned, failed check). Default 5; none in the peer's profile,
    /// where `crawl.retry_times` is for all faults together unless this is set. More costs an initialisation each.
    pub retry_times: Option<u32>,
    /// Whether an action that stopped the sequence (`returned`) spoils an initialisation. Default true.
    pub init_action_failure_invalidates_session: bool,
    /// Whether session counters are kept per pool. Default false. With many pools the stats file grows.
    pub stats_per_pool: bool,
    /// When a pool opens another session: `thrifty` (default), `on-demand` or `eager` (the peer's).
    pub growth: Option<Growth>,
    /// Which session is used next: `recent` (default) or `fifo` (the peer's).
    pub rotation: Option<Rotation>,
    /// Requests at once on one session. Default 4; 0: no limit (the peer's). Sites whose pages depend on order need 1.
    pub max_in_flight: Option<u32>,
    /// Seconds after its first call after which a session is no longer used. Default 900, as long as the API keeps it; none in the
    /// peer's profile.
    pub max_age: Option<Seconds>,
    /// Seconds after the start of its last use, or of the last call of its initialisation, after which a session is no longer used.
    /// Default 120, as the API; none in the peer's profile.
    pub max_idle: Option<Seconds>,
    /// Seconds before these limits at which a session counts as ended. Default 10. Must cover the way of a request to the API:
    /// too little sends requests to sessions that are gone, too much opens more sessions.
    pub margin: Seconds,
    /// Whether calls get the tags `carousel-pool` and `carousel-phase` for Zyte's statistics, unless the request has tags of
    /// these names. Default true, false in the peer's profile.
    pub tags: Option<bool>,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            enabled: None,
            pool_size: 8,
            pools: BTreeMap::new(),
            pool_sizes: BTreeMap::new(),
            delay: Seconds::default(),
            randomize_delay: true,
            params: Object::new(),
            location: Object::new(),
            init: None,
            checker: None,
            kind: None,
            cookie_mode: false,
            max_cookie_bytes: 4097,
            max_cookie_name_length: 4085,
            max_cookie_value_length: 4085,
            max_errors: None,
            max_check_failures: 1,
            max_bad_inits: 8,
            max_bad_inits_per_pool: BTreeMap::new(),
            on_bad_inits: None,
            cool_down: Seconds::new(60),
            max_cool_down: Seconds::new(3600),
            on_pool_error: None,
            creation_retry_delay: Seconds::new(60),
            creation_timeout: None,
            max_throttled: 10,
            queue_wait_time: Seconds::new(1),
            queue_max_attempts: None,
            retry_policy: None,
            retry_times: None,
            init_action_failure_invalidates_session: true,
            stats_per_pool: false,
            growth: None,
            rotation: None,
            max_in_flight: None,
            max_age: None,
            max_idle: None,
            margin: Seconds::new(10),
            tags: None,
        }
    }
}

/// Options of a pool, a `[session.pools."NAME"]` table; what is absent comes from the `pool` hook, then from `[session]`.
///
/// A table holds for all pools of its name, whatever tells them apart behind it (`NAME;geolocation=DE`); one that has that in its name
/// goes before it, option by option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoolTable {
    /// Sessions at most.
    pub size: Option<u32>,
    /// Seconds between two uses of one session.
    pub delay: Option<Seconds>,
    /// Whether each delay is multiplied by a random number from 0.5 to 1.5.
    pub randomize_delay: Option<bool>,
    /// Requests at once on one session; 0: no limit.
    pub max_in_flight: Option<u32>,
    /// Whether its sessions are initialised by calls of their own.
    pub init: Option<InitRule>,
    /// What its sessions consist of.
    pub kind: Option<KindRule>,
    /// Billed answers that all pools of the name may cost together; then their requests fail as `budget`. Default: that of
    /// `budget.billed_per_pool`, for each.
    pub budget: Option<u64>,
}

impl SessionSettings {
    /// Whether requests use sessions where they do not say.
    pub fn enabled(&self, profile: Profile) -> bool {
        self.enabled.unwrap_or(!profile.is_peer())
    }

    /// What an error of the `pool` hook or a site without `setLocation` ends.
    pub fn pool_error_closes_crawl(&self, profile: Profile) -> bool {
        match self.on_pool_error {
            Some(choice) => choice == OnBadInits::CloseCrawl,
            None => profile.is_peer(),
        }
    }

    /// Whether calls are tagged with pool and phase.
    pub fn tags(&self, profile: Profile) -> bool {
        self.tags.unwrap_or(!profile.is_peer())
    }

    /// How large the cookies of a cookie session may be.
    pub fn cookie_limits(&self) -> CookieLimits {
        CookieLimits { whole: self.max_cookie_bytes, name: self.max_cookie_name_length, value: self.max_cookie_value_length }
    }

    /// What sessions consist of where no pool says otherwise.
    pub fn kind(&self) -> KindRule {
        self.kind.unwrap_or(if self.cookie_mode { KindRule::Cookies } else { KindRule::User })
    }

    /// The same for a pool.
    pub fn kind_of(&self, pool: &PoolId) -> KindRule {
        self.pool_table(pool).kind.unwrap_or_else(|| self.kind())
    }

    /// The options of a pool: its table, then what the hook chose, then these settings, then the profile's defaults. The
    /// lifetimes of the API do not hold for cookie sessions, and are others for those that Zyte keeps.
    pub fn pool_options(&self, profile: Profile, pool: &PoolId, choice: &PoolChoice, kind: SessionKind) -> PoolOptions {
        let table = self.pool_table(pool);
        let old_size = of_pool(&self.pool_sizes, pool).copied();
        let by_profile = of_kind(by_profile(profile), kind);
        let max_bad_inits = of_pool(&self.max_bad_inits_per_pool, pool).copied().unwrap_or(self.max_bad_inits);
        let max_in_flight = table.max_in_flight.or(choice.max_in_flight).or(self.max_in_flight);
        let lifetime = |setting: Option<Seconds>, api: Option<Duration>| setting.map(Seconds::duration).or(api);
        PoolOptions {
            size: table.size.or(old_size).or(choice.size).unwrap_or(self.pool_size),
            max_in_flight: max_in_flight.map_or(by_profile.max_in_flight, NonZeroU32::new),
            delay: table.delay.map_or_else(|| choice_delay(choice).unwrap_or(self.delay.duration()), Seconds::duration),
            randomize_delay: table.randomize_delay.or(choice.randomize_delay).unwrap_or(self.randomize_delay),
            growth: self.growth.unwrap_or(by_profile.growth),
            rotation: self.rotation.unwrap_or(by_profile.rotation),
            max_age: lifetime(self.max_age, by_profile.max_age),
            max_idle: lifetime(self.max_idle, by_profile.max_idle),
            margin: self.margin.duration(),
            max_errors: self.max_errors.or(by_profile.max_errors).map(|most| most.max(1)),
            max_check_failures: self.max_check_failures.max(1),
            max_bad_inits: max_bad_inits.max(1),
            on_bad_inits: self.on_bad_inits.unwrap_or(by_profile.on_bad_inits),
            cool_down: self.cool_down.duration(),
            max_cool_down: self.max_cool_down.duration(),
            creation_retry_delay: self.creation_retry_delay.duration(),
            creation_timeout: self.creation_timeout.map(Seconds::duration).or(by_profile.creation_timeout),
            max_throttled: self.max_throttled,
            queue_timeout: self.queue_timeout(profile),
        }
    }

    /// What the tables of a pool's names say, the most particular name first.
    pub(super) fn pool_table(&self, pool: &PoolId) -> PoolTable {
        pool.names().filter_map(|name| self.pools.get(name)).fold(PoolTable::default(), |known, more| known.or(*more))
    }

    /// The budget of a pool's table, and the name that the table has: all pools of that name spend it together.
    pub(super) fn pool_budget<'p>(&self, pool: &'p PoolId) -> Option<(&'p str, u64)> {
        pool.names().find_map(|name| Some((name, self.pools.get(name)?.budget?)))
    }

    /// N looks mean N - 1 pauses: the peer fails at the last look without sleeping again.
    fn queue_timeout(&self, profile: Profile) -> Option<Duration> {
        let attempts = self.queue_max_attempts.or(profile.is_peer().then_some(60))?;
        Some(self.queue_wait_time.duration() * attempts.saturating_sub(1))
    }

    /// The table as JSON, as plugins see it: keys that are not set are absent.
    pub fn to_json(&self, profile: Profile) -> Object {
        let mut object = Object::new();
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        put("enabled", self.enabled(profile).into());
        put("pool_size", self.pool_size.into());
        put("delay", self.delay.duration().as_secs_f64().into());
        put("randomize_delay", self.randomize_delay.into());
        put("params", Value::Object(self.params.clone()));
        put("location", Value::Object(self.location.clone()));
        put("cookie_mode", (SessionKind::usual(self.kind()) == SessionKind::Cookies).into());
        if let Some(most) = self.max_errors.or(by_profile(profile).max_errors) {
            put("max_errors", most.into());
        }
        put("max_check_failures", self.max_check_failures.into());
        put("max_bad_inits", self.max_bad_inits.into());
        put("init_action_failure_invalidates_session", self.init_action_failure_invalidates_session.into());
        object
    }
}

impl PoolTable {
    /// The same, and what is absent as in the other table.
    fn or(self, other: Self) -> Self {
        Self {
            size: self.size.or(other.size),
            delay: self.delay.or(other.delay),
            randomize_delay: self.randomize_delay.or(other.randomize_delay),
            max_in_flight: self.max_in_flight.or(other.max_in_flight),
            init: self.init.or(other.init),
            kind: self.kind.or(other.kind),
            budget: self.budget.or(other.budget),
        }
    }
}

/// What a map has for the most particular of a pool's names that it knows.
fn of_pool<'m, T>(map: &'m BTreeMap<String, T>, pool: &PoolId) -> Option<&'m T> {
    pool.names().find_map(|name| map.get(name))
}

fn choice_delay(choice: &PoolChoice) -> Option<Duration> {
    Seconds::try_from(choice.delay?).ok().map(Seconds::duration)
}

fn by_profile(profile: Profile) -> PoolOptions {
    match profile {
        Profile::Default => PoolOptions::default(),
        Profile::ScrapyZyteApi => PoolOptions {
            max_in_flight: None,
            growth: Growth::Eager,
            rotation: Rotation::Fifo,
            max_age: None,
            max_idle: None,
            on_bad_inits: OnBadInits::CloseCrawl,
            creation_timeout: None,
            max_errors: Some(1),
            ..PoolOptions::default()
        },
    }
}

/// The limits of a kind of session at the API. Zyte ends its own after the third ban, in a row or not.
fn of_kind(options: PoolOptions, kind: SessionKind) -> PoolOptions {
    match kind {
        SessionKind::User => options,
        SessionKind::Zyte => {
            PoolOptions { max_age: Some(Duration::from_secs(4 * 3600)), max_idle: None, max_errors: Some(3), ..options }
        }
        SessionKind::Cookies => PoolOptions { max_age: None, max_idle: None, ..options },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(settings: &SessionSettings, profile: Profile, choice: &PoolChoice) -> PoolOptions {
        settings.pool_options(profile, &PoolId::new(choice.id.as_str()), choice, SessionKind::User)
    }

    #[test]
    fn a_pools_table_wins_over_the_hook_and_the_hook_over_the_settings_key_by_key() {
        let settings = SessionSettings {
            pool_size: 3,
            delay: Seconds::new(9),
            pools: [("a".to_owned(), PoolTable { delay: Some(Seconds::new(1)), ..PoolTable::default() })].into(),
            ..SessionSettings::default()
        };
        let choice = PoolChoice { delay: Some(5.0), size: Some(7), ..PoolChoice::named("a") };
        let named = options(&settings, Profile::Default, &choice);
        assert_eq!((named.size, named.delay), (7, Duration::from_secs(1)));
        let other = options(&settings, Profile::Default, &PoolChoice::named("b"));
        assert_eq!((other.size, other.delay), (3, Duration::from_secs(9)));
    }

    #[test]
    fn a_table_holds_for_all_pools_of_its_name_and_one_for_some_of_them_goes_before_it() {
        let table = |size, delay: Option<u64>| PoolTable { size, delay: delay.map(Seconds::new), ..PoolTable::default() };
        let names = |names: &[(&str, PoolTable)]| names.iter().map(|(name, table)| ((*name).to_owned(), *table)).collect();
        let settings = SessionSettings {
            pools: names(&[("a", table(Some(2), Some(1))), ("a;geolocation=DE", table(Some(3), None))]),
            max_bad_inits_per_pool: [("a".to_owned(), 4)].into(),
            ..SessionSettings::default()
        };
        for (qualifiers, size) in [(&[][..], 2), (&["geolocation=DE"], 3), (&["geolocation=DE", "cookies"], 3), (&["cookies"], 2)]
        {
            let qualifiers: Vec<String> = qualifiers.iter().map(|&text| text.to_owned()).collect();
            let pool = PoolId::owned("a", &qualifiers, crate::id::PoolOwner::Defaults);
            let options = settings.pool_options(Profile::Default, &pool, &PoolChoice::named("a"), SessionKind::User);
            assert_eq!((options.size, options.delay.as_secs(), options.max_bad_inits), (size, 1, 4), "{pool}");
        }
        let other = PoolId::new("a@postalCode=1");
        assert_eq!(settings.pool_options(Profile::Default, &other, &PoolChoice::named("a"), SessionKind::User).size, 8);
    }

    #[test]
    fn the_old_form_of_pool_sizes_stands_between_a_pools_table_and_the_hook() {
        let table = |size| PoolTable { size, ..PoolTable::default() };
        let settings = SessionSettings {
            pools: [("a".to_owned(), table(Some(1))), ("b".to_owned(), table(None))].into(),
            pool_sizes: [("a".to_owned(), 2), ("b".to_owned(), 2)].into(),
            ..SessionSettings::default()
        };
        for (name, size) in [("a", 1), ("b", 2), ("c", 3)] {
            let choice = PoolChoice { size: Some(3), ..PoolChoice::named(name) };
            assert_eq!(options(&settings, Profile::ScrapyZyteApi, &choice).size, size, "{name}");
        }
    }

    #[test]
    fn the_profile_decides_what_nobody_set() {
        let settings = SessionSettings::default();
        let ours = options(&settings, Profile::Default, &PoolChoice::named("a"));
        let peers = options(&settings, Profile::ScrapyZyteApi, &PoolChoice::named("a"));
        assert_eq!((ours.growth, ours.queue_timeout), (Growth::Thrifty, None));
        assert_eq!((peers.growth, peers.queue_timeout), (Growth::Eager, Some(Duration::from_secs(59))));
        assert_eq!((peers.max_age, peers.max_in_flight, peers.creation_timeout), (None, None, None));
        assert!(settings.enabled(Profile::Default) && !settings.enabled(Profile::ScrapyZyteApi));
    }

    #[test]
    fn cookie_sessions_have_no_lifetime_but_the_one_that_is_set() {
        let mut settings = SessionSettings::default();
        let options = |s: &SessionSettings| {
            s.pool_options(Profile::Default, &PoolId::new("a"), &PoolChoice::named("a"), SessionKind::Cookies)
        };
        assert_eq!(options(&settings).max_age, None);
        settings.max_age = Some(Seconds::new(60));
        assert_eq!(options(&settings).max_age, Some(Duration::from_secs(60)));
    }

    #[test]
    fn sessions_that_zyte_keeps_live_four_hours_or_three_bans_unless_settings_say_otherwise() {
        let mut settings = SessionSettings::default();
        let options = |s: &SessionSettings| {
            let options = s.pool_options(Profile::Default, &PoolId::new("a"), &PoolChoice::named("a"), SessionKind::Zyte);
            (options.max_age.map(|age| age.as_secs()), options.max_idle, options.max_errors)
        };
        assert_eq!(options(&settings), (Some(14_400), None, Some(3)));
        (settings.max_age, settings.max_errors) = (Some(Seconds::new(60)), Some(1));
        assert_eq!(options(&settings), (Some(60), None, Some(1)));
    }

    #[test]
    fn the_kind_of_a_pools_table_goes_before_that_of_the_settings_and_both_before_cookie_mode() {
        let table = PoolTable { kind: Some(KindRule::Zyte), ..PoolTable::default() };
        let mut settings = SessionSettings { pools: [("a".to_owned(), table)].into(), ..SessionSettings::default() };
        let kinds = |settings: &SessionSettings| ["a", "a", "b"].map(|name| settings.kind_of(&PoolId::new(name)));
        assert_eq!(kinds(&settings)[2], KindRule::User);
        settings.cookie_mode = true;
        assert_eq!(kinds(&settings)[2], KindRule::Cookies);
        settings.kind = Some(KindRule::Auto);
        assert_eq!([kinds(&settings)[0], kinds(&settings)[2]], [KindRule::Zyte, KindRule::Auto]);
    }
}
