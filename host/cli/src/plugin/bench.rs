//! `carousel plugin bench`: how fast the hooks of a component are on this machine.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use carousel_core::exchange::Object;
use carousel_core::hooks::Hook;
use carousel_core::pattern::overlap;
use carousel_engine::Site;
use carousel_sandbox::observe;
use serde_json::{Value, json};

use super::replay::Recorded;
use super::workbench::{Place, Workbench, json_file, must_be_a_file};
use super::{NOT_GOOD, replay, report};
use crate::args::{BenchPlugin, Common};
use crate::logging::Screen;
use crate::recording::{Asked, Download, Fixture, FixtureSession, outcome};
use crate::settings_file;

/// Calls between two looks at the clock.
const BATCH: u32 = 16;

/// Downloads that one call may make.
const DOWNLOADS: usize = 20;

/// What one kind of call takes.
struct Measured {
    calls: u32,
    took: Duration,
    instantiation: Duration,
}

/// Measures each overridden hook.
pub(crate) fn bench(args: &BenchPlugin, common: &Common, screen: &Screen) -> anyhow::Result<ExitCode> {
    let time = Duration::try_from_secs_f64(args.seconds).ok().filter(|time| !time.is_zero());
    let time = time.with_context(|| format!("--seconds {} is not a number above 0", args.seconds))?;
    let settings = settings_file::load(common.config.as_deref(), screen)?;
    must_be_a_file(&args.file)?;
    let place = Place::of(args.site.as_deref(), args.site_config.as_deref(), &settings)?;
    let bench = match Workbench::open(&args.file, place, &settings)? {
        Ok(bench) => bench,
        Err(why) => {
            report::print(format!("{} cannot be used: {why}", args.file.display()))?;
            return Ok(ExitCode::from(NOT_GOOD));
        }
    };
    let empty = measure(time, || {
        bench.site.idle();
    });
    let heading = ["call", "calls/s", "µs/call", "making the instance", "× an empty call", "outcome"].map(str::to_owned).to_vec();
    let mut rows = vec![heading, row("(empty)", &empty, &empty, String::new())];
    for asked in [Asked::Plan, Asked::Params, Asked::InitSession, Asked::ProcessRequest, Asked::Check] {
        let overridden: Vec<&str> =
            hooks(asked).iter().filter(|hook| bench.site.overrides(**hook)).map(|hook| hook.name()).collect();
        if !overridden.is_empty() {
            let (measured, outcome) = measure_hook(&bench, &fixture(args, asked, &bench)?, time)?;
            rows.push(row(&overridden.join(" + "), &measured, &empty, outcome));
        }
    }
    report::print(report::table(&rows))?;
    Ok(ExitCode::SUCCESS)
}

fn hooks(asked: Asked) -> &'static [Hook] {
    match asked {
        Asked::Plan => &[Hook::Enabled, Hook::CookieMode, Hook::Location, Hook::Pool],
        Asked::Params => &[Hook::Params],
        Asked::InitSession => &[Hook::InitSession],
        Asked::ProcessRequest => &[Hook::ProcessRequest],
        Asked::Check => &[Hook::Check],
    }
}

/// The call that is made over and over.
fn fixture(args: &BenchPlugin, asked: Asked, bench: &Workbench) -> anyhow::Result<Fixture> {
    let own_url = bench.plugin.rules.iter().find_map(|rule| overlap(rule, rule));
    let url = own_url.unwrap_or_else(|| "https://shop.example/".to_owned());
    let request: Value = match &args.request {
        Some(path) => json_file(path)?,
        None => json!({"url": url, "browserHtml": true}),
    };
    let response: Value = match &args.response {
        Some(path) => json_file(path)?,
        None => {
            json!({"url": request.get("url"), "statusCode": 200, "browserHtml": "<html><body><p class=zip>10001</p></body></html>"})
        }
    };
    let download = Download { answer: Some(response.clone()), ..Download::default() };
    Ok(Fixture {
        hook: asked,
        request,
        init: false,
        location: Object::new(),
        session: Some(FixtureSession {
            id: "00000000-0000-4000-8000-000000000001".to_owned(),
            pool: "bench".to_owned(),
            data: Object::new(),
        }),
        response: Some(response),
        downloads: vec![download; DOWNLOADS],
        expect: Object::new(),
    })
}

/// Measures a hook, and tells what it answers, since a call that fails at once is fast.
fn measure_hook(bench: &Workbench, fixture: &Fixture, time: Duration) -> anyhow::Result<(Measured, String)> {
    let call = fixture.call(Arc::clone(&bench.defaults))?;
    let location = Arc::new(call.defaults.location(&call.request));
    let call = carousel_core::hooks::HookCall { location, ..call };
    let answer = fixture.answer()?;
    let once = || {
        let downloads = Recorded::new(fixture.downloads.clone());
        bench.runtime.block_on(replay::ask(&*bench.site, fixture.hook, call.clone(), answer.clone(), downloads))
    };
    let first = once()?;
    let outcome = match first.get("error") {
        Some(error) => format!("fails: {}", error.get("message").and_then(Value::as_str).unwrap_or_default()),
        None => outcome::word(&first).trim_matches('"').to_owned(),
    };
    Ok((measure(time, || drop(once())), outcome))
}

/// Calls until the time is over.
fn measure(time: Duration, mut call: impl FnMut()) -> Measured {
    let began = Instant::now();
    let mut calls = 0;
    let ((), trace) = observe(|| {
        while began.elapsed() < time {
            (0..BATCH).for_each(|_| call());
            calls += BATCH;
        }
    });
    Measured { calls, took: began.elapsed(), instantiation: trace.instantiation }
}

fn row(name: &str, measured: &Measured, empty: &Measured, outcome: String) -> Vec<String> {
    let each = |it: &Measured| it.took.as_secs_f64() / f64::from(it.calls.max(1));
    let per_call = each(measured);
    let share = measured.instantiation.as_secs_f64() / measured.took.as_secs_f64().max(f64::EPSILON);
    vec![
        name.to_owned(),
        format!("{:.0}", 1.0 / per_call.max(f64::EPSILON)),
        format!("{:.1}", per_call * 1e6),
        format!("{:.0} %", share * 100.0),
        format!("{:.2}", per_call / each(empty).max(f64::EPSILON)),
        outcome,
    ]
}
