//! Storefront: chains of stores that differ only in details, all served by this one plugin.
//!
//! Each shop has prices per store, and a visitor picks a store by postal code. The plugin knows how such shops work; what
//! differs from chain to chain stands in the settings file, one `[[site]]` table per chain (see `plugins/demo.toml`):
//!
//! ```toml
//! [[site]]
//! name = "pharmacy"
//! plugin = "storefront"
//! include = ["pharmacy.example"]
//! config = { postal_code = ".branch b::text", store_url = "https://{host}/store?postal={postal_code}" }
//! ```
//!
//! The plugin itself has no URL rules: without a table that names it, it serves nobody.
//!
//! * `configure` looks at a chain's table when the site is loaded, so that a mistake in it is told before anything is sent.
//! * `location_params` initialises a session: it asks for `store_url` where the chain has one, and for the browser action
//!   `setLocation` elsewhere.
//! * `location_check` looks at every answer. First the usual check of the host (did `setLocation` work?), then the page itself:
//!   shops have been seen that accept a postal code and go on showing another store, or none.

use carousel_guest::{check_query, prelude::*};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

struct Storefront;

/// What a chain's `config` says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chain {
    /// Where a page shows the postal code of its store: a CSS selector that ends in `::text` or `::attr(name)`.
    postal_code: String,
    /// The URL that picks a store, with `{host}` and `{postal_code}` to be filled in. Default: none, `setLocation` picks it.
    store_url: Option<String>,
}

#[session_config]
impl LocationSessionConfig for Storefront {
    fn configure() -> Result<Hooks> {
        check_query("css", &config::<Chain>()?.postal_code)?;
        Ok(Hooks::all())
    }

    fn location_params(request: &Request, location: &Location) -> Result<Params> {
        let (host, code) = (request.host(), postal_code(location)?);
        let Some(template) = config::<Chain>()?.store_url else {
            return Ok(default::params(request)?.url(format!("https://{host}/")));
        };
        let code = utf8_percent_encode(code, NON_ALPHANUMERIC).to_string();
        Ok(Params::browser_html().url(template.replace("{host}", &host).replace("{postal_code}", &code)))
    }

    fn location_check(response: &Response, request: &Request, location: &Location) -> Result<Verdict> {
        let usual = default::check(response, request)?;
        if !usual.is_keep() {
            return Ok(usual);
        }
        let chain: Chain = config()?;
        Ok(match response.css(&chain.postal_code)?.first() {
            Some(shown) if shown == postal_code(location)? => Verdict::keep(),
            Some(shown) => Verdict::discard(format!("the page is for the store in {shown}")),
            None => Verdict::discard("the page is for no store"),
        })
    }
}

fn postal_code(location: &Location) -> Result<&str> {
    let code = location.postal_code.as_deref();
    code.ok_or_else(|| Error::close_pool("stores are found by postal code: give the location a postalCode"))
}

#[cfg(test)]
mod tests;
