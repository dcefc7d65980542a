//! One visit to a site: cookies go out, cookies come in, redirects are followed.

use url::Url;

use crate::chance::Chance;
use crate::cookies::{Cookie, Jar};
use crate::sites::{Family, SiteRequest, SiteResponse, Standing};

/// Redirects that are followed before the last one is taken as the page.
const MAX_REDIRECTS: usize = 10;

/// What stays the same during a visit.
pub(crate) struct Visit<'a> {
    /// The jar of the session, or a fresh one.
    pub(crate) jar: &'a mut Jar,
    /// Cookies that go out with this visit only; they win over those of the jar.
    pub(crate) extra: &'a [Cookie],
    /// Whether the jar's cookies go out.
    pub(crate) jar_use: JarUse,
    /// Headers that the caller sets.
    pub(crate) headers: &'a [(String, String)],
    /// The address that sites see.
    pub(crate) address: &'a str,
    /// Chance for what sites make up.
    pub(crate) chance: &'a mut Chance,
}

/// Whether the jar takes part in a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JarUse {
    /// Its cookies go out.
    Send,
    /// The caller discards cookies; new ones are still kept.
    Keep,
}

/// Whether redirects are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redirects {
    Follow,
    Stay,
}

/// What is sent.
pub(crate) struct Errand<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: Url,
    pub(crate) body: &'a [u8],
    pub(crate) redirects: Redirects,
}

impl Errand<'_> {
    /// A plain GET that follows redirects.
    pub(crate) const fn get(url: Url) -> Self {
        Self { method: "GET", url, body: &[], redirects: Redirects::Follow }
    }
}

/// Where a visit ended.
#[derive(Debug)]
pub(crate) struct Landing {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) family: Family,
    pub(crate) standing: Standing,
    pub(crate) place: Option<String>,
}

impl Visit<'_> {
    /// Goes to a page.
    pub(crate) fn go(&mut self, errand: Errand<'_>) -> Landing {
        let Errand { method, mut url, body, redirects } = errand;
        let mut response = self.send(method, &url, body);
        for _ in 0..MAX_REDIRECTS {
            let target = response.location.as_deref();
            let Some(target) = target.and_then(|to| url.join(to).ok()) else {
                break;
            };
            if redirects == Redirects::Stay {
                break;
            }
            url = target;
            response = self.send("GET", &url, &[]);
        }
        self.land(url, response)
    }

    fn send(&mut self, method: &str, url: &Url, body: &[u8]) -> SiteResponse {
        let host = url.host_str().unwrap_or("");
        let response = {
            let jar = (self.jar_use == JarUse::Send).then_some(&*self.jar);
            let cookies = outgoing(self.extra, jar, url);
            let request = SiteRequest { method, url, headers: self.headers, cookies: &cookies, body, address: self.address };
            Family::of(host).respond(&request, &mut *self.chance)
        };
        for (name, value) in &response.set_cookies {
            self.jar.put(Cookie::set_by(host, name, value));
        }
        response
    }

    fn land(&self, url: Url, response: SiteResponse) -> Landing {
        let mut headers = vec![("content-type", "text/html; charset=utf-8".to_owned()), ("x-sim-ip", self.address.to_owned())];
        if let Some(location) = response.location {
            headers.push(("location", location));
        }
        for (name, value) in &response.set_cookies {
            headers.push(("set-cookie", format!("{name}={value}; Path=/; Secure")));
        }
        Landing {
            family: Family::of(url.host_str().unwrap_or("")),
            url,
            status: response.status,
            headers,
            body: response.body,
            standing: response.standing,
            place: response.place,
        }
    }
}

/// The cookies that go out: the caller's own first, then those of the jar with other names.
fn outgoing<'c>(extra: &'c [Cookie], jar: Option<&'c Jar>, url: &'c Url) -> Vec<(&'c str, &'c str)> {
    let (host, path) = (url.host_str().unwrap_or(""), url.path());
    let mut cookies: Vec<(&str, &str)> = Vec::new();
    let own = extra.iter().filter(|it| it.goes_to(host, path));
    let kept = jar.into_iter().flat_map(|jar| jar.for_request(host, path));
    for cookie in own.chain(kept) {
        if !cookies.iter().any(|(name, _)| *name == cookie.name) {
            cookies.push((&cookie.name, &cookie.value));
        }
    }
    cookies
}
