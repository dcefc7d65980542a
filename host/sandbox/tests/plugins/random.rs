//! Damaged plugins and wild pages by the hundred: an error or an answer, never a panic of the host.
//!
//! `CAROUSEL_FUZZ_CASES` sets how many, as in `CAROUSEL_FUZZ_CASES=20000 cargo test -p carousel-sandbox --test plugins random`.

use carousel_core::exchange::Answer;
use carousel_core::settings::PluginSettings;
use carousel_engine::{Site, Sites};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::guests;
use crate::stage::{Directory, call, load, page, site};

/// Plugins that are loaded at once.
const ROUND: usize = 50;

fn cases(usual: usize) -> usize {
    std::env::var("CAROUSEL_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

#[test]
fn a_damaged_plugin_is_an_error_or_works() {
    let valid = std::fs::read(guests::component("good")).unwrap();
    let mut random = Rng::with_seed(1);
    for _ in 0..cases(200).div_ceil(ROUND) {
        let directory = Directory::new();
        for n in 0..ROUND {
            directory.write(&format!("{n:02}.wasm"), damaged(&valid, &mut random));
        }
        // Damaged code would fill the cache that the tests share.
        let settings = PluginSettings { cache: Some("".into()), ..directory.settings() };
        let loaded = load(&settings, &[]);
        for name in loaded.sites.names() {
            let site = loaded.sites.named(&name).unwrap();
            let _ = site.check(call("https://good.example/"), page("<p class=ok>"));
            let _ = site.plan(call("https://good.example/"));
        }
    }
}

/// A few bytes changed, a piece left out or repeated, or the end cut off.
fn damaged(valid: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    let (from, length) = (random.usize(..bytes.len()), random.usize(1..64));
    let to = (from + length).min(bytes.len());
    match random.u8(..8) {
        0 => bytes.truncate(from),
        1 => drop(bytes.drain(from..to)),
        2 => {
            let piece = bytes[from..to].to_vec();
            bytes.splice(from..from, piece);
        }
        _ => {
            for _ in 0..random.usize(1..4) {
                let place = random.usize(..bytes.len());
                bytes[place] = random.u8(..);
            }
        }
    }
    bytes
}

#[test]
fn a_wild_page_is_judged_or_refused() {
    let (by_css, by_rules) = (site("good", json!({})), site("scripted", json!({"hooks": {"check": {"return": true}}})));
    let mut random = Rng::with_seed(2);
    for _ in 0..cases(2_000) {
        let answer = Answer::parse(wild_answer(&mut random).to_string(), None).unwrap();
        let _ = by_css.check(call("https://good.example/"), answer.clone());
        let _ = by_rules.check(call(&format!("https://good.example/{}", wild_text(&mut random))), answer);
    }
}

fn wild_answer(random: &mut Rng) -> Value {
    let names = ["url", "statusCode", "browserHtml", "httpResponseBody", "httpResponseHeaders", "actions", "product"];
    let mut answer = json!({});
    for name in names {
        if random.bool() {
            answer[name] = wild_value(random, 3);
        }
    }
    answer
}

fn wild_value(random: &mut Rng, depth: u8) -> Value {
    match random.u8(..if depth == 0 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => json!(random.i64(..)),
        2 => json!(random.f64()),
        3 | 4 => json!(wild_text(random)),
        5 => (0..random.u8(..4)).map(|_| wild_value(random, depth - 1)).collect(),
        _ => json!({"name": wild_value(random, depth - 1), "value": wild_value(random, depth - 1)}),
    }
}

/// Pieces of markup, addresses and base64 in no order.
fn wild_text(random: &mut Rng) -> String {
    let pieces = [
        "<p class=ok>",
        "</p>",
        "<table>",
        "<a href='",
        "'",
        "<!--",
        "<svg>",
        "<![CDATA[",
        "&#x0;",
        "&amp",
        "\0",
        "é",
        "\u{10ffff}",
        "<script>",
        "PHA+",
        "==",
        "https://",
        "[::",
        "a.example",
        "{\"a\":",
        "<?xml version='1.0' encoding='utf-7'?>",
        "\r\n",
    ];
    (0..random.usize(..40)).map(|_| pieces[random.usize(..pieces.len())]).collect()
}
