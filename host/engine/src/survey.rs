//! What the engine knows before it sends anything, for tools that explain a request or call one hook; and what it holds now.

use std::sync::Arc;

use carousel_core::exchange::Request;
use carousel_core::hooks::{Defaults, HookError, Plan};
use carousel_core::id::PoolId;
use carousel_core::pool::Start;

use crate::engine::Engine;
use crate::opening::Trigger;
use crate::ports::{Sites, Transport};
use crate::prepared::{Course, Planned};

/// A request as its fetch would begin.
pub struct Survey<S> {
    /// The site that serves it; none where the defaults do.
    pub site: Option<Arc<S>>,
    /// What is known of it before it is sent, or why it fails already. Sessions are not enabled for what is sent as it is.
    pub plan: Result<Plan, HookError>,
    /// The pool that it would have.
    pub pool: Option<PoolId>,
    /// How a session begins that is opened for it.
    pub start: Start,
}

/// What an engine holds at a moment, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// Pools that are remembered.
    pub pools: usize,
    /// Sessions that live.
    pub sessions: usize,
    /// Initialisations under way.
    pub openings: usize,
    /// Requests that wait for a session.
    pub waiting: usize,
    /// Requests and initialisations that wait until the API may be asked.
    pub at_gate: usize,
}

impl<T: Transport, S: Sites> Engine<T, S> {
    /// Counts what is held now.
    pub fn census(&self) -> Census {
        let (pools, sessions, waiting) = {
            let state = self.0.state();
            (state.pools.len(), state.sessions.len(), state.waiting.len())
        };
        Census { pools, sessions, openings: self.0.openings.len(), waiting, at_gate: self.0.gate.len() }
    }

    /// Finds the site of a request and asks the hooks that come before a session, as [`fetch`](Self::fetch) does. Nothing is sent
    /// and no session is opened.
    pub fn survey(&self, request: Request) -> Survey<S::Site> {
        let request = Arc::new(request);
        let Planned { site, course } = self.0.plan_here(&request);
        let start = Start::ByInit;
        match course {
            Course::Managed(managed) => {
                let trigger = Trigger::new(self.0.ticket(), request, site.clone(), (*managed).clone());
                let start = trigger.map_or(start, |trigger| self.0.start(&trigger));
                Survey { site, plan: Ok(managed.plan), pool: managed.pool, start }
            }
            Course::Failed(error) => Survey { site, plan: Err(error), pool: None, start },
            Course::Nonsense(why) | Course::Lost(why) => Survey { site, plan: Err(HookError::Raised(why)), pool: None, start },
            Course::Unmanaged(_) | Course::Disabled => Survey { site, plan: Ok(Plan::off()), pool: None, start },
        }
    }

    /// What this engine does where no plugin says otherwise, as hooks may ask for it.
    pub fn defaults(&self) -> Arc<dyn Defaults> {
        Arc::clone(&self.0.defaults) as _
    }
}
