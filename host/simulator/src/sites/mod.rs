//! The fictional sites: the manual page for whoever writes a plugin, a demo or a test against them.
//!
//! A site is a host name; its family is the domain above it, and every host below the domain (and the domain itself) is a site of
//! its own: `s017.market.example` shares nothing with `s018.market.example`. All pages are HTML in UTF-8, their text follows
//! from host and path alone (never from the seed), so a page says the same in every run. Cookies are host-only, for path `/`.
//! Every answer carries the header `x-sim-ip` with the address that the site sees.
//!
//! Every family has these pages: `/` (start), `/p/N` (a product: `h1`, `.sku`, `.price`), any other path (a list with links
//! to products). A page that is complete shows `<span class="price">12.34</span>`.
//!
//! # `market.example`: a location, set through the site's own form
//! The place is the cookie `zip`. Every page shows `<span class="zip">10001</span>`; without a place the span is empty, prices
//! are missing and `<p class="locked">` asks for a place. Product prices depend on the place.
//! * Form on `/`: `<form id="location" method="post" action="/location"><input id="zip" name="zip"><button id="save">`.
//! * `POST /location` with `zip=10001` (form-encoded): sets the cookie and redirects (302) to `/`. Anything but five digits:
//!   status 400 and `<p class="error">`. `00000` is well-formed but not delivered to: status 200, `<p class="error">`, no cookie.
//! * The action `setLocation` is not supported.
//! * A session is banned after 60 uses (default options).
//!
//! # `tickets.example`: a CSRF token
//! * `GET /` (and `/start`) sets the cookie `sid` (a new one, unless the session has one) and shows
//!   `<meta name="csrf-token" content="…">`, which belongs to that `sid`.
//! * Any other page: status 403 and `<p class="error">` unless the request header `X-CSRF-Token` is the token of the cookie
//!   `sid`. Custom headers exist only in HTTP requests, so these pages are for `httpResponseBody`. A good page lists
//!   `<li class="seat">` and shows `.price`.
//!
//! # `club.example`: a login as a chain of requests
//! * `GET /login` sets the cookie `login` and shows a form with the hidden input `token`, which belongs to the cookie, and the
//!   inputs `user` and `password`.
//! * `POST /login` with `user`, `password` and `token` (form-encoded): sets the cookie `member` and redirects (302) to
//!   `/members/`. The password of every user is `open-sesame`. A wrong password or token: status 403 and `<p class="error">`.
//! * Pages under `/members/` show `<p class="member">USER</p>`; without the cookie `member` status 401 and
//!   `<a class="login" href="/login">`. Other pages are public.
//! * A session is banned after 40 uses (default options).
//!
//! # `grocer.example`, `pharmacy.example`, `bakery.example`: a store, set by `setLocation` or by URL
//! The place is the cookie `store`. Set it by the action `setLocation` (`address.postalCode`, 3 to 10 letters, digits, spaces
//! or dashes) or by `GET /store?postal=10001` (answers with the start page). Without a store prices are missing and
//! `<p class="locked">` asks for one. Each family shows the postal code in another place:
//!
//! | family | with a store | without |
//! |---|---|---|
//! | grocer | `<span id="store-postal">10001</span>` | the span is empty |
//! | pharmacy | `<div class="branch"><b>10001</b></div>` | no `.branch` |
//! | bakery | `<meta name="store" content="10001">` | `content=""` |
//!
//! `99999` is the trap: `setLocation` reports success and `/store` answers 200, but no store is set. `setLocation` without
//! a postal code or with a malformed one fails (status `returned` or `continued`).
//!
//! # Any other host: a plain site
//! Pages need nothing: title, links, a price. Besides: `/status/NNN` answers with that status, `/big/N` with N bytes
//! (at most 20,000,000), `/redirect/N` redirects N times, `/ip` shows `<p class="ip">`, `/cookies` lists the cookies sent as
//! `<li class="cookie">name=value</li>`, `/set/NAME/VALUE` sets a cookie, `/headers` lists the request headers.
//!
//! # Magic hosts
//! * `eNNN.example` answers every request with the API error of that status (429, 503, 520, 521, 500, 451, 421, 422…), as
//!   listed for that status first; `eNNN-K.example` does so for the first K requests of each URL and then serves a plain page.
//! * `expired.example` refuses every request with a session as expired; without a session it is a plain site.
//! * `drop.example` closes the connection, `truncated.example` sends half of the body, `wrong-type.example` sends
//!   `text/html` as content type of the API answer, `slow.example` takes 30 s longer.
//!
//! # What the meters see
//! Every page counts as `entry` (a page that sets up a session: the start page, the location form, the login), `good`,
//! `uninitialised` (a page that lacks place, token or login) or `wrong-place`: the caller tags its request with
//! `"tags": {"place": "10001"}` to say what it means, the page ignores the tag and the meter compares.

