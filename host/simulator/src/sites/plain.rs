//! Any other host: pages that need nothing.

use std::fmt::Write as _;

use super::page::{Page, Price, escape};
use super::{SiteRequest, SiteResponse, Standing};

const MAX_BIG_BYTES: usize = 20_000_000;

pub(super) fn respond(request: &SiteRequest<'_>) -> SiteResponse {
    let path = request.url.path();
    let mut parts = path.trim_start_matches('/').splitn(3, '/');
    let (first, second, third) = (parts.next(), parts.next(), parts.next());
    match (first, second, third) {
        (Some("status"), Some(status), None) => with_status(request, status),
        (Some("big"), Some(size), None) => big(size),
        (Some("redirect"), Some(count), None) => redirect(count),
        (Some("set"), Some(name), Some(value)) => set_cookie(name, value),
        (Some("ip"), None, None) => good(&format!("<p class=\"ip\">{}</p>", request.address)),
        (Some("cookies"), None, None) => good(&cookies(request)),
        (Some("headers"), None, None) => good(&headers(request)),
        _ => {
            let html = Page::new(request.host()).goods(request, Price::Everywhere).html();
            SiteResponse::page(200, Standing::Good, html)
        }
    }
}

fn good(html: &str) -> SiteResponse {
    SiteResponse::page(200, Standing::Good, Page::new("plain").add(html).html())
}

fn with_status(request: &SiteRequest<'_>, status: &str) -> SiteResponse {
    let status = status.parse().ok().filter(|it| (200..600).contains(it));
    let html = Page::new("status").goods(request, Price::Everywhere).html();
    SiteResponse::page(status.unwrap_or(404), Standing::Good, html)
}

fn big(size: &str) -> SiteResponse {
    let size = size.parse().unwrap_or(0).min(MAX_BIG_BYTES);
    let mut html = String::with_capacity(size);
    while html.len() < size {
        html.push_str("All work and no play makes a long page. ");
    }
    html.truncate(size);
    SiteResponse::page(200, Standing::Good, html)
}

fn redirect(count: &str) -> SiteResponse {
    match count.parse::<u32>() {
        Ok(count @ 1..) => SiteResponse::redirect(format!("/redirect/{}", count - 1)),
        Ok(0) | Err(_) => good("<p>the end of the road</p>"),
    }
}

fn set_cookie(name: &str, value: &str) -> SiteResponse {
    good("<p>cookie set</p>").setting(name, value)
}

fn cookies(request: &SiteRequest<'_>) -> String {
    let mut list = String::from("<ul>");
    for (name, value) in request.cookies {
        let _ = write!(list, "<li class=\"cookie\">{}={}</li>", escape(name), escape(value));
    }
    list.push_str("</ul>");
    list
}

fn headers(request: &SiteRequest<'_>) -> String {
    let mut list = String::from("<ul>");
    for (name, value) in request.headers {
        let _ = write!(list, "<li class=\"header\">{}: {}</li>", escape(name), escape(value));
    }
    list.push_str("</ul>");
    list
}
