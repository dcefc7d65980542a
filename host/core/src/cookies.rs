//! The cookies of a session that has no API session: gathered from answers, given to requests.

use std::net::IpAddr;

use psl::Psl as _;
use serde_json::Value;
use url::Url;

use crate::json::{Kind, Raw};

/// Zyte API takes as many in `requestCookies`.
const MAX_SENT: usize = 100;
/// A jar keeps as many, also those that do not go with every URL, so that a site cannot fill the memory.
const MAX_KEPT: usize = 300;
/// The longest text of a cookie that is read. The API takes none of more than 4,097 bytes, each of which six may be written for.
const MAX_READ_BYTES: usize = 64 << 10;
/// The longest name of a domain.
const MAX_DOMAIN_BYTES: usize = 253;

/// Cookies by name, domain and path, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CookieJar {
    cookies: Vec<Value>,
}

/// How large a cookie may be; one that is larger is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieLimits {
    /// Bytes of the whole cookie.
    pub whole: usize,
    /// Bytes of its name.
    pub name: usize,
    /// Bytes of its value.
    pub value: usize,
}

/// How cookies are kept and chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// All are kept as they came and go with every request.
    Peer,
    /// As browsers do: expired ones are dropped, and those go with a request that its site may see.
    Browser {
        /// Seconds since 1970.
        unix_now: u64,
    },
}

/// Why a cookie was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeftOut {
    /// It is larger than the limits allow.
    TooLarge,
    /// There are more than the API takes with a request, or than a jar keeps.
    TooMany,
    /// It is no object with a name and a value that are text.
    Unreadable,
}

/// Reads a cookie of an answer. One that has no domain belongs to the host of the answer, where that is known.
pub fn read(raw: Raw<'_>, host: Option<&str>) -> Result<Value, LeftOut> {
    if raw.text().len() > MAX_READ_BYTES {
        return Err(LeftOut::TooLarge);
    }
    let is_text = |member: &str| raw.get(member).is_some_and(|value| value.kind() == Kind::String);
    if !is_text("name") || !is_text("value") {
        return Err(LeftOut::Unreadable);
    }
    let mut cookie = raw.value().map_err(|_| LeftOut::Unreadable)?;
    if let (Some(host), Value::Object(members)) = (host.filter(|_| text(&cookie, "domain").is_empty()), &mut cookie) {
        members.insert("domain".to_owned(), host.into());
    }
    Ok(cookie)
}

/// What a request is sent with.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// The cookies.
    pub cookies: Vec<Value>,
    /// What was left out, in no particular order.
    pub left_out: Vec<LeftOut>,
}

impl CookieJar {
    /// Adds cookies as an answer gives them; one of the same name, domain and path is replaced. As in browsers a cookie that has
    /// expired only removes its predecessor, and one that is too large is as if it had not been set. Of too many those that were set
    /// longest ago go; in the manner of the peer, which sends the first ones, those that came last.
    pub fn merge(
        &mut self,
        cookies: impl IntoIterator<Item = Result<Value, LeftOut>>,
        limits: CookieLimits,
        manner: Manner,
    ) -> Vec<LeftOut> {
        if let Manner::Browser { unix_now } = manner {
            self.cookies.retain(|cookie| is_fresh(cookie, unix_now));
        }
        let mut put = |cookie| match manner {
            Manner::Peer => self.put_in_place(cookie),
            Manner::Browser { unix_now } => self.put_last(cookie, limits, unix_now),
        };
        cookies.into_iter().filter_map(|cookie| cookie.and_then(&mut put).err()).collect()
    }

    /// The cookies for a request with those that it brings itself, `own`, last. As in browsers, `own` wins over the jar; the
    /// hundred that the API takes are filled up with what was set last, what fits the URL before what fits its neighbours.
    pub fn for_request(&self, url: &str, own: &[Value], limits: CookieLimits, manner: Manner) -> Chosen {
        let mut cookies = match manner {
            Manner::Peer => self.cookies.clone(),
            Manner::Browser { unix_now } => self.of_site(url, own, unix_now),
        };
        let mut own = own.to_vec();
        let before = cookies.len() + own.len();
        cookies.retain(|cookie| !is_too_large(cookie, limits, manner));
        own.retain(|cookie| !is_too_large(cookie, limits, manner));
        let mut left_out = vec![LeftOut::TooLarge; before - cookies.len() - own.len()];
        let room = MAX_SENT.saturating_sub(own.len());
        match manner {
            Manner::Browser { .. } => left_out.extend(drop_first(&mut cookies, room)),
            Manner::Peer => left_out.extend(cookies.drain(room.min(cookies.len())..).map(|_| LeftOut::TooMany)),
        }
        cookies.append(&mut own);
        Chosen { cookies, left_out }
    }