mod club;
mod market;
mod page;
mod plain;
mod storefront;
mod tickets;

use url::Url;

use crate::chance::Chance;
use crate::options::is_within;
pub(crate) use page::escape;
use storefront::Storefront;

/// What a site is asked.
pub(crate) struct SiteRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a Url,
    /// Names in lower case.
    pub(crate) headers: &'a [(String, String)],
    pub(crate) cookies: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a [u8],
    /// The address that the request comes from.
    pub(crate) address: &'a str,
}

impl SiteRequest<'_> {
    /// The host.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or("")
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let found = self.cookies.iter().find(|(known, _)| *known == name)?;
        Some(found.1)
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }

    /// A field of a form-encoded body.
    pub(crate) fn form(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.body).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// A value of the query.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }
}

/// What a site answers.
#[derive(Debug)]
pub(crate) struct SiteResponse {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// Where a redirect leads.
    pub(crate) location: Option<String>,
    pub(crate) set_cookies: Vec<(String, String)>,
    pub(crate) standing: Standing,
    /// The place that the page is for.
    pub(crate) place: Option<String>,
}

impl SiteResponse {
    /// Answers with a page.
    pub(crate) fn page(status: u16, standing: Standing, html: String) -> Self {
        Self { status, body: html.into_bytes(), location: None, set_cookies: Vec::new(), standing, place: None }
    }

    /// Redirects.
    pub(crate) fn redirect(to: impl Into<String>) -> Self {
        let mut response = Self::page(302, Standing::Entry, String::new());
        response.location = Some(to.into());
        response
    }

    /// Sets a cookie.
    pub(crate) fn setting(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set_cookies.push((name.to_owned(), value.into()));
        self
    }

    /// Names the place that the page is for.
    pub(crate) fn for_place(mut self, place: Option<&str>) -> Self {
        self.place = place.map(str::to_owned);
        self
    }
}

/// What a page is worth to a crawl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A page that sets up a session.
    Entry,
    /// A page as wanted.
    Good,
    /// A page that lacks place, token or login.
    Uninitialised,
    /// A page for another place than the caller means.
    WrongPlace,
}

impl Standing {
    /// The word for reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Good => "good",
            Self::Uninitialised => "uninitialised",
            Self::WrongPlace => "wrong-place",
        }
    }
}

/// The family of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Market,
    Tickets,
    Club,
    Storefront(Storefront),
    Plain,
}

impl Family {
    /// Finds the family of a host.
    pub(crate) fn of(host: &str) -> Self {
        [
            Self::Market,
            Self::Tickets,
            Self::Club,
            Self::Storefront(Storefront::Grocer),
            Self::Storefront(Storefront::Pharmacy),
            Self::Storefront(Storefront::Bakery),
        ]
        .into_iter()
        .find(|family| is_within(host, family.domain()))
        .unwrap_or(Self::Plain)
    }

    const fn domain(self) -> &'static str {
        match self {
            Self::Market => "market.example",
            Self::Tickets => "tickets.example",
            Self::Club => "club.example",
            Self::Storefront(Storefront::Grocer) => "grocer.example",
            Self::Storefront(Storefront::Pharmacy) => "pharmacy.example",
            Self::Storefront(Storefront::Bakery) => "bakery.example",
            Self::Plain => "plain",
        }
    }

    /// The word for reports.
    pub(crate) fn name(self) -> &'static str {
        self.domain().trim_end_matches(".example")
    }

    /// Answers a request.
    pub(crate) fn respond(self, request: &SiteRequest<'_>, chance: &mut Chance) -> SiteResponse {
        match self {
            Self::Market => market::respond(request),
            Self::Tickets => tickets::respond(request, chance),
            Self::Club => club::respond(request, chance),
            Self::Storefront(store) => storefront::respond(store, request),
            Self::Plain => plain::respond(request),
        }
    }

    /// Sets a location the way the action `setLocation` does: gives the cookie to set (none: the site lies), or an error.
    pub(crate) fn set_location(self, host: &str, postal_code: Option<&str>) -> Result<Option<(&'static str, String)>, String> {
        match self {
            Self::Storefront(_) => storefront::set_location(postal_code),
            Self::Market | Self::Tickets | Self::Club | Self::Plain => Err(format!("Action setLocation not supported on {host}")),
        }
    }
}
