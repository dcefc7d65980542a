//! What the engine knows before it sends anything: for tools that explain a request or call one hook.

use std::sync::Arc;

use carousel_core::exchange::Request;
use carousel_core::hooks::{Defaults, Plan};

use crate::engine::Engine;
use crate::fetch::{Fetch, Stop};
use crate::ports::{Sites, Transport};

/// A request as its fetch would begin.
pub struct Survey<S> {
    /// The site that serves it; none where the defaults do.
    pub site: Option<Arc<S>>,
    /// What is known of it before it is sent, or why it fails already.
    pub plan: Result<Plan, String>,
}

impl<T: Transport, S: Sites> Engine<T, S> {
    /// Finds the site of a request and asks the hooks that come before a session, as [`fetch`](Self::fetch) does. Nothing is sent
    /// and no session is opened.
    pub fn survey(&self, request: Request) -> Survey<S::Site> {
        let site = self.0.sites.site(request.url());
        let plan = Fetch::new(&self.0, request).plan(site.as_ref()).map_err(|stop| match stop {
            Stop::Again => "it would be tried again".to_owned(),
            Stop::Fail(_, message, _) => message,
        });
        Survey { site, plan }
    }

    /// What this engine does where no plugin says otherwise, as hooks may ask for it.
    pub fn defaults(&self) -> Arc<dyn Defaults> {
        Arc::clone(&self.0.defaults) as _
    }
}
