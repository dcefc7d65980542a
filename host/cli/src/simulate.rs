//! `carousel simulate`: a Zyte API on this machine.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use carousel_simulator::{
    BanRule, FaultRule, InProcess, Latency, ManagedRules, SessionRules, SharedSimulator, Simulator, SimulatorOptions,
    TIME_SCALES, serve,
};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::args::{Ban, Common, LatencyName, Simulate, Simulation};
use crate::crawl::interrupts;
use crate::logging::{Lines, Screen, stdout};
use crate::text_file;

/// A simulator behind a port of the loopback address. It stops when it is dropped.
pub(crate) struct Served {
    port: u16,
    simulator: SharedSimulator,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Served {
    /// Serves a simulator; port 0 takes any free one.
    pub(crate) async fn start(simulator: Simulator, port: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .with_context(|| format!("cannot listen on 127.0.0.1:{port}; --port 0 takes any free port"))?;
        let port = listener.local_addr().context("the listener has no address")?.port();
        let simulator = SharedSimulator::new(simulator);
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(serve(listener, simulator.clone(), async {
            // An error means that the owner is gone, which is the same.
            let _ = stopped.await;
        }));
        Ok(Self { port, simulator, stop, server })
    }

    /// The API's base address, with its final slash.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1/", self.port)
    }

    /// The meters.
    pub(crate) fn report(&self) -> Value {
        self.simulator.with(|simulator, _| simulator.report())
    }

    /// Stops listening and waits for open connections, for two seconds at most.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        self.server.await.context("the simulator stopped by a fault of its own")
    }
}

/// Serves until Ctrl-C, then tells the meters.
pub(crate) async fn simulate(args: &Simulate, common: &Common, screen: &Screen) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        TIME_SCALES.contains(&args.time_scale),
        "--time-scale {} is not a number from {} to {}",
        args.time_scale,
        TIME_SCALES.start(),
        TIME_SCALES.end()
    );
    let mut interrupts = interrupts::listen();
    let options = SimulatorOptions { time_scale: args.time_scale, ..options(&args.simulation, Some(args.seed), common)? };
    let keys = if options.api_key.is_some() { "the API key of --api-key" } else { "any API key" };
    let served = Served::start(Simulator::new(options), args.port).await?;
    stdout::print(served.url()).context("cannot write to standard output")?;
    screen.say(format!("simulating Zyte API at the address above, with {keys}; Ctrl-C ends it"));
    interrupts.recv().await;
    screen.say(meters(&served.report()));
    served.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// A simulator inside this process, for a crawl. A key that the crawl is given is the only one that the simulator knows.
pub(crate) fn in_process(args: &Simulation, seed: Option<u64>, common: &Common) -> anyhow::Result<InProcess> {
    let simulator = InProcess::new(Simulator::new(options(args, seed, common)?));
    Ok(match &common.api_key {
        Some(key) => simulator.with_key(key.reveal()),
        None => simulator,
    })
}

fn options(args: &Simulation, seed: Option<u64>, common: &Common) -> anyhow::Result<SimulatorOptions> {
    let faults = args.faults.as_deref().map(faults).transpose()?.unwrap_or_default();
    let defaults = SimulatorOptions::default();
    Ok(SimulatorOptions {
        seed: seed.unwrap_or(defaults.seed),
        api_key: common.api_key.as_ref().map(|key| key.reveal().to_owned()),
        requests_per_minute: args.requests_per_minute,
        sessions: SessionRules {
            max_active: args.max_active,
            creation_fault_share: args.creation_faults.unwrap_or(defaults.sessions.creation_fault_share),
            http_born_strict: args.http_born_strict,
            ..defaults.sessions
        },
        managed: ManagedRules {
            max_age: args.managed_age.unwrap_or(defaults.managed.max_age),
            max_bans: args.managed_bans.unwrap_or(defaults.managed.max_bans),
        },
        bans: bans(&args.ban).unwrap_or(defaults.bans),
        faults,
        latency: match args.latency {
            None | Some(LatencyName::None) => Latency::default(),
            Some(LatencyName::Realistic) => Latency::realistic(),
        },
        ..defaults
    })
}

