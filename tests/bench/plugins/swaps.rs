//! A plugin swapped again and again under a running crawl: what becomes of requests, sessions and memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use carousel_core::exchange::Request;
use carousel_core::settings::{Instances, PluginSettings, SessionSettings, Settings, SiteTable};
use carousel_engine::{Engine, EngineOptions, Sites};
use carousel_sandbox::{Loaded, Sandbox, SiteDirectory};
use carousel_simulator::{InProcess, Latency, Simulator, SimulatorOptions};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::guests;
use crate::loading::{private_kib, version};
use crate::table::Table;

/// Requests under way at once. The guest answers every hook and behaves, because no URL of the crawl asks it not to.
const UNDER_WAY: usize = 16;

/// The host that the crawl visits, one of the simulator's plain sites.
const HOST: &str = "s000.plain.example";

/// Swaps after which memory must not grow any more. Each of these versions gets its optimised code before the next one comes, so that
/// every place for an instance is used once.
const WARM_UP: usize = 100;

/// Swaps between two looks at the memory after that. They come as fast as the quick compiler allows, so that most versions are gone
/// before they have optimised code.
const SPELL: usize = 20;

/// What a crawl under swaps came to.
struct Outcome {
    requests: u64,
    failed: u64,
    report: Value,
    /// Private memory in KiB at each look.
    memory: Vec<f64>,
    slowest: Duration,
}

/// Swaps so many times.
pub(crate) fn rows(table: &mut Table, swaps: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let outcome = runtime.block_on(crawl(swaps));
    let Outcome { requests, failed, report, memory, slowest } = outcome;
    table.check(format!("{swaps} swaps: failed requests"), format!("{failed} of {requests}"), "0", failed == 0);
    let opened = count(&report["sessions"], "init/check-passed");
    let lost: u64 = report["ended"].as_object().map_or(0, |ended| ended.values().filter_map(Value::as_u64).sum());
    table.check(format!("{swaps} swaps: sessions lost"), format!("{lost} of {opened}"), "0", lost == 0 && opened > 0);
    let after = memory.get(WARM_UP.min(memory.len().saturating_sub(1))..).unwrap_or_default();
    let (least, most) = (mean(after.iter().take(after.len() / 4)), mean(after.iter().skip(after.len() - after.len() / 4)));
    let growth = (most / least - 1.0) * 100.0;
    table.check(
        format!("{swaps} swaps: growth of private memory after the first {WARM_UP}"),
        format!("{growth:+.1} % of {:.1} MiB", least / 1024.0),
        "±5 %",
        growth.abs() <= 5.0,
    );
    table.figure(format!("{swaps} swaps: the slowest one, compilation included"), format!("{} ms", slowest.as_millis()));
}

async fn crawl(swaps: usize) -> Outcome {
    let directory = tempfile::tempdir().expect("a directory");
    let guest = std::fs::read(guests::component("misbehaving")).expect("the guest");
    let file = directory.path().join("misbehaving.wasm");
    std::fs::write(&file, version(&guest, 0)).expect("a file");
    let plugins = PluginSettings {
        dir: Some(directory.path().to_owned()),
        cache: Some(directory.path().join("cache")),
        ..PluginSettings::default()
    };
    let sandbox = Sandbox::new(&plugins).expect("a sandbox");
    let Loaded { sites, mut reloader, errors, .. } = sandbox.load(&[site()]);
    assert!(errors.is_empty(), "{}", errors[0]);

    let moment = Duration::from_millis(5);
    let latency = Latency { browser: moment, http: moment, ..Latency::default() };
    let simulator = Simulator::new(SimulatorOptions { latency, ..SimulatorOptions::default() });
    let engine = engine(simulator, sites.clone());
    let over = Arc::new(AtomicBool::new(false));
    let requests = tokio::spawn(request_until(engine.clone(), over.clone()));
    let swapped = tokio::task::spawn_blocking(move || {
        let (mut memory, mut slowest) = (Vec::new(), Duration::ZERO);
        for number in 1..=swaps {
            std::fs::write(&file, version(&guest, number)).expect("a file");
            let began = Instant::now();
            let reloaded = reloader.refresh();
            slowest = slowest.max(began.elapsed());
            assert!(reloaded.is_changed && reloaded.errors.is_empty(), "{reloaded:?}");
            if number <= WARM_UP || number % SPELL == 0 {
                // Memory is compared between equals: one version, on optimised code.
                sandbox.finish_optimising();
                memory.push(private_kib());
            }
        }
        (memory, slowest)
    });
    let (memory, slowest) = swapped.await.expect("swaps");
    over.store(true, Relaxed);
    let (requests, failed) = requests.await.expect("a crawl");
    Outcome { requests, failed, report: engine.report(), memory, slowest }
}

fn engine(simulator: Simulator, sites: Arc<SiteDirectory>) -> Engine<InProcess, SiteDirectory> {
    let session = SessionSettings { pool_size: 4, ..SessionSettings::default() };
    let settings = Arc::new(Settings { session, ..Settings::default() });
    Engine::new(settings, InProcess::new(simulator), sites, EngineOptions::default()).expect("an engine")
}

/// Fetches pages until told to end; how many, and how many failed.
async fn request_until<S: Sites>(engine: Engine<InProcess, S>, over: Arc<AtomicBool>) -> (u64, u64) {
    let (mut done, mut failed, mut under_way) = (0, 0, JoinSet::new());
    while !over.load(Relaxed) {
        while under_way.len() < UNDER_WAY {
            let engine = engine.clone();
            let params = json!({"url": format!("https://{HOST}/p/{done}"), "browserHtml": true});
            let request = Request::from_json(params).expect("a request");
            under_way.spawn(async move { engine.fetch(request).await.map_err(|failure| eprintln!("{failure:?}")).is_ok() });
        }
        if let Some(result) = under_way.join_next().await {
            done += 1;
            failed += u64::from(!result.expect("a fetch"));
        }
    }
    let rest = under_way.join_all().await;
    failed += rest.iter().filter(|is_good| !**is_good).count() as u64;
    (done + rest.len() as u64, failed)
}

fn site() -> SiteTable {
    SiteTable {
        name: "plain".to_owned(),
        plugin: "misbehaving".to_owned(),
        include: Some(vec![HOST.to_owned()]),
        exclude: None,
        priority: None,
        instead_of: None,
        download_hosts: None,
        instances: Instances::default(),
        init: None,
        config: None,
    }
}

fn count(counters: &Value, name: &str) -> u64 {
    counters[name].as_u64().unwrap_or_default()
}

fn mean<'a>(values: impl ExactSizeIterator<Item = &'a f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}