    fn put_in_place(&mut self, cookie: Value) -> Result<(), LeftOut> {
        let is_full = self.cookies.len() >= MAX_KEPT;
        match self.cookies.iter_mut().find(|known| peer_key(known) == peer_key(&cookie)) {
            Some(known) => *known = cookie,
            None if !is_full => self.cookies.push(cookie),
            None => return Err(LeftOut::TooMany),
        }
        Ok(())
    }

    fn put_last(&mut self, cookie: Value, limits: CookieLimits, unix_now: u64) -> Result<(), LeftOut> {
        if is_too_large(&cookie, limits, Manner::Browser { unix_now }) {
            return Err(LeftOut::TooLarge);
        }
        self.cookies.retain(|known| key(known) != key(&cookie));
        if !is_fresh(&cookie, unix_now) {
            return Ok(());
        }
        self.cookies.push(cookie);
        drop_first(&mut self.cookies, MAX_KEPT).into_iter().next().map_or(Ok(()), Err)
    }

    /// What the URL's site may see and the request does not bring itself, the URL's own host last.
    fn of_site(&self, url: &str, own: &[Value], unix_now: u64) -> Vec<Value> {
        let Ok(parsed) = Url::parse(url) else { return Vec::new() };
        let site = site_of(parsed.host_str().unwrap_or_default());
        let goes = |cookie: &&Value| {
            is_fresh(cookie, unix_now) && fits(cookie, &parsed, site) && own.iter().all(|own| key(own) != key(cookie))
        };
        let mut cookies: Vec<Value> = self.cookies.iter().filter(goes).cloned().collect();
        cookies.sort_by_key(|cookie| covers_host(cookie, &parsed));
        cookies
    }
}

/// Drops the first ones until no more than `most` are left.
fn drop_first(cookies: &mut Vec<Value>, most: usize) -> Vec<LeftOut> {
    cookies.drain(..cookies.len().saturating_sub(most)).map(|_| LeftOut::TooMany).collect()
}

fn text<'c>(cookie: &'c Value, member: &str) -> &'c str {
    cookie.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn path(cookie: &Value) -> &str {
    Some(text(cookie, "path")).filter(|path| !path.is_empty()).unwrap_or("/")
}

fn peer_key(cookie: &Value) -> (&str, &str, &str) {
    (text(cookie, "name"), text(cookie, "domain"), path(cookie))
}

fn key(cookie: &Value) -> (&str, String, &str) {
    (text(cookie, "name"), domain(cookie), path(cookie))
}

/// A leading dot and the case of letters make no difference.
fn domain(cookie: &Value) -> String {
    text(cookie, "domain").trim_start_matches('.').to_ascii_lowercase()
}

/// Without a positive time a cookie lives as long as the session.
fn is_fresh(cookie: &Value, unix_now: u64) -> bool {
    let expires = cookie.get("expires").and_then(Value::as_f64).filter(|at| *at > 0.0);
    expires.is_none_or(|at| at > unix_now as f64)
}

/// RFC 6265, section 5.1.3. A domain counts for its subdomains, since the API does not tell host-only cookies apart.
fn covers_host(cookie: &Value, url: &Url) -> bool {
    let (domain, host) = (domain(cookie), url.host_str().unwrap_or_default());
    domain.is_empty() || host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}

/// The registered domain of a host; private suffixes (`blogspot.com`) count as suffixes, as for browsers. An address, or a suffix
/// alone, is its own.
fn site_of(host: &str) -> &str {
    if host.parse::<IpAddr>().is_ok() || host.starts_with('[') {
        return host;
    }
    let length = psl::List.domain(host.as_bytes()).map_or(host.len(), |domain| domain.as_bytes().len());
    host.get(host.len().saturating_sub(length)..).unwrap_or(host)
}

/// Cookies of other hosts of the same registered domain go along, since a page may load from them or lead to them, and the API
/// gives each host its own. Path and `secure` speak of the host's own pages only.
fn fits(cookie: &Value, url: &Url, site: &str) -> bool {
    let domain = domain(cookie);
    if !domain.is_empty() && site_of(&domain) != site {
        return false;
    }
    let secure_fits = url.scheme() == "https" || cookie.get("secure") != Some(&Value::Bool(true));
    !covers_host(cookie, url) || secure_fits && path_fits(path(cookie), url.path())
}

fn path_fits(cookie_path: &str, request_path: &str) -> bool {
    let Some(rest) = request_path.strip_prefix(cookie_path) else { return false };
    rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/')
}

