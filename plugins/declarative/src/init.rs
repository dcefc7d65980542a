//! The chain of calls that initialises a session.

use carousel_guest::prelude::*;

use crate::config;
use crate::outgoing::Outgoing;
use crate::reading::Field;
use crate::rule::{self, Rule};
use crate::save::{self, Save};
use crate::scope::Scope;
use crate::template::Template;

/// One call of the chain.
pub(crate) struct Step {
    params: Template,
    outgoing: Outgoing,
    /// Whether it is sent in the session that is being initialised.
    in_session: bool,
    check: Vec<Rule>,
    save: Vec<Save>,
}

impl Step {
    pub(crate) fn read(field: Field<'_>) -> Result<Self> {
        let mut table = field.table()?;
        let Some(params) = table.get("params") else { return Err(table.fault("a step needs params = { ... }")) };
        let step = Self {
            params: config::params(params)?,
            outgoing: Outgoing::read(&mut table)?,
            in_session: table.get("session").map_or(Ok(true), |field| field.truth())?,
            check: table.items("check", Rule::of_step)?,
            save: table.get("save").map_or_else(|| Ok(Vec::new()), |field| Save::read_all_of_step(&field))?,
        };
        table.done()?;
        Ok(step)
    }

    /// Makes the call and judges its answer.
    fn run(&self, request: &Request) -> Result<Verdict> {
        let scope = Scope::of(request);
        let response = download(self.call(&scope)?)?;
        let scope = scope.with_response(&response);
        match rule::first_broken(&self.check, &scope)? {
            Some(verdict) => Ok(verdict),
            None => save::all(&self.save, &scope),
        }
    }

    fn call(&self, scope: &Scope<'_>) -> Result<Params> {
        let mut params = Params::from(self.params.fill(scope)?);
        if params.get("url").is_none() {
            params = params.url(scope.request.url());
        }
        let url = params.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(url) = self.outgoing.url(&url, scope)? {
            params = params.url(url);
        }
        let headers = self.outgoing.headers(scope)?;
        if !headers.is_empty() {
            let mut all = params.get("customHttpRequestHeaders").and_then(Value::as_array).cloned().unwrap_or_default();
            all.extend(headers.iter().map(|(name, value)| json!({"name": name, "value": value})));
            params = params.set("customHttpRequestHeaders", all);
        }
        if let Some(body) = self.outgoing.body(scope)? {
            params = params.set("httpRequestText", body);
            if params.get("httpRequestMethod").is_none() {
                params = params.set("httpRequestMethod", "POST");
            }
        }
        Ok(if self.in_session { params } else { params.without_session() })
    }
}

/// Runs the chain; false where an answer says that the session is no good.
pub(crate) fn run(steps: &[Step], request: &Request) -> Result<bool> {
    for (number, step) in steps.iter().enumerate() {
        let verdict = step.run(request)?;
        match verdict.kind() {
            "keep" => {}
            "close-pool" => return Err(Error::close_pool(verdict.reason())),
            "close-crawl" => return Err(Error::close_crawl(verdict.reason())),
            _ => {
                log::info!("init[{number}]: {}", verdict.reason());
                return Ok(false);
            }
        }
    }
    Ok(true)
}
