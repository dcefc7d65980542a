//! Plugins that misbehave harm one call.

use carousel_core::hooks::HookError;
use carousel_core::settings::{PluginSettings, Seconds};
use carousel_core::verdict::Verdict;
use carousel_engine::Site;
use serde_json::json;

use crate::record::logged;
use crate::stage::{Directory, call, page, site, site_with};

#[test]
fn every_misdeed_ends_in_words_and_the_next_call_works() {
    for (deed, words) in [
        ("loop", "took longer than 0.1 s"),
        ("recurse", "recursed too deep"),
        ("panic", "panicked: misbehaving on purpose (at "),
        ("long-lines", "gave the host more than 4 MiB at once"),
        ("downloads", "took longer than 0.1 s"),
        ("log-flood", "took longer than 0.1 s"),
    ] {
        let site = site("misbehaving", json!({}));
        let (result, lines) = logged(|| site.check(call(&format!("https://misbehaving.example/check/{deed}")), page("")));
        let Err(HookError::Trapped(message)) = result else { panic!("{deed}: {result:?}") };
        assert!(message.contains(words) && message.contains("misbehaving"), "{deed}: {message}");
        let warned = lines.iter().any(|line| line.starts_with("WARN") && line.contains(words) && line.contains("hook=check"));
        assert!(warned, "{deed}: {lines:?}");
        assert_eq!(site.check(call("https://misbehaving.example/"), page("")), Ok(Verdict::Keep), "after {deed}");
        let report = site.report();
        assert_eq!((report.traps(), report.calls()), (1, 2));
    }
}

#[test]
fn work_of_the_host_counts_as_the_plugins_own() {
    let site = site("misbehaving", json!({}));
    let large = format!("<body>{}", "<div><p>some words and <b>more 12345</b></p></div>".repeat(5_000));
    for deed in ["host-calls", "queries", "patterns", "session-data", "shared-data"] {
        let result = site.check(call(&format!("https://misbehaving.example/check/{deed}")), page(&large));
        let Err(HookError::Trapped(message)) = result else { panic!("{deed}: {result:?}") };
        assert!(message.contains("took longer than 0.1 s"), "{deed}: {message}");
    }
}

#[test]
fn a_stop_is_told_in_full_once_and_its_repetitions_are_counted() {
    let settings = PluginSettings { fault_limit: 0, ..Directory::new().settings() };
    let site = site_with("misbehaving", json!({}), settings);
    let (_, lines) = logged(|| {
        for _ in 0..100 {
            let _ = site.check(call("https://misbehaving.example/check/panic"), page(""));
        }
    });
    let told: Vec<&String> = lines.iter().filter(|line| line.starts_with("WARN") || line.starts_with("ERROR")).collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[0].contains("it panicked: misbehaving on purpose (at ") && told[0].contains("\n    in "), "{told:#?}");
    assert!(told[0].contains("panic_with_message") && !told[0].contains("core::panicking"), "{told:#?}");
    assert!(told[2].contains("stopped again") && told[2].contains("times=100"), "{told:#?}");
}

/// A plugin that is not in the cache runs on the code of another compiler, which must hold it as tightly.
#[test]
fn a_plugin_on_baseline_code_is_bounded_in_the_same_way() {
    let directory = Directory::new();
    let settings = PluginSettings { cache: Some("".into()), fault_limit: 0, ..directory.settings() };
    let site = site_with("misbehaving", json!({}), settings);
    for (deed, words) in [
        ("loop", "took longer than 0.1 s"),
        ("recurse", "recursed too deep"),
        ("panic", "panicked: misbehaving on purpose (at "),
        ("long-lines", "gave the host more than 4 MiB at once"),
    ] {
        let result = site.check(call(&format!("https://misbehaving.example/check/{deed}")), page(""));
        assert!(matches!(&result, Err(HookError::Trapped(why)) if why.contains(words)), "{deed}: {result:?}");
        assert_eq!(site.check(call("https://misbehaving.example/"), page("")), Ok(Verdict::Keep), "after {deed}");
    }
}

