//! What stands in a settings file, and how a mistake in it is told.

use std::path::Path;
use std::time::Duration;

use carousel_core::settings::{Bytes, Profile, Settings};
use serde_json::json;

use super::*;

fn fault(text: &str) -> String {
    format!("{:#}", parse(text, Path::new("c.toml")).unwrap_err())
}

#[test]
fn a_mistake_is_told_with_file_line_key_and_the_nearest_right_key() {
    for (text, message) in [
        ("[session]\npol_size = 3\n", r#"c.toml: line 2: unknown key "session.pol_size"; did you mean "session.pool_size"?"#),
        ("\n\npool_size = 3\n", r#"c.toml: line 3: unknown key "pool_size"; did you mean "session.pool_size"?"#),
        (
            "[session]\nZYTE_API_SESSION_MAX_ERRORS = 3\n",
            r#"c.toml: line 2: unknown key "session.ZYTE_API_SESSION_MAX_ERRORS"; did you mean "session.max_errors"?"#,
        ),
        ("[sesion]\n", r#"c.toml: line 1: unknown key "sesion"; did you mean "session"?"#),
        ("[budget]\nqqq = 1\n", r#"c.toml: line 2: unknown key "budget.qqq"; known here: billed, billed_per_pool"#),
        (
            "[session.pools.\"a.example\"]\nsice = 1\n",
            r#"c.toml: line 2: unknown key "session.pools.a.example.sice"; did you mean "session.pools.a.example.size"?"#,
        ),
        (
            "[session]\n\npool_size = \"many\"\n",
            r#"c.toml: line 3: session.pool_size: invalid type: string "many", expected a whole number of 0 or more"#,
        ),
        (
            "[session]\npool_size = -1\n",
            "c.toml: line 2: session.pool_size: invalid value: integer `-1`, expected a whole number of 0 or more",
        ),
        (
            "[session]\nenabled = \"yes\"\n",
            r#"c.toml: line 2: session.enabled: invalid type: string "yes", expected true or false"#,
        ),
        ("[session]\ndelay = -0.5\n", "c.toml: line 2: session.delay: -0.5 is not a number of seconds of 0 or more"),
        ("[session]\ndelay = 1e19\n", "c.toml: line 2: session.delay: 10000000000000000000 is more than 1000000000 seconds"),
        ("[api]\nretry_wait_scale = -1\n", "c.toml: line 2: api.retry_wait_scale: -1 is not a factor of 0 or more"),
        ("[api]\nretry_wait_scale = nan\n", "c.toml: line 2: api.retry_wait_scale: NaN is not a factor of 0 or more"),
        (
            "[session]\ngrowth = \"thirfty\"\n",
            r#"c.toml: line 2: session.growth: unknown value "thirfty"; did you mean "thrifty"?"#,
        ),
        ("profile = \"scrapy\"\n", r#"c.toml: line 1: profile: unknown value "scrapy"; did you mean "scrapy-zyte-api"?"#),
        ("[[site]]\nname = \"a\"\n", "c.toml: line 1: site[0]: missing field `plugin`"),
        (
            "[[site]]\nname = \"a\"\nplugin = \"p\"\nincludes = []\n",
            r#"c.toml: line 4: unknown key "site[0].includes"; did you mean "site[0].include"?"#,
        ),
        (
            "[[site]]\nname = \"a\"\nplugin = \"p\"\n[[site]]\nname = \"a\"\nplugin = \"p\"\n",
            r#"c.toml: two [[site]] tables are named "a": names must be unique"#,
        ),
        ("[crawl]\nconcurrency = 0\n", "c.toml: line 2: crawl.concurrency: 0, so nothing would ever be sent: use 1 or more"),
        ("[session]\ndelay = nan\n", "c.toml: line 2: session.delay: NaN is not a number of seconds of 0 or more"),
        ("[api]\ntimeout = inf\n", "c.toml: line 2: api.timeout: inf is not a number of seconds of 0 or more"),
        (
            "[api]\n\ntimeout = 0\n",
            "c.toml: line 3: api.timeout: 0 s, so every call would be given up at once; the default is 320",
        ),
        (
            "[session]\n\nmax_age = 5\n",
            "c.toml: line 3: session.margin and session.max_age: 10 s is no less than 5 s, so every session would count as ended \
             before its first use",
        ),
        (
            "[session.pools.\"a.example\"]\nsize = 2\ndelay = 200\n",
            "c.toml: line 3: session.pools.a.example.delay and session.max_idle: 200 s is longer than the 110 s that a session lives, \
             less margin, so none could be used",
        ),
    ] {
        assert_eq!(fault(text), message, "{text}");
    }
}

#[test]
fn memory_is_a_number_of_bytes_or_a_text_with_a_unit() {
    let read = |value: &str| parse(&format!("[crawl]\nmemory = {value}\n"), Path::new("c.toml")).map(|read| read.crawl.memory);
    for (value, bytes) in [("1048576", 1 << 20), ("\"2 GiB\"", 2 << 30), ("\"1.5GB\"", 1_500_000_000), ("\"64 mib\"", 64 << 20)] {
        assert_eq!(read(value).unwrap(), Some(Bytes(bytes)), "{value}");
    }
    for value in ["-1", "\"-1 GiB\"", "1.5", "true", "\"much\"", "\"2 GiBs\"", "\"\""] {
        let told = format!("{:#}", read(value).unwrap_err());
        assert!(told.starts_with("c.toml: line 2: crawl.memory: ") && told.contains("\"1 GiB\""), "{value}: {told}");
    }
}

#[test]
fn what_is_not_toml_is_told_with_its_line() {
    let message = fault("[session]\npool_size 3\n");
    assert!(message.starts_with("c.toml: line 2: "), "{message}");
}

#[test]
fn every_table_of_the_design_is_understood() {
    let settings = parse(
        r#"
profile = "scrapy-zyte-api"
[api]
retry_wait_scale = 0
[crawl]
concurrency = 1
retry_times = 4
[session]
enabled = true
queue_wait_time = 0.02
location = { postalCode = "10001" }
pools = { "a" = { size = 2, randomize_delay = false } }
max_bad_inits_per_pool = { "a" = 3 }
[[site]]
name = "p1"
plugin = "scripted"
include = ["shop.example"]
config = { k = [1, 2.5, "x"] }
"#,
        Path::new("dir/c.toml"),
    )
    .unwrap();
    assert_eq!(settings.profile, Profile::ScrapyZyteApi);
    assert_eq!((settings.crawl.concurrency, settings.crawl.retry_times), (1, 4));
    assert_eq!(settings.session.queue_wait_time.duration(), Duration::from_millis(20));
    assert_eq!(settings.session.location.get("postalCode"), Some(&json!("10001")));
    assert_eq!(settings.session.pools["a"].size, Some(2));
    assert_eq!(settings.site[0].config, Some(json!({"k": [1, 2.5, "x"]})));
}

#[test]
fn paths_are_relative_to_the_settings_file() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("shop.json"), r#"{"zip": "10001"}"#).unwrap();
    std::fs::write(dir.path().join("bank.toml"), "[login]\nuser = \"u\"\n").unwrap();
    let file = dir.path().join("c.toml");
    let text = "[plugins]\ndir = \"p\"\n[[site]]\nname = \"a\"\nplugin = \"x\"\nconfig = \"shop.json\"\n[[site]]\nname = \"b\"\nplugin = \"x\"\nconfig = \"bank.toml\"\n";
    std::fs::write(&file, text).unwrap();
    let settings = load(Some(&file), &Screen::default()).unwrap();
    assert_eq!(settings.plugins.dir, Some(dir.path().join("p")));
    assert_eq!(settings.site[0].config, Some(json!({"zip": "10001"})));
    assert_eq!(settings.site[1].config, Some(json!({"login": {"user": "u"}})));
}

#[test]
fn a_config_file_that_cannot_be_read_names_settings_file_site_and_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.toml");
    std::fs::write(dir.path().join("bad.json"), "{,}").unwrap();
    for (config, part) in [("none.json", "cannot read"), ("bad.json", "is not JSON")] {
        let text = format!("[[site]]\nname = \"a\"\nplugin = \"x\"\nconfig = \"{config}\"\n");
        let message = format!("{:#}", parse(&text, &file).unwrap_err());
        for expected in ["c.toml: config of site \"a\": ", config, part] {
            assert!(message.contains(expected), "{message}");
        }
    }
}

#[test]
fn a_settings_file_that_was_named_must_exist() {
    let message = format!("{:#}", load(Some(Path::new("no/such.toml")), &Screen::default()).unwrap_err());
    assert!(message.starts_with("cannot read the settings file no/such.toml"), "{message}");
}

#[test]
fn an_empty_file_means_the_defaults() {
    assert_eq!(parse("", Path::new("c.toml")).unwrap(), Settings::default());
}

#[test]
fn the_api_address_gets_its_final_slash_and_may_be_that_of_the_calls() {
    assert_eq!(api_url("http://127.0.0.1:8765/v1").unwrap(), "http://127.0.0.1:8765/v1/");
    assert_eq!(api_url("https://api.zyte.com/v1/").unwrap(), "https://api.zyte.com/v1/");
    assert_eq!(api_url("https://api.zyte.com/v1/extract").unwrap(), "https://api.zyte.com/v1/");
    assert!(api_url("api.zyte.com/v1/").is_err());
    assert!(api_url("ftp://api.zyte.com/v1/").is_err());
}
