//! How a session begins: by an initialisation, or by the first request that is sent on it.

use carousel_core::contract;
use carousel_core::defaults::explicit_params;
use carousel_core::hooks::Hook;
use carousel_core::pool::Start;
use carousel_core::settings::InitRule;
use carousel_core::stats::Counter;

use crate::engine::Shared;
use crate::opening::{LiveSession, Trigger};
use crate::ports::{Site as _, Sites, Transport};

impl<T: Transport, S: Sites> Shared<T, S> {
    /// How a session begins that is opened for this request.
    pub(crate) fn start(&self, trigger: &Trigger<S>) -> Start {
        if trigger.kind.is_zyte() {
            return Start::ByUse;
        }
        let site = trigger.site.as_ref();
        let rule = self.settings.init_rule(&trigger.pool, site.and_then(|site| site.init_rule()));
        let begins = match rule {
            InitRule::Always => false,
            InitRule::None => !self.sets_up(trigger),
            InitRule::Auto => {
                let is_looked_at = self.is_init_looked_at(trigger);
                !self.sets_up(trigger) && !is_looked_at && contract::begins_as_browser(trigger.request.params())
            }
        };
        if begins { Start::ByUse } else { Start::ByInit }
    }

    /// Would an initialisation set up something that the requests need?
    fn sets_up(&self, trigger: &Trigger<S>) -> bool {
        let by_hooks = [Hook::Params, Hook::InitSession].into_iter().any(|hook| trigger.overrides(hook));
        let has_location = !trigger.known_location().is_ok_and(|location| location.is_empty());
        let has_params = explicit_params(&self.settings.session, &trigger.request).is_some();
        trigger.kind.is_cookies() || by_hooks || has_params || has_location
    }

    /// Would somebody look at its answer, or may the request about to be sent be another than the one that is known?
    fn is_init_looked_at(&self, trigger: &Trigger<S>) -> bool {
        let is_checked = match trigger.site.as_ref().filter(|site| site.overrides(Hook::Check)) {
            Some(site) => site.checks_inits(),
            None => self.defaults.checker().is_some(),
        };
        is_checked || trigger.overrides(Hook::ProcessRequest)
    }

    /// Counts what the first request on a session says of it, where it stands for an initialisation. `why` it did not create the session;
    /// none if it did.
    pub(crate) fn count_start(&self, session: &LiveSession, counter: Counter, why: Option<String>) {
        if !session.stands_for_init() {
            return;
        }
        let pool = session.handle.pool();
        self.stats().count(counter, pool);
        match why {
            Some(why) => self.remember_bad_init(pool, why),
            None => self.forget_bad_init(pool),
        }
    }
}
