//! `carousel plugin run`: one call of one hook on input from files.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use carousel_core::exchange::Object;
use carousel_core::hooks::{Hook, HookCall};
use carousel_engine::{Downloader, Site};
use carousel_sandbox::{Trace, observe};
use carousel_simulator::{InProcess, Simulator, SimulatorOptions};
use serde_json::{Value, json};

use super::replay::{Live, Recorded};
use super::workbench::{Place, Workbench, json, json_file, must_be_a_file};
use super::{NOT_GOOD, replay, report};
use crate::args::{Common, RunHook};
use crate::logging::{Lines, Screen};
use crate::recording::{Asked, Download, Fixture, FixtureSession, read_fixture};
use crate::settings_file;

/// The session of a call that names none.
const SESSION: &str = "00000000-0000-4000-8000-000000000001";

/// Calls the hook: 0 it answered, 1 it failed or the plugin cannot be used.
pub(crate) fn run(args: &RunHook, common: &Common, screen: &Screen) -> anyhow::Result<ExitCode> {
    let hook = hook(&args.hook)?;
    let settings = settings_file::load(common.config.as_deref(), screen)?;
    must_be_a_file(&args.file)?;
    let fixture = fixture(args, hook)?;
    let place = Place::of(args.site.as_deref(), args.site_config.as_deref(), &settings)?;
    let bench = match Workbench::open(&args.file, place, &settings)? {
        Ok(bench) => bench,
        Err(why) => {
            screen.say(format!("{} cannot be used: {why}", args.file.display()));
            return Ok(ExitCode::from(NOT_GOOD));
        }
    };
    if !bench.site.overrides(hook) {
        screen.say(format!("{} does not override {hook}: the host answers", args.file.display()));
    }
    let call = located(&bench, &fixture, fixture.call(Arc::clone(&bench.defaults))?);
    let session = call.session.clone();
    let before = fixture.session.as_ref().map(|session| session.data.clone()).unwrap_or_default();
    let answer = fixture.answer()?;
    let downloader: Arc<dyn Downloader> = match args.simulate {
        true => {
            let _inside = bench.runtime.enter();
            Live::new(InProcess::new(Simulator::new(SimulatorOptions::default())), call.clone())
        }
        false => Recorded::new(fixture.downloads.clone()),
    };
    let began = Instant::now();
    let (outcome, trace) = observe(|| bench.runtime.block_on(replay::ask(&*bench.site, fixture.hook, call, answer, downloader)));
    let took = began.elapsed();
    let outcome = part(outcome?, hook);
    report::print(outcome.to_string())?;
    let after = session.map(|session| session.snapshot()).unwrap_or_default();
    screen.say(cost(&before, &after, took, &trace));
    let failed = outcome.get("error").is_some();
    Ok(if failed { ExitCode::from(NOT_GOOD) } else { ExitCode::SUCCESS })
}

fn hook(word: &str) -> anyhow::Result<Hook> {
    let names = Hook::ALL.map(|hook| hook.name().replace('-', "_")).join(", ");
    Hook::named(&word.replace('_', "-")).with_context(|| format!("there is no hook \"{word}\"; the hooks are {names}"))
}

fn asked(hook: Hook) -> Asked {
    match hook {
        Hook::Enabled | Hook::CookieMode | Hook::Pool | Hook::Location => Asked::Plan,
        Hook::Params => Asked::Params,
        Hook::Check => Asked::Check,
        Hook::ProcessRequest => Asked::ProcessRequest,
        Hook::InitSession => Asked::InitSession,
    }
}

/// The call that the flags describe, or the one of `--recorded`.
fn fixture(args: &RunHook, hook: Hook) -> anyhow::Result<Fixture> {
    if let Some(path) = &args.recorded {
        let fixture = read_fixture(path)?;
        if fixture.hook != asked(hook) {
            bail!("{} is a recorded call of {}, not of {hook}", path.display(), fixture.hook.word());
        }
        return Ok(fixture);
    }
    let request: Value = json_file(args.request.as_deref().context("give --request FILE")?)?;
    let data = args.session_data.as_deref().map(|text| json("--session-data", text)).transpose()?;
    let response = args.response.as_deref().map(json_file).transpose()?;
    let downloads = args.answers.as_deref().map(downloads).transpose()?.unwrap_or_default();
    let session = FixtureSession { id: SESSION.to_owned(), pool: "run".to_owned(), data: data.unwrap_or_default() };
    Ok(Fixture {
        hook: asked(hook),
        request,
        init: args.init,
        location: Object::new(),
        session: (asked(hook) != Asked::Plan).then_some(session),
        response,
        downloads,
        expect: Object::new(),
    })
}

