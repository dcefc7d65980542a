//! How the sites write their pages.

use std::fmt::Write as _;

use super::SiteRequest;
use crate::chance::stable_hash;

const ADJECTIVES: &[&str] = &[
    "amber", "brisk", "copper", "dusky", "early", "fresh", "gentle", "hollow", "ivory", "jolly", "keen", "late", "mellow",
    "nimble", "olive", "plain",
];
const NOUNS: &[&str] = &[
    "apron", "basket", "candle", "drum", "easel", "flask", "globe", "hammock", "inkwell", "jar", "kettle", "lantern", "mirror",
    "needle", "oven", "pillow",
];

/// A page in the making.
pub(super) struct Page {
    head: String,
    body: String,
}

impl Page {
    /// Starts a page.
    pub(super) fn new(title: &str) -> Self {
        Self { head: format!("<meta charset=\"utf-8\"><title>{}</title>", escape(title)), body: String::new() }
    }

    /// Adds to the head.
    pub(super) fn head(mut self, html: &str) -> Self {
        self.head.push_str(html);
        self
    }

    /// Adds to the body.
    pub(super) fn add(mut self, html: &str) -> Self {
        self.body.push_str(html);
        self.body.push('\n');
        self
    }

    /// Adds what a shop shows at this path: a product or a list; `price_for` is the place whose price is shown.
    pub(super) fn goods(mut self, request: &SiteRequest<'_>, price: Price<'_>) -> Self {
        let (host, path) = (request.host(), request.url.path());
        let hash = stable_hash(&[host, path]);
        let _ = write!(self.body, "<h1>{}</h1>\n<p class=\"sku\">{:08}</p>\n", name_of(hash), hash % 100_000_000);
        if let Some(cents) = price.cents(host, path) {
            let _ = writeln!(self.body, "<span class=\"price\">{}.{:02}</span>", cents / 100, cents % 100);
        }
        if !path.starts_with("/p/") {
            self.links(hash);
        }
        self
    }

    fn links(&mut self, hash: u64) {
        self.body.push_str("<ul class=\"list\">\n");
        for step in 0..8 {
            let number = (hash.wrapping_add(step)) % 1_000;
            let _ = writeln!(self.body, "<li><a href=\"/p/{number}\">{}</a></li>", name_of(hash.rotate_left(8 * step as u32)));
        }
        self.body.push_str("</ul>\n");
    }

    /// Finishes the page.
    pub(super) fn html(self) -> String {
        format!("<!DOCTYPE html>\n<html lang=\"en\"><head>{}</head>\n<body>\n{}</body></html>\n", self.head, self.body)
    }
}

/// Whose price a page shows.
pub(super) enum Price<'a> {
    /// The same for everyone.
    Everywhere,
    /// That of a place.
    At(&'a str),
    /// None, because the site does not know the place.
    Hidden,
}

impl Price<'_> {
    fn cents(&self, host: &str, path: &str) -> Option<u64> {
        let place = match self {
            Self::Everywhere => "",
            Self::At(place) => place,
            Self::Hidden => return None,
        };
        Some(100 + stable_hash(&[host, path, place]) % 20_000)
    }
}

/// Makes up a name.
fn name_of(hash: u64) -> String {
    let pick = |words: &'static [&'static str], bits: u64| words.get((bits % 16) as usize).copied().unwrap_or("nameless");
    format!("{} {}", pick(ADJECTIVES, hash), pick(NOUNS, hash >> 4))
}

/// Makes a text safe in HTML, in attributes too.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
