//! Many different plugins: from nothing, from the cache of compiled code, and finding the one for a URL.
//!
//! Each load is a process of its own, so that it starts with nothing and its memory is its own.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use carousel_core::settings::{Instances, PluginSettings, SiteTable};
use carousel_engine::Sites;
use carousel_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::guests;
use crate::table::Table;

/// The word that makes this program load plugins and tell what that took.
pub(crate) const CHILD: &str = "load-and-tell";

/// Plugins in the directory, unless the command line says otherwise. The bounds are for so many.
pub(crate) const PLUGINS: usize = 1_000;

/// URLs that are looked up.
const LOOK_UPS: u32 = 200_000;

/// Measures loads without and with a cache.
pub(crate) fn rows(table: &mut Table, count: usize) {
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let (plugins, cache) = (temporary.path().join("plugins"), temporary.path().join("cache"));
    write_plugins(&plugins, count);
    let cold = load(&plugins, &cache, count);
    table.check(
        format!("{count} plugins, cold: until the crawl may start"),
        format!("{:.1} s ({:.1} s of processor time)", cold.seconds, cold.processor),
        "≤ 15 s on 2 idle cores",
        cold.seconds <= 15.0,
    );
    let warm: Vec<Told> = (0..3).map(|_| load(&plugins, &cache, count)).collect();
    let best = warm.iter().min_by(|a, b| a.seconds.total_cmp(&b.seconds)).expect("loads");
    table.check(
        format!("{count} plugins, warm: load, best of {}", warm.len()),
        format!("{:.2} s ({:.2} s of processor time)", best.seconds, best.processor),
        "≤ 1 s",
        best.seconds <= 1.0,
    );
    let kib = best.private_kib / count as f64;
    table.check("private memory of a loaded plugin", format!("{kib:.0} KiB"), "≤ 80 KiB", kib <= 80.0);
    let find = best.find_nanoseconds;
    table.check(format!("find a URL's plugin among {count}"), format!("{find:.0} ns"), "< 2000 ns", find < 2_000.0);
}

/// What a load took.
struct Told {
    seconds: f64,
    processor: f64,
    private_kib: f64,
    find_nanoseconds: f64,
}

fn load(plugins: &Path, cache: &Path, count: usize) -> Told {
    let program = std::env::current_exe().expect("this program");
    let output =
        Command::new(program).arg(CHILD).args([plugins, cache]).arg(count.to_string()).output().expect("this program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let number = |name: &str| told[name].as_f64().expect("a number");
    Told {
        seconds: number("seconds"),
        processor: number("processor"),
        private_kib: number("private_kib"),
        find_nanoseconds: number("find_nanoseconds"),
    }
}

/// Loads the plugins of the first directory with the second one as the cache, and prints what that took.
pub(crate) fn child(arguments: &[String]) {
    let [plugins, cache, count] = arguments else { panic!("two directories and a number are needed") };
    let count: usize = count.parse().expect("a number");
    let settings =
        PluginSettings { dir: Some(PathBuf::from(plugins)), cache: Some(PathBuf::from(cache)), ..PluginSettings::default() };
    let tables: Vec<SiteTable> = (0..count).map(site).collect();
    let (began, processor) = (Instant::now(), processor_time());
    let sandbox = Sandbox::new(&settings).expect("a sandbox");
    let before = private_kib();
    let loaded = sandbox.load(&tables);
    let (seconds, processor) = (began.elapsed().as_secs_f64(), processor_time() - processor);
    let private = private_kib() - before;
    assert!(loaded.errors.is_empty(), "{}", loaded.errors[0]);
    let told = json!({
        "seconds": seconds,
        "processor": processor.as_secs_f64(),
        "private_kib": private,
        "find_nanoseconds": find(&*loaded.sites, count),
    });
    println!("{told}");
    sandbox.finish_optimising();
}

/// Nanoseconds to find the site of a URL.
fn find(sites: &impl Sites, count: usize) -> f64 {
    let urls: Vec<String> = (0..count).map(|n| format!("https://www.shop-{n}.example/page/{n}?a=1")).collect();
    assert!(urls.iter().all(|url| sites.site(url).is_some()));
    let began = Instant::now();
    for url in urls.iter().cycle().take(LOOK_UPS as usize) {
        black_box(sites.site(black_box(url)));
    }
    began.elapsed().as_nanos() as f64 / f64::from(LOOK_UPS)
}

/// The same guest many times, each with a content of its own.
fn write_plugins(directory: &Path, count: usize) {
    std::fs::create_dir_all(directory).expect("a directory");
    let guest = std::fs::read(guests::component("good")).expect("the guest");
    for n in 0..count {
        std::fs::write(directory.join(format!("shop-{n}.wasm")), version(&guest, n)).expect("a file");
    }
}

/// A plugin with another content and the same behaviour: a section that means nothing makes the difference.
pub(crate) fn version(guest: &[u8], number: usize) -> Vec<u8> {
    let name = format!("{number:05}");
    [guest, &[0, 6, 5], name.as_bytes()].concat()
}

fn site(n: usize) -> SiteTable {
    SiteTable {
        name: format!("shop-{n}"),
        plugin: format!("shop-{n}"),
        include: Some(vec![format!("shop-{n}.example")]),
        exclude: None,
        priority: None,
        instead_of: None,
        download_hosts: None,
        instances: Instances::default(),
        init: None,
        config: None,
    }
}

/// Memory of this process that is neither a file nor shared, as Linux keeps it.
pub(crate) fn private_kib() -> f64 {
    status_kib("RssAnon:")
}

/// One of the figures that Linux keeps of this process's memory.
pub(crate) fn status_kib(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a figure of this name");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
}

/// Processor time of all threads of this process, in steps of 10 ms.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    // The second field is a name in brackets; user and system time are the 12th and 13th after it.
    let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(ticks * 10)
}
