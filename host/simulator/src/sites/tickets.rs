//! `tickets.example`: pages behind a CSRF token.

use std::fmt::Write as _;

use super::page::{Page, Price, escape};
use super::{SiteRequest, SiteResponse, Standing};
use crate::chance::{Chance, stable_hash};

const COOKIE: &str = "sid";
const HEADER: &str = "x-csrf-token";

pub(super) fn respond(request: &SiteRequest<'_>, chance: &mut Chance) -> SiteResponse {
    if matches!(request.url.path(), "/" | "/start") {
        return start(request, chance);
    }
    let expected = request.cookie(COOKIE).map(|sid| token(request.host(), sid));
    if expected.is_none() || request.header(HEADER) != expected.as_deref() {
        let html = Page::new("Forbidden").add("<p class=\"error\">this page needs the token of your session</p>").html();
        return SiteResponse::page(403, Standing::Uninitialised, html);
    }
    let mut seats = String::from("<ul>\n");
    for row in 1..=6 {
        let free = stable_hash(&[request.host(), request.url.path()]) >> row & 1;
        let state = if free == 1 { "free" } else { "sold" };
        let _ = writeln!(seats, "<li class=\"seat\">{row}: {state}</li>");
    }
    seats.push_str("</ul>");
    let html = Page::new(&format!("Tickets {}", request.host())).add(&seats).goods(request, Price::Everywhere).html();
    SiteResponse::page(200, Standing::Good, html)
}

fn start(request: &SiteRequest<'_>, chance: &mut Chance) -> SiteResponse {
    let known = request.cookie(COOKIE).map(str::to_owned);
    let sid = known.clone().unwrap_or_else(|| chance.hex128());
    let html = Page::new(&format!("Tickets {}", request.host()))
        .head(&format!("<meta name=\"csrf-token\" content=\"{}\">", escape(&token(request.host(), &sid))))
        .goods(request, Price::Hidden)
        .html();
    let response = SiteResponse::page(200, Standing::Entry, html);
    if known.is_some() {
        return response;
    }
    response.setting(COOKIE, sid)
}

fn token(host: &str, sid: &str) -> String {
    format!("{:016x}", stable_hash(&["csrf", host, sid]))
}
