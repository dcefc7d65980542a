//! What a call gets from us on its way out: the cookies of a cookie session, and tags for Zyte's statistics.

use std::time::{SystemTime, UNIX_EPOCH};

use carousel_core::cookies::Selection;
use carousel_core::exchange::Request;
use carousel_core::id::PoolId;
use serde_json::{Value, json};

use crate::engine::Shared;
use crate::opening::LiveSession;
use crate::ports::{Sites, Transport};

/// The length to which a pool's name is cut in a tag.
const TAG_CHARS: usize = 100;

impl<T: Transport, S: Sites> Shared<T, S> {
    /// Puts a cookie session's cookies into a request. The default profile adds to the request's own cookies what fits its URL;
    /// the peer's profile replaces them by the whole jar.
    pub(crate) fn carry_cookies(&self, request: &mut Request, session: &LiveSession) {
        let own = request.params().get("requestCookies").and_then(Value::as_array).cloned().unwrap_or_default();
        let (cookies, refused) = match self.profile().is_peer() {
            true => session.jar().for_request(request.url(), &[], Selection::All),
            false => session.jar().for_request(request.url(), &own, Selection::Fitting { unix_now: unix_now() }),
        };
        for cookie in refused {
            let name = cookie.get("name").and_then(Value::as_str).unwrap_or_default();
            tracing::warn!(url = request.url(), cookie = name, "a cookie is beyond the API's limits and is left out");
        }
        request.set_param("requestCookies", Value::Array(cookies));
        request.set_param("responseCookies", Value::Bool(true));
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

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
