//! What a call gets from us on its way out: the cookies of a cookie session, and tags for Zyte's statistics.

use std::borrow::Cow;
use std::sync::PoisonError;

use carousel_core::contract::{self, Sessionless};
use carousel_core::cookies::{self, LeftOut, Manner};
use carousel_core::exchange::{Answer, Object, Request, Unreadable, host_name};
use carousel_core::id::PoolId;
use serde_json::{Value, json};

use crate::engine::Shared;
use crate::opening::LiveSession;
use crate::ports::{Sites, Transport};

/// The length to which a pool's name is cut in a tag.
const TAG_CHARS: usize = 100;

impl<T: Transport, S: Sites> Shared<T, S> {
    /// Puts a cookie session's cookies into a request. The default profile adds to the request's own cookies what its site may
    /// see; the peer's profile replaces them by the whole jar.
    pub(crate) fn carry_cookies(&self, request: &mut Request, session: &LiveSession) {
        let cookies = self.cookies_for(request.params(), session);
        request.set_param("requestCookies", Value::Array(cookies));
        request.set_param("responseCookies", Value::Bool(true));
    }

    /// The same for a later call of an initialisation. The peer's profile leaves such calls alone.
    pub(crate) fn carry_init_cookies(&self, params: &mut Object, session: &LiveSession) {
        if self.profile().is_peer() {
            return;
        }
        let cookies = self.cookies_for(params, session);
        if !cookies.is_empty() {
            params.insert("requestCookies".to_owned(), Value::Array(cookies));
        }
        params.insert("responseCookies".to_owned(), Value::Bool(true));
    }

    /// Keeps the cookies of the answer to a request for the session's later calls. Those without a domain belong to the host of the
    /// answer, which the peer does not say of them.
    pub(crate) fn keep_cookies(&self, answer: &Answer, asked: &str, session: &LiveSession) -> Result<(), Unreadable> {
        let host = host_name(&answer.url()?.unwrap_or(asked.into()));
        let host = host.as_deref().filter(|_| !self.profile().is_peer());
        let cookies = answer.list("responseCookies")?.map(|raw| cookies::read(raw, host));
        let left_out = session.jar().merge(cookies, self.settings.session.cookie_limits(), self.cookie_manner());
        self.tell_left_out(&left_out, session);
        Ok(())
    }

    fn cookies_for(&self, params: &Object, session: &LiveSession) -> Vec<Value> {
        let own = params.get("requestCookies").and_then(Value::as_array).filter(|_| !self.profile().is_peer());
        let url = params.get("url").and_then(Value::as_str).unwrap_or_default();
        let limits = self.settings.session.cookie_limits();
        let chosen = session.jar().for_request(url, own.map_or(&[], Vec::as_slice), limits, self.cookie_manner());
        self.tell_left_out(&chosen.left_out, session);
        chosen.cookies
    }

    fn cookie_manner(&self) -> Manner {
        match self.profile().is_peer() {
            true => Manner::Peer,
            false => Manner::Browser { unix_now: self.unix_now() },
        }
    }

    /// Says so once per reason and pool.
    fn tell_left_out(&self, left_out: &[LeftOut], session: &LiveSession) {
        let pool = session.handle.pool();
        for why in left_out {
            let is_new = self.cookies_left_out.lock().unwrap_or_else(PoisonError::into_inner).insert((pool.clone(), *why));
            match why {
                LeftOut::TooLarge if is_new => {
                    tracing::warn!(%pool, "a cookie is beyond the API's limits and is left out: see session.max_cookie_bytes");
                }
                LeftOut::TooMany if is_new => {
                    tracing::warn!(%pool, "there are too many cookies; those set longest ago are left out")
                }
                LeftOut::Unreadable if is_new => {
                    tracing::warn!(%pool, "a cookie of an answer has no name and value that are text and is left out")
                }
                LeftOut::TooLarge | LeftOut::TooMany | LeftOut::Unreadable => {}
            }
        }
    }

    /// A call that says of which job it is, where there is one. `serp` allows no such field.
    pub(crate) fn with_job<'a>(&self, params: &'a Object) -> Cow<'a, Object> {
        let Some(job) = &self.options.job_id else {
            return Cow::Borrowed(params);
        };
        let has_own = params.contains_key("jobId") && !self.profile().is_peer();
        if has_own || contract::sessionless(params) == Some(Sessionless::Serp) {
            return Cow::Borrowed(params);
        }
        let mut params = params.clone();
        params.insert("jobId".to_owned(), job.as_str().into());
        Cow::Owned(params)
    }

    /// The tags of a call with its pool and phase added, for Zyte's statistics; none where they stay as they are. The caller's own
    /// tags of these names win.
    pub(crate) fn tags(&self, own: Option<&Value>, pool: &PoolId, phase: &str) -> Option<Value> {
        if !self.settings.session.tags(self.profile()) {
            return None;
        }
        let mut tags = own.filter(|own| !own.is_null()).cloned().unwrap_or_else(|| json!({}));
        let members = tags.as_object_mut()?;
        let name: String = pool.as_str().chars().take(TAG_CHARS).collect();
        members.entry("carousel-pool").or_insert_with(|| name.into());
        members.entry("carousel-phase").or_insert_with(|| phase.into());
        Some(tags)
    }
}
