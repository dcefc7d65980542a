//! Keeps all calls of a session in the place on earth in which it begins.

use carousel_core::exchange::{CallError, NetworkError, Object, Request};
use carousel_core::place::Place;
use carousel_core::settings::{Profile, SessionKind};

use crate::engine::Shared;
use crate::init::Init;
use crate::opening::{LiveSession, Trigger};
use crate::ports::{Sites, Transport};

impl LiveSession {
    /// The first call fixes the place. The error says what another one asks for that is not of this place.
    fn stays_in(&self, wanted: &Place) -> Result<(), String> {
        let place = self.place.get_or_init(|| wanted.clone());
        // The API knows nothing of a session that consists of cookies.
        if wanted.is_within(place) || self.kind == SessionKind::Cookies {
            return Ok(());
        }
        Err(wanted.unlike(place).collect::<Vec<_>>().join(", "))
    }
}

impl<T: Transport, S: Sites> Shared<T, S> {
    /// Checks that a page about to be fetched is of its session's place; the error says what is not. A session that was initialised
    /// without a call begins here, and Zyte may begin one that it keeps anew with any of its pages.
    pub(crate) fn keep_in_place(&self, request: &mut Request, session: &LiveSession, trigger: &Trigger<S>) -> Result<(), String> {
        if let Some(found) = trigger.place.disagrees_with(&Place::of(request.params())) {
            return Err(format!("a session has one place: {}", found.between("the pool", "the edited request")));
        }
        if session.place.get().is_none() || session.context.is_some() {
            trigger.place.params().for_each(|(field, value)| request.set_param(field, value.clone()));
        }
        self.one_place(session.stays_in(&Place::of(request.params())))
    }

    /// In the peer's profile such a call is sent, with one warning.
    fn one_place(&self, stays: Result<(), String>) -> Result<(), String> {
        match (stays, self.profile()) {
            (Ok(()), _) => Ok(()),
            (Err(asked), Profile::Default) => {
                Err(format!("a session has one place, that of its first call, which did not say {asked}: let params say it, too"))
            }
            (Err(asked), Profile::ScrapyZyteApi) => {
                self.warn_of_place(&asked);
                Ok(())
            }
        }
    }

    fn warn_of_place(&self, asked: &str) {
        if !self.told_of_place.swap(true, std::sync::atomic::Ordering::Relaxed) {
            tracing::warn!(
                asked,
                "a request asks for another geolocation or ipType than its session began with: the API does not support that, and its \
                 page may come from either place; the default profile keeps such requests apart. This is said once"
            );
        }
    }
}

impl<T: Transport, S: Sites> Init<T, S> {
    /// Says in the parameters of a call on the session where the pool's sessions are; the error says where a plugin says otherwise.
    pub(crate) fn put_in_place(&self, params: &mut Object) -> Result<(), CallError> {
        self.placed(params).map_err(|why| {
            self.session.init_calls().is_misplaced = true;
            CallError::Network(NetworkError::NotSent(why))
        })
    }

    fn placed(&self, params: &mut Object) -> Result<(), String> {
        if let Some(found) = self.trigger.place.disagrees_with(&Place::of(params)) {
            let found = found.between("the requests of the pool", "its initialisation");
            return Err(format!("a session has one place: {found}; let the plugin leave it out, or name its pools by place"));
        }
        self.trigger.place.put_into(params);
        self.shared.one_place(self.session.stays_in(&Place::of(params)))
    }
}
