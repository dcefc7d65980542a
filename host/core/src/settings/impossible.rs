//! Settings that can be read and can never work: alone, or beside another one. Told before anything is sent.

use super::{Bytes, InitRule, KindRule, PluginSettings, SessionKind, Settings, context_parameters};
use crate::hooks::PoolChoice;
use crate::id::PoolId;

/// Bytes of one page of WebAssembly's memory: no plugin has less.
const WASM_PAGE: usize = 64 << 10;

/// A setting that can never work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impossible {
    /// Its key with its tables (`session.pool_size`), and those that it contradicts.
    pub keys: Vec<String>,
    /// What comes of it, and what would work.
    pub why: String,
}

/// A key, whether its value can work, and what comes of it if not.
type Rule<'r> = (&'r str, bool, &'r str);

impl Settings {
    /// The first setting that can never work; none: all may.
    pub fn impossible(&self) -> Option<Impossible> {
        let nothing = self.rules().into_iter().chain(plugin_rules(&self.plugins)).find(|(_, works, _)| !works);
        nothing
            .map(|(key, _, why)| Impossible { keys: vec![key.to_owned()], why: why.to_owned() })
            .or_else(|| self.impossible_kinds())
            .or_else(|| self.impossible_times())
    }

    /// Kinds of sessions that cannot be had: what Zyte keeps nobody else initialises, and the peer has no such.
    fn impossible_kinds(&self) -> Option<Impossible> {
        let session = &self.session;
        let impossible = |keys: Vec<String>, why: &str| Some(Impossible { keys, why: why.to_owned() });
        if session.cookie_mode && session.kind.is_some_and(|kind| kind != KindRule::Cookies) {
            let keys = vec!["session.kind".to_owned(), "session.cookie_mode".to_owned()];
            return impossible(keys, "another kind than cookies, which cookie_mode = true asks for: leave one of them out");
        }
        let all = ("session".to_owned(), session.kind, session.init);
        let tables = session
            .pools
            .iter()
            .map(|(name, table)| (format!("session.pools.{name}"), table.kind.or(session.kind), table.init.or(session.init)));
        std::iter::once(all).chain(tables).find_map(|(table, kind, init)| {
            let key = |key: &str| format!("{table}.{key}");
            let kind = kind.filter(|kind| matches!(kind, KindRule::Zyte | KindRule::Auto))?;
            if self.profile.is_peer() {
                let why = "sessions that Zyte keeps, which the profile scrapy-zyte-api does not have: use user or cookies, or the \
                           default profile";
                return impossible(vec![key("kind")], why);
            }
            if kind == KindRule::Auto {
                return None;
            }
            if init == Some(InitRule::Always) {
                let why = "zyte, whose sessions Zyte initialises, and always, an initialisation of our own: leave init out, or use user";
                return impossible(vec![key("kind"), key("init")], why);
            }
            let unknown = context_parameters(&session.params).err()?;
            let why = format!(
                "zyte, whose sessions Zyte sets up by actions alone, and params say {unknown}, too: leave it out, or use user"
            );
            impossible(vec![key("kind"), "session.params".to_owned()], &why)
        })
    }

