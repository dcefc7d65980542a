//! `[plugins]` and `[[site]]`: which code answers for which site, and what it may use.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::{InitRule, Profile, Seconds};

/// The `[plugins]` table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginSettings {
    /// The directory of `.wasm` files; relative to the settings file. Default: none. `--plugins` wins.
    pub dir: Option<PathBuf>,
    /// Seconds that one call of a hook may compute. Default 0.1. A hook that takes longer is stopped and fails; too much lets
    /// a looping plugin hold a thread. Waiting for a download does not count.
    pub deadline: Seconds,
    /// Seconds that `params` or `init-session` may take with their downloads. Default 900.
    pub init_timeout: Seconds,
    /// Bytes of memory that one call may use. Default 64 MiB. More memory is touched, and must be cleared, per call.
    pub memory: usize,
    /// Calls that may run at the same time. Default 64. Further ones wait; of those that download, one site holds at most seven
    /// eighths, so that a site where they hang leaves some to the others. Each place reserves address space.
    pub concurrency: u32,
    /// Downloads in one initialisation. Default 20.
    pub max_downloads: u32,
    /// Bytes of API answers that one initialisation may download. Default 64 MiB. The download that goes over is refused, and every
    /// one after it; too little breaks initialisations of sites with large pages, too much lets a looping one hold them all in memory.
    pub max_download_bytes: usize,
    /// Hosts that plugins may send calls to, in whichever hook, besides those of the site's rules and of the request: patterns as in
    /// `include` (a bare host stands for its subdomains too), or `"*"` for any host. Default: none, in the profile `scrapy-zyte-api` any.
    /// Other schemes than http and https are never allowed. `[[site]]` tables may name more hosts.
    pub download_hosts: Option<Vec<String>>,
    /// Bytes of text that a hook may return or store. Default 4 MiB.
    pub max_result: usize,
    /// Lines that one call may log; further ones are counted and dropped. Default 100.
    pub max_log_lines: u32,
    /// Whether a file that is added to the directory, changed or removed counts at once. Default true. False spares one thread and
    /// keeps a crawl on the plugins that it began with.
    pub watch: bool,
    /// What happens where a file of the directory is no plugin that works when the program starts. Default `refuse`. Later a file that
    /// does not work is told and left out in any case, and the version before it stays at work.
    pub on_bad: OnBad,
    /// What happens to the requests of a site whose plugin had to be stopped too often. Default `closed`.
    pub on_fault: OnFault,
    /// Calls of one hook in a row that are too many: those that had to be stopped, at one site or all over the plugin's sites, and those
    /// that `raised_is_fault` names. Default 5; 0: any number is fine. Too few takes a site out for one odd page; too many spends
    /// `deadline` of a processor on each, and a billed answer.
    pub fault_limit: u32,
    /// Whether a `check`, `params` or `init-session` that ends with an error of its own counts like one that had to be stopped, and
    /// whether a plugin that has not shown yet that it can initialise a session has few initialisations at once. Default true; false in
    /// the profile `scrapy-zyte-api`.
    pub raised_is_fault: Option<bool>,
    /// Seconds until such a plugin is tried again, doubled each time that it has to be stopped again. Default 10.
    pub fault_pause: Seconds,
    /// The longest such pause, in seconds. Default 600. Too long keeps a site out that is well again.
    pub max_fault_pause: Seconds,
    /// Instances that are kept for sites with `instances = "reuse"`, all sites together. Default 16. The one that was not used for the
    /// longest time goes first. Too few for the sites that are visited in turns, and they start afresh each time; each one more may
    /// keep up to half of `memory`.
    pub kept_instances: u32,
    /// Steps of requests that such an instance may serve before a new one takes its place. Default 1,000. Many let what a plugin
    /// forgets to clean up grow.
    pub kept_uses: u32,
    /// Where compiled plugins are kept. Default: `carousel` in the user's cache directory. An empty text turns the cache off.
    /// Compiled plugins are native code: a settings file that was found and not named cannot set it.
    pub cache: Option<PathBuf>,
}

impl Default for PluginSettings {
    fn default() -> Self {
        Self {
            dir: None,
            deadline: Seconds::millis(100),
            init_timeout: Seconds::new(900),
            memory: 64 << 20,
            concurrency: 64,
            max_downloads: 20,
            max_download_bytes: 64 << 20,
            download_hosts: None,
            max_result: 4 << 20,
            max_log_lines: 100,
            watch: true,
            on_bad: OnBad::Refuse,
            on_fault: OnFault::Closed,
            fault_limit: 5,
            raised_is_fault: None,
            fault_pause: Seconds::new(10),
            max_fault_pause: Seconds::new(600),
            kept_instances: 16,
            kept_uses: 1_000,
            cache: None,
        }
    }
}

impl PluginSettings {
    /// The settings with all that depends on the profile resolved.
    #[must_use]
    pub fn of_profile(&self, profile: Profile) -> Self {
        let raised_is_fault = self.raised_is_fault.or(Some(!profile.is_peer()));
        Self { download_hosts: Some(self.download_hosts(profile)), raised_is_fault, ..self.clone() }
    }

    /// The hosts that plugins may send calls to, where the profile has a say: the peer asks nobody.
    pub fn download_hosts(&self, profile: Profile) -> Vec<String> {
        match &self.download_hosts {
            Some(hosts) => hosts.clone(),
            None if profile.is_peer() => vec!["*".to_owned()],
            None => Vec::new(),
        }
    }
}

/// What happens where a plugin does not load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnBad {
    /// Nothing is sent. The plugin's pages would be served by the defaults, without its check.
    #[default]
    Refuse,
    /// It is told and left out. A site whose rules are known is closed: its requests fail at once, with the reason.
    Skip,
}

/// What serves a site while its plugin is left alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFault {
    /// Nothing: its requests fail at once, with the reason. A page without its check may be a wrong page.
    #[default]
    Closed,
    /// The default behaviours, as if there were no plugin.
    DefaultConfig,
}

/// How long an instance of a plugin lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Instances {
    /// For one step of one request: nothing in its memory outlives it.
    #[default]
    Fresh,
    /// For many steps, one at a time. What the plugin has in memory stays from one to the next; when that is, the host decides.
    Reuse,
}

/// One `[[site]]` table: a plugin at work for some URLs, with a config of its own. What stands here wins over what the plugin
/// says of itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteTable {
    /// The site's name, unique; used in logs, by `session.checker` and by `instead_of`.
    pub name: String,
    /// The file name in the plugin directory, without `.wasm`.
    pub plugin: String,
    /// URL patterns. Absent: those of the plugin. An empty list: never chosen by URL.
    pub include: Option<Vec<String>>,
    /// URL patterns that are left out.
    pub exclude: Option<Vec<String>>,
    /// 500 where nothing is said; the highest wins.
    pub priority: Option<i32>,
    /// The site that this one replaces. Default: the default config.
    pub instead_of: Option<String>,
    /// Whether the site's sessions are initialised by calls of their own; wins over `session.init`.
    pub init: Option<InitRule>,
    /// Hosts that calls of this site's plugin may go to, besides those of `[plugins] download_hosts`.
    pub download_hosts: Option<Vec<String>>,
    /// Default `fresh`. `reuse` is for plugins that are slow to start, as those in Python and JavaScript are, and keep nothing in
    /// memory that belongs to one page or session. Hooks that download have a fresh instance in either case.
    #[serde(default)]
    pub instances: Instances,
    /// A table for the plugin, or the path of a JSON or TOML file, relative to the settings file.
    pub config: Option<Value>,
}
