//! Does what a plugin must not do, so that the host can be tested against it.
//!
//! The URL says where and what: `/check/loop` misbehaves in `check`, `/process-request/panic` in `process_request`,
//! `/init-session/downloads` in `init_session`. The site's config, `{"check": "loop"}`, does so for every URL. Hooks without
//! a deed behave well.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod deed;
#[cfg(test)]
mod tests;

use carousel_guest::prelude::*;

use crate::deed::Deed;

struct Misbehaving;

#[session_config(name = "misbehaving", include = ["misbehaving.example"])]
impl SessionConfig for Misbehaving {
    fn check(response: &Response, request: &Request) -> Result<Verdict> {
        match Deed::of("check", request)? {
            Some(deed) => Ok(Verdict::discard(deed.carry_out(request, Some(response))?)),
            None => Ok(Verdict::keep()),
        }
    }

    fn process_request(request: &Request) -> Result<Edit> {
        match Deed::of("process-request", request)? {
            Some(deed) => {
                let text = deed.carry_out(request, None)?;
                Ok(if deed == Deed::ReturnHuge { Edit::new().url(text) } else { Edit::none() })
            }
            None => Ok(Edit::none()),
        }
    }

    fn init_session(_session: &Session, request: &Request) -> Result<bool> {
        match Deed::of("init-session", request)? {
            Some(deed) => Err(Error::new(deed.carry_out(request, None)?)),
            None => Err(Error::defer()),
        }
    }
}