    fn rules(&self) -> Vec<Rule<'static>> {
        let (api, session, crawl, budget) = (&self.api, &self.session, &self.crawl, &self.budget);
        vec![
            ("crawl.concurrency", crawl.concurrency > 0, "0, so nothing would ever be sent: use 1 or more"),
            ("crawl.window", crawl.window > 0, "0, so nothing would ever be read: use 1 or more"),
            (
                "session.pool_size",
                session.pool_size > 0 || self.profile.is_peer(),
                "0, so no request would ever get a session: use 1 or more, or enabled = false to crawl without sessions",
            ),
            ("session.max_cookie_bytes", session.max_cookie_bytes > 0, "0, so no cookie would ever be kept: use 1 or more"),
            (
                "session.max_cookie_name_length",
                session.max_cookie_name_length > 0,
                "0, so no cookie would ever be kept: use 1 or more",
            ),
            (
                "session.max_cookie_value_length",
                session.max_cookie_value_length > 0,
                "0, so no cookie with a value would ever be kept: use 1 or more",
            ),
            (
                "api.timeout",
                !api.timeout.duration().is_zero(),
                "0 s, so every call would be given up at once; the default is 320",
            ),
            (
                "api.connect_timeout",
                !api.connect_timeout.duration().is_zero(),
                "0 s, so no connection would ever be made; the default is 30",
            ),
            ("api.max_answer", api.max_answer > 0, "0 bytes, so every answer would be too large; the default is 64 MiB"),
            (
                "crawl.memory",
                crawl.memory != Some(Bytes(0)),
                "0 bytes, so answers would be read one by one: use some megabytes or more, or leave it out for a quarter of the machine",
            ),
            (
                "budget.billed",
                budget.billed != Some(0),
                "0, so nothing would ever be sent: use 2 or more, or leave it out for no limit",
            ),
            (
                "budget.billed_per_pool",
                budget.billed_per_pool != Some(0),
                "0, so no pool would ever have a session: use 2 or more, or leave it out for no limit",
            ),
        ]
    }

    /// Times that contradict each other, as they hold for a pool of which nothing particular is said, and for those with a table.
    fn impossible_times(&self) -> Option<Impossible> {
        let tables = self.session.pools.iter().filter(|(_, table)| table.delay.is_some());
        let tables = tables.map(|(name, _)| (PoolId::new(name.as_str()), format!("session.pools.{name}.delay")));
        let any = (PoolId::new(""), "session.delay".to_owned());
        std::iter::once(any).chain(tables).find_map(|(pool, key)| self.impossible_times_of(&pool, &key))
    }

    fn impossible_times_of(&self, pool: &PoolId, delay_key: &str) -> Option<Impossible> {
        let choice = PoolChoice { id: pool.as_str().to_owned(), ..PoolChoice::default() };
        let options = self.session.pool_options(self.profile, pool, &choice, SessionKind::usual(self.session.kind_of(pool)));
        let lives = [("session.max_age", options.max_age), ("session.max_idle", options.max_idle)];
        lives.into_iter().filter_map(|(key, life)| Some((key, life?))).find_map(|(life_key, life)| {
            let margin = options.margin;
            let keys = |other: &str| vec![other.to_owned(), life_key.to_owned()];
            if margin >= life {
                let (margin, life) = (margin.as_secs_f64(), life.as_secs_f64());
                let why =
                    format!("{margin} s is no less than {life} s, so every session would count as ended before its first use");
                return Some(Impossible { keys: keys("session.margin"), why });
            }
            let rest = life - margin;
            (options.delay > rest).then(|| {
                let (delay, rest) = (options.delay.as_secs_f64(), rest.as_secs_f64());
                let why =
                    format!("{delay} s is longer than the {rest} s that a session lives, less margin, so none could be used");
                Impossible { keys: keys(delay_key), why }
            })
        })
    }
}

