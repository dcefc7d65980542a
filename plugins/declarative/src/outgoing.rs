//! What is added to a call: headers, a query, a body.

use carousel_guest::prelude::*;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::reading::{Field, Table};
use crate::scope::{Place, Scope};
use crate::template::Template;

/// What a step of a chain and an edit of a page have in common.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    headers: Vec<(String, Template)>,
    query: Vec<(String, Template)>,
    body: Option<Body>,
}

#[derive(Clone, Debug)]
enum Body {
    Text(Template),
    Json(Template),
    Form(Vec<(String, Template)>),
}

impl Outgoing {
    pub(crate) fn read(table: &mut Table<'_>) -> Result<Self> {
        let pairs = |field: Option<Field<'_>>| field.map_or_else(|| Ok(Vec::new()), |field| texts(&field));
        let (headers, query) = (pairs(table.get("headers"))?, pairs(table.get("query"))?);
        let text = table.get("body").map(|field| Template::read(&field, Place::Calling).map(Body::Text));
        let json = table.get("json").map(|field| Template::read(&field, Place::Calling).map(Body::Json));
        let form = table.get("form").map(|field| texts(&field).map(Body::Form));
        let mut bodies = [text, json, form].into_iter().flatten();
        let body = bodies.next().transpose()?;
        if bodies.next().is_some() {
            return Err(table.fault("body, json and form exclude each other"));
        }
        Ok(Self { headers, query, body })
    }

    /// Headers to send, that of the body's type included.
    pub(crate) fn headers(&self, scope: &Scope<'_>) -> Result<Vec<(String, String)>> {
        let mut filled = fill(&self.headers, scope)?;
        let kind = match &self.body {
            Some(Body::Json(_)) => "application/json",
            Some(Body::Form(_)) => "application/x-www-form-urlencoded",
            Some(Body::Text(_)) | None => return Ok(filled),
        };
        if !filled.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            filled.push(("Content-Type".to_owned(), kind.to_owned()));
        }
        Ok(filled)
    }

    /// The URL with the query added; parameters of the same name are replaced. None where nothing changes.
    pub(crate) fn url(&self, url: &str, scope: &Scope<'_>) -> Result<Option<String>> {
        if self.query.is_empty() {
            return Ok(None);
        }
        let (rest, fragment) = url.split_once('#').map_or((url, None), |(rest, fragment)| (rest, Some(fragment)));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let added: Vec<String> = fill(&self.query, scope)?.iter().map(|(name, value)| pair(name, value)).collect();
        let name_of = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
        let replaced: Vec<String> = added.iter().map(|pair| name_of(pair)).collect();
        let kept = query.split('&').filter(|pair| !pair.is_empty() && !replaced.contains(&name_of(pair)));
        let pairs: Vec<String> = kept.map(str::to_owned).chain(added.iter().cloned()).collect();
        let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
        Ok(Some(format!("{path}?{}{fragment}", pairs.join("&"))))
    }

    /// The text of the body.
    pub(crate) fn body(&self, scope: &Scope<'_>) -> Result<Option<String>> {
        Ok(match &self.body {
            None => None,
            Some(Body::Text(template)) => Some(template.fill_text(scope)?),
            Some(Body::Json(template)) => Some(template.fill(scope)?.to_string()),
            Some(Body::Form(fields)) => {
                let pairs: Vec<String> = fill(fields, scope)?.iter().map(|(name, value)| pair(name, value)).collect();
                Some(pairs.join("&"))
            }
        })
    }
}

/// A table of texts, in the order in which it was written.
fn texts(field: &Field<'_>) -> Result<Vec<(String, Template)>> {
    let members = field.members()?.into_iter();
    members
        .map(|(name, value)| {
            if value.value.is_object() || value.value.is_array() {
                return Err(value.fault("expected text"));
            }
            Ok((name.clone(), Template::read(&value, Place::Calling)?))
        })
        .collect()
}

fn fill(pairs: &[(String, Template)], scope: &Scope<'_>) -> Result<Vec<(String, String)>> {
    pairs.iter().map(|(name, value)| Ok((name.clone(), value.fill_text(scope)?))).collect()
}

/// A pair of a query or a form.
fn pair(name: &str, value: &str) -> String {
    format!("{}={}", escape(name), escape(value))
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
