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

    /// The pool whose sessions it needs; none where it needs no session, or will fail before.
    pub fn pool(&self) -> Option<PoolId> {
        let plan = self.planned.plan.as_ref().ok().filter(|plan| plan.enabled)?;
        plan.pool.as_ref().ok().map(|choice| PoolId::new(choice.id.as_str()))
    }
}

impl<T: Transport, S: Sites> Shared<T, S> {
    pub(crate) fn plan(&self, request: &Arc<Request>) -> Planned<S> {
        let site = self.sites.site(request.url());
        let asked = [Hook::Enabled, Hook::CookieMode, Hook::Location, Hook::Pool];
        let plan = match site.as_ref().filter(|site| asked.into_iter().any(|hook| site.overrides(hook))) {
            Some(site) => site.plan(self.hook_call(Arc::clone(request))),
            None => Ok(self.defaults.plan(request)),
        };
        Planned { site, plan: plan.map(Box::new) }
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
