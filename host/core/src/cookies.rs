//! The cookies of a session that has no API session: gathered from answers, given to requests.

use serde_json::Value;
use url::Url;

/// Zyte API's limits (zyte-api reference, `requestCookies`; scrapy-zyte-api `ZYTE_API_MAX_COOKIE_*`).
const MAX_COOKIES: usize = 100;
const MAX_NAME_BYTES: usize = 4085;
const MAX_VALUE_BYTES: usize = 4085;
const MAX_COOKIE_BYTES: usize = 4097;

/// Cookies by name, domain and path, in the order in which they first came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CookieJar {
    cookies: Vec<Value>,
}

/// Which cookies of the jar go with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of them: the peer's rule.
    All,
    /// Those whose domain and path fit the URL and that have not expired at this Unix time in seconds.
    Fitting {
        /// Seconds since 1970.
        unix_now: u64,
    },
}

impl CookieJar {
    /// Adds cookies as an answer gives them; one of the same name, domain and path is replaced.
    pub fn merge(&mut self, cookies: impl IntoIterator<Item = Value>) {
        for cookie in cookies {
            match self.cookies.iter_mut().find(|known| key(known) == key(&cookie)) {
                Some(known) => *known = cookie,
                None => self.cookies.push(cookie),
            }
        }
    }

    /// The cookies for a request, those that the request brings itself first where `own` is given. Returns what the API would
    /// refuse apart: cookies that are too large, and those beyond the hundredth.
    pub fn for_request(&self, url: &str, own: &[Value], selection: Selection) -> (Vec<Value>, Vec<Value>) {
        let url = Url::parse(url).ok();
        let chosen = self.cookies.iter().filter(|cookie| match selection {
            Selection::All => true,
            Selection::Fitting { unix_now } => is_fresh(cookie, unix_now) && url.as_ref().is_none_or(|url| fits(cookie, url)),
        });
        let mut merged = Self { cookies: chosen.cloned().collect() };
        merged.merge(own.iter().cloned());
        let (mut good, mut refused): (Vec<Value>, Vec<Value>) = merged.cookies.into_iter().partition(is_within_limits);
        refused.extend(good.drain(MAX_COOKIES.min(good.len())..));
        (good, refused)
    }
}

fn text<'c>(cookie: &'c Value, member: &str) -> &'c str {
    cookie.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn path(cookie: &Value) -> &str {
    Some(text(cookie, "path")).filter(|path| !path.is_empty()).unwrap_or("/")
}

fn key(cookie: &Value) -> (&str, &str, &str) {
    (text(cookie, "name"), text(cookie, "domain"), path(cookie))
}

fn is_fresh(cookie: &Value, unix_now: u64) -> bool {
    let expires = cookie.get("expires").and_then(Value::as_i64).filter(|at| *at > 0);
    expires.is_none_or(|at| at.unsigned_abs() > unix_now)
}

/// RFC 6265, sections 5.1.3 and 5.1.4. A domain counts for its subdomains, since the API does not tell host-only cookies apart.
fn fits(cookie: &Value, url: &Url) -> bool {
    let domain = text(cookie, "domain").trim_start_matches('.').to_ascii_lowercase();
    let host = url.host_str().unwrap_or_default();
    let domain_fits = domain.is_empty() || host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'));
    let secure_fits = url.scheme() == "https" || cookie.get("secure") != Some(&Value::Bool(true));
    domain_fits && secure_fits && path_fits(path(cookie), url.path())
}

fn path_fits(cookie_path: &str, request_path: &str) -> bool {
    let Some(rest) = request_path.strip_prefix(cookie_path) else { return false };
    rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/')
}

fn is_within_limits(cookie: &Value) -> bool {
    let (name, value, domain) = (text(cookie, "name").len(), text(cookie, "value").len(), text(cookie, "domain").len());
    let path = text(cookie, "path").len();
    let whole = name + 1 + value + 9 + domain + if path > 0 { 7 + path } else { 0 };
    name <= MAX_NAME_BYTES && value <= MAX_VALUE_BYTES && whole <= MAX_COOKIE_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cookie(name: &str, value: &str) -> Value {
        json!({"name": name, "value": value, "domain": "shop.example", "path": "/"})
    }

    fn sent(jar: &CookieJar, url: &str, own: &[Value], selection: Selection) -> Vec<String> {
        jar.for_request(url, own, selection).0.iter().map(|c| format!("{}={}", text(c, "name"), text(c, "value"))).collect()
    }

    #[test]
    fn a_cookie_is_replaced_by_one_of_the_same_name_domain_and_path() {
        let mut jar = CookieJar::default();
        jar.merge([cookie("a", "1"), cookie("b", "1")]);
        jar.merge([cookie("a", "2"), json!({"name": "a", "value": "3", "domain": "shop.example", "path": "/x"})]);
        assert_eq!(sent(&jar, "https://shop.example/", &[], Selection::All), ["a=2", "b=1", "a=3"]);
    }

    #[test]
    fn the_requests_own_cookie_wins_over_the_jars() {
        let mut jar = CookieJar::default();
        jar.merge([cookie("a", "1"), cookie("b", "1")]);
        assert_eq!(sent(&jar, "https://shop.example/", &[cookie("a", "own")], Selection::All), ["a=own", "b=1"]);
    }

    #[test]
    fn domain_path_and_expiry_decide_where_a_cookie_goes() {
        let fitting = Selection::Fitting { unix_now: 1000 };
        for (member, value, url, goes) in [
            ("domain", json!("shop.example"), "https://shop.example/", true),
            ("domain", json!(".shop.example"), "https://www.shop.example/", true),
            ("domain", json!("hop.example"), "https://shop.example/", false),
            ("domain", json!("www.shop.example"), "https://shop.example/", false),
            ("path", json!("/a"), "https://shop.example/a/b", true),
            ("path", json!("/a"), "https://shop.example/ab", false),
            ("expires", json!(1001), "https://shop.example/", true),
            ("expires", json!(1000), "https://shop.example/", false),
            ("expires", json!(-1), "https://shop.example/", true),
            ("secure", json!(true), "http://shop.example/", false),
        ] {
            let mut jar = CookieJar::default();
            let mut one = cookie("a", "1");
            one[member] = value;
            jar.merge([one.clone()]);
            assert_eq!(!sent(&jar, url, &[], fitting).is_empty(), goes, "{one} to {url}");
        }
    }

    #[test]
    fn what_the_api_would_refuse_is_kept_apart() {
        let mut jar = CookieJar::default();
        jar.merge([cookie("a", &"x".repeat(4086)), cookie("b", "1")]);
        jar.merge((0..120).map(|n| cookie(&format!("n{n}"), "1")));
        let (sent, refused) = jar.for_request("https://shop.example/", &[], Selection::All);
        assert_eq!((sent.len(), refused.len()), (100, 22));
    }
}
