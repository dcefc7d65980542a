//! Instances that wait for the next step of their site, where the settings allow that.
//!
//! A guest that is slow to start, such as an interpreter, is worth keeping. The number is bounded for all sites together and the instance
//! that was not used for the longest time goes first, so none has to be timed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::call::{Allowance, Call};
use crate::code::Code;
use crate::guest::Guest;
use crate::site::SiteFacts;

/// The instances of all sites.
pub(crate) struct Kept {
    /// The one used last is at the end.
    instances: Mutex<Vec<Waiting>>,
    most: usize,
    /// Steps that one instance may serve.
    max_uses: u32,
}

/// An instance that may serve again.
pub(crate) struct Waiting {
    pub(crate) guest: Guest,
    /// The version of the plugin that it is made of.
    pub(crate) code: Arc<Code>,
    /// Steps that it has served.
    pub(crate) uses: u32,
}

impl Waiting {
    fn is_of(&self, site: &Arc<SiteFacts>) -> bool {
        Arc::ptr_eq(self.guest.state().site(), site)
    }
}

impl Kept {
    pub(crate) fn new(most: u32, max_uses: u32) -> Self {
        Self { instances: Mutex::default(), most: usize::try_from(most).unwrap_or(usize::MAX), max_uses }
    }

    /// Takes the instance that served this site last. Those of the site that are made of other code go.
    pub(crate) fn take(&self, site: &Arc<SiteFacts>, code: &Arc<Code>) -> Option<Waiting> {
        let mut instances = self.instances();
        let stale: Vec<Waiting> =
            instances.extract_if(.., |waiting| waiting.is_of(site) && !Arc::ptr_eq(&waiting.code, code)).collect();
        let found = instances.iter().rposition(|waiting| waiting.is_of(site)).map(|at| instances.remove(at));
        drop(instances);
        drop(stale);
        found
    }

    /// Keeps an instance that has served a step, unless it has served enough or has taken so much memory that it will soon want too
    /// much. What it knew of the step is dropped.
    pub(crate) fn put(&self, mut waiting: Waiting, allowance: &Allowance) {
        if waiting.uses >= self.max_uses || !waiting.guest.state().limits.has_room() {
            return;
        }
        let idle = Call::new(waiting.guest.state().site().clone(), None, allowance);
        waiting.guest.renew(idle);
        let mut instances = self.instances();
        instances.push(waiting);
        let oldest = (instances.len() > self.most).then(|| instances.remove(0));
        drop(instances);
        drop(oldest);
    }

    /// Drops the instances of a site, or of a version of its plugin, that is no more.
    pub(crate) fn forget(&self, site: &Arc<SiteFacts>) {
        let gone: Vec<Waiting> = self.instances().extract_if(.., |waiting| waiting.is_of(site)).collect();
        drop(gone);
    }

    fn instances(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