/// The rules that are given in place of the simulator's own.
fn bans(given: &[Ban]) -> Option<Vec<BanRule>> {
    let rules = given.iter().filter_map(|ban| match ban {
        Ban::None => None,
        Ban::Rule(rule) => Some(rule.clone()),
    });
    (!given.is_empty()).then(|| rules.collect())
}

fn faults(path: &Path) -> anyhow::Result<Vec<FaultRule>> {
    let text = text_file::read(path, "the faults file ")?;
    FaultRule::read_list(&text).map_err(|error| anyhow!("{}: {error}", path.display()))
}

/// What the simulator counted, in a few lines.
pub(crate) fn meters(report: &Value) -> Lines {
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    let kinds = |pointer: &str| {
        let counts = report.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
        let counts: Vec<String> = counts.map(|(kind, count)| format!("{count} {kind}")).collect();
        if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
    };
    let mut lines = Lines::default();
    lines.push(format!("the simulator saw {} requests and billed {}", number("/requests/total"), number("/billed/total")));
    lines.push(format!("  billed    {}", kinds("/billed/modes")));
    if number("/billed/total") > 0 {
        let part = |name: &str| number(&format!("/billed/session_parts/{name}"));
        let parts =
            [("first", "opened a session"), ("later", "used one"), ("managed", "had one of Zyte's"), ("none", "had none")];
        let parts = parts.map(|(name, words)| format!("{} {words}", part(name)));
        lines.push(format!("            {}", parts.join(", ")));
    }
    if report.pointer("/billed/extractions").and_then(Value::as_object).is_some_and(|counts| !counts.is_empty()) {
        lines.push(format!("  extracted {}", kinds("/billed/extractions")));
    }
    let (created, refused) = (number("/sessions/created"), number("/sessions/refused_expired"));
    lines.push(format!("  sessions  {created} created, {refused} refused as expired"));
    lines.push(format!("  pages     {}", kinds("/pages")));
    lines
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Command, CommandLine};

    fn of(line: &str) -> String {
        let line = CommandLine::try_parse_from(line.split(' ')).unwrap();
        let options = match &line.command {
            Command::Simulate(args) => options(&args.simulation, Some(args.seed), &line.common),
            Command::Crawl(args) => options(&args.simulation, args.seed, &line.common),
            Command::Demo(_) | Command::Plugin(_) => panic!("it has no simulator to set"),
        };
        format!("{:?}", options.unwrap())
    }

    #[test]
    fn a_flag_does_the_same_for_a_crawl_as_for_a_simulator_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let faults = dir.path().join("faults.json");
        std::fs::write(&faults, r#"{"status": 520}"#).unwrap();
        for flag in [
            "--seed 7",
            "--latency realistic",
            "--requests-per-minute 5",
            "--max-active 5",
            "--creation-faults 0.5",
            "--ban shop.example=5",
            "--ban shop.example=5s --ban other.example=1",
            "--ban none",
            "--http-born-strict",
            "--managed-age 60",
            "--managed-bans 1",
            "--api-key secret",
            &format!("--faults {}", faults.display()),
        ] {
            let simulate = of(&format!("carousel simulate {flag}"));
            assert_eq!(simulate, of(&format!("carousel crawl - --simulate {flag}")), "{flag}");
            assert_ne!(simulate, of("carousel simulate"), "{flag}");
        }
        assert_eq!(of("carousel simulate"), of("carousel crawl - --simulate --latency none"));
    }

    #[test]
    fn what_was_billed_is_told_by_kind() {
        let mut simulator = Simulator::new(SimulatorOptions::default());
        let session = serde_json::json!({"id": "3f0c6a1e-7d1b-4b52-9a53-0f6f5b0c9e11"});
        for (output, session) in [("browserHtml", Some(&session)), ("product", Some(&session)), ("httpResponseBody", None)] {
            let mut request = serde_json::json!({"url": "https://shop.example/", output: true});
            request["session"] = session.cloned().unwrap_or_default();
            let request: serde_json::Map<_, _> =
                request.as_object().unwrap().clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
            assert_eq!(simulator.extract(std::time::Duration::ZERO, &request).status, 200);
        }
        let told = format!("{:?}", meters(&simulator.report()));
        for part in
            ["saw 3 requests and billed 3", "2 browser, 1 http", "1 opened a session, 1 used one", "1 had none", "1 product"]
        {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}
