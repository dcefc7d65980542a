//! What does not load is reported with file, cause and remedy, and the rest works.

use carousel_core::settings::{PluginSettings, SiteTable};
use carousel_core::verdict::Verdict;
use carousel_engine::{Site, Sites};
use serde_json::json;

use crate::guests;
use crate::stage::{Directory, call, load, page, table};

const HOOKS: &str = "carousel:session/hooks@0.1.0";

/// A component that imports and exports interfaces without anything in them.
fn component(import: Option<&str>, export: Option<&str>) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    let mut section = |id: u8, content: &[u8]| bytes.extend([&[id, content.len() as u8], content].concat());
    let name = |name: &str| [&[0, name.len() as u8], name.as_bytes()].concat();
    if let Some(import) = import {
        // A type: an instance without exports. The import has this type.
        section(7, &[1, 0x42, 0]);
        section(10, &[&[1], name(import).as_slice(), &[5, 0]].concat());
    }
    if let Some(export) = export {
        // An instance made of nothing, exported as the one after the imports.
        section(5, &[1, 1, 0]);
        section(11, &[&[1], name(export).as_slice(), &[5, u8::from(import.is_some()), 0]].concat());
    }
    bytes
}

/// What each broken file's report must say: what it is about, why, what to do.
#[test]
fn a_broken_plugin_is_reported_with_cause_and_remedy_and_the_rest_works() {
    let directory = Directory::with(&["good"]);
    let truncated = std::fs::read(guests::component("good")).unwrap();
    directory.write("text.wasm", "hello, this is not a plugin");
    directory.write("empty.wasm", "");
    directory.write("truncated.wasm", &truncated[..truncated.len() / 2]);
    directory.write("core.wasm", b"\0asm\x01\0\0\0");
    directory.write("other.wasm", component(None, None));
    directory.write("version.wasm", component(None, Some("carousel:session/hooks@0.2.0")));
    directory.write("http.wasm", component(Some("wasi:http/outgoing-handler@0.2.0"), Some(HOOKS)));
    directory.write("hollow.wasm", component(None, Some(HOOKS)));
    directory.write("ignored.txt", "not a plugin, and not meant to be one");
    let loaded = directory.load(&[]);
    let told: Vec<String> = loaded.errors.iter().map(ToString::to_string).collect();
    let cases = [
        ("core.wasm", "core module, not a component", "--target wasm32-wasip2"),
        ("empty.wasm", "cut short: it is empty", "build it again"),
        ("hollow.wasm", "does not fit carousel:session@0.1.0", "build it again"),
        ("http.wasm", "imports what plugins are not given: wasi:http/outgoing-handler@0.2.0", "no files and no network"),
        ("other.wasm", "does not export carousel:session/hooks@0.1.0", "carousel-guest"),
        ("text.wasm", "not WebAssembly, it begins with \"hello, this is n", "--target wasm32-wasip2"),
        ("truncated.wasm", "damaged or cut short", "build it again"),
        ("version.wasm", "built for carousel:session/hooks@0.2.0, and this host serves carousel:session@0.1.0", "build it"),
    ];
    assert_eq!(told.len(), cases.len(), "{told:#?}");
    for (told, (file, cause, remedy)) in told.iter().zip(cases) {
        assert!(told.contains(file) && told.contains(cause) && told.contains(remedy), "{file}: {told}");
    }
    let good = loaded.sites.site("https://good.example/").unwrap();
    assert_eq!(good.check(call("https://good.example/"), page("<p class=ok>")), Ok(Verdict::Keep));
}

#[test]
fn a_table_gives_a_plugin_other_urls_and_another_name() {
    let directory = Directory::with(&["good"]);
    let shop = SiteTable {
        include: Some(vec!["shop.example".into()]),
        exclude: Some(vec!["shop.example/help".into()]),
        ..table("shop", "good", json!(null))
    };
    let hidden = SiteTable { include: Some(vec![]), ..table("hidden", "good", json!(null)) };
    let loaded = directory.load(&[shop, hidden, table("own", "good", json!(null))]);
    let name = |url: &str| loaded.sites.site(url).map(|site| site.name().to_owned());
    assert_eq!(name("https://shop.example/a").as_deref(), Some("shop"));
    assert_eq!(name("https://shop.example/help"), None);
    assert_eq!(name("https://good.example/").as_deref(), Some("own"), "without include, the plugin's own rules hold");
    assert_eq!(loaded.sites.names(), ["hidden", "own", "shop"]);
}

