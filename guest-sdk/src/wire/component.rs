//! The boundary to the real host: thin wrappers around the generated bindings.

use std::mem::ManuallyDrop;

use crate::bindings::carousel::session::{defaults, host, shared, types};
use crate::{DownloadError, Error, Verdict};

/// A resource of the host: lent for the time of one hook, or the plugin's own.
enum Handle<T> {
    Lent(ManuallyDrop<T>),
    Own(T),
}

impl<T> Handle<T> {
    fn resource(&self) -> &T {
        match self {
            Self::Lent(resource) => resource,
            Self::Own(resource) => resource,
        }
    }
}

/// Declares a wrapper around a resource type, made of the reference that a hook is given.
macro_rules! wrapper {
    ($name:ident) => {
        pub(crate) struct $name(Handle<types::$name>);

        impl $name {
            /// The result must not outlive `resource`. The export glue keeps to that: it hands the wrapper to a hook by
            /// reference, and the wrapper has no `Clone`.
            #[expect(
                unsafe_code,
                reason = "makes a second name for a borrowed handle; it is never dropped, so the handle is closed once"
            )]
            pub(crate) fn lent(resource: &types::$name) -> Self {
                // SAFETY: the handle is alive while `resource` is, and `ManuallyDrop` leaves closing it to `resource`.
                let twin = unsafe { types::$name::from_handle(resource.handle()) };
                Self(Handle::Lent(ManuallyDrop::new(twin)))
            }
        }
    };
}

wrapper!(Request);
wrapper!(Response);
wrapper!(Session);

impl Request {
    pub(crate) fn url(&self) -> String {
        self.0.resource().url()
    }

    pub(crate) fn host(&self) -> String {
        self.0.resource().host()
    }

    pub(crate) fn params(&self) -> String {
        self.0.resource().params()
    }

    pub(crate) fn param(&self, name: &str) -> Option<String> {
        self.0.resource().param(name)
    }

    pub(crate) fn meta(&self) -> String {
        self.0.resource().meta()
    }

    pub(crate) fn meta_value(&self, name: &str) -> Option<String> {
        self.0.resource().meta_value(name)
    }

    pub(crate) fn is_init(&self) -> bool {
        self.0.resource().is_init()
    }

    pub(crate) fn location(&self) -> Option<String> {
        self.0.resource().location()
    }

    pub(crate) fn session(&self) -> Option<Session> {
        self.0.resource().session().map(|session| Session(Handle::Own(session)))
    }
}

impl Response {
    pub(crate) fn url(&self) -> String {
        self.0.resource().url()
    }

    pub(crate) fn status(&self) -> u16 {
        self.0.resource().status()
    }

    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        self.0.resource().headers()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.0.resource().header(name)
    }

    pub(crate) fn text(&self) -> String {
        self.0.resource().text()
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        self.0.resource().body()
    }

    pub(crate) fn actions(&self) -> String {
        self.0.resource().actions()
    }

    pub(crate) fn field(&self, pointer: &str) -> Option<String> {
        self.0.resource().field(pointer)
    }

    pub(crate) fn css(&self, selector: &str) -> Result<Option<String>, String> {
        self.0.resource().css(selector)
    }

    pub(crate) fn css_all(&self, selector: &str) -> Result<Vec<String>, String> {
        self.0.resource().css_all(selector)
    }

    pub(crate) fn xpath(&self, expression: &str) -> Result<Option<String>, String> {
        self.0.resource().xpath(expression)
    }

    pub(crate) fn xpath_all(&self, expression: &str) -> Result<Vec<String>, String> {
        self.0.resource().xpath_all(expression)
    }

    pub(crate) fn jmespath(&self, expression: &str) -> Result<Option<String>, String> {
        self.0.resource().jmespath(expression)
    }

    pub(crate) fn regex(&self, pattern: &str, want: &str) -> Result<Vec<String>, String> {
        self.select("regex", pattern, want)
    }

    pub(crate) fn exists(&self, language: &str, expression: &str) -> Result<bool, String> {
        Ok(self.select(language, expression, "exists")? == ["true"])
    }

    fn select(&self, language: &str, expression: &str, want: &str) -> Result<Vec<String>, String> {
        let answers = self.0.resource().select(&[query(language, expression, want)])?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }
}

impl Session {
    pub(crate) fn id(&self) -> String {
        self.0.resource().id()
    }

    pub(crate) fn pool(&self) -> String {
        self.0.resource().pool()
    }

    pub(crate) fn get(&self, key: &str) -> Option<String> {
        self.0.resource().get(key)
    }

    pub(crate) fn set(&self, key: &str, value: Option<&str>) -> Result<(), String> {
        self.0.resource().set(key, value)
    }
}

fn query(language: &str, expression: &str, want: &str) -> types::Query {
    types::Query { language: language.to_owned(), expression: expression.to_owned(), want: want.to_owned() }
}

pub(crate) fn log(level: &str, message: &str) {
    host::log(level, message);
}

pub(crate) fn site_name() -> String {
    host::site_name()
}

pub(crate) fn config() -> String {
    host::config()
}

pub(crate) fn settings() -> String {
    host::settings()
}

pub(crate) fn check_query(language: &str, expression: &str) -> Result<(), String> {
    host::check_query(&query(language, expression, "first"))
}

pub(crate) fn download(params: &str) -> Result<Response, DownloadError> {
    match host::download(params) {
        Ok(response) => Ok(Response(Handle::Own(response))),
        Err(error) => Err(DownloadError {
            token: error.token,
            kind: error.kind,
            status: error.status,
            problem_type: error.problem_type,
            message: error.message,
        }),
    }
}

pub(crate) fn shared_get(key: &str) -> Option<String> {
    shared::get(key)
}

pub(crate) fn shared_set(key: &str, value: Option<&str>) -> Result<(), String> {
    shared::set(key, value)
}

pub(crate) fn shared_increment(key: &str, by: i64) -> Result<i64, String> {
    shared::increment(key, by)
}

pub(crate) fn default_enabled(request: &Request) -> bool {
    defaults::enabled(request.0.resource())
}

pub(crate) fn default_cookie_mode(request: &Request) -> bool {
    defaults::cookie_mode(request.0.resource())
}

pub(crate) fn default_pool(request: &Request) -> Result<String, Error> {
    defaults::pool(request.0.resource()).map_err(from_failure)
}

pub(crate) fn default_location(request: &Request) -> String {
    defaults::location(request.0.resource())
}

pub(crate) fn default_params(request: &Request) -> String {
    defaults::params(request.0.resource())
}

pub(crate) fn default_check(response: &Response, request: &Request) -> Result<Verdict, Error> {
    match defaults::check(response.0.resource(), request.0.resource()) {
        Ok(verdict) => Ok(Verdict::from_parts(verdict.kind, verdict.reason, verdict.delay)),
        Err(failure) => Err(from_failure(failure)),
    }
}

fn from_failure(failure: types::Failure) -> Error {
    Error::from_parts(failure.kind, failure.message, failure.token)
}
