//! Where the answer to each hook's question comes from: the plugin, the request's metadata, a setting, or the default.

use carousel_core::defaults::{Unmanaged, explicit_params, meta};
use carousel_core::exchange::Request;
use carousel_core::hooks::{Defaults, Hook, Plan};
use carousel_core::settings::{SessionKind, Settings};
use carousel_engine::Site;
use carousel_sandbox::PluginSite;
use serde_json::Value;

use super::heard::Heard;
use super::meta_key;

/// All that may answer.
pub(super) struct Sources<'s> {
    pub(super) settings: &'s Settings,
    pub(super) request: &'s Request,
    pub(super) site: Option<&'s PluginSite>,
    pub(super) defaults: &'s dyn Defaults,
}

/// Who makes the calls of an initialisation, and why.
pub(super) enum Chain {
    /// The plugin.
    Plugin(String),
    /// The host.
    Host(String),
}

impl Sources<'_> {
    pub(super) fn enabled(&self, plan: &Plan) -> String {
        if let Some(unmanaged) = Unmanaged::of(self.settings.profile, self.request) {
            return format!("request: {unmanaged}");
        }
        let setting = self.settings.session.enabled.map(|_| "session.enabled");
        let usual = self.usual(Hook::Enabled, setting, "default: that of the profile");
        self.source(Hook::Enabled, usual, plan.enabled == self.defaults.enabled(self.request))
    }

    pub(super) fn cookie_mode(&self, plan: &Plan) -> String {
        let setting = match &self.settings.session {
            session if session.kind.is_some() => Some("session.kind"),
            session => session.cookie_mode.then_some("session.cookie_mode"),
        };
        let usual = self.usual(Hook::CookieMode, setting, "default: sessions of the API");
        self.source(Hook::CookieMode, usual, plan.cookie_mode == self.defaults.cookie_mode(self.request))
    }

    pub(super) fn location(&self, plan: &Plan) -> String {
        let setting = (!self.settings.session.location.is_empty()).then_some("session.location");
        let usual = self.usual(Hook::Location, setting, "default: none");
        let as_usual = plan.location.as_ref().is_ok_and(|location| *location == self.defaults.location(self.request));
        self.source(Hook::Location, usual, as_usual)
    }

    pub(super) fn pool(&self, plan: &Plan) -> String {
        let location = plan.location.as_ref().ok().cloned().unwrap_or_default();
        let with_location = location != self.settings.session.location;
        let with_params = self.request.meta().contains_key(meta::PARAMS);
        let automatic = match (with_location, with_params) {
            (false, false) => "default: named after the host",
            (true, false) => "default: named after host and location",
            (false, true) => "default: named after host and parameters",
            (true, true) => "default: named after host, location and parameters",
        };
        let as_usual = plan.pool.is_ok() && plan.pool == self.defaults.pool(self.request, &location);
        self.source(Hook::Pool, self.usual(Hook::Pool, None, automatic), as_usual)
    }

    pub(super) fn chain(&self, heard: Heard) -> Chain {
        let usual = "default: one call, judged by check";
        match (self.overrides(Hook::InitSession), heard.chain_deferred) {
            (false, _) => Chain::Host(usual.to_owned()),
            (true, true) => Chain::Host(format!("{LIKEWISE} {usual}")),
            (true, false) => Chain::Plugin("plugin: its first call; the chain goes on with the answer".to_owned()),
        }
    }

    /// Why nothing is initialised.
    pub(super) fn no_init(&self, kind: SessionKind) -> String {
        match kind {
            SessionKind::Zyte => "setting: no call, Zyte sets its session up itself; see session.kind".to_owned(),
            SessionKind::User | SessionKind::Cookies => {
                "default: no call, the request creates its session itself; see session.init".to_owned()
            }
        }
    }

    pub(super) fn params(&self, plan: &Plan, heard: Heard) -> String {
        let explicit = explicit_params(&self.settings.session, self.request);
        let of_request = self.request.meta().get(meta::PARAMS).and_then(Value::as_object).is_some_and(|it| !it.is_empty());
        let has_location = plan.location.as_ref().is_ok_and(|location| !location.is_empty());
        match explicit {
            Some(_) if of_request => format!("metadata: {}", meta::PARAMS),
            Some(_) => "setting: session.params".to_owned(),
            None if self.overrides(Hook::Params) && heard.params_answered => "plugin".to_owned(),
            None if self.overrides(Hook::Params) => "plugin: a download of the hook, which goes on with the answer".to_owned(),
            None if has_location => "default: a browser request that sets the location".to_owned(),
            None => "default: a browser request".to_owned(),
        }
    }

    pub(super) fn process_request(&self) -> String {
        let default = "default: nothing is changed";
        if self.overrides(Hook::ProcessRequest) { "plugin".to_owned() } else { default.to_owned() }
    }

    pub(super) fn check(&self) -> String {
        match &self.settings.session.checker {
            _ if self.overrides(Hook::Check) => "plugin".to_owned(),
            Some(checker) => format!("setting: session.checker, the check of {checker}"),
            None => "default: a look at the browser actions".to_owned(),
        }
    }

    /// Where the answer comes from without a plugin: the metadata go before the setting.
    fn usual(&self, hook: Hook, setting: Option<&str>, default: &str) -> String {
        let key = meta_key(hook).filter(|key| self.request.meta().contains_key(*key));
        match (key, setting) {
            (Some(key), _) => format!("metadata: {key}"),
            (None, Some(setting)) => format!("setting: {setting}"),
            (None, None) => default.to_owned(),
        }
    }

    /// Where it comes from: a plugin goes before everything, and may leave it as usual.
    fn source(&self, hook: Hook, usual: String, as_usual: bool) -> String {
        match (self.overrides(hook), as_usual) {
            (false, _) => usual,
            (true, true) => format!("{LIKEWISE} {usual}"),
            (true, false) => "plugin".to_owned(),
        }
    }

    fn overrides(&self, hook: Hook) -> bool {
        self.site.is_some_and(|site| site.overrides(hook))
    }
}

/// How an answer of a plugin begins that is the one without it.
const LIKEWISE: &str = "plugin, as without it:";
