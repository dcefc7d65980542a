//! What the engine knows before it sends anything: for tools that explain a request or call one hook.

use std::sync::Arc;

use carousel_core::exchange::Request;
use carousel_core::hooks::{Defaults, HookError, Plan};

use crate::engine::Engine;
use crate::ports::{Sites, Transport};
use crate::prepared::Planned;

/// A request as its fetch would begin.
pub struct Survey<S> {
    /// The site that serves it; none where the defaults do.
    pub site: Option<Arc<S>>,
    /// What is known of it before it is sent, or why it fails already.
    pub plan: Result<Plan, HookError>,
}

impl<T: Transport, S: Sites> Engine<T, S> {
    /// Finds the site of a request and asks the hooks that come before a session, as [`fetch`](Self::fetch) does. Nothing is sent
    /// and no session is opened.
    pub fn survey(&self, request: Request) -> Survey<S::Site> {
        let Planned { site, plan } = self.0.plan(&Arc::new(request));
        Survey { site, plan: plan.map(|plan| *plan) }
    }

    /// What this engine does where no plugin says otherwise, as hooks may ask for it.
    pub fn defaults(&self) -> Arc<dyn Defaults> {
        Arc::clone(&self.0.defaults) as _
    }
}
