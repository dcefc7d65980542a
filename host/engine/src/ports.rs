//! What the engine needs from outside: someone who talks to the API and someone who knows about sites.

use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use carousel_core::exchange::{Answer, CallError, Object};
use carousel_core::hooks::{Edit, Hook, HookCall, HookError, Plan};
use carousel_core::id::SiteId;
use carousel_core::settings::InitRule;
use carousel_core::verdict::Verdict;

/// Talks to Zyte API: one call, one attempt. Repeating it is the engine's business.
pub trait Transport: Send + Sync + 'static {
    /// Sends API parameters and returns the answer. Dropping the future abandons the call.
    fn send(&self, params: &Object) -> impl Future<Output = Result<Answer, CallError>> + Send;
}

/// Knows which site a URL belongs to.
pub trait Sites: Send + Sync + 'static {
    /// How a site is asked.
    type Site: Site;

    /// The site whose rules choose this URL; none where the defaults serve.
    fn site(&self, url: &str) -> Option<Arc<Self::Site>>;

    /// Why nobody may serve this URL, not even the defaults: the site that its rules choose has nobody to answer its hooks. It is asked
    /// before [`site`](Self::site).
    fn closed(&self, _url: &str) -> Option<String> {
        None
    }

    /// The site of this name, also one that no URL chooses.
    fn named(&self, name: &str) -> Option<Arc<Self::Site>>;
}

/// Runs one API call for the session being initialised: the session's id is added unless the parameters say
/// `"session": null`, and the session's retry policy holds. The engine gives it to a hook that may download.
pub trait Downloader: Send + Sync {
    /// Sends API parameters and returns the answer.
    fn download(&self, params: Object) -> Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + '_>>;
}

/// Leave to initialise a session, given back on drop.
#[derive(Default)]
pub struct Leave {
    _held: Option<Box<dyn Any + Send + Sync>>,
}

impl Leave {
    /// Leave that something stands for until it is dropped.
    pub fn new(held: impl Any + Send + Sync) -> Self {
        Self { _held: Some(Box::new(held)) }
    }
}

/// A site with hooks of its own. A hook that it does not override is never called; the defaults in [`HookCall`] serve.
///
/// Hooks that do not download are ordinary functions that hold their thread. The engine runs those that are not quick on threads for
/// hooks; whoever implements them bounds their time.
pub trait Site: Send + Sync + 'static {
    /// The site's name, for logs and counters.
    fn name(&self) -> &str;

    /// The site as the owner of sessions. It stays while sessions that were made for the site are good for it, whatever version of a
    /// plugin serves it; a site with a config has another one for each config.
    fn id(&self) -> SiteId {
        SiteId::new(self.name(), "")
    }

    /// Does it answer this hook itself now? A site may begin and stop doing so, as its plugin is replaced or left alone for a while.
    fn overrides(&self, hook: Hook) -> bool;

    /// Waits until another session may be initialised with the site's hooks. One whose hooks have yet to show that they work has few
    /// initialisations at once. The error says why none may be sent: the plugin is left alone. Cancel-safe.
    fn leave_to_initialise(&self) -> impl Future<Output = Result<Leave, HookError>> + Send {
        async { Ok(Leave::default()) }
    }

    /// Why its hooks would not be asked now, and nobody in their place; none where they would.
    fn left_alone(&self) -> Option<HookError> {
        None
    }

    /// Whether its sessions are initialised by calls of their own, where the site's settings say so.
    fn init_rule(&self) -> Option<InitRule> {
        None
    }

    /// Does its check look at initialisations? If not, it is not asked about them.
    fn checks_inits(&self) -> bool {
        true
    }

    /// Asks the hooks `enabled`, `cookie-mode`, `location` and `pool`, in this order and in one step. Where `enabled` says no
    /// the others are not asked. An error is one of `enabled` or `cookie-mode`; those of the other two are in the plan.
    fn plan(&self, call: HookCall) -> Result<Plan, HookError>;

    /// The parameters of an initialisation request.
    fn params(&self, call: HookCall, downloader: Arc<dyn Downloader>) -> impl Future<Output = Result<Object, HookError>> + Send;

    /// Judges an answer.
    fn check(&self, call: HookCall, answer: Answer) -> Result<Verdict, HookError>;

    /// What to change in the request that is about to be sent.
    fn process_request(&self, call: HookCall) -> Result<Edit, HookError>;

    /// Initialises the session in the call with as many downloads as it takes. `None`: it defers, the default initialisation
    /// serves.
    fn init_session(
        &self,
        call: HookCall,
        downloader: Arc<dyn Downloader>,
    ) -> impl Future<Output = Result<Option<bool>, HookError>> + Send;
}

/// No site has hooks: every request is served by the defaults.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSites;

/// The site that [`NoSites`] never has.
#[derive(Debug)]
pub struct NoSite(Infallible);

impl Sites for NoSites {
    type Site = NoSite;

    fn site(&self, _url: &str) -> Option<Arc<NoSite>> {
        None
    }

    fn named(&self, _name: &str) -> Option<Arc<NoSite>> {
        None
    }
}

impl Site for NoSite {
    fn name(&self) -> &str {
        match self.0 {}
    }

    fn overrides(&self, _hook: Hook) -> bool {
        match self.0 {}
    }

    fn plan(&self, _call: HookCall) -> Result<Plan, HookError> {
        match self.0 {}
    }

    async fn params(&self, _call: HookCall, _downloader: Arc<dyn Downloader>) -> Result<Object, HookError> {
        match self.0 {}
    }

    fn check(&self, _call: HookCall, _answer: Answer) -> Result<Verdict, HookError> {
        match self.0 {}
    }

    fn process_request(&self, _call: HookCall) -> Result<Edit, HookError> {
        match self.0 {}
    }

    async fn init_session(&self, _call: HookCall, _downloader: Arc<dyn Downloader>) -> Result<Option<bool>, HookError> {
        match self.0 {}
    }
}
