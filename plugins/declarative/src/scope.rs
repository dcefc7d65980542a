//! What placeholders can stand for: the request, its session and location, and what a check has found.

use carousel_guest::prelude::*;

/// The moments at which a value is filled in; what is known differs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before there is a session.
    Planning,
    /// For a call or a comparison.
    Calling,
    /// In the reason of a verdict.
    Judging,
}

/// What a value is about.
pub(crate) struct Scope<'s> {
    pub(crate) request: &'s Request,
    response: Option<&'s Response>,
    found: Option<String>,
}

/// A name that a placeholder may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Host,
    Url,
    Site,
    SessionId,
    Found,
    Location,
    LocationMember(String),
    Session(String),
    Meta(String),
    Param(String),
}

/// The names, for messages.
pub(crate) const NAMES: [&str; 10] =
    ["host", "url", "site", "session_id", "location", "location.NAME", "meta.NAME", "param.NAME", "session.NAME", "found"];

impl Name {
    /// Reads a name; none if there is no such thing.
    pub(crate) fn read(text: &str) -> Option<Self> {
        Some(match text.split_once('.') {
            None => match text {
                "host" => Self::Host,
                "url" => Self::Url,
                "site" => Self::Site,
                "session_id" => Self::SessionId,
                "found" => Self::Found,
                "location" => Self::Location,
                _ => return None,
            },
            Some((_, "")) => return None,
            Some(("location", member)) => Self::LocationMember(member.to_owned()),
            Some(("session", key)) => Self::Session(key.to_owned()),
            Some(("meta", path)) => Self::Meta(path.to_owned()),
            Some(("param", path)) => Self::Param(path.to_owned()),
            Some(_) => return None,
        })
    }

    /// Whether it is known at this moment.
    pub(crate) fn is_known_at(&self, place: Place) -> bool {
        match self {
            Self::Session(_) | Self::SessionId => place != Place::Planning,
            Self::Found => place == Place::Judging,
            Self::Host | Self::Url | Self::Site | Self::Location | Self::LocationMember(_) | Self::Meta(_) | Self::Param(_) => {
                true
            }
        }
    }
}

impl<'s> Scope<'s> {
    pub(crate) fn of(request: &'s Request) -> Self {
        Self { request, response: None, found: None }
    }

    pub(crate) fn with_response(self, response: &'s Response) -> Self {
        Self { response: Some(response), ..self }
    }

    /// With what the last question found.
    pub(crate) fn with_found(&self, found: Option<String>) -> Self {
        Self { request: self.request, response: self.response, found }
    }

    /// The answer in question.
    pub(crate) fn response(&self) -> Result<&'s Response> {
        self.response.ok_or_else(|| Error::new("there is no answer to look at"))
    }

    /// The value of a name; none if it has none.
    pub(crate) fn value(&self, name: &Name) -> Result<Option<Value>> {
        Ok(match name {
            Name::Host => Some(self.request.host().into()),
            Name::Url => Some(self.request.url().into()),
            Name::Site => Some(site_name().into()),
            Name::SessionId => self.request.session().map(|session| session.id().into()),
            Name::Found => self.found.clone().map(Value::from),
            Name::Location => self.location()?,
            Name::LocationMember(member) => self.location()?.and_then(|location| location.get(member).cloned()),
            Name::Session(key) => match self.request.session() {
                Some(session) => session.get(key)?,
                None => None,
            },
            Name::Meta(path) => walk(path, |first| self.request.meta_value(first))?,
            Name::Param(path) => walk(path, |first| self.request.param(first))?,
        })
    }

    fn location(&self) -> Result<Option<Value>> {
        Ok(self.request.location()?.map(|location| location.to_value()))
    }
}

/// Follows a dotted path below the member that `first` gives.
fn walk(path: &str, first: impl Fn(&str) -> Result<Option<Value>>) -> Result<Option<Value>> {
    let mut steps = path.split('.');
    let Some(start) = first(steps.next().unwrap_or_default())? else { return Ok(None) };
    let found = steps.try_fold(&start, |value, step| match value.as_array() {
        Some(items) => items.get(step.parse::<usize>().ok()?),
        None => value.get(step),
    });
    Ok(found.cloned())
}

/// A value as it stands in a text.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
