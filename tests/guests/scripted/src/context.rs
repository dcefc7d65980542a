//! What a hook can look at while its script runs.

use carousel_guest::prelude::*;
use carousel_guest::serde_json::Map;

/// What a hook can look at while its script runs.
pub(crate) struct Context<'a> {
    pub(crate) request: &'a Request,
    /// How many times this hook has been called, this call included.
    pub(crate) call: i64,
    response: Option<&'a Response>,
    session: Option<&'a Session>,
    /// The answer of the last download of a chain.
    download: Option<Response>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(request: &'a Request) -> Self {
        Self { request, call: 0, response: None, session: None, download: None }
    }

    pub(crate) fn with_response(self, response: &'a Response) -> Self {
        Self { response: Some(response), ..self }
    }

    pub(crate) fn with_session(self, session: &'a Session) -> Self {
        Self { session: Some(session), ..self }
    }

    /// Makes this the answer that the script sees from now on.
    pub(crate) fn downloaded(&mut self, response: Response) {
        self.download = Some(response);
    }

    /// The answer at hand: of the last download, or the one to be checked.
    pub(crate) fn response(&self) -> Option<&Response> {
        self.download.as_ref().or(self.response)
    }

    /// Returns the members of the answer that a pattern looks at, or the whole answer if it looks at all of it.
    pub(crate) fn answer_for(&self, pattern: &Value) -> Result<Value> {
        let Some(response) = self.response() else {
            return Ok(Value::Null);
        };
        match pattern.as_object() {
            Some(members) if !members.keys().any(|name| name.starts_with('$')) => members_of(response, members),
            _ => Ok(response.field("")?.unwrap_or_default()),
        }
    }

    /// Runs something with the session at hand; none if there is no session.
    pub(crate) fn in_session<T>(&self, look: impl FnOnce(&Session) -> Result<T>) -> Result<Option<T>> {
        match (self.session, self.request.session()) {
            (Some(session), _) => look(session).map(Some),
            (None, Some(session)) => look(&session).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Reads a value stored for the session at hand.
    pub(crate) fn stored(&self, key: &str) -> Result<Option<Value>> {
        Ok(self.in_session(|session| session.get(key))?.flatten())
    }

    /// Stores values for the session at hand.
    pub(crate) fn store(&self, values: &Map<String, Value>) -> Result<()> {
        let stored = self.in_session(|session| values.iter().try_for_each(|(key, value)| session.set(key, value)))?;
        stored.ok_or_else(|| Error::new("cannot store: the request has no session"))
    }

    /// The location in force, an empty object if there is none.
    pub(crate) fn location(&self) -> Result<Value> {
        Ok(self.request.location()?.unwrap_or_default().to_value())
    }
}

fn members_of(response: &Response, names: &Map<String, Value>) -> Result<Value> {
    let mut found = Map::new();
    for name in names.keys() {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        if let Some(value) = response.field(&pointer)? {
            found.insert(name.clone(), value);
        }
    }
    Ok(Value::Object(found))
}
