//! Plugins that come, change and go while requests are served.

use std::collections::BTreeSet;
use std::sync::Arc;

use carousel_core::settings::{PluginSettings, SiteTable};
use carousel_core::verdict::Verdict;
use carousel_engine::{Site, Sites};
use carousel_sandbox::{Loaded, Reloaded, Sandbox};
use serde_json::{Value, json};

use crate::guests;
use crate::record::logged;
use crate::stage::{Broken, Directory, call, page, table};

const URL: &str = "https://good.example/";

/// The plugin `good` in a version of its own: other content, same behaviour.
pub(crate) fn good(version: u8) -> Vec<u8> {
    let plugin = std::fs::read(guests::component("good")).unwrap();
    [plugin.as_slice(), &[0, 2, 1, version]].concat()
}

/// Another version, which serves another host.
fn good_for(host: &[u8; 12]) -> Vec<u8> {
    let mut plugin = good(0);
    let at = plugin.windows(12).position(|window| window == b"good.example").unwrap();
    plugin[at..at + 12].copy_from_slice(host);
    plugin
}

fn loaded(directory: &Directory, tables: &[SiteTable]) -> Loaded {
    let loaded = directory.load(tables);
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    loaded
}

/// The plugins a, b and c, of which b is `good`.
fn three() -> (Directory, Loaded) {
    let directory = Directory::new();
    directory.write("a.wasm", std::fs::read(guests::component("misbehaving")).unwrap());
    directory.write("b.wasm", good(1));
    directory.write("c.wasm", std::fs::read(guests::component("scripted")).unwrap());
    let loaded = loaded(&directory, &[]);
    (directory, loaded)
}

fn told(reloaded: &Reloaded) -> Vec<String> {
    reloaded.errors.iter().map(ToString::to_string).collect()
}

fn name(loaded: &Loaded, url: &str) -> Option<String> {
    loaded.sites.site(url).map(|site| site.name().to_owned())
}

fn check(site: &impl Site) -> Verdict {
    site.check(call(URL), page("<p class=ok>")).unwrap()
}

#[test]
fn a_file_that_is_added_changed_or_removed_counts_at_the_next_look() {
    let directory = Directory::new();
    let mut loaded = loaded(&directory, &[]);
    assert_eq!(name(&loaded, URL), None);
    directory.write("good.wasm", good(1));
    assert!(loaded.reloader.refresh().is_changed);
    assert_eq!(name(&loaded, URL).as_deref(), Some("guest-good"));
    directory.write("good.wasm", good_for(b"shop.example"));
    assert!(loaded.reloader.refresh().is_changed);
    assert_eq!((name(&loaded, URL), name(&loaded, "https://shop.example/").as_deref()), (None, Some("guest-good")));
    assert!(!loaded.reloader.refresh().is_changed, "nothing changed");
    std::fs::remove_file(directory.0.join("good.wasm")).unwrap();
    assert!(loaded.reloader.refresh().is_changed);
    assert_eq!(name(&loaded, "https://shop.example/"), None);
}

#[test]
fn a_site_stays_itself_through_a_swap_and_so_do_its_counters() {
    let directory = Directory::with(&["good"]);
    let mut loaded = loaded(&directory, &[]);
    let before = loaded.sites.site(URL).unwrap();
    assert_eq!(check(&*before), Verdict::Keep);
    directory.write("good.wasm", good(7));
    assert!(loaded.reloader.refresh().is_changed);
    let after = loaded.sites.site(URL).unwrap();
    assert!(Arc::ptr_eq(&before, &after));
    assert_eq!(check(&*before), Verdict::Keep);
    assert_eq!(loaded.sites.report()[0].calls(), 2);
}

#[test]
fn shared_data_outlives_a_swap() {
    let directory = Directory::with(&["scripted"]);
    let script = json!({"hooks": {"pool": {"return": "{call}"}}});
    let mut loaded = loaded(&directory, &[table("site", "scripted", script)]);
    let pool = |loaded: &Loaded| {
        let site = loaded.sites.named("site").unwrap();
        site.plan(call("https://a.example/")).unwrap().pool.unwrap().id
    };
    assert_eq!(pool(&loaded), "1");
    let plugin = std::fs::read(guests::component("scripted")).unwrap();
    directory.write("scripted.wasm", [plugin.as_slice(), &[0, 2, 1, 1]].concat());
    assert!(loaded.reloader.refresh().is_changed);
    assert_eq!(pool(&loaded), "2");
}