/// The peer does not look at the length of the domain.
fn is_too_large(cookie: &Value, limits: CookieLimits, manner: Manner) -> bool {
    let [name, value, domain, path] = ["name", "value", "domain", "path"].map(|member| text(cookie, member).len());
    let whole = name + 1 + value + 9 + domain + if path > 0 { 7 + path } else { 0 };
    let domain_is_too_long = manner != Manner::Peer && domain > MAX_DOMAIN_BYTES;
    name > limits.name || value > limits.value || whole > limits.whole || domain_is_too_long
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LIMITS: CookieLimits = CookieLimits { whole: 4097, name: 4085, value: 4085 };
    const BROWSER: Manner = Manner::Browser { unix_now: 1000 };
    const URL: &str = "https://shop.example/";

    fn cookie(name: &str, value: &str) -> Value {
        json!({"name": name, "value": value, "domain": "shop.example", "path": "/"})
    }

    fn with(member: &str, value: Value) -> Value {
        let mut one = cookie("a", "1");
        one[member] = value;
        one
    }

    fn jar(cookies: impl IntoIterator<Item = Value>, manner: Manner) -> CookieJar {
        let mut jar = CookieJar::default();
        jar.merge(cookies.into_iter().map(Ok), LIMITS, manner);
        jar
    }

    fn sent(jar: &CookieJar, url: &str, own: &[Value], manner: Manner) -> Vec<String> {
        let chosen = jar.for_request(url, own, LIMITS, manner).cookies;
        chosen.iter().map(|c| format!("{}={}", text(c, "name"), text(c, "value"))).collect()
    }

    #[test]
    fn a_cookie_is_replaced_by_one_of_the_same_name_domain_and_path() {
        let dotted = json!({"name": "a", "value": "2", "domain": ".Shop.example"});
        let deeper = json!({"name": "a", "value": "3", "domain": "shop.example", "path": "/x"});
        let all = [cookie("a", "1"), cookie("b", "1"), dotted, deeper];
        assert_eq!(sent(&jar(all.clone(), BROWSER), "https://shop.example/x", &[], BROWSER), ["b=1", "a=2", "a=3"]);
        assert_eq!(sent(&jar(all, Manner::Peer), URL, &[], Manner::Peer), ["a=1", "b=1", "a=2", "a=3"]);
    }

    #[test]
    fn the_requests_own_cookie_wins_over_the_jars() {
        let jar = jar([cookie("a", "1"), cookie("b", "1")], BROWSER);
        let own = json!({"name": "a", "value": "own", "domain": ".SHOP.example"});
        assert_eq!(sent(&jar, URL, &[own], BROWSER), ["b=1", "a=own"]);
    }

    #[test]
    fn domain_path_expiry_and_secure_decide_where_a_cookie_goes() {
        for (member, value, url, goes) in [
            ("domain", json!("shop.example"), URL, true),
            ("domain", json!(".Shop.example"), "https://www.shop.example/", true),
            ("domain", json!("cdn.shop.example"), URL, true),
            ("domain", json!("hop.example"), URL, false),
            ("domain", json!("other.co.uk"), "https://shop.co.uk/", false),
            ("domain", json!("co.uk"), "https://shop.co.uk/", false),
            ("domain", json!("10.0.0.1"), "http://10.0.0.1/", true),
            ("domain", json!("9.9.0.1"), "http://10.0.0.1/", false),
            ("path", json!("/a"), "https://shop.example/a/b", true),
            ("path", json!("/a"), "https://shop.example/ab", false),
            ("expires", json!(1001), URL, true),
            ("expires", json!(1000), URL, false),
            ("expires", json!(-1), URL, true),
            ("secure", json!(true), "http://shop.example/", false),
        ] {
            let one = with(member, value);
            assert_eq!(!sent(&jar([one.clone()], BROWSER), url, &[], BROWSER).is_empty(), goes, "{one} to {url}");
            assert_eq!(sent(&jar([one.clone()], Manner::Peer), url, &[], Manner::Peer), ["a=1"], "{one} to {url}");
        }
    }

    #[test]
    fn a_cookie_that_has_expired_removes_its_predecessor() {
        let jar = jar([cookie("a", "1"), with("expires", json!(999))], BROWSER);
        assert_eq!(jar, CookieJar::default());
    }

    #[test]
    fn a_cookie_that_is_too_large_changes_nothing() {
        let large = "x".repeat(5000);
        let expired = json!({"name": "a", "value": &large, "domain": "shop.example", "path": "/", "expires": 1});
        for one in [cookie("a", &large), expired] {
            let mut jar = jar([cookie("a", "1")], BROWSER);
            assert_eq!(jar.merge([Ok(one)], LIMITS, BROWSER), [LeftOut::TooLarge]);
            assert_eq!(sent(&jar, URL, &[], BROWSER), ["a=1"]);
        }
    }

    #[test]
    fn what_is_larger_than_the_limits_is_left_out() {
        // "a" and "shop.example" with "/": 1 + 1 + value + 9 + 12 + 7 + 1.
        for (one, fits, fits_the_peer) in [
            (cookie("a", &"x".repeat(4066)), true, true),
            (cookie("a", &"x".repeat(4067)), false, false),
            (json!({"name": "x".repeat(4086), "value": ""}), false, false),
            (json!({"name": "", "value": "x".repeat(4086)}), false, false),
            (with("domain", json!("x".repeat(254))), false, true),
        ] {
            assert_eq!(CookieJar::default().merge([Ok(one.clone())], LIMITS, BROWSER).is_empty(), fits, "kept: {one}");
            for (manner, fits) in [(BROWSER, fits), (Manner::Peer, fits_the_peer)] {
                let chosen = CookieJar::default().for_request(URL, std::slice::from_ref(&one), LIMITS, manner);
                assert_eq!(chosen.left_out.is_empty(), fits, "{manner:?}: {one}");
            }
        }
    }

    #[test]
    fn of_too_many_the_requests_own_and_the_hosts_and_the_latest_stay() {
        let numbered = |prefix: &str, n: usize| (0..n).map(|i| cookie(&format!("{prefix}{i}"), "1")).collect::<Vec<_>>();
        let mut jar = jar(numbered("n", 120), BROWSER);
        jar.merge([Ok(with("domain", json!("cdn.shop.example")))], LIMITS, BROWSER);
        let chosen = jar.for_request(URL, &numbered("own", 60), LIMITS, BROWSER);
        assert_eq!((chosen.cookies.len(), chosen.left_out), (100, vec![LeftOut::TooMany; 81]));
        assert_eq!(text(&chosen.cookies[0], "name"), "n80");
        assert_eq!(jar.for_request(URL, &numbered("own", 101), LIMITS, BROWSER).cookies.len(), 101);
        jar.merge(numbered("more", 300).into_iter().map(Ok), LIMITS, BROWSER);
        assert_eq!(jar.cookies.len(), MAX_KEPT);
        assert_eq!(text(&jar.cookies[0], "name"), "more0");
    }

    #[test]
    fn one_odd_cookie_does_not_take_the_others_along() {
        let long = "x".repeat(MAX_READ_BYTES);
        let texts = [
            r#"{"name":"a\ud83d","value":"1","domain":"shop.example"}"#,
            r#"{"name":"b","value":"\udc00","expires":NaN,"x":123456789012345678901234567890,"domain":"shop.example"}"#,
            "3",
            "[]",
            r#"{"name":"c"}"#,
            r#"{"name":null,"value":"1"}"#,
            &format!(r#"{{"name":"d","value":"1","x":"{long}"}}"#),
            r#"{"name":"e","value":"1"}"#,
        ];
        let mut jar = CookieJar::default();
        let left_out = jar.merge(texts.map(|text| read(Raw::of(text), Some("shop.example"))), LIMITS, BROWSER);
        use LeftOut::{TooLarge, Unreadable};
        assert_eq!(left_out, [Unreadable, Unreadable, Unreadable, Unreadable, TooLarge]);
        assert_eq!(sent(&jar, URL, &[], BROWSER), ["a\u{fffd}=1", "b=\u{fffd}", "e=1"]);
    }

    #[test]
    fn a_cookie_without_a_domain_belongs_to_the_host_of_its_answer() {
        for (domain, expected) in [
            ("", json!("shop.example")),
            (r#","domain":"""#, json!("shop.example")),
            (r#","domain":null"#, json!("shop.example")),
            (r#","domain":".other.example""#, json!(".other.example")),
        ] {
            let text = format!(r#"{{"name":"a","value":"1"{domain}}}"#);
            assert_eq!(read(Raw::of(&text), Some("shop.example")).unwrap()["domain"], expected, "{domain}");
        }
        assert_eq!(read(Raw::of(r#"{"name":"a","value":"1"}"#), None), Ok(json!({"name": "a", "value": "1"})));
    }

    #[test]
    fn a_jar_is_bounded_while_cookies_come() {
        let many = || (0..10 * MAX_KEPT).map(|n| Ok(cookie(&format!("n{n}"), "1")));
        for (manner, first) in [(BROWSER, "n2700"), (Manner::Peer, "n0")] {
            let mut jar = CookieJar::default();
            assert_eq!(jar.merge(many(), LIMITS, manner), vec![LeftOut::TooMany; 9 * MAX_KEPT]);
            assert_eq!((jar.cookies.len(), text(&jar.cookies[0], "name")), (MAX_KEPT, first));
        }
    }
}
