//! Listens between the engine and the sites, and tells a recorder what was said.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use carousel_core::exchange::{Answer, CallError, Object};
use carousel_core::hooks::{Edit, Hook, HookCall, HookError, Plan};
use carousel_core::id::SiteId;
use carousel_core::verdict::Verdict;
use carousel_engine::{Downloader, Leave, Site, Sites};

use super::fixture::{Asked, Download};
use super::outcome;
use super::recorder::{Before, Heard, Recorder};

/// Sites whose calls are recorded.
pub(crate) struct RecordedSites<S> {
    sites: Arc<S>,
    recorder: Arc<Recorder>,
}

impl<S: Sites> RecordedSites<S> {
    /// Listens to these sites.
    pub(crate) fn new(sites: Arc<S>, recorder: Arc<Recorder>) -> Self {
        Self { sites, recorder }
    }

    fn recorded(&self, site: Arc<S::Site>) -> Arc<RecordedSite<S::Site>> {
        Arc::new(RecordedSite { site, recorder: Arc::clone(&self.recorder) })
    }
}

impl<S: Sites> Sites for RecordedSites<S> {
    type Site = RecordedSite<S::Site>;

    fn site(&self, url: &str) -> Option<Arc<Self::Site>> {
        self.sites.site(url).map(|site| self.recorded(site))
    }

    fn closed(&self, url: &str) -> Option<String> {
        self.sites.closed(url)
    }

    fn named(&self, name: &str) -> Option<Arc<Self::Site>> {
        self.sites.named(name).map(|site| self.recorded(site))
    }
}

/// A site whose calls are recorded.
pub(crate) struct RecordedSite<S> {
    site: Arc<S>,
    recorder: Arc<Recorder>,
}

impl<S: Site> RecordedSite<S> {
    fn keep(&self, before: Option<Before>, heard: Heard, outcome: impl FnOnce() -> Object) {
        if let Some(before) = before {
            self.recorder.keep(self.site.name(), before, heard, outcome());
        }
    }

    /// None for a call that a fixture cannot tell: why a location hook failed is known to the engine alone.
    fn before(asked: Asked, call: &HookCall) -> Option<Before> {
        call.location_error.is_none().then(|| Before::of(asked, call))
    }
}

impl<S: Site> Site for RecordedSite<S> {
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
        // A plan asked for again, because of an initialisation, is about the request all the same.
        let before = Self::before(Asked::Plan, &HookCall { session: None, ..call.clone() });
        let plan = self.site.plan(call);
        self.keep(before, Heard::default(), || outcome::plan(&plan));
        plan
    }

    async fn params(&self, call: HookCall, downloader: Arc<dyn Downloader>) -> Result<Object, HookError> {
        let before = Self::before(Asked::Params, &call);
        let tap = Arc::new(Tap::on(downloader));
        let params = self.site.params(call, Arc::clone(&tap) as _).await;
        self.keep(before, tap.heard(), || outcome::params(&params));
        params
    }

    fn check(&self, call: HookCall, answer: Answer) -> Result<Verdict, HookError> {
        let before = Self::before(Asked::Check, &call);
        let heard = Heard { answer: Some(answer.clone()), ..Heard::default() };
        let verdict = self.site.check(call, answer);
        self.keep(before, heard, || outcome::verdict(&verdict));
        verdict
    }

    fn process_request(&self, call: HookCall) -> Result<Edit, HookError> {
        let before = Self::before(Asked::ProcessRequest, &call);
        let edit = self.site.process_request(call);
        self.keep(before, Heard::default(), || outcome::edit(&edit));
        edit
    }

    async fn init_session(&self, call: HookCall, downloader: Arc<dyn Downloader>) -> Result<Option<bool>, HookError> {
        let before = Self::before(Asked::InitSession, &call);
        let tap = Arc::new(Tap::on(downloader));
        let answer = self.site.init_session(call, Arc::clone(&tap) as _).await;
        self.keep(before, tap.heard(), || outcome::init_session(&answer));
        answer
    }
}

/// Listens to the downloads of a hook.
struct Tap {
    downloader: Arc<dyn Downloader>,
    heard: Mutex<Vec<Download>>,
}

impl Tap {
    fn on(downloader: Arc<dyn Downloader>) -> Self {
        Self { downloader, heard: Mutex::default() }
    }

    fn heard(&self) -> Heard {
        let downloads = std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner));
        Heard { answer: None, downloads }
    }
}

impl Downloader for Tap {
    fn download(&self, params: Object) -> Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + '_>> {
        Box::pin(async move {
            let result = self.downloader.download(params.clone()).await;
            let (answer, error) = match &result {
                Ok(answer) => (outcome::of_answer(answer), None),
                Err(error) => (None, Some(outcome::of_call_error(error))),
            };
            let download = Download { params: Some(params), answer, error };
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(download);
            result
        })
    }
}
