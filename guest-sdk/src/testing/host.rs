//! The host that a test describes.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use crate::testing::state::{self, State};
use crate::{DownloadError, Params, Response, Verdict};

/// A host for tests: described first, then started on the test's thread.
///
/// ```
/// use carousel_guest::{prelude::*, testing};
///
/// # fn main() -> Result<()> {
/// let host = testing::Host::new()
///     .config(json!({"login": "https://shop.example/login"}))
///     .downloads(|_| Ok(testing::response().html("<p>hello</p>").build()))
///     .start();
/// let config: Value = config()?;
/// let page = download(json!({"url": config["login"]}))?;
/// log::info!("got {}", page.text());
/// assert_eq!(host.log(), [("info".to_owned(), "got <p>hello</p>".to_owned())]);
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
#[must_use = "a host does nothing before it is started"]
pub struct Host(State);

impl Host {
    /// A host with nothing set: config is `null`, settings are empty, no download is expected.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the site's config; `null` otherwise.
    pub fn config(mut self, config: impl Into<Value>) -> Self {
        self.0.config = config.into();
        self
    }

    /// Sets the crawl's session settings, an empty object otherwise.
    pub fn settings(mut self, settings: impl Into<Value>) -> Self {
        self.0.settings = settings.into();
        self
    }

    /// Sets the site's name, `test` otherwise.
    pub fn site_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.0.site_name);
        self
    }

    /// Sets what [`default::enabled`](crate::default::enabled) says, true otherwise.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.0.enabled = enabled;
        self
    }

    /// Sets what [`default::cookie_mode`](crate::default::cookie_mode) says, false otherwise.
    pub fn cookie_mode(mut self, cookie_mode: bool) -> Self {
        self.0.cookie_mode = cookie_mode;
        self
    }

    /// Sets what [`default::check`](crate::default::check) says; otherwise it looks at the outcome of `setLocation`.
    pub fn default_verdict(mut self, verdict: Verdict) -> Self {
        self.0.verdict = Some(verdict);
        self
    }

    /// Answers downloads; without this they fail as `refused`.
    pub fn downloads(mut self, answer: impl FnMut(&Params) -> Result<Response, DownloadError> + 'static) -> Self {
        self.0.downloads = RefCell::new(Some(Box::new(answer)));
        self
    }

    /// Makes this the host of the thread until the result is dropped.
    pub fn start(self) -> Running {
        let state = Rc::new(self.0);
        Running { before: state::replace(Rc::clone(&state)), state }
    }
}

/// A started host: what the plugin did is read here.
#[must_use = "the host stops when this is dropped"]
pub struct Running {
    state: Rc<State>,
    before: Rc<State>,
}

impl Running {
    /// Returns the lines logged so far, each with its level.
    pub fn log(&self) -> Vec<(String, String)> {
        self.state.log.borrow().clone()
    }

    /// Returns the parameters of the downloads so far.
    pub fn downloaded(&self) -> Vec<Params> {
        self.state.requested.borrow().clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        state::replace(Rc::clone(&self.before));
    }
}
