//! What `process_request` changes in a request that is about to be sent.

use serde_json::{Map, Value, json};

use crate::{Request, Result};

const HEADERS: &str = "customHttpRequestHeaders";

/// What `process_request` changes in the copy of the request that is about to be sent; nothing by default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edit {
    url: Option<String>,
    set: Map<String, Value>,
    remove: Vec<String>,
    headers: Vec<(String, String)>,
}

impl Edit {
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes nothing; the usual answer for requests that need no edit.
    pub fn none() -> Self {
        Self::default()
    }

    /// Fetches another URL on the same session; of another host only where `download_hosts` in the settings allows it.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Sets an API parameter, replacing what it was.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves an API parameter out.
    #[must_use]
    pub fn remove(mut self, name: &str) -> Self {
        self.remove.push(name.to_owned());
        self
    }

    /// Sends an HTTP header besides those that the request has in `customHttpRequestHeaders`, replacing one of the same name.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Works out what the host is told: headers are merged with those of the request.
    pub fn resolve(mut self, request: &Request) -> Result<ResolvedEdit> {
        if !self.headers.is_empty() {
            let merged = self.merged_headers(request)?;
            self.set.insert(HEADERS.to_owned(), merged);
            self.remove.retain(|name| name != HEADERS);
        }
        Ok(ResolvedEdit { url: self.url, set: self.set, remove: self.remove })
    }

    fn merged_headers(&self, request: &Request) -> Result<Value> {
        let existing = match self.set.get(HEADERS) {
            Some(value) => Some(value.clone()),
            None if self.remove.iter().any(|name| name == HEADERS) => None,
            None => request.param(HEADERS)?,
        };
        let mut headers = match existing {
            Some(Value::Array(headers)) => headers,
            _ => Vec::new(),
        };
        for (name, value) in &self.headers {
            headers.retain(|header| !has_name(header, name));
            headers.push(json!({"name": name, "value": value}));
        }
        Ok(Value::Array(headers))
    }
}

fn has_name(header: &Value, name: &str) -> bool {
    let other = header.get("name").and_then(Value::as_str);
    other.is_some_and(|other| other.eq_ignore_ascii_case(name))
}

/// An edit as the host gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedEdit {
    /// Another URL.
    pub url: Option<String>,
    /// API parameters to set.
    pub set: Map<String, Value>,
    /// API parameters to leave out.
    pub remove: Vec<String>,
}
