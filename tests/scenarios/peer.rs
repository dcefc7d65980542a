//! The profile `scrapy-zyte-api` from outside: what a crawl that moves over relies on, and what the log tells it.

use serde_json::{Value, json};

use crate::crawl::NO_PAUSES;
use crate::harness::api::{Api, Kind};
use crate::harness::crawl::{Crawl, Crawled};
use crate::harness::gate::gate;
use crate::harness::reply::{BAN, Reply};
use crate::plugins::PATIENT;

/// A crawl in the peer's profile with sessions on, one request at a time, and these settings of `[session]` besides.
fn peer(api: &Api, session: &str) -> Crawl {
    with_tables(api, session, "")
}

fn with_tables(api: &Api, session: &str, tables: &str) -> Crawl {
    let head = "profile = \"scrapy-zyte-api\"\ncrawl.concurrency = 1\n";
    let settings = format!("{head}{NO_PAUSES}[session]\nenabled = true\npool_size = 1\n{session}\n{PATIENT}{tables}");
    Crawl::through(api).settings(&settings).args(["--loglevel", "DEBUG"])
}

fn lines(requests: &[Value]) -> String {
    requests.iter().map(|request| format!("{request}\n")).collect()
}

fn times(crawled: &Crawled, part: &str) -> usize {
    crawled.process.stderr.matches(part).count()
}

#[test]
fn hooks_for_a_location_serve_the_requests_that_have_one_and_no_others() {
    let api = Api::start(|_| Reply::ok());
    let site = json!({
        "base": "location",
        "hooks": {
            "params": {"return": {"browserHtml": true, "tags": {"for": "anybody"}}},
            "location_params": {"return": {"browserHtml": true, "tags": {"for": {"$location": "postalCode"}}}},
            "location_check": [
                {"when": {"init": false, "call": 2}, "do": {"return": false}},
                {"do": {"return": true}},
            ],
            "check": {"super": true},
        },
    });
    let table = "[[site]]\nname = \"shop\"\nplugin = \"guest-scripted\"\ninclude = [\"shop.example\"]\nconfig = \"shop.json\"\n";
    let crawl = with_tables(&api, "stats_per_pool = true", table).plugin("guest-scripted").file("shop.json", site.to_string());
    let page = |id, meta: Value| json!({"url": "https://shop.example/", "browserHtml": true, "echoData": id, "meta": meta});
    let located = page("there", json!({"zyte_api_session_location": {"postalCode": "10001"}}));
    let crawled = crawl.run(&lines(&[located, page("anywhere", json!({}))]));
    crawled.exits(0);
    let made_for: Vec<Value> = api.calls_of(Kind::Init).iter().map(|call| call.body["tags"]["for"].clone()).collect();
    assert_eq!(made_for, ["10001", "10001", "anybody"], "{}", crawled.process.stderr);
    let expected = json!({
        "pools/shop.example@10001/init/check-passed": 2,
        "pools/shop.example@10001/use/check-failed": 1,
        "pools/shop.example@10001/use/check-passed": 1,
        "pools/shop.example/init/check-passed": 1,
        "pools/shop.example/use/check-passed": 1,
    });
    assert_eq!(crawled.stats["sessions"], expected);
}

#[test]
fn a_request_may_bring_its_retry_policy_and_one_that_does_not_exist_is_its_own_fault() {
    let api = Api::start(|call| if call.kind == Kind::Use && call.nth < 3 { BAN } else { Reply::ok() });
    let page = |policy| json!({"url": "https://shop.example/", "browserHtml": true, "echoData": 1, "meta": {"zyte_api_retry_policy": policy}});
    let crawl = peer(&api, "").args(["--store-errors", "--annotate"]);
    let crawled = crawl.run(&lines(&[page("custom-download-x3"), page("never")]));
    crawled.exits(1);
    assert_eq!((api.calls_of(Kind::Init).len(), api.calls_of(Kind::Use).len()), (1, 3));
    assert_eq!(crawled.about(1).get("error"), None);
    assert_eq!(crawled.about(2)["error"]["kind"], "bad-request", "{}", crawled.about(2));
}

#[test]
fn a_session_context_with_other_parameters_is_told_of_once() {
    let api = Api::start(|_| Reply::ok());
    let page = |parameters: Value| {
        let context = json!([{"name": "visitor", "value": "1"}]);
        json!({"url": "https://shop.example/", "browserHtml": true, "sessionContext": context,
               "sessionContextParameters": parameters, "meta": {"zyte_api_session_enabled": false}})
    };
    let (one, other) = (json!({"actions": []}), json!({"actions": [{"action": "reload"}]}));
    let pages = [page(one.clone()), page(one.clone()), page(other.clone()), page(one), page(other)];
    let crawled = peer(&api, "").run(&lines(&pages));
    crawled.exits(0);
    assert_eq!(times(&crawled, "this sessionContext was used with other sessionContextParameters before"), 1);
}

#[test]
fn the_log_tells_which_parameters_a_numbered_pool_stands_for_once() {
    let api = Api::start(|_| Reply::ok());
    let page = |timeout| {
        let params = json!({"browserHtml": true, "actions": [{"action": "waitForTimeout", "timeout": timeout}]});
        json!({"url": "https://shop.example/", "browserHtml": true, "echoData": 1, "meta": {"zyte_api_session_params": params}})
    };
    let crawled = peer(&api, "").run(&lines(&[page(1), page(2), page(1)]));
    crawled.exits(0);
    let told = "the sessions of this pool are initialised with these parameters";
    assert_eq!(times(&crawled, told), 2, "{}", crawled.process.stderr);
    crawled.process.says(&["pool=\"shop.example[0]\" params={", "pool=\"shop.example[1]\" params={", "\"timeout\":2"]);
}

#[test]
fn the_log_tells_of_requests_that_wait_of_cookies_left_out_and_of_old_settings() {
    let huge = json!({"name": "huge", "value": "x".repeat(5000), "domain": "shop.example"});
    let api = Api::start(move |call| {
        let cookies = if call.kind == Kind::Init { json!([huge, {"name": "sid", "value": "1"}]) } else { json!([]) };
        Reply::Page { html: "<p class=ok>".into(), members: json!({"responseCookies": cookies}) }
    });
    let page = json!({"url": "https://shop.example/", "browserHtml": true, "echoData": 1});
    let crawled = peer(&api, "cookie_mode = true\npool_sizes = { \"shop.example\" = 1 }\n").run(&lines(&[page]));
    crawled.exits(0);
    crawled.process.says(&[
        "session.pool_sizes is deprecated",
        "waiting for a session",
        "a cookie is beyond the API's limits and is left out",
    ]);
    let sent = api.calls_of(Kind::Use)[0].body["requestCookies"].clone();
    assert_eq!(sent, json!([{"name": "sid", "value": "1"}]));
}

#[test]
fn as_many_requests_run_at_once_as_there_are_places_though_nothing_is_read_ahead() {
    let (mut gate, held) = gate();
    let api = Api::start(move |_| {
        held.pass();
        Reply::ok()
    });
    let settings = "profile = \"scrapy-zyte-api\"\ncrawl.concurrency = 3\n";
    let (mut crawl, _dir) = Crawl::through(&api).settings(settings).start("https://shop.example/1\nhttps://shop.example/2\n");
    crawl.write("https://shop.example/3\nhttps://shop.example/4\n");
    for _ in 0..3 {
        gate.wait_for_arrival();
    }
    gate.open();
    let ended = crawl.end();
    assert_eq!((ended.code, ended.stdout.len()), (Some(0), 4), "{}", ended.stderr);
}