#[test]
fn a_version_that_does_not_load_leaves_the_old_one_at_work_and_is_reported_once_when_it_has_rested() {
    let directory = Directory::with(&["good"]);
    let mut loaded = loaded(&directory, &[]);
    let half = good(3);
    directory.write("good.wasm", &half[..half.len() / 2]);
    let first = loaded.reloader.refresh();
    assert!(first.errors.is_empty() && first.is_unsettled, "it may still be growing: {:?}", first.errors);
    let second = loaded.reloader.refresh();
    let told = told(&second);
    assert!(told.len() == 1 && told[0].contains("good.wasm") && told[0].contains("damaged or cut short"), "{told:?}");
    let third = loaded.reloader.refresh();
    assert!(third.errors.is_empty() && !third.is_unsettled);
    assert_eq!(check(&*loaded.sites.site(URL).unwrap()), Verdict::Keep);
    directory.write("good.wasm", &half);
    let whole = loaded.reloader.refresh();
    assert!(whole.is_changed && whole.errors.is_empty());
}

#[test]
fn a_broken_version_in_the_place_of_a_file_that_went_closes_the_site_until_it_is_mended_or_removed() {
    let directory = Directory::with(&["good"]);
    let mut loaded = loaded(&directory, &[]);
    std::fs::remove_file(directory.0.join("good.wasm")).unwrap();
    loaded.reloader.refresh();
    assert!(loaded.sites.site(URL).is_none() && loaded.sites.closed(URL).is_none(), "its owner has taken it away");
    directory.write("good.wasm", "broken");
    loaded.reloader.refresh();
    let (told, lines) = logged(|| told(&loaded.reloader.refresh()));
    assert!(told.len() == 1 && lines.iter().any(|line| line.contains("its requests fail")), "{told:?} {lines:?}");
    let reason = "the site \"guest-good\" is closed: its plugin \"good\" is left out";
    assert_eq!(loaded.sites.closed(URL).as_deref(), Some(reason));
    assert!(loaded.sites.site(URL).is_none() && loaded.sites.closed("https://other.example/").is_none());
    std::fs::remove_file(directory.0.join("good.wasm")).unwrap();
    loaded.reloader.refresh();
    assert!(loaded.sites.closed(URL).is_none(), "taken away again");
    directory.write("good.wasm", "broken again");
    loaded.reloader.refresh();
    loaded.reloader.refresh();
    assert!(loaded.sites.closed(URL).is_some());
    directory.write("good.wasm", good(3));
    assert!(loaded.reloader.refresh().is_changed);
    assert!(loaded.sites.closed(URL).is_none() && loaded.sites.site(URL).is_some());
}

#[test]
fn a_table_whose_plugin_does_not_load_is_closed_until_it_does() {
    let directory = Directory::new();
    directory.write("good.wasm", "broken");
    let shop = SiteTable { include: Some(vec!["shop.example".into()]), ..table("shop", "good", Value::Null) };
    let mut loaded = directory.load(&[shop, table("own", "good", Value::Null)]);
    let url = "https://shop.example/a";
    assert_eq!(loaded.sites.closed(url).as_deref(), Some("the site \"shop\" is closed: its plugin \"good\" is left out"));
    assert_eq!(loaded.sites.closed(URL), None, "nobody knows the rules of the plugin");
    directory.write("good.wasm", good(3));
    assert!(loaded.reloader.refresh().is_changed);
    assert_eq!((loaded.sites.closed(url), name(&loaded, url).as_deref()), (None, Some("shop")));
}

#[test]
fn a_file_that_grows_is_not_reported_while_it_does() {
    let directory = Directory::new();
    let mut loaded = loaded(&directory, &[]);
    let whole = good(4);
    for part in 1..=4 {
        directory.write("good.wasm", &whole[..whole.len() * part / 5]);
        let look = loaded.reloader.refresh();
        assert!(look.errors.is_empty() && look.is_unsettled, "{part}: {:?}", look.errors);
    }
    directory.write("good.wasm", &whole);
    let look = loaded.reloader.refresh();
    assert!(look.is_changed && !look.is_unsettled && look.errors.is_empty());
}