#[test]
fn memory_ends_at_its_limit_and_the_next_call_has_all_of_it() {
    let settings = PluginSettings { memory: 16 << 20, deadline: Seconds::new(60), ..Directory::new().settings() };
    let site = site_with("misbehaving", json!({}), settings);
    for _ in 0..3 {
        let result = site.check(call("https://misbehaving.example/check/allocate"), page(""));
        let Err(HookError::Trapped(message)) = result else { panic!("{result:?}") };
        assert!(message.contains("wanted more than 16 MiB of memory"), "{message}");
        assert_eq!(site.check(call("https://misbehaving.example/"), page("")), Ok(Verdict::Keep));
    }
}

#[test]
fn a_result_of_300_mb_is_refused_whatever_the_memory() {
    let settings = PluginSettings { memory: 1 << 30, deadline: Seconds::new(60), ..Directory::new().settings() };
    let site = site_with("misbehaving", json!({}), settings);
    let result = site.check(call("https://misbehaving.example/check/return-huge"), page(""));
    let Err(HookError::Trapped(message)) = result else { panic!("{result:?}") };
    assert!(message.contains("gave the host more than 4 MiB at once"), "{message}");
    assert_eq!(site.check(call("https://misbehaving.example/"), page("")), Ok(Verdict::Keep));
}

#[test]
fn a_flood_of_log_lines_is_cut_and_counted() {
    let site = site("misbehaving", json!({}));
    let (_, lines) = logged(|| site.check(call("https://misbehaving.example/check/log-flood"), page("")));
    let from_plugin = lines.iter().filter(|line| line.starts_with("INFO plugin") && line.contains("flood"));
    assert_eq!(from_plugin.count(), 100);
    assert!(lines.iter().any(|line| line.contains("further lines of this call were dropped")), "{lines:?}");
    assert!(lines.iter().all(|line| line.len() < 10_000));
}

#[test]
fn a_guest_that_sleeps_longer_than_it_may_compute_is_stopped_at_once() {
    let site = site("scripted", json!({"hooks": {"check": {"sleep": 3600, "return": true}}}));
    let result = site.check(call("https://a.example/"), page(""));
    let Err(HookError::Trapped(message)) = result else { panic!("{result:?}") };
    assert!(message.contains("wanted to sleep past the 0.1 s that it may take"), "{message}");
}

#[test]
fn words_of_a_plugin_are_short_and_cannot_pass_for_lines_of_the_host() {
    let forged = format!("x\n WARN carousel: forged\r\u{1b}[2J{}", "long ".repeat(10_000));
    let proper = |text: &str| {
        let alone = text.lines().skip(1).all(|line| line.starts_with("    "));
        alone && text.len() < 10_000 && !text.contains(['\r', '\u{1b}']) && text.contains("forged")
    };
    let raised = site("scripted", json!({"hooks": {"check": {"raise": forged}}})).check(call("https://a.example/"), page(""));
    assert!(matches!(&raised, Err(HookError::Raised(why)) if proper(why)), "{raised:?}");
    let pool = json!({"hooks": {"pool": {"return": "p".repeat(10_000)}}});
    let plan = site("scripted", pool).plan(call("https://a.example/")).unwrap();
    assert!(matches!(&plan.pool, Err(HookError::Raised(why)) if why.contains("10000 bytes")), "{:?}", plan.pool);
}

#[test]
fn a_short_sleep_is_allowed_and_a_trap_in_one_hook_of_a_plan_leaves_the_others_their_answers() {
    let script = json!({"hooks": {
        "enabled": {"sleep": 0.001, "return": true},
        "location": {"sleep": 3600, "return": {}},
        "pool": {"return": "a pool"},
    }});
    let site = site("scripted", script);
    let plan = site.plan(call("https://a.example/")).unwrap();
    assert!(matches!(plan.location, Err(HookError::Trapped(_))));
    assert_eq!(plan.pool.unwrap().id, "a pool");
    assert_eq!(site.report().instances, 2);
}