/// A list of answers, of errors, or of downloads as they stand in fixtures.
fn downloads(path: &Path) -> anyhow::Result<Vec<Download>> {
    let entries: Vec<Value> = json_file(path)?;
    let download = |entry: Value| {
        let is_download = ["answer", "error", "params"].iter().any(|member| entry.get(member).is_some());
        match is_download {
            true => serde_json::from_value(entry).with_context(|| path.display().to_string()),
            false => Ok(Download { answer: Some(entry), ..Download::default() }),
        }
    };
    entries.into_iter().map(download).collect()
}

/// With the location that would be in force, where the input does not say.
fn located(bench: &Workbench, fixture: &Fixture, call: HookCall) -> HookCall {
    if !fixture.location.is_empty() || fixture.hook == Asked::Plan {
        return call;
    }
    let location = match bench.site.overrides(Hook::Location) {
        true => bench.site.plan(call.clone()).ok().and_then(|plan| plan.location.ok()).unwrap_or_default(),
        false => call.defaults.location(&call.request),
    };
    HookCall { location: Arc::new(location), ..call }
}

/// What the hook itself answered: of a plan its own part, elsewhere what is not wrapped in anything.
fn part(outcome: Object, hook: Hook) -> Value {
    if outcome.contains_key("error") {
        return Value::Object(outcome);
    }
    let member = match hook {
        Hook::Enabled => "enabled",
        Hook::CookieMode => "cookie_mode",
        Hook::Pool => "pool",
        Hook::Location => "location",
        Hook::Params => "params",
        Hook::InitSession => "initialised",
        Hook::Check | Hook::ProcessRequest => return Value::Object(outcome),
    };
    let not_asked = || json!({"error": {"kind": "not-asked", "message": "the hook enabled says no"}});
    outcome.get(member).cloned().unwrap_or_else(not_asked)
}

/// What the call left behind and what it took.
fn cost(before: &Object, after: &Object, took: Duration, trace: &Trace) -> Lines {
    let mut lines: Vec<String> = trace.looks.iter().map(|look| format!("looked at   {} → {}", look.asked, look.told)).collect();
    if before != after {
        lines.push(format!("stored      {}", Value::Object(after.clone())));
    }
    let instance = trace.instantiation.as_secs_f64() * 1e3;
    lines.push(format!(
        "time        {:.2} ms, {instance:.2} ms of it to make {}",
        took.as_secs_f64() * 1e3,
        instances(trace.instances)
    ));
    let peak = u64::try_from(trace.peak_memory_bytes).unwrap_or(u64::MAX);
    lines.push(format!("memory      {}", report::bytes(peak)));
    lines.into()
}

fn instances(count: u32) -> String {
    if count == 1 { "the instance".to_owned() } else { format!("{count} instances") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_have_the_names_of_both_worlds() {
        for (word, expected) in [("init_session", Hook::InitSession), ("init-session", Hook::InitSession), ("check", Hook::Check)]
        {
            assert_eq!(hook(word).unwrap(), expected);
        }
        assert!(hook("plan").unwrap_err().to_string().contains("process_request"));
    }

    #[test]
    fn answers_may_be_plain_or_as_in_fixtures() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("answers.json");
        let text = json!([{"url": "u", "statusCode": 200}, {"error": {"status": 520, "type": "/t"}}, {"params": {}, "answer": {"url": "v"}}]);
        std::fs::write(&path, text.to_string()).unwrap();
        let read = downloads(&path).unwrap();
        assert_eq!(read[0].answer, Some(json!({"url": "u", "statusCode": 200})));
        assert_eq!(read[1].result().unwrap_err().problem().unwrap().status, 520);
        assert_eq!(read[2].result().unwrap().url().unwrap().as_deref(), Some("v"));
    }

    #[test]
    fn a_hook_that_is_not_asked_says_so() {
        let plan = Object::from_iter([("enabled".to_owned(), json!(false))]);
        assert_eq!(part(plan.clone(), Hook::Enabled), json!(false));
        assert_eq!(part(plan, Hook::Pool)["error"]["kind"], "not-asked");
    }
}
