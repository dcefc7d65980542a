//! A request as its owner wrote it: API parameters and metadata.

use std::borrow::Cow;

use serde_json::Value;
use url::Url;

use super::Object;

/// A Zyte API request plus the metadata that session management reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    url: String,
    params: Object,
    meta: Object,
}

/// Why a JSON value is no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadRequest {
    /// It is not a JSON object.
    NotAnObject,
    /// It has no `url`, or one that is not text.
    NoUrl,
    /// Its `meta` is not a JSON object.
    MetaNotAnObject,
}

impl std::fmt::Display for BadRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotAnObject => {
                "a request must be a JSON object, such as {\"url\": \"https://example.com/\", \"browserHtml\": true}"
            }
            Self::NoUrl => "a request needs a \"url\" that is text",
            Self::MetaNotAnObject => "\"meta\" must be a JSON object",
        })
    }
}

impl std::error::Error for BadRequest {}

impl Request {
    /// Makes a request of API parameters (with `url`) and metadata.
    pub fn new(params: Object, meta: Object) -> Result<Self, BadRequest> {
        let url = params.get("url").and_then(Value::as_str).ok_or(BadRequest::NoUrl)?.to_owned();
        Ok(Self { url, params, meta })
    }

    /// Reads an input line: an API request object with an optional `meta` object, which never reaches the API.
    pub fn from_json(value: Value) -> Result<Self, BadRequest> {
        let Value::Object(mut params) = value else { return Err(BadRequest::NotAnObject) };
        let meta = match params.shift_remove("meta") {
            None | Some(Value::Null) => Object::new(),
            Some(Value::Object(meta)) => meta,
            Some(_) => return Err(BadRequest::MetaNotAnObject),
        };
        Self::new(params, meta)
    }

    /// What [`from_json`](Self::from_json) reads.
    pub fn to_json(&self) -> Value {
        let mut object = self.params.clone();
        if !self.meta.is_empty() {
            object.insert("meta".to_owned(), Value::Object(self.meta.clone()));
        }
        Value::Object(object)
    }

    /// The URL as given.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Host and port as in the URL, in lower case, without credentials; the text itself where it is no URL.
    pub fn host(&self) -> String {
        host_of(&self.url)
    }

    /// The API parameters, `url` included.
    pub fn params(&self) -> &Object {
        &self.params
    }

    /// The metadata.
    pub fn meta(&self) -> &Object {
        &self.meta
    }

    /// Replaces an API parameter; `url` changes the request's URL if the value is text and is ignored otherwise.
    pub fn set_param(&mut self, name: &str, value: Value) {
        if name == "url" {
            let Some(url) = value.as_str() else { return };
            self.url = url.to_owned();
        }
        self.params.insert(name.to_owned(), value);
    }

    /// Leaves an API parameter out; `url` stays.
    pub fn remove_param(&mut self, name: &str) {
        if name != "url" {
            self.params.shift_remove(name);
        }
    }
}

/// Is this a URL of the web: http or https, with a host?
pub fn is_web(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// A URL without the user name and password in it, which say nothing of the site.
pub fn without_credentials(url: &str) -> Cow<'_, str> {
    let cut = || {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '\\', '?', '#']).next()?;
        let rest = rest.get(authority.rfind('@')? + 1..)?;
        Some(format!("{scheme}://{rest}"))
    };
    cut().map_or(Cow::Borrowed(url), Cow::Owned)
}

/// Host and port of a URL in lower case, without user name and password; port and `www.` stay as written.
///
/// The whole text where it cannot be read as a URL with a host: such a request will be refused by the API, not by us.
pub fn host_of(url: &str) -> String {
    let Ok(parsed) = Url::parse(url) else { return url.to_owned() };
    let Some(host) = parsed.host_str() else { return url.to_owned() };
    match written_port(url) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The host of a URL, without its port; none where it cannot be read as a URL with a host.
pub fn host_name(url: &str) -> Option<String> {
    Some(Url::parse(url).ok()?.host_str()?.to_owned())
}

/// The port as written, also where it is the scheme's default one.
fn written_port(url: &str) -> Option<u16> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    host.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_is_split_into_params_and_meta() {
        let line = json!({"url": "https://a.example/x", "browserHtml": true, "meta": {"k": 1}});
        let request = Request::from_json(line.clone()).unwrap();
        assert_eq!(request.to_json(), line);
        assert_eq!(request.url(), "https://a.example/x");
        assert_eq!(request.params().get("meta"), None);
        assert_eq!(request.meta().get("k"), Some(&json!(1)));
    }

    #[test]
    fn numbers_keep_the_digits_they_are_written_with() {
        let line = r#"{"url":"u","customData":[12345678901234567890123,1.50,{"a":-18446744073709551616}],"meta":{"n":1e+999}}"#;
        let mut request = Request::from_json(crate::json::read(line).unwrap()).unwrap();
        assert_eq!(request.to_json().to_string(), line);
        request.set_param("customData", serde_json::from_str("340282366920938463463374607431768211456").unwrap());
        assert_eq!(request.params()["customData"].to_string(), "340282366920938463463374607431768211456");
    }

    #[test]
    fn what_is_no_request_is_refused_with_a_reason() {
        for (value, why) in [
            (json!([]), BadRequest::NotAnObject),
            (json!({}), BadRequest::NoUrl),
            (json!({"url": 3}), BadRequest::NoUrl),
            (json!({"url": "u", "meta": []}), BadRequest::MetaNotAnObject),
        ] {
            assert_eq!(Request::from_json(value), Err(why));
        }
    }

    #[test]
    fn the_host_keeps_port_and_www_and_loses_case_and_credentials() {
        for (url, host) in [
            ("https://Shop.Example/a", "shop.example"),
            ("https://www.shop.example:8443/a?b=c:9", "www.shop.example:8443"),
            ("https://shop.example:443/", "shop.example:443"),
            ("https://bob:secret@shop.example/a", "shop.example"),
            ("http://[::1]:80/", "[::1]:80"),
            ("http://[::1]/", "[::1]"),
            ("not a url", "not a url"),
        ] {
            assert_eq!(host_of(url), host, "{url}");
        }
    }

    #[test]
    fn a_url_loses_its_credentials_and_nothing_else() {
        for (url, without) in [
            ("https://bob:secret@shop.example/a?b=c@d", "https://shop.example/a?b=c@d"),
            ("https://a@b:c@shop.example:80#@", "https://shop.example:80#@"),
            ("https://@shop.example", "https://shop.example"),
            (r"https://bob@shop.example\@evil.example/", r"https://shop.example\@evil.example/"),
            ("https://shop.example/@home", "https://shop.example/@home"),
            (r"https://shop.example\@home", r"https://shop.example\@home"),
            ("mailto:a@shop.example", "mailto:a@shop.example"),
        ] {
            assert_eq!(without_credentials(url), without);
        }
    }

    #[test]
    fn a_url_of_the_web_has_a_host_and_one_of_two_schemes() {
        for (url, expected) in [
            ("http://a.example", true),
            ("HTTPS://A.example/", true),
            ("https:///", false),
            ("file:///etc/passwd", false),
            ("ftp://a.example/", false),
            ("//a.example/", false),
            ("javascript:alert(1)", false),
            ("https://a.example:99999/", false),
        ] {
            assert_eq!(is_web(url), expected, "{url}");
        }
    }
}
