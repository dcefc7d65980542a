//! `[plugins]` and `[[site]]`: which code answers for which site, and what it may use.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::{Profile, Seconds};

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
    /// Calls that may run at the same time. Default 64. Further ones wait. Each place reserves address space.
    pub concurrency: u32,
    /// Downloads in one initialisation. Default 20.
    pub max_downloads: u32,
    /// Bytes of API answers that one initialisation may download. Default 64 MiB. The download that goes over is refused, and every
    /// one after it; too little breaks initialisations of sites with large pages, too much lets a looping one hold them all in memory.
    pub max_download_bytes: usize,
    /// Hosts that downloads may go to besides those of the site's rules and of the request: patterns as in `include` (a bare host
    /// stands for its subdomains too), or `"*"` for any host. Default: none, in the profile `scrapy-zyte-api` any. `[[site]]` tables
    /// may name more of them.
    pub download_hosts: Option<Vec<String>>,
    /// Bytes of text that a hook may return or store. Default 4 MiB.
    pub max_result: usize,
    /// Lines that one call may log; further ones are counted and dropped. Default 100.
    pub max_log_lines: u32,
    /// Where compiled plugins are kept. Default: `carousel` in the user's cache directory. An empty text turns the cache off.
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
            cache: None,
        }
    }
}

impl PluginSettings {
    /// The hosts that downloads may go to, where the profile has a say: the peer asks nobody.
    pub fn download_hosts(&self, profile: Profile) -> Vec<String> {
        match &self.download_hosts {
            Some(hosts) => hosts.clone(),
            None if profile.is_peer() => vec!["*".to_owned()],
            None => Vec::new(),
        }
    }
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
    /// Hosts that downloads for this site may go to, besides those of `[plugins] download_hosts`.
    pub download_hosts: Option<Vec<String>>,
    /// A table for the plugin, or the path of a JSON or TOML file, relative to the settings file.
    pub config: Option<Value>,
}
