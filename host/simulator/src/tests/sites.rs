//! The fictional sites, each set up the way its manual says.

use serde_json::{Map, Value, json};

use super::{Client, page, session_id};
use crate::SimulatorOptions;

fn client() -> Client {
    Client::new(SimulatorOptions::default())
}

fn http(url: &str) -> Value {
    json!({"url": url, "httpResponseBody": true, "session": {"id": session_id(1)}})
}

fn post(url: &str, body: &str) -> Value {
    let mut request = http(url);
    request["httpRequestMethod"] = "POST".into();
    request["httpRequestText"] = body.into();
    request
}

fn browser(url: &str, actions: Value) -> Value {
    json!({"url": url, "browserHtml": true, "session": {"id": session_id(1)}, "actions": actions})
}

fn css(value: &str) -> Value {
    json!({"type": "css", "value": value})
}

fn statuses(answer: &Map<String, Value>) -> Vec<&str> {
    let results = answer["actions"].as_array().unwrap().iter();
    results.map(|it| it["status"].as_str().unwrap()).collect()
}

/// The text between two marks.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once(after).unwrap().0
}

const MARKET: &str = "https://s001.market.example";

#[test]
fn a_market_hides_prices_until_its_form_was_posted() {
    let mut client = client();
    let html = page(&client.ok(&http(&format!("{MARKET}/p/1"))));
    assert!(html.contains("<span class=\"zip\"></span>") && !html.contains("class=\"price\""));
    let answer = client.ok(&post(&format!("{MARKET}/location"), "zip=10001"));
    assert_eq!(answer["url"], format!("{MARKET}/"));
    let html = page(&client.ok(&http(&format!("{MARKET}/p/1"))));
    assert!(html.contains("<span class=\"zip\">10001</span>") && html.contains("class=\"price\""));
    let other = page(&client.ok(&http("https://s002.market.example/p/1")));
    assert!(other.contains("<span class=\"zip\"></span>"), "sites share nothing");
    let families = &client.simulator.report()["families"];
    assert_eq!(families["market"], json!({"entry": 1, "good": 1, "uninitialised": 2}));
}

#[test]
fn a_market_form_works_in_the_browser_in_several_ways() {
    let by_click = json!([
        {"action": "waitForSelector", "selector": css("#zip")},
        {"action": "type", "selector": css("#zip"), "text": "10001"},
        {"action": "click", "selector": css("#save")},
        {"action": "waitForSelector", "selector": css(".price")},
    ]);
    let by_key = json!([
        {"action": "type", "selector": {"type": "xpath", "value": "//input[@id='zip']"}, "text": "10001"},
        {"action": "keyPress", "key": "Enter"},
    ]);
    let by_script = json!([
        {"action": "evaluate", "source": "document.querySelector('#zip').value = '10001'; document.getElementById('location').submit();"},
    ]);
    for actions in [by_click, by_key, by_script] {
        let mut client = client();
        let answer = client.ok(&browser(&format!("{MARKET}/"), actions));
        assert!(statuses(&answer).iter().all(|it| *it == "success"), "{:?}", answer["actions"]);
        assert!(page(&answer).contains("<span class=\"zip\">10001</span>"));
        let html = page(&client.ok(&http(&format!("{MARKET}/p/1"))));
        assert!(html.contains("<span class=\"zip\">10001</span>"));
    }
}

#[test]
fn a_market_refuses_what_is_not_a_zip_code() {
    let mut client = client();
    for (body, status) in [("zip=abc", 400), ("", 400), ("zip=00000", 200)] {
        let mut request = post(&format!("{MARKET}/location"), "x");
        request["httpRequestText"] = if body.is_empty() { "a=b" } else { body }.into();
        let answer = client.ok(&request);
        assert_eq!(answer["statusCode"], status, "{body}");
        assert!(page(&answer).contains("class=\"error\""));
    }
    let html = page(&client.ok(&http(&format!("{MARKET}/p/1"))));
    assert!(html.contains("<span class=\"zip\"></span>"));
}

#[test]
fn a_price_depends_on_the_place() {
    let prices: Vec<_> = ["10001", "60601"]
        .into_iter()
        .map(|zip| {
            let mut client = client();
            client.ok(&post(&format!("{MARKET}/location"), &format!("zip={zip}")));
            let html = page(&client.ok(&http(&format!("{MARKET}/p/1"))));
            between(&html, "class=\"price\">", "<").to_owned()
        })
        .collect();
    assert_ne!(prices[0], prices[1]);
}

