//! A request of which site and pool are known before it is fetched: the hooks are asked once, whenever its turn comes.

use std::sync::Arc;

use carousel_core::exchange::Request;
use carousel_core::hooks::{Hook, HookCall, HookError, Plan};
use carousel_core::id::PoolId;

use crate::engine::Shared;
use crate::ports::{Site, Sites, Transport};

/// A request whose site and pool are known. Nothing has been done for it yet, and an error of a hook counts when it is fetched.
pub struct Prepared<S: Sites> {
    pub(crate) request: Arc<Request>,
    pub(crate) planned: Planned<S>,
}

/// What is known of a request before it is sent.
pub(crate) struct Planned<S: Sites> {
    pub(crate) site: Option<Arc<S::Site>>,
    pub(crate) plan: Result<Box<Plan>, HookError>,
}

impl<S: Sites> Prepared<S> {
    /// The request as its owner wrote it.
    pub fn request(&self) -> &Arc<Request> {
        &self.request
    }

    /// Drops all but what a plugin has said.
    pub(crate) fn rest(self) -> Resting<S> {
        let is_said = self.planned.site.as_ref().is_some_and(plans);
        Resting(is_said.then(|| Box::new(self.planned)))
    }

    /// The pool whose sessions it needs; none where it needs no session, or will fail before.
    pub fn pool(&self) -> Option<PoolId> {
        let plan = self.planned.plan.as_ref().ok().filter(|plan| plan.enabled)?;
        plan.pool.as_ref().ok().map(|choice| PoolId::new(choice.id.as_str()))
    }
}

/// What is kept of a request that waits and can be had again: what a plugin has said of it, which is asked once.
pub struct Resting<S: Sites>(pub(crate) Option<Box<Planned<S>>>);

/// Is the plugin asked before a request is sent?
fn plans<S: Site>(site: &Arc<S>) -> bool {
    [Hook::Enabled, Hook::CookieMode, Hook::Location, Hook::Pool].into_iter().any(|hook| site.overrides(hook))
}

impl<T: Transport, S: Sites> Shared<T, S> {
    pub(crate) fn plan(&self, request: &Arc<Request>) -> Planned<S> {
        let site = self.sites.site(request.url());
        let plan = match site.as_ref().filter(|site| plans(site)) {
            Some(site) => site.plan(self.hook_call(Arc::clone(request))),
            None => Ok(self.defaults.plan(request)),
        };
        Planned { site, plan: plan.map(|plan| Box::new(self.told_apart(plan))) }
    }

    /// Names the pool after the kind of its sessions, where that is not the usual one: a cookie session and one of the API never stand
    /// in for each other. The peer lets them share a pool.
    fn told_apart(&self, mut plan: Plan) -> Plan {
        let is_usual = plan.cookie_mode == self.settings.session.cookie_mode || self.profile().is_peer();
        if let Ok(choice) = &mut plan.pool
            && !is_usual
        {
            choice.id.push_str(if plan.cookie_mode { ";cookies" } else { ";session" });
        }
        plan
    }

    pub(crate) fn hook_call(&self, request: Arc<Request>) -> HookCall {
        HookCall {
            request,
            init: false,
            location: Arc::default(),
            location_error: None,
            session: None,
            defaults: Arc::clone(&self.defaults) as _,
        }
    }
}
