//! `carousel plugin explain`: which plugin serves a URL and why, and what comes of it before anything is sent.

mod dry_run;
mod heard;
mod rendering;
mod sources;

use std::borrow::Cow;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use carousel_core::defaults::meta;
use carousel_core::exchange::{Object, Request, without_credentials};
use carousel_core::hooks::{Hook, PoolChoice};
use carousel_core::pattern::{Rule, RuleIndex, Standing};
use carousel_core::pool::Start;
use carousel_core::settings::{PoolOptions, Settings};
use carousel_engine::{Engine, EngineOptions, Site, Survey};
use serde_json::{Value, json};

use self::dry_run::DryRun;
use self::heard::{Heard, HeardSites};
use self::sources::{Chain, Sources};
use super::workbench::{json, json_file, runtime};
use super::{NOT_GOOD, report};
use crate::args::{Common, ExplainUrl};
use crate::crawl::with_web_address;
use crate::logging::Screen;
use crate::recording::outcome;
use crate::settings_file;
use crate::sites::Plugins;

/// What is known of a request.
struct Explained {
    url: String,
    rules: Vec<ExplainedRule>,
    /// The site and the file of its plugin.
    site: Option<(String, String)>,
    /// By hook, in the order of a request's road: the answer and where it comes from.
    hooks: Vec<(Hook, Value, String)>,
    /// The options of the pool.
    pool: Option<PoolOptions>,
    /// Why the request fails before it is sent.
    failure: Option<String>,
}

/// A rule that matches, or would but for an exclude.
struct ExplainedRule {
    rule: Rule,
    standing: &'static str,
    why: String,
}

/// Explains: 0 such a request would be sent, 1 it would fail before.
pub(crate) fn explain(args: &ExplainUrl, common: &Common, screen: &Screen) -> anyhow::Result<ExitCode> {
    let settings = Arc::new(settings_file::load(common.config.as_deref(), screen)?);
    let request = request(args)?;
    let plugins = Plugins::load(common.plugins.as_deref(), &settings)?;
    let explained = runtime()?.block_on(ask(request, settings, &plugins))?;
    match args.json {
        true => report::print(rendering::to_json(&explained).to_string())?,
        false => report::print(rendering::lines(&explained))?,
    }
    Ok(if explained.failure.is_none() { ExitCode::SUCCESS } else { ExitCode::from(NOT_GOOD) })
}

fn request(args: &ExplainUrl) -> anyhow::Result<Request> {
    let mut value: Value = match &args.request {
        Some(path) => json_file(path)?,
        None => json!({"browserHtml": true}),
    };
    let members = value.as_object_mut().context("a request is a JSON object")?;
    members.insert("url".to_owned(), Value::from(args.url.as_str()));
    if let Some(text) = &args.meta {
        members.insert("meta".to_owned(), json("--meta", text)?);
    }
    with_web_address(Request::from_json(value)?).map_err(anyhow::Error::msg)
}

/// Asks an engine that is like that of a crawl, but for an API that does not answer.
async fn ask(request: Request, settings: Arc<Settings>, plugins: &Plugins) -> anyhow::Result<Explained> {
    let (api, calls) = DryRun::new();
    let sites = Arc::new(HeardSites::new(plugins.sites()));
    let engine = Engine::new(Arc::clone(&settings), api, Arc::clone(&sites), EngineOptions::default())?;
    let survey = engine.survey(request.clone());
    let first = dry_run::first_call(&engine, request.clone(), calls).await;
    let defaults = engine.defaults();
    let site = survey.site.as_ref().map(|heard| &*heard.site);
    let sources = Sources { settings: &settings, request: &request, site, defaults: &*defaults };
    Ok(Explained {
        url: request.url().to_owned(),
        rules: rules(&plugins.sites().rules(), &matched_url(&request, &settings)),
        site: site.map(|site| (site.name().to_owned(), site.report().plugin)),
        hooks: hooks(&sources, &survey, first.as_ref().ok(), sites.heard()),
        pool: pool_options(&survey, &settings),
        failure: survey.plan.err().map(|error| error.to_string()).or_else(|| first.err()),
    })
}

/// The URL as rules see it: for the peer with user name and password.
fn matched_url<'r>(request: &'r Request, settings: &Settings) -> Cow<'r, str> {
    if settings.profile.is_peer() { Cow::Borrowed(request.url()) } else { without_credentials(request.url()) }
}

