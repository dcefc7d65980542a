//! `carousel demo`: the sample plugins at work on the simulator, in one command.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use carousel_core::exchange::host_of;
use carousel_simulator::{Simulator, SimulatorOptions, demo_requests};
use serde_json::Value;

use crate::args::{Common, Crawl, Demo};
use crate::logging::Screen;
use crate::plugin::build;
use crate::simulate::{Served, meters};
use crate::{checkout, crawl};

/// The sample plugins: directories of the checkout, and what each one shows.
const PLUGINS: &[(&str, &str)] = &[
    ("plugins/market", "sets a location through the site's own form and checks it by CSS"),
    ("plugins/tickets", "saves a CSRF token at initialisation and sends it with each page"),
    ("plugins/club", "logs in by a chain of requests"),
    ("plugins/storefront", "serves three chains of stores, each by a [[site]] table of its own"),
];

/// The settings of the demo, in the checkout: what the generic plugin needs to know of each site.
const SETTINGS: &str = "plugins/demo.toml";

/// Requests under way at once.
const CONCURRENCY: u32 = 50;

/// Builds, serves, crawls, tells.
pub(crate) async fn demo(args: &Demo, common: &Common, screen: &Screen) -> anyhow::Result<ExitCode> {
    let checkout = checkout::built_from().ok_or_else(|| {
        anyhow!(
            "the demo builds its plugins from the source of Carousel, but {} is gone: run it from a checkout with \
             `cargo run --release -- demo`",
            env!("CARGO_MANIFEST_DIR")
        )
    })?;
    let temporary = tempfile::tempdir().context("cannot make a temporary directory")?;
    let dir = args.out.as_deref().unwrap_or(temporary.path());
    fs::create_dir_all(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;

    build_plugins(&checkout, &dir.join("plugins"), screen)?;
    let files = Files::write(&checkout, dir, args.requests)?;
    let options = SimulatorOptions { seed: args.seed, ..SimulatorOptions::default() };
    let served = Served::start(Simulator::new(options), 0).await?;
    screen.say(format!("crawling {} requests over {} sites through {}", files.requests, files.sites, served.url()));

    let outcome = crawl::crawl(&files.crawl(dir, args.seed), &files.common(dir, common, &served), screen).await?;
    screen.say(meters(&served.report()));
    if args.out.is_some() {
        screen.say(format!("plugins, settings, requests, answers and stats are in {}", dir.display()));
    }
    served.stop().await?;
    Ok(outcome.exit_code())
}

fn build_plugins(checkout: &Path, out: &Path, screen: &Screen) -> anyhow::Result<()> {
    screen.say("building the sample plugins:");
    for (plugin, shows) in PLUGINS {
        screen.say(format!("  {plugin:<20} {shows}"));
    }
    let dirs: Vec<PathBuf> = PLUGINS.iter().map(|(dir, _)| checkout.join(dir)).collect();
    build::build_into(&dirs, out, screen).map(drop)
}

/// What the demo writes before it crawls.
struct Files {
    requests: usize,
    sites: usize,
}

impl Files {
    fn write(checkout: &Path, dir: &Path, limit: usize) -> anyhow::Result<Self> {
        fs::copy(checkout.join(SETTINGS), dir.join("carousel.toml")).with_context(|| format!("cannot copy {SETTINGS}"))?;
        let path = dir.join("requests.jsonl");
        let mut file = BufWriter::new(fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?);
        let mut hosts = std::collections::BTreeSet::new();
        let mut requests = 0;
        for request in demo_requests().take(limit) {
            hosts.extend(request.get("url").and_then(Value::as_str).map(host_of));
            writeln!(file, "{}", Value::Object(request)).with_context(|| format!("cannot write {}", path.display()))?;
            requests += 1;
        }
        file.flush().with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { requests, sites: hosts.len() })
    }

    fn crawl(&self, dir: &Path, seed: u64) -> Crawl {
        Crawl {
            input: dir.join("requests.jsonl"),
            output: Some(dir.join("answers.jsonl")),
            stats: Some(dir.join("stats.json")),
            n_conn: Some(CONCURRENCY),
            store_errors: true,
            annotate: true,
            seed: Some(seed),
            ..Crawl::default()
        }
    }

    fn common(&self, dir: &Path, common: &Common, served: &Served) -> Common {
        Common {
            config: Some(dir.join("carousel.toml")),
            plugins: Some(dir.join("plugins")),
            api_url: Some(served.url()),
            api_key: Some("demo".into()),
            loglevel: common.loglevel,
        }
    }
}