#[test]
fn set_location_is_not_supported_everywhere() {
    for host in ["s1.market.example", "s1.tickets.example", "s1.club.example", "any.example"] {
        let answer = client().ok(&browser(
            &format!("https://{host}/"),
            json!([{"action": "setLocation", "address": {"postalCode": "10001"}}, {"action": "reload"}]),
        ));
        assert_eq!(statuses(&answer), ["returned", "notExecuted"]);
        let error = answer["actions"][0]["error"].as_str().unwrap();
        assert_eq!(error, format!("Action setLocation not supported on {host}"));
    }
}

#[test]
fn storefronts_show_their_store_each_in_its_place() {
    for (family, shown) in [
        ("grocer", "<span id=\"store-postal\">10001</span>"),
        ("pharmacy", "<b>10001</b></div>"),
        ("bakery", "<meta name=\"store\" content=\"10001\">"),
    ] {
        let site = format!("https://s001.{family}.example");
        let mut client = client();
        let html = page(&client.ok(&http(&format!("{site}/p/1"))));
        assert!(!html.contains(shown) && !html.contains("class=\"price\"") && html.contains("class=\"locked\""));
        let actions = json!([{"action": "setLocation", "address": {"postalCode": "10001"}}]);
        let answer = client.ok(&browser(&format!("{site}/"), actions));
        assert_eq!(statuses(&answer), ["success"]);
        assert!(page(&answer).contains(shown));
        let html = page(&client.ok(&http(&format!("{site}/p/1"))));
        assert!(html.contains(shown) && html.contains("class=\"price\""), "{html}");
        let html = page(&client.ok(&http(&format!("{site}/store?postal=60601"))));
        assert!(html.contains("60601"), "{html}");
    }
}

#[test]
fn a_storefront_may_ignore_a_location_that_it_accepted() {
    let mut client = client();
    let actions = json!([{"action": "setLocation", "address": {"postalCode": "99999"}}]);
    let answer = client.ok(&browser("https://s1.grocer.example/", actions));
    assert_eq!(statuses(&answer), ["success"]);
    assert!(page(&answer).contains("<span id=\"store-postal\"></span>"));
}

#[test]
fn a_location_without_a_usable_postal_code_fails() {
    for address in [json!({}), json!({"postalCode": "?"})] {
        let actions = json!([{"action": "setLocation", "address": address, "onError": "continue"}, {"action": "reload"}]);
        let answer = client().ok(&browser("https://s1.grocer.example/", actions));
        assert_eq!(statuses(&answer), ["continued", "success"]);
    }
}

#[test]
fn tickets_ask_for_the_token_of_the_session() {
    let mut client = client();
    let site = "https://s001.tickets.example";
    let html = page(&client.ok(&http(&format!("{site}/"))));
    let token = between(&html, "name=\"csrf-token\" content=\"", "\"").to_owned();
    assert!(page(&client.ok(&http(&format!("{site}/")))).contains(&token), "the token stays");
    let mut request = http(&format!("{site}/p/1"));
    assert_eq!(client.ok(&request)["statusCode"], 403);
    request["customHttpRequestHeaders"] = json!([{"name": "X-CSRF-Token", "value": token}]);
    let answer = client.ok(&request);
    assert_eq!(answer["statusCode"], 200);
    assert!(page(&answer).contains("class=\"seat\""));
    request["session"]["id"] = session_id(2).into();
    assert_eq!(client.ok(&request)["statusCode"], 403, "another session has another token");
    request["url"] = "https://s002.tickets.example/p/1".into();
    request["session"]["id"] = session_id(1).into();
    assert_eq!(client.ok(&request)["statusCode"], 403, "another site knows nothing");
}

