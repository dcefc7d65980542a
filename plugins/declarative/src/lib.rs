//! Declarative: a site plugin for people who write no code. Everything about a site stands in the `config` of its `[[site]]` table.
//!
//! The config says how a session is initialised (`params`, or a chain of calls in `init`), what is remembered of the answers
//! (`save`), what a good answer looks like (`check`), and what goes out with each page (`edit`); `pool`, `location`, `enabled`
//! and `cookie_mode` are there, too. The language is described in the README; `config.rs` is where its keys are read.
//!
//! A wrong key, word, placeholder or selector is refused when the site is loaded, with the path of the key and the nearest right
//! one. The host asks only the hooks that a site's config needs.

mod action;
mod compare;
mod condition;
mod config;
mod edit;
mod extract;
mod init;
mod notes;
mod outgoing;
mod reading;
mod rule;
mod save;
mod scope;
mod template;

use carousel_guest::prelude::*;

use crate::config::Config;
use crate::scope::Scope;

struct Declarative;

#[session_config]
impl SessionConfig for Declarative {
    fn configure() -> Result<Hooks> {
        Ok(Hooks::only(Config::checked(&config()?)?.hooks()))
    }

    fn enabled(request: &Request) -> Result<bool> {
        Config::of_site()?.enabled.map_or_else(|| default::enabled(request), Ok)
    }

    fn cookie_mode(request: &Request) -> Result<bool> {
        Config::of_site()?.cookie_mode.map_or_else(|| default::cookie_mode(request), Ok)
    }

    fn location(request: &Request) -> Result<Option<Location>> {
        match (default::location(request)?, Config::of_site()?.location) {
            (None, Some(address)) => Location::from_value(address.fill_known(&Scope::of(request))?).map(Some),
            (usual, _) => Ok(usual),
        }
    }

    fn pool(request: &Request) -> Result<Pool> {
        match Config::of_site()?.pool {
            Some(pool) => Ok(Pool::from(pool.fill(&Scope::of(request))?)),
            None => default::pool(request),
        }
    }

    fn params(request: &Request) -> Result<Params> {
        match Config::of_site()? {
            Config { params: Some(params), only_with_location, .. } if !passes_by(only_with_location, request)? => {
                Ok(Params::from(params.fill(&Scope::of(request))?))
            }
            _ => default::params(request),
        }
    }

    fn check(response: &Response, request: &Request) -> Result<Verdict> {
        let config = Config::of_site()?;
        if passes_by(config.only_with_location, request)? {
            return default::check(response, request);
        }
        if config.usual_check {
            let usual = default::check(response, request)?;
            if !usual.is_keep() {
                return Ok(usual);
            }
        }
        let scope = Scope::of(request).with_response(response);
        match rule::first_broken(&config.check, &scope)? {
            Some(verdict) => Ok(verdict),
            None => save::all(&config.save, &scope),
        }
    }

    fn process_request(request: &Request) -> Result<Edit> {
        let config = Config::of_site()?;
        if passes_by(config.only_with_location, request)? {
            return Ok(Edit::none());
        }
        edit::all(&config.edit, request)
    }

    fn init_session(_session: &Session, request: &Request) -> Result<bool> {
        let config = Config::of_site()?;
        if passes_by(config.only_with_location, request)? {
            return Err(Error::defer());
        }
        init::run(&config.init, request)
    }
}

/// Whether a request without a location is none of the config's business.
fn passes_by(only_with_location: bool, request: &Request) -> Result<bool> {
    Ok(only_with_location && request.location()?.is_none())
}

#[cfg(test)]
mod tests;