fn plugin_rules(plugins: &PluginSettings) -> Vec<Rule<'static>> {
    vec![
        (
            "plugins.deadline",
            !plugins.deadline.duration().is_zero(),
            "0 s, so every hook would be stopped at once; the default is 0.1",
        ),
        (
            "plugins.init_timeout",
            !plugins.init_timeout.duration().is_zero(),
            "0 s, so every initialisation by a plugin would be stopped at once; the default is 900",
        ),
        (
            "plugins.memory",
            plugins.memory >= WASM_PAGE,
            "less than 65536 bytes, one page of WebAssembly's memory: no plugin could run; the default is 64 MiB",
        ),
        ("plugins.concurrency", plugins.concurrency > 0, "0, so no hook could ever be called: use 1 or more"),
        ("plugins.max_result", plugins.max_result > 0, "0 bytes, so no hook could say anything; the default is 4 MiB"),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::{Profile, Seconds};
    use super::*;

    /// Changes settings.
    type Change = fn(&mut Settings);

    fn keys(change: Change) -> String {
        let mut settings = Settings::default();
        change(&mut settings);
        settings.impossible().map(|impossible| impossible.keys.join(" ")).unwrap_or_default()
    }

    #[test]
    fn a_setting_that_can_never_work_is_named_with_what_it_contradicts() {
        let cases: [(Change, &str); 26] = [
            (|settings| settings.session.pool_size = 0, "session.pool_size"),
            (|settings| settings.session.max_cookie_bytes = 0, "session.max_cookie_bytes"),
            (|settings| settings.crawl.concurrency = 0, "crawl.concurrency"),
            (|settings| settings.crawl.window = 0, "crawl.window"),
            (|settings| settings.crawl.memory = Some(Bytes(0)), "crawl.memory"),
            (|settings| settings.api.timeout = Seconds::new(0), "api.timeout"),
            (|settings| settings.api.connect_timeout = Seconds::new(0), "api.connect_timeout"),
            (|settings| settings.api.max_answer = 0, "api.max_answer"),
            (|settings| settings.plugins.deadline = Seconds::new(0), "plugins.deadline"),
            (|settings| settings.plugins.init_timeout = Seconds::new(0), "plugins.init_timeout"),
            (|settings| settings.plugins.memory = 1000, "plugins.memory"),
            (|settings| settings.plugins.concurrency = 0, "plugins.concurrency"),
            (|settings| settings.budget.billed = Some(0), "budget.billed"),
            (|settings| settings.session.margin = Seconds::new(120), "session.margin session.max_idle"),
            (|settings| settings.session.max_age = Some(Seconds::new(10)), "session.margin session.max_age"),
            (|settings| settings.session.max_idle = Some(Seconds::new(0)), "session.margin session.max_idle"),
            (|settings| settings.session.delay = Seconds::new(111), "session.delay session.max_idle"),
            (
                |settings| {
                    settings.session.max_idle = Some(Seconds::new(2000));
                    settings.session.delay = Seconds::new(891);
                },
                "session.delay session.max_age",
            ),
            (
                |settings| {
                    let table = crate::settings::PoolTable { delay: Some(Seconds::new(200)), ..Default::default() };
                    settings.session.pools.insert("a.example".to_owned(), table);
                },
                "session.pools.a.example.delay session.max_idle",
            ),
            (
                |settings| {
                    settings.session.cookie_mode = true;
                    settings.session.max_age = Some(Seconds::new(5));
                },
                "session.margin session.max_age",
            ),
            (
                |settings| {
                    settings.session.kind = Some(KindRule::User);
                    settings.session.cookie_mode = true;
                },
                "session.kind session.cookie_mode",
            ),
            (
                |settings| {
                    settings.profile = Profile::ScrapyZyteApi;
                    settings.session.kind = Some(KindRule::Zyte);
                },
                "session.kind",
            ),
            (
                |settings| {
                    settings.profile = Profile::ScrapyZyteApi;
                    let table = crate::settings::PoolTable { kind: Some(KindRule::Auto), ..Default::default() };
                    settings.session.pools.insert("a".to_owned(), table);
                },
                "session.pools.a.kind",
            ),
            (
                |settings| {
                    settings.session.kind = Some(KindRule::Zyte);
                    settings.session.init = Some(InitRule::Always);
                },
                "session.kind session.init",
            ),
            (
                |settings| {
                    let init = Some(InitRule::Always);
                    let table = crate::settings::PoolTable { kind: Some(KindRule::Zyte), init, ..Default::default() };
                    settings.session.pools.insert("a".to_owned(), table);
                },
                "session.pools.a.kind session.pools.a.init",
            ),
            (
                |settings| {
                    settings.session.kind = Some(KindRule::Zyte);
                    settings.session.params.insert("url".to_owned(), "https://a.example/".into());
                },
                "session.kind session.params",
            ),
        ];
        for (change, expected) in cases {
            assert_eq!(keys(change), expected);
        }
    }

    #[test]
    fn what_may_work_is_left_alone() {
        let cases: [Change; 7] = [
            |_| {},
            // The peer lets each request fail where it waits for a session that there will never be.
            |settings| {
                settings.profile = Profile::ScrapyZyteApi;
                settings.session.pool_size = 0;
            },
            |settings| settings.session.delay = Seconds::new(110),
            |settings| settings.session.margin = Seconds::new(119),
            |settings| settings.session.margin = Seconds::new(0),
            // Sessions of cookies end by these limits only where they are set, and the peer has none.
            |settings| {
                settings.session.cookie_mode = true;
                settings.session.delay = Seconds::new(5000);
            },
            |settings| {
                settings.profile = Profile::ScrapyZyteApi;
                settings.session.margin = Seconds::new(5000);
                settings.session.delay = Seconds::new(5000);
            },
        ];
        for change in cases {
            assert_eq!(keys(change), "");
        }
    }
}
