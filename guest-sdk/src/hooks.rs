//! The hooks of a site plugin.

use crate::{Edit, Error, Location, Params, Pool, Request, Response, Result, Session, Verdict, default};

/// How sessions work on one site. Every function has the host's behaviour as its default.
///
/// An implementation carries the attribute [`session_config`](crate::session_config), which says where it applies and
/// tells the host which functions it has: the others cost nothing.
pub trait SessionConfig {
    /// Looks at the site's [`config`](crate::config) when the site is loaded, before any request. An error refuses the site
    /// and is shown to whoever wrote the config; the result is which of the plugin's hooks this site needs. Not asked where a
    /// site has no config.
    fn configure() -> Result<Hooks> {
        Ok(Hooks::all())
    }

    /// Are sessions used for this request?
    fn enabled(request: &Request) -> Result<bool> {
        default::enabled(request)
    }

    /// Do cookies of the initialisation replace API sessions?
    fn cookie_mode(request: &Request) -> Result<bool> {
        default::cookie_mode(request)
    }

    /// Which pool does this request belong to?
    fn pool(request: &Request) -> Result<Pool> {
        default::pool(request)
    }

    /// Which location is in force for this request? Usually asked only to fill in where [`default::location`] is none.
    fn location(request: &Request) -> Result<Option<Location>> {
        default::location(request)
    }

    /// Which API parameters has the request that initialises a session? May [`download`](crate::download).
    fn params(request: &Request) -> Result<Params> {
        default::params(request)
    }

    /// Is the session that fetched this answer good? Asked for initialisations and for pages.
    fn check(response: &Response, request: &Request) -> Result<Verdict> {
        default::check(response, request)
    }

    /// What changes in this request, just before it is sent on its session?
    fn process_request(_request: &Request) -> Result<Edit> {
        Ok(Edit::none())
    }

    /// Initialises a session with as many [`download`](crate::download)s as it takes; false means that it is no good.
    fn init_session(_session: &Session, _request: &Request) -> Result<bool> {
        Err(Error::defer())
    }
}

/// Hooks for requests with a location, given that location; without one the host's defaults apply.
///
/// The attribute [`session_config`](crate::session_config) on `impl LocationSessionConfig for …` takes the functions of
/// [`SessionConfig`] too, except `params` and `check`, which these two stand in for.
pub trait LocationSessionConfig {
    /// Which API parameters has the request that initialises a session for this location?
    fn location_params(request: &Request, _location: &Location) -> Result<Params> {
        default::params(request)
    }

    /// Is the session that fetched this answer good, and at this location?
    fn location_check(response: &Response, request: &Request, _location: &Location) -> Result<Verdict> {
        default::check(response, request)
    }
}

/// Which of its hooks a plugin needs at one site; the others are answered by the host, at no cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks(Option<Vec<&'static str>>);

impl Hooks {
    /// All that the plugin has.
    pub fn all() -> Self {
        Self(None)
    }

    /// Of those that the plugin has, these, by their names in the interface (`process-request`).
    pub fn only(hooks: impl IntoIterator<Item = &'static str>) -> Self {
        Self(Some(hooks.into_iter().collect()))
    }

    /// Tells whether this hook is needed.
    pub fn contains(&self, hook: &str) -> bool {
        self.0.as_ref().is_none_or(|hooks| hooks.contains(&hook))
    }
}
