//! The plugin of the shops, without a sandbox: its check looks whether a page is for the session's place.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carousel_core::exchange::{Answer, Object};
use carousel_core::hooks::{Edit, Hook, HookCall, HookError, Plan};
use carousel_core::verdict::Verdict;
use carousel_engine::{Downloader, Site, Sites};

/// All sites, or none.
pub(crate) struct Shops(pub(crate) bool);

/// A shop.
pub(crate) struct Shop;

impl Sites for Shops {
    type Site = Shop;

    fn site(&self, _url: &str) -> Option<Arc<Shop>> {
        self.0.then(|| Arc::new(Shop))
    }

    fn named(&self, _name: &str) -> Option<Arc<Shop>> {
        None
    }
}

impl Site for Shop {
    fn name(&self) -> &str {
        "shop"
    }

    fn overrides(&self, hook: Hook) -> bool {
        hook == Hook::Check
    }

    fn plan(&self, _call: HookCall) -> Result<Plan, HookError> {
        Err(HookError::Raised("a hook that is not overridden was called".into()))
    }

    async fn params(&self, call: HookCall, _downloader: Arc<dyn Downloader>) -> Result<Object, HookError> {
        Ok(call.defaults.params(&call.location))
    }

    fn check(&self, call: HookCall, answer: Answer) -> Result<Verdict, HookError> {
        let place = call.location.get("postalCode").and_then(|place| place.as_str());
        match place.filter(|_| !call.init) {
            Some(place) if !is_for(&answer, place) => Ok(Verdict::Discard("another place".into())),
            Some(_) => Ok(Verdict::Keep),
            None => call.defaults.check(&call, &answer),
        }
    }

    fn process_request(&self, _call: HookCall) -> Result<Edit, HookError> {
        Ok(Edit::default())
    }

    async fn init_session(&self, _call: HookCall, _downloader: Arc<dyn Downloader>) -> Result<Option<bool>, HookError> {
        Ok(None)
    }
}

/// Does a page of a grocer show this place?
pub(crate) fn is_for(answer: &Answer, place: &str) -> bool {
    let body = answer.string("httpResponseBody").ok().flatten().and_then(|body| STANDARD.decode(body.as_bytes()).ok());
    let page = body.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    page.is_some_and(|page| page.contains(&format!("<span id=\"store-postal\">{place}</span>")))
}
