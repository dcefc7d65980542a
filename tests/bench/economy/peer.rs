//! One workload through scrapy-zyte-api, from PyPI, over HTTP against the simulator, in scaled-down time.

#[path = "../../venv.rs"]
mod venv;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use carousel_simulator::{SharedSimulator, Simulator, serve};
use serde_json::{Value, json};

use crate::crawl::Outcome;
use crate::workload::Workload;

/// What the comparison is made with; the environment is rebuilt when this changes.
const PACKAGE: &str = "scrapy-zyte-api==0.36.0";

/// More lines take it minutes: it needs some milliseconds of computing for each.
const MOST_LINES: usize = 1_000;

/// An interpreter that has scrapy-zyte-api.
pub(crate) struct Peer(PathBuf);

impl Peer {
    /// Makes the environment, once; an error says why there is none.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("economy-python");
        venv::interpreter(&folder, &[PACKAGE]).map(Self).map_err(anyhow::Error::msg)
    }

    /// Crawls. An error says why the workload cannot be compared.
    pub(crate) fn crawl(&self, workload: &Workload) -> anyhow::Result<Outcome> {
        if workload.count > MOST_LINES {
            bail!("{} lines would take it too long", workload.count);
        }
        let lines: Vec<_> = (0..workload.count).map(|n| (workload.line)(n)).collect();
        let is_long = lines.last().is_some_and(|line| line.at > Duration::from_secs(1_000));
        // The quicker, the more its own computing counts.
        let scale = if is_long { 200.0 } else { 20.0 };
        let mut options = workload.api.clone();
        options.time_scale = scale;
        let simulator = SharedSimulator::new(Simulator::new(options));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
        let api_url = format!("http://{}/v1/", listener.local_addr()?);
        runtime.spawn(serve(listener, simulator.clone(), std::future::pending()));
        let lines: Vec<Value> =
            lines.into_iter().map(|line| json!({"at": line.at.as_secs_f64(), "request": line.request})).collect();
        let found = self.ask(&json!({
            "api_url": api_url, "scale": scale, "lines": lines, "checks_place": workload.checks_place,
            "concurrency": workload.settings["crawl"]["concurrency"].as_u64().unwrap_or(20),
            "settings": settings(&workload.settings["session"], scale),
        }))?;
        let report = simulator.with(|simulator, _| simulator.report());
        let count = |name: &str| found[name].as_u64().unwrap_or_default();
        Ok(Outcome {
            right: count("right"),
            wrong: count("wrong"),
            lost: count("lost"),
            inits: count("inits"),
            billed: report["billed"]["total"].as_u64().unwrap_or_default(),
            makespan: Duration::from_secs_f64(found["seconds"].as_f64().unwrap_or_default()),
            api: report,
            ..Outcome::default()
        })
    }

    fn ask(&self, job: &Value) -> anyhow::Result<Value> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/bench/economy/python/peer.py");
        let mut child = Command::new(&self.0)
            .arg(script)
            .env("TLDEXTRACT_PUBLIC_SUFFIX_LIST_URLS", "")
            .env("PYTHONWARNINGS", "ignore")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("python does not start")?;
        child.stdin.take().context("python has no input")?.write_all(job.to_string().as_bytes())?;
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("the script failed: {}", output.status);
        }
        serde_json::from_slice(&output.stdout).context("the script's answer is no JSON")
    }
}

/// The settings of a session in the peer's words.
fn settings(session: &Value, scale: f64) -> Value {
    let mut settings = json!({});
    for (ours, theirs) in [("pool_size", "ZYTE_API_SESSION_POOL_SIZE"), ("randomize_delay", "ZYTE_API_SESSION_RANDOMIZE_DELAY")] {
        if let Some(value) = session.get(ours) {
            settings[theirs] = value.clone();
        }
    }
    if let Some(delay) = session["delay"].as_f64() {
        settings["ZYTE_API_SESSION_DELAY"] = json!(delay / scale);
    }
    settings
}
