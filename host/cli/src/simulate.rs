//! `carousel simulate`: a Zyte API on this machine.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use carousel_simulator::{FaultRule, Latency, SharedSimulator, Simulator, SimulatorOptions, TIME_SCALES, serve};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::args::{LatencyName, Simulate};
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
pub(crate) async fn simulate(args: &Simulate, screen: &Screen) -> anyhow::Result<ExitCode> {
    let mut interrupts = interrupts::listen();
    let served = Served::start(Simulator::new(options(args)?), args.port).await?;
    stdout::print(served.url()).context("cannot write to standard output")?;
    screen.say("simulating Zyte API at the address above, with any API key; Ctrl-C ends it");
    interrupts.recv().await;
    screen.say(meters(&served.report()));
    served.stop().await?;
    Ok(ExitCode::SUCCESS)
}

fn options(args: &Simulate) -> anyhow::Result<SimulatorOptions> {
    let faults = args.faults.as_deref().map(faults).transpose()?.unwrap_or_default();
    anyhow::ensure!(
        TIME_SCALES.contains(&args.time_scale),
        "--time-scale {} is not a number from {} to {}",
        args.time_scale,
        TIME_SCALES.start(),
        TIME_SCALES.end()
    );
    Ok(SimulatorOptions {
        seed: args.seed,
        latency: match args.latency {
            LatencyName::None => Latency::default(),
            LatencyName::Realistic => Latency::realistic(),
        },
        time_scale: args.time_scale,
        requests_per_minute: args.requests_per_minute,
        faults,
        ..SimulatorOptions::default()
    })
}

fn faults(path: &Path) -> anyhow::Result<Vec<FaultRule>> {
    let text = text_file::read(path, "the faults file ")?;
    FaultRule::read_list(&text).map_err(|error| anyhow!("{}: {error}", path.display()))
}

/// What the simulator counted, in a few lines.
pub(crate) fn meters(report: &Value) -> Lines {
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    let pages = report["pages"].as_object().into_iter().flatten();
    let pages: Vec<String> = pages.map(|(kind, count)| format!("{count} {kind}")).collect();
    let mut lines = Lines::default();
    lines.push(format!("the simulator saw {} requests and billed {}", number("/requests/total"), number("/billed/total")));
    let (created, refused) = (number("/sessions/created"), number("/sessions/refused_expired"));
    lines.push(format!("  sessions  {created} created, {refused} refused as expired"));
    lines.push(format!("  pages     {}", if pages.is_empty() { "none".to_owned() } else { pages.join(", ") }));
    lines
}
