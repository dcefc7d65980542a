//! The default behaviours, as hooks may ask for them: core's rules with this engine's settings, pool names and checker.

use std::sync::{Arc, Mutex, PoisonError};

use carousel_core::defaults::{self, PoolNames, meta};
use carousel_core::exchange::{Answer, Object, Request};
use carousel_core::hooks::{Defaults, Hook, HookCall, HookError, Plan, PoolChoice};
use carousel_core::settings::Settings;
use carousel_core::verdict::{DefaultCheck, Verdict};
use serde_json::Value;

use crate::ports::{Site, Sites};

/// The defaults of an engine, with its crawl-wide checker.
pub(crate) struct EngineDefaults<S: Sites> {
    plain: Arc<PlainDefaults>,
    sites: Arc<S>,
}

/// The defaults without a checker: what the checker itself gets.
struct PlainDefaults {
    settings: Arc<Settings>,
    names: Mutex<PoolNames>,
    visible: Arc<Object>,
}

impl<S: Sites> EngineDefaults<S> {
    pub(crate) fn new(settings: Arc<Settings>, sites: Arc<S>) -> Self {
        let visible = Arc::new(settings.session.to_json(settings.profile));
        Self { plain: Arc::new(PlainDefaults { settings, names: Mutex::default(), visible }), sites }
    }

    /// What is known of a request without a plugin.
    pub(crate) fn plan(&self, request: &Request) -> Plan {
        let location = self.location(request);
        Plan {
            enabled: self.enabled(request),
            cookie_mode: self.cookie_mode(request),
            pool: self.pool(request, &location),
            location: Ok(location),
        }
    }

    /// The built-in check, whatever the crawl-wide checker says.
    pub(crate) fn check_alone(&self, call: &HookCall, answer: &Answer) -> Result<Verdict, HookError> {
        self.plain.check(call, answer)
    }

    /// The name of the crawl-wide checker, if there is one.
    pub(crate) fn checker(&self) -> Option<String> {
        self.plain.settings.session.checker.clone()
    }
}

impl<S: Sites> Defaults for EngineDefaults<S> {
    fn enabled(&self, request: &Request) -> bool {
        self.plain.enabled(request)
    }

    fn cookie_mode(&self, request: &Request) -> bool {
        self.plain.cookie_mode(request)
    }

    fn pool(&self, request: &Request, location: &Object) -> Result<PoolChoice, HookError> {
        self.plain.pool(request, location)
    }

    fn location(&self, request: &Request) -> Object {
        self.plain.location(request)
    }

    fn params(&self, location: &Object) -> Object {
        self.plain.params(location)
    }

    fn check(&self, call: &HookCall, answer: &Answer) -> Result<Verdict, HookError> {
        let checker = self.plain.settings.session.checker.as_ref().and_then(|name| self.sites.named(name));
        match checker.filter(|checker| checker.overrides(Hook::Check)) {
            Some(checker) => checker.check(HookCall { defaults: Arc::clone(&self.plain) as _, ..call.clone() }, answer.clone()),
            None => self.plain.check(call, answer),
        }
    }

    fn settings(&self) -> Arc<Object> {
        self.plain.settings()
    }
}

impl Defaults for PlainDefaults {
    fn enabled(&self, request: &Request) -> bool {
        defaults::enabled(&self.settings.session, self.settings.profile, request)
    }

    fn cookie_mode(&self, request: &Request) -> bool {
        defaults::cookie_mode(&self.settings.session, request)
    }

    fn pool(&self, request: &Request, location: &Object) -> Result<PoolChoice, HookError> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let before = names.param_sets();
        let choice = names.pool(self.settings.profile, &self.settings.session, request, location).map_err(HookError::Raised)?;
        if names.param_sets() > before {
            let params = request.meta().get(meta::PARAMS).unwrap_or(&Value::Null);
            tracing::info!(pool = choice.id, %params, "the sessions of this pool are initialised with these parameters");
        }
        Ok(choice)
    }

    fn location(&self, request: &Request) -> Object {
        defaults::location(&self.settings.session, request)
    }

    fn params(&self, location: &Object) -> Object {
        defaults::params(location)
    }

    fn check(&self, call: &HookCall, answer: &Answer) -> Result<Verdict, HookError> {
        if let Some(error) = &call.location_error {
            return Err(error.clone());
        }
        let check = DefaultCheck {
            location: &call.location,
            init: call.init,
            init_action_failure_invalidates: self.settings.session.init_action_failure_invalidates_session,
            unsupported_location_closes_crawl: self.settings.session.pool_error_closes_crawl(self.settings.profile),
        };
        check.verdict(answer).map_err(HookError::Unreadable)
    }

    fn settings(&self) -> Arc<Object> {
        Arc::clone(&self.visible)
    }
}
