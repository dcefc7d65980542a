//! What a checked request asks for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carousel_core::contract;
use serde_json::{Map, Value};
use url::Url;

use crate::cookies::Cookie;
use crate::managed::context_key;
use crate::options::SimulatorOptions;
use crate::problem::Problem;
use crate::{schema, search};

/// How a page is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    Browser,
    Http,
    /// Not at all: the HTML came with the request.
    OwnHtml,
    /// A search engine is asked.
    Search,
}

impl Mode {
    /// The word for reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Http => "http",
            Self::OwnHtml => "own-html",
            Self::Search => "search",
        }
    }

    /// The mode of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Browser, Self::Http, Self::OwnHtml, Self::Search].into_iter().find(|mode| mode.name() == name)
    }

    /// The mode that a request for a page asks for; the contract says which.
    pub(crate) fn of(fields: &Map<String, Value>) -> Self {
        match contract::mode(fields) {
            contract::Mode::Browser => Self::Browser,
            contract::Mode::Http => Self::Http,
            contract::Mode::OwnHtml => Self::OwnHtml,
        }
    }
}

/// A request that keeps the schema and the rules on combinations.
pub(crate) struct Ask<'r> {
    /// The request object as it came.
    pub(crate) fields: &'r Map<String, Value>,
    /// The page.
    pub(crate) url: Url,
    /// Its host, in lower case.
    pub(crate) host: String,
    /// How it is fetched.
    pub(crate) mode: Mode,
    /// The user-managed session.
    pub(crate) session: Option<u128>,
    /// The context of the session that the service manages, where there is no other.
    pub(crate) context: Option<String>,
    /// As how many requests it counts.
    pub(crate) weight: u32,
}

impl<'r> Ask<'r> {
    /// Reads a request, or says why it is refused.
    pub(crate) fn read(fields: &'r Map<String, Value>, options: &SimulatorOptions) -> Result<Self, Problem> {
        schema::check_fields(fields)?;
        schema::check_combination(fields, options)?;
        let url = fields.get("url").and_then(Value::as_str).unwrap_or("");
        let url = Url::parse(url).map_err(|error| Problem::invalid(error.to_string()))?;
        let session = fields.get("session").and_then(|it| it.get("id")).and_then(Value::as_str).and_then(schema::parse_uuid4);
        let mut ask = Self::without_session(fields, url, Mode::of(fields));
        // Nothing is downloaded for a request that brings its HTML, so there is nothing to have a session with.
        if contract::sessionless(fields).is_none() {
            ask.session = session;
            ask.context = if session.is_none() { context_key(ask.list("sessionContext")) } else { None };
        }
        Ok(ask)
    }

    /// Reads a search, or says why it is refused.
    pub(crate) fn read_search(fields: &'r Map<String, Value>) -> Result<Self, Problem> {
        schema::check_search(fields)?;
        let ask = Self::without_session(fields, search::address(fields)?, Mode::Search);
        Ok(Self { weight: search::weight(fields), ..ask })
    }

    fn without_session(fields: &'r Map<String, Value>, url: Url, mode: Mode) -> Self {
        Self { fields, host: url.host_str().unwrap_or("").to_owned(), url, mode, session: None, context: None, weight: 1 }
    }

    /// Tells whether a boolean field is true.
    pub(crate) fn wants(&self, name: &str) -> bool {
        is_true(self.fields, name)
    }

    /// Gives a text field.
    pub(crate) fn text(&self, name: &str) -> Option<&'r str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    /// Gives a list field; an absent one is empty.
    pub(crate) fn list(&self, name: &str) -> &'r [Value] {
        self.fields.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Names the extraction that is asked for, `serp` included.
    pub(crate) fn extraction(&self) -> Option<&'static str> {
        if self.wants("serp") { Some("serp") } else { contract::extraction(self.fields) }
    }

    /// Gives the HTML that came with the request.
    pub(crate) fn own_html(&self) -> &'r str {
        let options = self.extraction().and_then(|name| contract::options_of(self.fields, name));
        options.and_then(|it| it.get("userHtml")?.as_str()).unwrap_or("")
    }

    /// Gives the cookies that go out with this request only.
    pub(crate) fn cookies(&self) -> Vec<Cookie> {
        let experimental = self
            .fields
            .get("experimental")
            .and_then(|it| it.get("requestCookies"))
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        self.list("requestCookies").iter().chain(experimental).filter_map(Cookie::read).collect()
    }

    /// Tells whether the official clients' older field asks for the final cookies.
    pub(crate) fn wants_experimental_cookies(&self) -> bool {
        let field = self.fields.get("experimental");
        field.and_then(|it| it.get("responseCookies")?.as_bool()) == Some(true)
    }

    /// Tells whether the final cookies are asked for, in either field.
    pub(crate) fn wants_cookies(&self) -> bool {
        self.wants("responseCookies") || self.wants_experimental_cookies()
    }

    /// Gives the body of an HTTP request.
    pub(crate) fn body(&self) -> Vec<u8> {
        self.text("httpRequestText").map_or_else(
            || {
                let encoded = self.text("httpRequestBody").unwrap_or("");
                STANDARD.decode(encoded).unwrap_or_default()
            },
            |text| text.as_bytes().to_vec(),
        )
    }

    /// Gives the headers that the caller sets, names in lower case; of a name given twice the last counts.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> = Vec::new();
        for header in self.list("customHttpRequestHeaders") {
            let part = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or("");
            let name = part("name").to_ascii_lowercase();
            headers.retain(|(known, _)| *known != name);
            headers.push((name, part("value").to_owned()));
        }
        let referer = self.fields.get("requestHeaders");
        if let Some(referer) = referer.and_then(|it| it.get("referer")?.as_str()) {
            headers.push(("referer".into(), referer.to_owned()));
        }
        headers
    }

    /// Names the place that the caller means, for the meters: the tag `place`.
    pub(crate) fn intended_place(&self) -> Option<&'r str> {
        self.fields.get("tags")?.get("place")?.as_str()
    }
}

fn is_true(fields: &Map<String, Value>, name: &str) -> bool {
    fields.get(name).and_then(Value::as_bool) == Some(true)
}
