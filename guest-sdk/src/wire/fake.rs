//! The boundary in a native build: the same functions as the real one, answered by the host that a unit test describes.

use serde_json::{Map, Value, json};

use crate::testing::page::{self, Page};
use crate::testing::state::{self, SessionState};
use crate::{DownloadError, Error, Verdict};

pub(crate) struct Request {
    pub(crate) url: String,
    pub(crate) params: Map<String, Value>,
    pub(crate) meta: Map<String, Value>,
    pub(crate) init: bool,
    pub(crate) location: Option<Value>,
    pub(crate) session: Option<SessionState>,
}

impl Request {
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) fn host(&self) -> String {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        host.to_ascii_lowercase()
    }

    pub(crate) fn params(&self) -> String {
        Value::Object(self.params.clone()).to_string()
    }

    pub(crate) fn param(&self, name: &str) -> Option<String> {
        self.params.get(name).map(Value::to_string)
    }

    pub(crate) fn meta(&self) -> String {
        Value::Object(self.meta.clone()).to_string()
    }

    pub(crate) fn meta_value(&self, name: &str) -> Option<String> {
        self.meta.get(name).map(Value::to_string)
    }

    pub(crate) fn is_init(&self) -> bool {
        self.init
    }

    pub(crate) fn location(&self) -> Option<String> {
        self.location.as_ref().map(Value::to_string)
    }

    pub(crate) fn session(&self) -> Option<Session> {
        self.session.clone().map(Session)
    }
}

pub(crate) struct Response(pub(crate) Page);

impl Response {
    pub(crate) fn url(&self) -> String {
        self.0.url()
    }

    pub(crate) fn status(&self) -> u16 {
        self.0.status()
    }

    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        self.0.headers()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let mut headers = self.0.headers().into_iter();
        headers.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        self.0.text()
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        self.0.body()
    }

    pub(crate) fn actions(&self) -> String {
        self.0.field("/actions").unwrap_or(&json!([])).to_string()
    }

    pub(crate) fn field(&self, pointer: &str) -> Option<String> {
        self.0.field(pointer).map(Value::to_string)
    }

    pub(crate) fn css(&self, selector: &str) -> Result<Option<String>, String> {
        self.0.css(selector).map(|found| found.into_iter().next())
    }

    pub(crate) fn css_all(&self, selector: &str) -> Result<Vec<String>, String> {
        self.0.css(selector)
    }

    pub(crate) fn xpath(&self, expression: &str) -> Result<Option<String>, String> {
        Err(format!("cannot evaluate XPath \"{expression}\": only the real host can, use css in native tests"))
    }

    pub(crate) fn xpath_all(&self, expression: &str) -> Result<Vec<String>, String> {
        self.xpath(expression).map(|found| found.into_iter().collect())
    }

    pub(crate) fn jmespath(&self, expression: &str) -> Result<Option<String>, String> {
        self.0.jmespath(expression)
    }

    /// Of the languages that compute, only JMESPath is there.
    pub(crate) fn exists(&self, _language: &str, expression: &str) -> Result<bool, String> {
        self.0.jmespath_exists(expression)
    }

    pub(crate) fn regex(&self, pattern: &str, _want: &str) -> Result<Vec<String>, String> {
        self.0.regex(pattern)
    }
}

pub(crate) struct Session(pub(crate) SessionState);

impl Session {
    pub(crate) fn id(&self) -> String {
        self.0.id.to_string()
    }

    pub(crate) fn pool(&self) -> String {
        self.0.pool.to_string()
    }

    pub(crate) fn get(&self, key: &str) -> Option<String> {
        self.0.data.borrow().get(key).cloned()
    }

    // Fails as the real one may, where the host's bound is reached.
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as the real boundary")]
    pub(crate) fn set(&self, key: &str, value: Option<&str>) -> Result<(), String> {
        state::put(&self.0.data, key, value);
        Ok(())
    }
}

pub(crate) fn log(level: &str, message: &str) {
    state::current().log.borrow_mut().push((level.to_owned(), message.to_owned()));
}

pub(crate) fn site_name() -> String {
    state::current().site_name.clone()
}

pub(crate) fn config() -> String {
    state::current().config.to_string()
}

pub(crate) fn settings() -> String {
    state::current().settings.to_string()
}

pub(crate) fn check_query(language: &str, expression: &str) -> Result<(), String> {
    page::check_query(language, expression)
}

pub(crate) fn download(params: &str) -> Result<Response, DownloadError> {
    state::current().download(params).map(|response| response.raw)
}

pub(crate) fn shared_get(key: &str) -> Option<String> {
    state::current().shared.borrow().get(key).cloned()
}

#[expect(clippy::unnecessary_wraps, reason = "the same signature as the real boundary")]
pub(crate) fn shared_set(key: &str, value: Option<&str>) -> Result<(), String> {
    state::put(&state::current().shared, key, value);
    Ok(())
}

pub(crate) fn shared_increment(key: &str, by: i64) -> Result<i64, String> {
    let state = state::current();
    let mut shared = state.shared.borrow_mut();
    let old: i64 = match shared.get(key) {
        Some(text) => text.parse().map_err(|_| format!("cannot increment \"{key}\": it is not a whole number"))?,
        None => 0,
    };
    let sum = old.saturating_add(by);
    shared.insert(key.to_owned(), sum.to_string());
    Ok(sum)
}

pub(crate) fn default_enabled(_request: &Request) -> bool {
    state::current().enabled
}

pub(crate) fn default_cookie_mode(_request: &Request) -> bool {
    state::current().cookie_mode
}

#[expect(clippy::unnecessary_wraps, reason = "the same signature as the real boundary")]
pub(crate) fn default_pool(request: &Request) -> Result<String, Error> {
    Ok(Value::from(request.host()).to_string())
}

pub(crate) fn default_location(request: &Request) -> String {
    request.location().unwrap_or_else(|| "{}".to_owned())
}

pub(crate) fn default_params(request: &Request) -> String {
    let params = match &request.location {
        Some(address) => {
            json!({"browserHtml": true, "actions": [{"action": "setLocation", "address": address}]})
        }
        None => json!({"browserHtml": true}),
    };
    params.to_string()
}

#[expect(clippy::unnecessary_wraps, reason = "the same signature as the real boundary")]
pub(crate) fn default_check(response: &Response, request: &Request) -> Result<Verdict, Error> {
    Ok(state::current().verdict.clone().unwrap_or_else(|| response.0.location_verdict(request.location.is_some())))
}
