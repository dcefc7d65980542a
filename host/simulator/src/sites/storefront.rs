//! `grocer.example`, `pharmacy.example`, `bakery.example`: shops with a store chosen by postal code.

use super::page::{Page, Price, escape};
use super::{SiteRequest, SiteResponse, Standing};

const COOKIE: &str = "store";

/// The postal code that is accepted and then ignored.
const IGNORED: &str = "99999";

/// Which of the three families a shop belongs to; they differ in where a page shows its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storefront {
    Grocer,
    Pharmacy,
    Bakery,
}

pub(super) fn respond(family: Storefront, request: &SiteRequest<'_>) -> SiteResponse {
    if request.url.path() == "/store" {
        return choose_store(family, request);
    }
    let place = request.cookie(COOKIE).filter(|code| is_postal_code(code));
    let standing = match (place, request.url.path()) {
        (_, "/") => Standing::Entry,
        (Some(_), _) => Standing::Good,
        (None, _) => Standing::Uninitialised,
    };
    SiteResponse::page(200, standing, render(family, request, place)).for_place(place)
}

fn choose_store(family: Storefront, request: &SiteRequest<'_>) -> SiteResponse {
    let postal_code = request.query("postal");
    match set_location(postal_code.as_deref()) {
        Ok(Some((cookie, value))) => {
            let html = render(family, request, Some(&value));
            SiteResponse::page(200, Standing::Entry, html).for_place(Some(&value)).setting(cookie, value.clone())
        }
        Ok(None) => SiteResponse::page(200, Standing::Entry, render(family, request, None)),
        Err(error) => {
            let html = Page::new("No store").add(&format!("<p class=\"error\">{error}</p>")).html();
            SiteResponse::page(400, Standing::Entry, html)
        }
    }
}

/// Chooses a store: gives the cookie, none if the shop ignores the wish.
pub(super) fn set_location(postal_code: Option<&str>) -> Result<Option<(&'static str, String)>, String> {
    match postal_code {
        Some(IGNORED) => Ok(None),
        Some(code) if is_postal_code(code) => Ok(Some((COOKIE, code.to_owned()))),
        Some(_) => Err("the postal code is not one".to_owned()),
        None => Err("the postal code is missing".to_owned()),
    }
}

fn render(family: Storefront, request: &SiteRequest<'_>, place: Option<&str>) -> String {
    let code = escape(place.unwrap_or(""));
    let title = match family {
        Storefront::Grocer => "Grocer",
        Storefront::Pharmacy => "Pharmacy",
        Storefront::Bakery => "Bakery",
    };
    let page = Page::new(&format!("{title} {}", request.host()));
    let page = match family {
        Storefront::Grocer => page.add(&format!("<span id=\"store-postal\">{code}</span>")),
        Storefront::Pharmacy if place.is_some() => page.add(&format!("<div class=\"branch\">Your branch: <b>{code}</b></div>")),
        Storefront::Pharmacy => page,
        Storefront::Bakery => page.head(&format!("<meta name=\"store\" content=\"{code}\">")),
    };
    let page = if place.is_none() { page.add("<p class=\"locked\">Choose a store to see prices</p>") } else { page };
    page.goods(request, place.map_or(Price::Hidden, Price::At)).html()
}

fn is_postal_code(text: &str) -> bool {
    (3..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ' || byte == b'-')
}
