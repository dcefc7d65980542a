//! What changes in a page's request just before it is sent.

use carousel_guest::prelude::*;

use crate::condition::{About, Condition};
use crate::config;
use crate::outgoing::Outgoing;
use crate::reading::Field;
use crate::scope::{Place, Scope, text};
use crate::template::Template;

/// One edit, for the requests that it is meant for.
pub(crate) struct PageEdit {
    when: Option<Condition>,
    url: Option<Template>,
    params: Option<Template>,
    remove: Vec<String>,
    outgoing: Outgoing,
}

impl PageEdit {
    pub(crate) fn read(field: Field<'_>) -> Result<Self> {
        let mut table = field.table()?;
        let edit = Self {
            when: table.get("when").map(|field| Condition::read(field, About::Request)).transpose()?,
            url: table.get("url").map(|field| Template::read(&field, Place::Calling)).transpose()?,
            params: table.get("params").map(config::params).transpose()?,
            remove: table.items("remove", |field| field.text().map(str::to_owned))?,
            outgoing: Outgoing::read(&mut table)?,
        };
        table.done()?;
        Ok(edit)
    }

    fn is_meant_for(&self, scope: &Scope<'_>) -> Result<bool> {
        self.when.as_ref().map_or(Ok(true), |when| when.ask(scope).map(|outcome| outcome.holds))
    }

    fn apply(&self, mut edit: Edit, url: &mut String, scope: &Scope<'_>) -> Result<Edit> {
        let replaced = self.url.as_ref().map(|template| template.fill(scope)).transpose()?;
        let replaced = replaced.map(|value| text(&value));
        let base = replaced.clone().unwrap_or_else(|| url.clone());
        if let Some(new) = self.outgoing.url(&base, scope)?.or(replaced) {
            edit = edit.url(new.as_str());
            *url = new;
        }
        if let Some(Value::Object(params)) = self.params.as_ref().map(|params| params.fill(scope)).transpose()? {
            edit = params.into_iter().fold(edit, |edit, (name, value)| edit.set(&name, value));
        }
        edit = self.remove.iter().fold(edit, |edit, name| edit.remove(name));
        edit = self.outgoing.headers(scope)?.into_iter().fold(edit, |edit, (name, value)| edit.header(name, value));
        Ok(match self.outgoing.body(scope)? {
            Some(body) => edit.set("httpRequestText", body),
            None => edit,
        })
    }
}

/// Applies all edits that are meant for a request, one after the other.
pub(crate) fn all(edits: &[PageEdit], request: &Request) -> Result<Edit> {
    let scope = Scope::of(request);
    let mut url = request.url();
    let mut all = Edit::none();
    for edit in edits {
        if edit.is_meant_for(&scope)? {
            all = edit.apply(all, &mut url, &scope)?;
        }
    }
    Ok(all)
}
