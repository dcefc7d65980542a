//! Tickets: a box office that answers only requests that carry the token of their visitor.
//!
//! The start page sets a cookie and shows a token that belongs to it (`<meta name="csrf-token">`). Every other page wants that
//! token in the header `X-CSRF-Token` and answers 403 without it. Only plain HTTP requests can carry headers of their own, so
//! the pages must be asked for with `httpResponseBody`.
//!
//! * `params` initialises a session: fetch the start page.
//! * `check` takes the token from the start page and keeps it in the session's data. On other pages a 403 means that the site
//!   no longer knows the session: it is discarded.
//! * `process_request` puts the token of the session into the header of each request, just before it is sent.
//!
//! The session's data is the only memory between these calls: each runs in a fresh instance of the plugin.

use carousel_guest::prelude::*;

/// The name of the token in the session's data.
const TOKEN: &str = "token";

struct Tickets;

#[session_config(include = ["tickets.example"])]
impl SessionConfig for Tickets {
    fn params(request: &Request) -> Result<Params> {
        Ok(Params::http_response_body().url(format!("https://{}/", request.host())))
    }

    fn check(response: &Response, request: &Request) -> Result<Verdict> {
        if request.is_init() {
            return keep_token(response, request);
        }
        Ok(match response.status() {
            403 if is_http(request)? => Verdict::discard("the site does not take the token"),
            403 => Verdict::reject("the site wants a header: ask for httpResponseBody"),
            _ => Verdict::keep(),
        })
    }

    fn process_request(request: &Request) -> Result<Edit> {
        match request.session() {
            Some(session) if is_http(request)? => {
                let token: Option<String> = session.get(TOKEN)?;
                let token = token.ok_or_else(|| Error::new("the session has no token"))?;
                Ok(Edit::new().header("X-CSRF-Token", token))
            }
            _ => Ok(Edit::none()),
        }
    }
}

fn keep_token(response: &Response, request: &Request) -> Result<Verdict> {
    let token = response.css("meta[name=csrf-token]::attr(content)")?.into_first();
    let (Some(token), Some(session)) = (token, request.session()) else {
        return Ok(Verdict::discard("no token on the start page"));
    };
    session.set(TOKEN, &token)?;
    Ok(Verdict::keep())
}

fn is_http(request: &Request) -> Result<bool> {
    Ok(request.param("httpResponseBody")?.unwrap_or(false))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use carousel_guest::{prelude::*, testing};

    use super::Tickets;

    fn page() -> testing::RequestBuilder {
        testing::request("https://s001.tickets.example/p/7")
    }

    fn http() -> testing::RequestBuilder {
        page().param("httpResponseBody", true)
    }

    #[test]
    fn a_session_begins_at_the_start_page_of_the_same_host() {
        let expected = json!({"httpResponseBody": true, "url": "https://s001.tickets.example/"});
        assert_eq!(Tickets::params(&page().build()).unwrap(), Params::from(expected));
    }

    #[test]
    fn the_token_of_the_start_page_goes_out_with_every_http_request() {
        let session = testing::session("tickets");
        let start = testing::response().body("<meta name=csrf-token content=t0k>").build();
        assert!(Tickets::check(&start, &http().init().session(&session).build()).unwrap().is_keep());

        let request =
            http().session(&session).param("customHttpRequestHeaders", json!([{"name": "Accept", "value": "*/*"}])).build();
        let edit = Tickets::process_request(&request).unwrap().resolve(&request).unwrap();
        let headers = json!([{"name": "Accept", "value": "*/*"}, {"name": "X-CSRF-Token", "value": "t0k"}]);
        assert_eq!(Value::Object(edit.set), json!({"customHttpRequestHeaders": headers}));

        let browser = page().session(&session).param("browserHtml", true).build();
        assert_eq!(Tickets::process_request(&browser).unwrap(), Edit::none(), "a browser takes no headers");
    }

    #[test]
    fn a_start_page_without_token_gives_no_session() {
        let session = testing::session("tickets");
        let start = testing::response().body("<title>Sold out</title>").build();
        let request = http().session(&session).build();
        let init = http().init().session(&session).build();
        assert_eq!(Tickets::check(&start, &init).unwrap(), Verdict::discard("no token on the start page"));
        assert_eq!(Tickets::process_request(&request).unwrap_err().message(), "the session has no token");
    }

    #[test]
    fn a_refused_page_costs_the_session_unless_no_session_could_have_got_it() {
        for (status, request, kind) in [
            (200, http(), "keep"),
            (404, http(), "keep"),
            (403, http(), "discard"),
            (403, page().param("browserHtml", true), "reject"),
        ] {
            let answer = testing::response().status(status).build();
            assert_eq!(Tickets::check(&answer, &request.build()).unwrap().kind(), kind, "{status}");
        }
    }
}
