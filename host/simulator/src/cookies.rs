//! Cookies and the jar of a session.

use serde_json::{Map, Value};

use crate::options::is_within;

/// A cookie as a browser keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    pub(crate) name: String,
    pub(crate) value: String,
    /// The host that it goes to; hosts below it get it too.
    pub(crate) domain: String,
    pub(crate) path: String,
    pub(crate) expires: Option<i64>,
    pub(crate) http_only: bool,
    pub(crate) secure: bool,
}

impl Cookie {
    /// Makes the cookie that a site sets.
    pub(crate) fn set_by(host: &str, name: &str, value: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
            domain: host.to_owned(),
            path: "/".to_owned(),
            expires: None,
            http_only: false,
            secure: true,
        }
    }

    /// Reads a cookie in the form of the API.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let flag = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or(false);
        Some(Self {
            name: text("name")?.to_owned(),
            value: text("value")?.to_owned(),
            domain: text("domain")?.trim_start_matches('.').to_ascii_lowercase(),
            path: text("path").unwrap_or("/").to_owned(),
            expires: value.get("expires").and_then(Value::as_i64),
            http_only: flag("httpOnly"),
            secure: flag("secure"),
        })
    }

    /// Writes it in the form of the API.
    pub(crate) fn document(&self) -> Value {
        let mut document = Map::with_capacity(7);
        document.insert("name".into(), self.name.as_str().into());
        document.insert("value".into(), self.value.as_str().into());
        document.insert("domain".into(), self.domain.as_str().into());
        document.insert("path".into(), self.path.as_str().into());
        if let Some(expires) = self.expires {
            document.insert("expires".into(), expires.into());
        }
        document.insert("httpOnly".into(), self.http_only.into());
        document.insert("secure".into(), self.secure.into());
        Value::Object(document)
    }

    /// Tells whether it goes out with a request to this host and path.
    pub(crate) fn goes_to(&self, host: &str, path: &str) -> bool {
        is_within(host, &self.domain) && path.starts_with(&self.path)
    }

    fn is_same_place(&self, other: &Self) -> bool {
        self.name == other.name && self.domain == other.domain && self.path == other.path
    }
}

/// The cookies of a session, or of one request without a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jar(Vec<Cookie>);

impl Jar {
    /// Puts a cookie in; one of the same name, domain and path makes way.
    pub(crate) fn put(&mut self, cookie: Cookie) {
        match self.0.iter_mut().find(|it| it.is_same_place(&cookie)) {
            Some(old) => *old = cookie,
            None => self.0.push(cookie),
        }
    }

    /// Gives the cookies that go out with a request.
    pub(crate) fn for_request<'a>(&'a self, host: &'a str, path: &'a str) -> impl Iterator<Item = &'a Cookie> {
        self.0.iter().filter(move |it| it.goes_to(host, path))
    }

    /// Gives all cookies.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Cookie> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{Cookie, Jar};

    #[test]
    fn a_cookie_goes_to_its_host_and_the_hosts_below() {
        let mut jar = Jar::default();
        jar.put(Cookie::set_by("shop.example", "zip", "10001"));
        for (host, expected) in [("shop.example", 1), ("a.shop.example", 1), ("ashop.example", 0), ("example", 0)] {
            assert_eq!(jar.for_request(host, "/").count(), expected, "{host}");
        }
    }

    #[test]
    fn a_new_value_replaces_the_old_one() {
        let mut jar = Jar::default();
        jar.put(Cookie::set_by("shop.example", "zip", "1"));
        jar.put(Cookie::set_by("shop.example", "zip", "2"));
        let values: Vec<_> = jar.iter().map(|it| it.value.as_str()).collect();
        assert_eq!(values, ["2"]);
    }

    #[test]
    fn a_cookie_survives_writing_and_reading() {
        let cookie = Cookie::set_by("shop.example", "zip", "10001");
        assert_eq!(Cookie::read(&cookie.document()), Some(cookie));
    }
}