fn rules(rules: &[Rule], url: &str) -> Vec<ExplainedRule> {
    let Ok(index) = RuleIndex::new(rules.to_vec()) else { return Vec::new() };
    let explanation = index.explain(url);
    let matching = explanation.matching.iter().map(|(rule, standing)| {
        let replaced = rule.instead_of.as_deref().unwrap_or("the default config");
        let (standing, why) = match standing {
            Standing::Chosen => ("serves", format!("the best of those that match and stand in for {replaced}")),
            Standing::Replaced => ("is replaced", format!("a rule that matches stands in for {}", rule.name)),
            Standing::Outranked(reason) => ("is outranked", reason.to_string()),
            Standing::Unreached => ("is not reached", format!("it stands in for {replaced}, which does not serve this URL")),
        };
        ExplainedRule { rule: (*rule).clone(), standing, why }
    });
    let excluded = explanation.excluded.iter().map(|(rule, pattern)| ExplainedRule {
        rule: (*rule).clone(),
        standing: "is excluded",
        why: format!("by its exclude {pattern}"),
    });
    matching.chain(excluded).collect()
}

/// The options of the pool as it would be made for this request.
fn pool_options<S>(survey: &Survey<S>, settings: &Settings) -> Option<PoolOptions> {
    let (plan, pool) = (survey.plan.as_ref().ok()?, survey.pool.as_ref()?);
    Some(settings.session.pool_options(settings.profile, pool, plan.pool.as_ref().ok()?, survey.kind))
}

/// The hooks in the order of a request's road. What a request without sessions never asks is left out.
fn hooks<S>(sources: &Sources<'_>, survey: &Survey<S>, first: Option<&Object>, heard: Heard) -> Vec<(Hook, Value, String)> {
    let Ok(plan) = &survey.plan else { return Vec::new() };
    let answers = outcome::plan(&Ok(plan.clone()));
    let answer = |member: &str| answers.get(member).cloned().unwrap_or_default();
    let mut hooks = vec![(Hook::Enabled, answer("enabled"), sources.enabled(plan))];
    if !plan.enabled {
        return hooks;
    }
    hooks.push((Hook::CookieMode, answer("cookie_mode"), sources.cookie_mode(plan)));
    hooks.push((Hook::Location, answer("location"), sources.location(plan)));
    let told_apart = told_apart(survey).map(|by| format!(", told apart by {by}")).unwrap_or_default();
    let source = sources.pool(plan) + &told_apart;
    hooks.push((Hook::Pool, pool(survey).unwrap_or_else(|| answer("pool")), source));
    let sent = first.map(|first| Value::Object(without_session(first))).unwrap_or_default();
    match sources.chain(heard) {
        _ if survey.start == Start::ByUse => hooks.push((Hook::InitSession, Value::Null, sources.no_init(survey.kind))),
        Chain::Plugin(source) => hooks.push((Hook::InitSession, sent, source)),
        Chain::Host(source) => {
            hooks.push((Hook::InitSession, Value::Null, source));
            hooks.push((Hook::Params, sent, sources.params(plan, heard)));
        }
    }
    hooks.push((Hook::ProcessRequest, Value::Null, sources.process_request()));
    hooks.push((Hook::Check, Value::Null, sources.check()));
    hooks
}

/// The pool under the name that it has in a crawl.
fn pool<S>(survey: &Survey<S>) -> Option<Value> {
    let (plan, pool) = (survey.plan.as_ref().ok()?, survey.pool.as_ref()?);
    Some(PoolChoice { id: pool.to_string(), ..plan.pool.clone().ok()? }.to_json())
}

/// What stands behind the pool's chosen name.
fn told_apart<S>(survey: &Survey<S>) -> Option<&str> {
    let choice = survey.plan.as_ref().ok()?.pool.as_ref().ok()?;
    survey.pool.as_ref()?.as_str().strip_prefix(choice.id.as_str())?.strip_prefix(';')
}

/// A crawl has a fresh session in its place.
fn without_session(params: &Object) -> Object {
    params.iter().filter(|(name, _)| *name != "session").map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The metadata key of a hook.
fn meta_key(hook: Hook) -> Option<&'static str> {
    match hook {
        Hook::Enabled => Some(meta::ENABLED),
        Hook::CookieMode => Some(meta::COOKIE_MODE),
        Hook::Pool => Some(meta::POOL),
        Hook::Location => Some(meta::LOCATION),
        Hook::Params => Some(meta::PARAMS),
        Hook::Check | Hook::ProcessRequest | Hook::InitSession => None,
    }
}