#[test]
fn a_table_with_a_wrong_plugin_or_wrong_rules_is_reported_by_its_name() {
    let directory = Directory::with(&["good"]);
    directory.write("broken.wasm", "x");
    let bad_rule = SiteTable { include: Some(vec!["/path-only".into()]), ..table("c", "good", json!(null)) };
    let tables = [
        table("a", "god", json!(null)),
        table("b", "broken", json!(null)),
        bad_rule,
        table("d", "good", json!(null)),
        table("d", "good", json!(null)),
    ];
    let loaded = directory.load(&tables);
    let told: Vec<String> = loaded.errors.iter().map(ToString::to_string).collect();
    for (subject, cause) in [
        ("[[site]] \"a\"", "no plugin \"god\"; there are good"),
        ("[[site]] \"b\"", "its plugin \"broken\" is left out"),
        ("[[site]] \"c\"", "/path-only"),
        ("[[site]] \"d\"", "taken by the plugin \"good\""),
    ] {
        assert!(told.iter().any(|told| told.contains(subject) && told.contains(cause)), "{subject}: {told:#?}");
    }
    assert_eq!(loaded.sites.names(), ["d"]);
    assert_eq!(loaded.sites.closed("https://good.example/"), None, "served by d");
    let nowhere = load(&PluginSettings { cache: Some("".into()), ..PluginSettings::default() }, &tables[..1]);
    assert!(nowhere.errors[0].to_string().contains("no plugin directory is set; set dir in [plugins]"));
}

#[test]
fn a_directory_that_cannot_be_read_is_an_error_and_not_a_crash() {
    let settings = PluginSettings { dir: Some("/nonexistent/plugins".into()), ..Directory::new().settings() };
    let loaded = load(&settings, &[]);
    assert!(loaded.errors[0].to_string().contains("plugin directory \"/nonexistent/plugins\""));
}

/// A plugin that was built for another version of the interface is the same file with other names in it.
#[test]
fn a_plugin_of_another_version_of_the_interface_is_refused_in_words_that_name_both() {
    let directory = Directory::new();
    let plugin = std::fs::read(guests::component("good")).unwrap();
    directory.write("newer.wasm", with_version(&plugin, b"0.2.0"));
    directory.write("patch.wasm", with_version(&plugin, b"0.1.7"));
    let loaded = directory.load(&[]);
    let [error] = &loaded.errors[..] else { panic!("{:?}", loaded.errors) };
    let told = error.to_string();
    for words in ["newer.wasm", "built for carousel:session/", "@0.2.0", "this host serves carousel:session@0.1.0", "build it"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(loaded.plugins.len(), 1, "a patch version is served");
}

/// Writes another version, which must be of the same length, behind every name of the interface.
fn with_version(plugin: &[u8], version: &[u8; 5]) -> Vec<u8> {
    const PACKAGE: &[u8] = b"carousel:session/";
    let mut plugin = plugin.to_vec();
    let mut at = 0;
    while let Some(found) = plugin[at..].windows(PACKAGE.len()).position(|window| window == PACKAGE) {
        at += found + PACKAGE.len();
        let name = plugin[at..].iter().take_while(|byte| byte.is_ascii_lowercase()).count();
        if plugin[at + name..].starts_with(b"@0.1.0") {
            plugin[at + name + 1..][..5].copy_from_slice(version);
        }
    }
    plugin
}

#[test]
fn a_file_that_is_none_or_cannot_be_one_is_reported_and_never_read_to_the_end() {
    let directory = Directory::with(&["good"]);
    std::fs::create_dir(directory.0.join("folder.wasm")).unwrap();
    // Takes no room on the disk.
    std::fs::File::create(directory.0.join("huge.wasm")).unwrap().set_len(500 << 20).unwrap();
    let loaded = directory.load(&[]);
    let told: Vec<String> = loaded.errors.iter().map(ToString::to_string).collect();
    let cases = [
        ("folder.wasm", "it is not a file", "only files may be named .wasm"),
        ("huge.wasm", "it has 500 MiB, and a plugin has at most 256 MiB", "release mode"),
    ];
    assert_eq!(told.len(), cases.len(), "{told:#?}");
    for (told, (file, cause, remedy)) in told.iter().zip(cases) {
        assert!(told.contains(file) && told.contains(cause) && told.contains(remedy), "{file}: {told}");
    }
    assert_eq!(loaded.sites.names(), ["guest-good"]);
}

#[test]
fn a_small_plugin_brings_along_no_interface_of_wasi() {
    let plugin = std::fs::read(guests::component("good")).unwrap();
    assert!(!plugin.windows(5).any(|text| text == b"wasi:"), "it would be compiled and kept, for every plugin");
}
