//! `market.example`: a shop that asks for a place with its own form.

use super::page::{Page, Price, escape};
use super::{SiteRequest, SiteResponse, Standing};

const COOKIE: &str = "zip";

const FORM: &str = "<form id=\"location\" method=\"post\" action=\"/location\">\
<label for=\"zip\">Deliver to</label> <input id=\"zip\" name=\"zip\" value=\"\">\
<button id=\"save\" type=\"submit\">Save</button></form>";

pub(super) fn respond(request: &SiteRequest<'_>) -> SiteResponse {
    if request.url.path() == "/location" {
        return set_place(request);
    }
    let place = request.cookie(COOKIE).filter(|zip| is_zip(zip));
    let standing = match (place, request.url.path()) {
        (_, "/") => Standing::Entry,
        (Some(_), _) => Standing::Good,
        (None, _) => Standing::Uninitialised,
    };
    let html = render(request, place, None);
    SiteResponse::page(200, standing, html).for_place(place)
}

fn set_place(request: &SiteRequest<'_>) -> SiteResponse {
    let zip = request.form(COOKIE).unwrap_or_default();
    if request.method != "POST" || !is_zip(&zip) {
        let html = render(request, None, Some("send a zip code of five digits"));
        return SiteResponse::page(400, Standing::Entry, html);
    }
    if zip == "00000" {
        let html = render(request, None, Some("we do not deliver there"));
        return SiteResponse::page(200, Standing::Entry, html);
    }
    SiteResponse::redirect("/").setting(COOKIE, zip)
}

fn render(request: &SiteRequest<'_>, place: Option<&str>, error: Option<&str>) -> String {
    let mut page = Page::new(&format!("Market {}", request.host()))
        .add(&format!("<p>Prices for <span class=\"zip\">{}</span></p>", escape(place.unwrap_or(""))));
    if let Some(error) = error {
        page = page.add(&format!("<p class=\"error\">{error}</p>"));
    }
    if matches!(request.url.path(), "/" | "/location") {
        page = page.add(FORM);
    }
    if place.is_none() {
        page = page.add("<p class=\"locked\">Choose a delivery area to see prices</p>");
    }
    page.goods(request, place.map_or(Price::Hidden, Price::At)).html()
}

fn is_zip(text: &str) -> bool {
    text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit())
}
