//! Sites whose plugin instances serve one step after the other.

use std::sync::Arc;

use carousel_core::settings::{Instances, PluginSettings, SiteTable};
use carousel_core::verdict::Verdict;
use carousel_engine::{Site, Sites};
use carousel_sandbox::{Loaded, PluginSite, Sandbox};
use serde_json::json;

use crate::guests;
use crate::stage::{Directory, call, page, table};

/// The guest tells with every verdict how often its instance was asked.
const REMEMBER: &str = "https://misbehaving.example/check/remember";

fn tables(names: &[&str], instances: Instances) -> Vec<SiteTable> {
    names.iter().map(|name| SiteTable { instances, ..table(name, "misbehaving", json!({})) }).collect()
}

/// The plugin at work at some sites. Better code for it has come already: instances are made of one code only.
struct Crawl {
    sandbox: Sandbox,
    loaded: Loaded,
    directory: Directory,
}

impl Crawl {
    fn new(settings: PluginSettings, names: &[&str], instances: Instances) -> Self {
        let directory = Directory::with(&["misbehaving"]);
        let sandbox = Sandbox::new(&PluginSettings { dir: Some(directory.0.clone()), fault_limit: 0, ..settings }).unwrap();
        let loaded = sandbox.load(&tables(names, instances));
        assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
        sandbox.finish_optimising();
        Self { sandbox, loaded, directory }
    }

    fn named(&self, name: &str) -> Arc<PluginSite> {
        self.loaded.sites.named(name).unwrap()
    }
}

fn settings() -> PluginSettings {
    Directory::new().settings()
}

/// How often the instances of some calls in a row were asked, each as it said.
fn ages(site: &PluginSite, calls: usize) -> Vec<u32> {
    let age = |_| {
        let verdict = site.check(call(REMEMBER), page("")).unwrap();
        let Verdict::Discard(age) = verdict else { panic!("{verdict:?}") };
        age.parse().unwrap()
    };
    (0..calls).map(age).collect()
}

#[test]
fn an_instance_serves_one_step_or_many_as_the_site_is_set() {
    for (instances, expected, made) in [(Instances::Fresh, [1, 1, 1], 3), (Instances::Reuse, [1, 2, 3], 1)] {
        let crawl = Crawl::new(settings(), &["a"], instances);
        let site = crawl.named("a");
        assert_eq!((ages(&site, 3), site.report().instances), (expected.to_vec(), made), "{instances:?}");
    }
}

#[test]
fn an_instance_that_was_stopped_serves_no_more() {
    let crawl = Crawl::new(settings(), &["a"], Instances::Reuse);
    let site = crawl.named("a");
    for deed in ["panic", "loop", "recurse"] {
        assert_eq!(ages(&site, 2), [1, 2], "before {deed}");
        site.check(call(&format!("https://misbehaving.example/check/{deed}")), page("")).unwrap_err();
    }
    assert_eq!(ages(&site, 1), [1]);
}

#[test]
fn each_step_has_a_deadline_and_a_log_of_its_own() {
    let crawl = Crawl::new(PluginSettings { max_log_lines: 1, ..settings() }, &["a"], Instances::Reuse);
    let site = crawl.named("a");
    for n in 1..=50 {
        // The steps take longer together than one may take.
        assert_eq!(ages(&site, 1), [n]);
        std::hint::black_box((0..3_000_000_u64).fold(0, |sum, n| std::hint::black_box(sum ^ n)));
    }
}

#[test]
fn another_version_of_the_plugin_has_instances_of_its_own() {
    let mut crawl = Crawl::new(settings(), &["a"], Instances::Reuse);
    let site = crawl.named("a");
    assert_eq!(ages(&site, 2), [1, 2]);
    let plugin = std::fs::read(guests::component("misbehaving")).unwrap();
    crawl.directory.write("misbehaving.wasm", [plugin.as_slice(), &[0, 2, 1, 1]].concat());
    assert!(crawl.loaded.reloader.refresh().is_changed);
    crawl.sandbox.finish_optimising();
    assert_eq!(ages(&site, 2), [1, 2]);
}

#[test]
fn an_instance_is_replaced_after_its_uses_and_before_its_memory_is_full() {
    let few = Crawl::new(PluginSettings { kept_uses: 3, ..settings() }, &["a"], Instances::Reuse);
    assert_eq!(ages(&few.named("a"), 7), [1, 2, 3, 1, 2, 3, 1]);
    let small = Crawl::new(PluginSettings { memory: 4 << 20, ..settings() }, &["a"], Instances::Reuse);
    let ages = ages(&small.named("a"), 40);
    let oldest = ages.iter().copied().max().unwrap();
    assert!((2..=8).contains(&oldest) && ages.iter().filter(|age| **age == 1).count() >= 5, "{ages:?}");
}

#[test]
fn the_instances_that_are_kept_are_bounded_and_the_one_used_last_stays() {
    for (kept, expected) in [(2, [[1, 1], [2, 2], [3, 3]]), (1, [[1, 1], [1, 1], [1, 1]]), (0, [[1, 1], [1, 1], [1, 1]])] {
        let crawl = Crawl::new(PluginSettings { kept_instances: kept, ..settings() }, &["a", "b"], Instances::Reuse);
        let [a, b] = ["a", "b"].map(|name| crawl.named(name));
        let rounds = [(); 3].map(|()| [ages(&a, 1)[0], ages(&b, 1)[0]]);
        assert_eq!(rounds, expected, "{kept} are kept");
    }
}

#[test]
fn threads_never_share_an_instance_and_see_their_own_pages() {
    let directory = Directory::with(&["good"]);
    let table = SiteTable { instances: Instances::Reuse, ..table("site", "good", json!({})) };
    let loaded = directory.load(&[table]);
    let site = loaded.sites.named("site").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..500 {
                    let (html, is_right) = [("<p class=ok>", true), ("<p class=no>", false)][n % 2];
                    let verdict = site.check(call("https://good.example/"), page(html)).unwrap();
                    assert_eq!(verdict == Verdict::Keep, is_right);
                }
            });
        }
    });
    // One for each thread, and as many again once better code has come.
    assert!((1..=8).contains(&site.report().instances), "{}", site.report().instances);
}
