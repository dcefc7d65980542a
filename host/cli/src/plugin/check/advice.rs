//! What can never work in a plugin: its hooks are asked about a request that its rules choose, with and without a location, and what they
//! would send and look at is held against what Zyte API does.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use carousel_core::contract;
use carousel_core::exchange::{Answer, CallError, Object, Request};
use carousel_core::hooks::{Hook, HookCall, SessionHandle};
use carousel_core::id::{PoolId, SessionId};
use carousel_core::settings::{Settings, SiteTable};
use carousel_engine::{Downloader, Site};
use carousel_sandbox::{Look, observe};
use serde_json::{Value, json};

use crate::plugin::workbench::{Place, Workbench};

/// The host of a request for a plugin without rules.
const ANY_HOST: &str = "shop.example";

/// What may be looked at, by how a look begins, and the parameters of which one must be asked for. A page's text comes from either body.
const NEEDS: [(&str, &str, &[&str]); 9] = [
    ("css ", "the page", BODIES),
    ("xpath ", "the page", BODIES),
    ("regex ", "the page", BODIES),
    ("jmespath ", "the page", BODIES),
    ("pointer ", "the page", BODIES),
    ("text", "the page", BODIES),
    ("body", "the page", BODIES),
    ("header", "the page's headers", &["httpResponseHeaders"]),
    ("actions", "the results of actions", &["actions"]),
];

const BODIES: &[&str] = &["browserHtml", "httpResponseBody"];

/// Members of an answer that are there without being asked for.
const ALWAYS: [&str; 5] = ["url", "statusCode", "session", "echoData", "jobId"];

/// Warns of what can never work for the plugin by itself, and for each `[[site]]` table that puts it to work.
pub(super) fn warnings(file: &Path, settings: &Settings) -> anyhow::Result<Vec<String>> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let tables: Vec<&SiteTable> = settings.site.iter().filter(|table| table.plugin == stem).collect();
    let mut found = BTreeSet::new();
    if tables.is_empty() {
        found.extend(of_site(file, Place::default(), None, settings)?);
    }
    for table in tables {
        let place = Place::of(Some(&table.name), None, settings)?;
        let warnings = of_site(file, place, table.include.as_deref(), settings)?;
        found.extend(warnings.into_iter().map(|warning| format!("[[site]] \"{}\": {warning}", table.name)));
    }
    Ok(found.into_iter().collect())
}

fn of_site(file: &Path, place: Place, include: Option<&[String]>, settings: &Settings) -> anyhow::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let Ok(bench) = Workbench::open(file, place, settings)? else { return Ok(found) };
    let own: Vec<String> = bench.plugin.rules.iter().flat_map(|rule| rule.include.clone()).collect();
    let url = sample_url(include.unwrap_or(&own));
    for location in [json!({}), json!({"addressCountry": "US", "postalCode": "10001"})] {
        let rehearsal = Rehearsal { bench: &bench, url: &url, location: location.as_object().cloned().unwrap_or_default() };
        rehearsal.run(&mut found);
    }
    Ok(found)
}

/// A URL that a pattern chooses.
fn sample_url(include: &[String]) -> String {
    let pattern = include.iter().find(|pattern| !pattern.is_empty()).map_or(ANY_HOST, String::as_str);
    let pattern = pattern.split_once("://").map_or(pattern, |(_, rest)| rest).trim_end_matches('|').replace('*', "a");
    if pattern.contains('/') { format!("https://{pattern}") } else { format!("https://{}", pattern.replacen('?', "/?", 1)) }
}

/// Hooks that are asked without anything being sent.
struct Rehearsal<'b> {
    bench: &'b Workbench,
    url: &'b str,
    location: Object,
}