#[test]
fn a_file_moved_over_another_counts_even_if_it_has_its_size_and_age() {
    let directory = Directory::new();
    directory.write("good.wasm", good(1));
    let mut loaded = loaded(&directory, &[]);
    let (path, other) = (directory.0.join("good.wasm"), directory.0.join("good.tmp"));
    std::fs::write(&other, good_for(b"shop.example")).unwrap();
    let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
    std::fs::File::options().write(true).open(&other).unwrap().set_modified(modified).unwrap();
    std::fs::rename(&other, &path).unwrap();
    assert!(loaded.reloader.refresh().is_changed);
    assert_eq!(name(&loaded, "https://shop.example/").as_deref(), Some("guest-good"));
}

#[test]
fn a_plugin_that_a_table_names_stays_at_work_when_its_file_goes() {
    let directory = Directory::with(&["good"]);
    let mut loaded = loaded(&directory, &[table("shop", "good", Value::Null)]);
    std::fs::remove_file(directory.0.join("good.wasm")).unwrap();
    for _ in 0..2 {
        assert!(told(&loaded.reloader.refresh()).is_empty());
        assert_eq!(name(&loaded, URL).as_deref(), Some("shop"));
    }
    directory.write("good.wasm", good_for(b"shop.example"));
    assert!(loaded.reloader.refresh().is_changed);
    assert_eq!(name(&loaded, "https://shop.example/").as_deref(), Some("shop"));
}

#[test]
fn a_version_that_takes_another_sites_name_is_taken_back_alone() {
    let (directory, mut loaded) = three();
    let names = loaded.sites.names();
    directory.write("c.wasm", good(2));
    let told = told(&loaded.reloader.refresh());
    assert!(told.len() == 1 && told[0].contains("c.wasm") && told[0].contains("taken by the plugin \"b\""), "{told:?}");
    assert_eq!(loaded.sites.names(), names, "what was at work stays");
    assert!(loaded.reloader.refresh().errors.is_empty(), "it is said once");
}

#[test]
fn a_version_that_takes_the_name_of_a_site_further_down_throws_nobody_out_and_works_when_the_name_is_free() {
    let (directory, mut loaded) = three();
    let names = loaded.sites.names();
    directory.write("a.wasm", good(2));
    directory.write("c.wasm", [std::fs::read(guests::component("scripted")).unwrap().as_slice(), &[0, 2, 1, 1]].concat());
    let (swapped, lines) = logged(|| loaded.reloader.refresh());
    let told = told(&swapped);
    assert!(told.len() == 1 && told[0].contains("taken by the plugin"), "{told:?}");
    assert!(lines.iter().any(|line| line.contains("swapped") && line.contains("plugin=c")), "the others count: {lines:?}");
    assert_eq!(loaded.sites.names(), names, "what was at work stays");
    let plugin = |loaded: &Loaded| loaded.sites.site(URL).unwrap().report().plugin;
    assert_eq!(plugin(&loaded), "b");
    directory.write("d.wasm", good_for(b"shop.example"));
    let again = loaded.reloader.refresh();
    assert!(again.errors.iter().all(|error| error.to_string().contains("d.wasm")), "it is said once: {:?}", again.errors);
    for gone in ["d.wasm", "b.wasm"] {
        std::fs::remove_file(directory.0.join(gone)).unwrap();
    }
    assert!(loaded.reloader.refresh().errors.is_empty());
    assert_eq!(plugin(&loaded), "a");
}

#[test]
fn whoever_claims_the_urls_of_another_site_is_told_of_once_with_the_one_that_serves_them() {
    let directory = Directory::with(&["good"]);
    let claim = |name: &str, priority: i32| SiteTable {
        include: Some(vec!["Good.example".to_owned()]),
        priority: Some(priority),
        ..table(name, "scripted", json!({}))
    };
    let replaces = SiteTable { instead_of: Some("guest-good".to_owned()), ..claim("meant", 500) };
    let plugin = std::fs::read(guests::component("scripted")).unwrap();
    directory.write("scripted.wasm", &plugin);
    let (mut loaded, lines) = logged(|| loaded(&directory, &[claim("greedy", 501), replaces]));
    let contested = |lines: &[String]| lines.iter().filter(|line| line.contains("both include")).cloned().collect::<Vec<_>>();
    let told = contested(&lines);
    assert!(told.len() == 1 && told[0].contains("greedy and guest-good") && told[0].contains("greedy serves it"), "{told:?}");
    directory.write("scripted.wasm", [plugin.as_slice(), &[0, 2, 1, 1]].concat());
    let (swapped, lines) = logged(|| loaded.reloader.refresh());
    assert!(swapped.is_changed && contested(&lines).is_empty(), "{lines:?}");
}