#[test]
fn a_club_lets_members_in_after_its_login() {
    let site = "https://s001.club.example";
    let mut client = client();
    let answer = client.ok(&http(&format!("{site}/members/1")));
    assert_eq!(answer["statusCode"], 401);
    assert!(page(&answer).contains("<a class=\"login\" href=\"/login\">"));
    let html = page(&client.ok(&http(&format!("{site}/login"))));
    let token = between(&html, "name=\"token\" value=\"", "\"").to_owned();
    for wrong in [
        format!("user=ann&password=guess&token={token}"),
        "user=ann&password=open-sesame&token=0".to_owned(),
        format!("user=&password=open-sesame&token={token}"),
    ] {
        let answer = client.ok(&post(&format!("{site}/login"), &wrong));
        assert_eq!(answer["statusCode"], 403, "{wrong}");
    }
    let right = format!("user=ann&password=open-sesame&token={token}");
    let answer = client.ok(&post(&format!("{site}/login"), &right));
    assert_eq!(answer["url"], format!("{site}/members/"));
    let html = page(&client.ok(&http(&format!("{site}/members/1"))));
    assert!(html.contains("<p class=\"member\">ann</p>"), "{html}");
}

#[test]
fn a_club_login_works_in_the_browser() {
    let answer = client().ok(&browser(
        "https://s001.club.example/login",
        json!([
            {"action": "type", "selector": css("#user"), "text": "bo"},
            {"action": "type", "selector": css("#password"), "text": "open-sesame"},
            {"action": "click", "selector": css("button[type=submit]")},
        ]),
    ));
    assert_eq!(answer["url"], "https://s001.club.example/members/");
    assert!(page(&answer).contains("<p class=\"member\">bo</p>"));
}

#[test]
fn a_club_bans_after_40_uses_and_a_market_after_60() {
    for (url, uses) in [("https://a.club.example/", 40), ("https://a.market.example/", 60)] {
        let mut client = client();
        let served = (0..100).take_while(|_| client.outcome(&http(url)) == "200").count();
        assert_eq!(served, uses, "{url}");
    }
}

#[test]
fn failed_actions_stop_or_go_on() {
    for (actions, expected) in [
        (json!([{"action": "click", "selector": css("#nothing")}, {"action": "reload"}]), vec!["returned", "notExecuted"]),
        (
            json!([{"action": "click", "selector": css("#nothing"), "onError": "continue"}, {"action": "reload"}]),
            vec!["continued", "success"],
        ),
        (
            json!([{"action": "waitForSelector", "selector": {"type": "css", "value": "#nothing", "state": "hidden"}}]),
            vec!["success"],
        ),
        (json!([{"action": "evaluate", "source": "throw new Error('no')"}]), vec!["returned"]),
        (json!([{"action": "click", "selector": css("###")}]), vec!["returned"]),
        (json!([{"action": "type", "selector": css("h1"), "text": "a"}]), vec!["returned"]),
        (json!([{"action": "goto", "url": "/p/2"}, {"action": "scrollBottom"}]), vec!["success", "success"]),
        (
            json!([{"action": "click", "selector": css(".list a")}, {"action": "waitForSelector", "selector": css(".price")}]),
            vec!["success", "success"],
        ),
        (
            json!([{"action": "waitForResponse", "urlPattern": "a.example"}, {"action": "waitForRequest", "urlPattern": "nowhere"}]),
            vec!["success", "returned"],
        ),
    ] {
        let answer = client().ok(&browser("https://a.example/", actions.clone()));
        assert_eq!(statuses(&answer), expected, "{actions}");
    }
}

#[test]
fn a_browser_works_for_60_seconds_at_most() {
    let wait = json!({"action": "waitForTimeout", "timeout": 15, "onError": "continue"});
    let actions = json!([wait, wait, wait, wait, wait, wait]);
    let answer = client().ok(&browser("https://a.example/", actions));
    assert_eq!(statuses(&answer), ["success", "success", "success", "success", "returned", "notExecuted"]);
}

#[test]
fn the_meters_notice_a_page_for_another_place() {
    let mut client = client();
    client.ok(&post(&format!("{MARKET}/location"), "zip=10001"));
    for (place, standing) in [("10001", "good"), ("60601", "wrong-place")] {
        let mut request = http(&format!("{MARKET}/p/1"));
        request["tags"] = json!({"place": place});
        client.ok(&request);
        assert_eq!(client.simulator.report()["pages"][standing], 1);
    }
}

#[test]
fn a_product_can_be_extracted() {
    let answer = client().ok(&json!({"url": "https://a.example/p/1", "product": true}));
    for field in ["name", "price", "sku"] {
        assert!(answer["product"][field].is_string(), "{field}");
    }
    assert_eq!(answer["product"]["metadata"]["dateDownloaded"], "2026-01-01T00:00:00Z");
}
