//! Listens to how far a plugin's initialisation hooks came before the first call went out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carousel_core::exchange::{Answer, Object};
use carousel_core::hooks::{Edit, Hook, HookCall, HookError, Plan};
use carousel_core::id::SiteId;
use carousel_core::verdict::Verdict;
use carousel_engine::{Downloader, Leave, Site, Sites};

/// What was heard.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    /// `init_session` leaves the initialisation to the host.
    pub(super) chain_deferred: bool,
    /// `params` has answered.
    pub(super) params_answered: bool,
}

/// Sites that are listened to.
pub(super) struct HeardSites<S> {
    sites: Arc<S>,
    heard: Arc<Mutex<Heard>>,
}

/// One of them.
pub(super) struct HeardSite<S> {
    /// The site itself.
    pub(super) site: Arc<S>,
    heard: Arc<Mutex<Heard>>,
}

impl<S: Sites> HeardSites<S> {
    pub(super) fn new(sites: Arc<S>) -> Self {
        Self { sites, heard: Arc::default() }
    }

    /// What was heard so far.
    pub(super) fn heard(&self) -> Heard {
        *lock(&self.heard)
    }

    fn listening(&self, site: Arc<S::Site>) -> Arc<HeardSite<S::Site>> {
        Arc::new(HeardSite { site, heard: Arc::clone(&self.heard) })
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: Sites> Sites for HeardSites<S> {
    type Site = HeardSite<S::Site>;

    fn site(&self, url: &str) -> Option<Arc<Self::Site>> {
        self.sites.site(url).map(|site| self.listening(site))
    }

    fn closed(&self, url: &str) -> Option<String> {
        self.sites.closed(url)
    }

    fn named(&self, name: &str) -> Option<Arc<Self::Site>> {
        self.sites.named(name).map(|site| self.listening(site))
    }
}

impl<S: Site> Site for HeardSite<S> {
    fn name(&self) -> &str {
        self.site.name()
    }

    fn id(&self) -> SiteId {
        self.site.id()
    }

    fn overrides(&self, hook: Hook) -> bool {
        self.site.overrides(hook)
    }

    async fn leave_to_initialise(&self) -> Result<Leave, HookError> {
        self.site.leave_to_initialise().await
    }

    fn left_alone(&self) -> Option<HookError> {
        self.site.left_alone()
    }

    fn plan(&self, call: HookCall) -> Result<Plan, HookError> {
        self.site.plan(call)
    }

    async fn params(&self, call: HookCall, downloader: Arc<dyn Downloader>) -> Result<Object, HookError> {
        let params = self.site.params(call, downloader).await;
        lock(&self.heard).params_answered = true;
        params
    }

    fn check(&self, call: HookCall, answer: Answer) -> Result<Verdict, HookError> {
        self.site.check(call, answer)
    }

    fn process_request(&self, call: HookCall) -> Result<Edit, HookError> {
        self.site.process_request(call)
    }

    async fn init_session(&self, call: HookCall, downloader: Arc<dyn Downloader>) -> Result<Option<bool>, HookError> {
        let answer = self.site.init_session(call, downloader).await;
        lock(&self.heard).chain_deferred = answer == Ok(None);
        answer
    }
}