impl Rehearsal<'_> {
    /// A hook that fails, because it misses what a real request would have, tells nothing.
    fn run(&self, found: &mut BTreeSet<String>) {
        let Self { bench, .. } = self;
        let Some(call) = self.call() else { return };
        let downloads = Arc::new(Imagined { url: self.url.to_owned(), asked: Mutex::default() });
        if bench.site.overrides(Hook::InitSession) {
            let _ = bench.runtime.block_on(bench.site.init_session(call.clone(), Arc::clone(&downloads) as _));
            self.judge_calls("init_session", &downloads, found);
        }
        let params = bench.runtime.block_on(bench.site.params(call.clone(), Arc::clone(&downloads) as _));
        self.judge_calls("params", &downloads, found);
        let Ok(mut params) = params else { return };
        params.entry("url").or_insert_with(|| Value::from(self.url));
        found.extend(of_call("params", &params));
        if bench.site.overrides(Hook::Check) && !bench.site.overrides(Hook::InitSession) {
            let Some(answer) = imagined(&params, self.url) else { return };
            let ((), trace) = observe(|| drop(bench.site.check(call, answer)));
            found.extend(trace.looks.iter().filter_map(|look| in_vain(look, &params)));
        }
    }

    fn judge_calls(&self, hook: &str, downloads: &Imagined, found: &mut BTreeSet<String>) {
        let asked = std::mem::take(&mut *downloads.asked.lock().unwrap_or_else(PoisonError::into_inner));
        found.extend(asked.iter().flat_map(|params| of_call(&format!("a download of {hook}"), params)));
    }

    /// The initialisation of a session for a request.
    fn call(&self) -> Option<HookCall> {
        let request = Request::from_json(json!({"url": self.url, "browserHtml": true})).ok()?;
        Some(HookCall {
            request: Arc::new(request),
            init: true,
            location: Arc::new(self.location.clone()),
            location_error: None,
            session: Some(Arc::new(SessionHandle::new(SessionId::from_random(1), PoolId::new("check")))),
            defaults: Arc::clone(&self.bench.defaults),
        })
    }
}

/// Answers every download as the API might.
struct Imagined {
    url: String,
    asked: Mutex<Vec<Object>>,
}

impl Downloader for Imagined {
    fn download(&self, mut params: Object) -> Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + '_>> {
        params.entry("url").or_insert_with(|| Value::from(self.url.as_str()));
        let answer = imagined(&params, &self.url).ok_or_else(|| CallError::BadAnswer("nothing to imagine".to_owned()));
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(params);
        Box::pin(std::future::ready(answer))
    }
}

/// An answer that has what was asked for, with nothing in it.
fn imagined(params: &Object, url: &str) -> Option<Answer> {
    let mut members = json!({"url": params.get("url").cloned().unwrap_or_else(|| Value::from(url)), "statusCode": 200});
    let object = members.as_object_mut()?;
    for (name, value) in [
        ("browserHtml", json!("<html><body></body></html>")),
        ("httpResponseBody", json!("PGh0bWw+PC9odG1sPg==")),
        ("httpResponseHeaders", json!([])),
    ] {
        if contract::is_set(params, name) {
            object.insert(name.to_owned(), value);
        }
    }
    let actions = params.get("actions").and_then(Value::as_array).into_iter().flatten();
    let results: Vec<Value> = actions.map(|action| json!({"action": action.get("action"), "status": "success"})).collect();
    if !results.is_empty() {
        object.insert("actions".to_owned(), Value::Array(results));
    }
    Answer::parse(members.to_string(), None).ok()
}

/// What is wrong with a call.
fn of_call(who: &str, params: &Object) -> Vec<String> {
    let managed = params.get("sessionContextParameters").and_then(|parameters| parameters.get("actions"));
    let waits =
        |actions: Option<&Value>| actions.and_then(|list| list.get(0)?.get("action")) == Some(&json!("waitForNavigation"));
    let mut found = Vec::new();
    if waits(params.get("actions")) || waits(managed) {
        found.push(format!(
            "{who} begins its actions with waitForNavigation: nothing has set off a navigation yet, and a page that does not load is \
             billed as an answer with status 200; leave it out, or put it behind the action that leaves the page"
        ));
    }
    let refusal = contract::refusal(params).map(|refusal| format!("Zyte API refuses what {who} asks for: {refusal}"));
    found.into_iter().chain(refusal).collect()
}