#[test]
fn who_holds_a_removed_site_may_go_on_asking_it_and_its_counters_stay() {
    let directory = Directory::with(&["good"]);
    let mut loaded = loaded(&directory, &[]);
    let held = loaded.sites.site(URL).unwrap();
    std::fs::remove_file(directory.0.join("good.wasm")).unwrap();
    assert!(loaded.reloader.refresh().is_changed);
    assert_eq!(check(&*held), Verdict::Keep);
    drop(held);
    assert_eq!(loaded.sites.report()[0].calls(), 1);
    directory.write("good.wasm", good(1));
    assert!(loaded.reloader.refresh().is_changed);
    assert_eq!(check(&*loaded.sites.site(URL).unwrap()), Verdict::Keep);
    assert_eq!(loaded.sites.report()[0].calls(), 2);
}

#[tokio::test]
async fn an_initialisation_under_way_ends_on_the_version_that_it_began_with() {
    let script = json!({"hooks": {"init_session": {"sleep": 0.05, "return": true}}});
    let directory = Directory::with(&["scripted"]);
    let mut loaded = loaded(&directory, &[table("site", "scripted", script)]);
    let site = loaded.sites.named("site").unwrap();
    let plugin = std::fs::read(guests::component("scripted")).unwrap();
    let swap = async {
        directory.write("scripted.wasm", [plugin.as_slice(), &[0, 2, 1, 9]].concat());
        assert!(loaded.reloader.refresh().is_changed);
    };
    let (result, ()) = tokio::join!(site.init_session(call("https://a.example/"), Arc::new(Broken)), swap);
    assert_eq!(result, Ok(Some(true)));
}

#[test]
fn the_directory_may_go_and_come_back() {
    let directory = Directory::with(&["good"]);
    let mut loaded = loaded(&directory, &[]);
    let elsewhere = directory.0.with_extension("elsewhere");
    std::fs::rename(&directory.0, &elsewhere).unwrap();
    let told = told(&loaded.reloader.refresh());
    assert!(told.len() == 1 && told[0].contains("plugin directory"), "{told:?}");
    assert!(loaded.reloader.refresh().errors.is_empty(), "it is said once");
    assert_eq!(name(&loaded, URL).as_deref(), Some("guest-good"), "what was at work stays");
    std::fs::rename(&elsewhere, &directory.0).unwrap();
    assert!(loaded.reloader.refresh().errors.is_empty());
}

/// Code that was kept is mapped, so the system tells which versions are in memory.
#[cfg(target_os = "linux")]
#[test]
fn old_versions_leave_memory_when_nobody_uses_them() {
    const VERSIONS: u8 = 4;
    let (directory, cache) = (Directory::with(&["good"]), Directory::new());
    let folder = cache.0.join("compiled");
    let sandbox = Sandbox::new(&PluginSettings { cache: Some(folder.clone()), ..directory.settings() }).unwrap();
    let mut loaded = sandbox.load(&[]);
    let mut swap = |version| {
        directory.write("good.wasm", good(version));
        assert!(loaded.reloader.refresh().is_changed);
        assert_eq!(check(&*loaded.sites.site(URL).unwrap()), Verdict::Keep);
        sandbox.finish_optimising();
    };
    let mapped = || {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let files = maps
            .lines()
            .filter_map(|line| line.split_whitespace().nth(5))
            .filter(|path| path.starts_with(folder.to_str().unwrap()));
        files.collect::<BTreeSet<_>>().len()
    };
    for version in (0..VERSIONS).chain(0..VERSIONS) {
        swap(version);
        assert_eq!(mapped(), 1, "only the version at work is in memory");
    }
}
