//! `club.example`: pages behind a login of two steps.

use super::page::{Page, Price, escape};
use super::{SiteRequest, SiteResponse, Standing};
use crate::chance::{Chance, stable_hash};

const PASSWORD: &str = "open-sesame";
const LOGIN_COOKIE: &str = "login";
const MEMBER_COOKIE: &str = "member";

pub(super) fn respond(request: &SiteRequest<'_>, chance: &mut Chance) -> SiteResponse {
    let path = request.url.path();
    if path == "/login" {
        return if request.method == "POST" { log_in(request) } else { login_form(request, chance) };
    }
    let member = member(request);
    if !path.starts_with("/members") {
        let standing = if path == "/" { Standing::Entry } else { Standing::Good };
        return SiteResponse::page(200, standing, render(request, member.as_deref()));
    }
    let Some(member) = member else {
        let html = Page::new("Members only").add("<a class=\"login\" href=\"/login\">log in</a>").html();
        return SiteResponse::page(401, Standing::Uninitialised, html);
    };
    SiteResponse::page(200, Standing::Good, render(request, Some(&member)))
}

fn login_form(request: &SiteRequest<'_>, chance: &mut Chance) -> SiteResponse {
    let known = request.cookie(LOGIN_COOKIE).map(str::to_owned);
    let login = known.clone().unwrap_or_else(|| chance.hex128());
    let html = Page::new("Log in")
        .add(&format!(
            "<form id=\"login\" method=\"post\" action=\"/login\">\
             <input type=\"hidden\" name=\"token\" value=\"{}\">\
             <input id=\"user\" name=\"user\"><input id=\"password\" name=\"password\" type=\"password\">\
             <button id=\"enter\" type=\"submit\">Enter</button></form>",
            token(request.host(), &login)
        ))
        .html();
    let response = SiteResponse::page(200, Standing::Entry, html);
    if known.is_some() {
        return response;
    }
    response.setting(LOGIN_COOKIE, login)
}

fn log_in(request: &SiteRequest<'_>) -> SiteResponse {
    let expected = request.cookie(LOGIN_COOKIE).map(|login| token(request.host(), login));
    let user = request.form("user").filter(|user| !user.is_empty());
    let is_token_right = expected.is_some() && request.form("token") == expected;
    let is_password_right = request.form("password").as_deref() == Some(PASSWORD);
    let (Some(user), true, true) = (user, is_token_right, is_password_right) else {
        let html = Page::new("Log in")
            .add("<p class=\"error\">wrong user, password or token</p>")
            .add("<a class=\"login\" href=\"/login\">log in</a>")
            .html();
        return SiteResponse::page(403, Standing::Entry, html);
    };
    let proof = signature(request.host(), &user);
    SiteResponse::redirect("/members/").setting(MEMBER_COOKIE, format!("{user}.{proof}"))
}

fn member(request: &SiteRequest<'_>) -> Option<String> {
    let (user, proof) = request.cookie(MEMBER_COOKIE)?.rsplit_once('.')?;
    (proof == signature(request.host(), user)).then(|| user.to_owned())
}

fn render(request: &SiteRequest<'_>, member: Option<&str>) -> String {
    let mut page = Page::new(&format!("Club {}", request.host()));
    if let Some(member) = member {
        page = page.add(&format!("<p class=\"member\">{}</p>", escape(member)));
    }
    page.goods(request, Price::Everywhere).html()
}

fn token(host: &str, login: &str) -> String {
    format!("{:016x}", stable_hash(&["login", host, login]))
}

fn signature(host: &str, user: &str) -> String {
    format!("{:016x}", stable_hash(&["member", host, user]))
}