/// Why a look at the answer of an initialisation can never find anything.
fn in_vain(look: &Look, params: &Object) -> Option<String> {
    let asked = look.asked.as_str();
    let (what, needed): (String, Vec<&str>) = match NEEDS.iter().find(|(begin, ..)| asked.starts_with(begin)) {
        Some((_, what, needed)) => ((*what).to_owned(), needed.to_vec()),
        None => {
            let pointer = asked.strip_prefix("field ")?.trim_matches('"').strip_prefix('/')?;
            let member = pointer.split('/').next().filter(|member| !member.is_empty() && !ALWAYS.contains(member))?;
            (format!("\"{member}\""), vec![member])
        }
    };
    if needed.iter().any(|name| contract::is_set(params, name)) {
        return None;
    }
    let asks = needed.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" or ");
    let outputs = params.keys().filter(|name| name.as_str() != "url").cloned().collect::<Vec<_>>().join(", ");
    Some(format!(
        "check looks at {what} of an initialisation ({asked}), and params asks for none ({outputs}): set {asks}, or look only where \
         request is no initialisation"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_sample_is_chosen_by_the_pattern() {
        for (pattern, url) in [
            ("shop.example", "https://shop.example"),
            ("shop.example/a*/b|", "https://shop.example/aa/b"),
            ("http://shop.example?id=*", "https://shop.example/?id=a"),
            ("", "https://shop.example"),
        ] {
            assert_eq!(sample_url(&[pattern.to_owned()]), url);
        }
    }

    #[test]
    fn a_call_that_begins_by_waiting_or_asks_for_nothing_is_told() {
        let wait = json!([{"action": "waitForNavigation"}]);
        for (params, told) in [
            (json!({"url": "u", "browserHtml": true, "actions": wait}), Some("begins its actions with waitForNavigation")),
            (json!({"url": "u", "browserHtml": true, "sessionContextParameters": {"actions": wait}}), Some("waitForNavigation")),
            (json!({"url": "u", "browserHtml": true, "actions": [{"action": "click"}, wait[0]]}), None),
            (json!({"url": "u"}), Some("no output is asked for")),
            (json!({"url": "u", "browserHtml": true, "httpResponseBody": true}), Some("Zyte API refuses")),
            (json!({"url": "u", "httpResponseBody": true}), None),
        ] {
            let found = of_call("params", &object(params.clone()));
            assert_eq!(found.is_empty(), told.is_none(), "{params}: {found:?}");
            assert!(told.is_none_or(|told| found.join(" ").contains(told)), "{params}: {found:?}");
        }
    }

    #[test]
    fn a_look_at_what_nobody_asked_for_is_told() {
        let look = |asked: &str| Look { asked: asked.to_owned(), told: String::new(), excerpt: String::new() };
        for (asked, params, is_told) in [
            ("css \".zip\"", json!({"product": true}), true),
            ("text", json!({"screenshot": true}), true),
            ("body", json!({"screenshot": true}), true),
            ("css \".zip\"", json!({"browserHtml": true}), false),
            ("xpath \"//a\"", json!({"httpResponseBody": true}), false),
            ("header \"X-A\"", json!({"browserHtml": true}), true),
            ("header \"X-A\"", json!({"httpResponseBody": true, "httpResponseHeaders": true}), false),
            ("actions", json!({"browserHtml": true}), true),
            ("field \"/product/name\"", json!({"browserHtml": true}), true),
            ("field \"/product/name\"", json!({"product": true}), false),
            ("field \"/statusCode\"", json!({"browserHtml": true}), false),
            ("field \"\"", json!({"browserHtml": true}), false),
            ("status", json!({"product": true}), false),
        ] {
            assert_eq!(in_vain(&look(asked), &object(params.clone())).is_some(), is_told, "{asked} {params}");
        }
    }
}
