//! What is thought of answers, and what is kept of them.

use super::*;

const HTML: &str = "<p class=zip>10001</p><p class=price>12.50 EUR</p><b>1</b><b>2</b>";

fn answer() -> testing::ResponseBuilder {
    let actions = json!([{"action": "goto", "status": "success"}, {"action": "setLocation", "status": "continued"}]);
    let answer = json!({"product": {"name": "tea", "sizes": [1, 2]}, "responseCookies": [{"name": "sid", "value": "s1"}]});
    let answer = testing::response().html(HTML).status(200).header("X-Shop", "open").actions(actions).answer(answer);
    answer.header("Set-Cookie", "lang=en; Path=/")
}

fn request() -> Request {
    let session = testing::session("shop");
    session.set("token", "t0k").unwrap();
    page().param("httpResponseBody", true).meta("tier", "gold").location(json!({"postalCode": "10001"})).session(&session).build()
}

/// Whether a condition holds for the answer.
fn holds(condition: Value) -> bool {
    let _host = site(json!({
        "usual_check": false,
        "save": {"token": {"css": "p", "on": "page"}},
        "check": [{"require": condition}],
    }));
    Declarative::check(&answer().build(), &request()).unwrap().is_keep()
}

#[test]
fn conditions_ask_about_every_part_of_an_answer_and_its_request() {
    for (condition, expected) in [
        (json!({"css": ".zip::text"}), true),
        (json!({"css": ".nowhere"}), false),
        (json!({"css": ".zip::text", "equals": "{location.postalCode}"}), true),
        (json!({"css": ".zip::text", "equals": 10001}), true),
        (json!({"css": ".zip::text", "equals": "60601"}), false),
        (json!({"css": ".zip::text", "one_of": ["1", "{location.postalCode}"]}), true),
        (json!({"css": ".zip::text", "one_of": ["1"]}), false),
        (json!({"css": ".price::text", "contains": "EUR"}), true),
        (json!({"css": ".price::text", "matches": "^[0-9]+[.][0-9]{2} EUR$"}), true),
        (json!({"css": ".price::text", "matches": "USD"}), false),
        (json!({"css": "b", "at_least": 2}), true),
        (json!({"css": "b", "at_least": 3}), false),
        (json!({"regex": "([0-9.]+) EUR", "equals": "12.50"}), true),
        (json!({"pointer": "/product/name", "equals": "tea"}), true),
        (json!({"pointer": "/product/sizes", "at_least": 2}), true),
        (json!({"pointer": "/product/none"}), false),
        (json!({"header": "x-shop", "equals": "open"}), true),
        (json!({"cookie": "sid", "equals": "s1"}), true),
        (json!({"cookie": "lang", "equals": "en"}), true),
        (json!({"cookie": "other"}), false),
        (json!({"status": 200}), true),
        (json!({"status": ["4xx", "2xx"]}), true),
        (json!({"status": "5xx"}), false),
        (json!({"action": "goto"}), true),
        (json!({"action": "setLocation"}), false),
        (json!({"action": "setLocation", "equals": "continued"}), true),
        (json!({"action": "*"}), false),
        (json!({"action": "click"}), false),
        (json!({"usual_check": false}), true),
        (json!({"url": "/p/[0-9]+"}), true),
        (json!({"param": "httpResponseBody", "equals": true}), true),
        (json!({"param": "browserHtml"}), false),
        (json!({"meta": "tier", "one_of": ["gold"]}), true),
        (json!({"location": "postalCode"}), true),
        (json!({"location": "addressRegion"}), false),
        (json!({"session": "token", "equals": "t0k"}), true),
        (json!({"all": [{"status": 200}, {"css": "b"}]}), true),
        (json!({"all": [{"status": 200}, {"css": "i"}]}), false),
        (json!({"any": [{"css": "i"}, {"css": "b"}]}), true),
        (json!({"any": [{"css": "i"}, {"css": "u"}]}), false),
        (json!({"not": {"css": "i"}}), true),
        (json!({"not": {"any": [{"css": "b"}]}}), false),
    ] {
        assert_eq!(holds(condition.clone()), expected, "{condition}");
    }
}

#[test]
fn a_json_page_is_asked_by_jmespath() {
    let _host = site(json!({"usual_check": false, "check": [{"require": {"jmespath": "stock[?n > `1`].n", "at_least": 2}}]}));
    for (page, expected) in [(json!({"stock": [{"n": 2}, {"n": 3}]}), true), (json!({"stock": [{"n": 2}]}), false)] {
        let page = testing::response().json(page).build();
        assert_eq!(Declarative::check(&page, &request()).unwrap().is_keep(), expected);
    }
}

#[test]
fn what_jmespath_computes_holds_where_it_is_true() {
    for (condition, expected) in [
        (json!({"jmespath": "length(stock) > `1`"}), true),
        (json!({"jmespath": "length(stock) > `3`"}), false),
        (json!({"jmespath": "stock[?n > `9`]"}), false),
        (json!({"not": {"jmespath": "contains(name, 'x')"}}), true),
        (json!({"jmespath": "none", "at_least": 1}), false),
        (json!({"jmespath": "length(none || `[]`)", "equals": 0}), true),
    ] {
        let _host = site(json!({"usual_check": false, "check": [{"require": condition}]}));
        let page = testing::response().json(json!({"stock": [{"n": 2}, {"n": 3}], "name": "tea"})).build();
        assert_eq!(Declarative::check(&page, &request()).unwrap().is_keep(), expected, "{condition}");
    }
}

#[test]
fn the_first_broken_rule_decides_and_says_why() {
    let rules = json!([
        {"on": "init", "require": {"not": {"css": ".error::text"}}, "otherwise": {"close_pool": "refused: {found}"}},
        {"when": {"url": "/cart"}, "require": {"status": 200}, "otherwise": {"reject": "no cart, status {found}"}},
        {"require": {"not": {"status": 429}}, "otherwise": {"throttled": 30}},
        {"require": {"not": {"status": 451}}, "otherwise": {"close_crawl": "not here"}},
        {"require": {"css": ".zip::text", "equals": "{location.postalCode}"},
         "otherwise": {"discard": "the page is for {found|nowhere}, not for {location.postalCode}"}},
        {"require": {"css": "h1"}},
    ]);
    let _host = site(json!({"usual_check": false, "check": rules}));
    let cart = || testing::request("https://s1.shop.example/cart");
    let good = "<b class=zip>10001</b><h1>tea</h1>";
    for (request, status, html, expected) in [
        (page(), 200, good, Verdict::keep()),
        (page().init(), 200, "<i class=error>no</i>", Verdict::close_pool("refused: no")),
        (page(), 200, "<i class=error>no</i>", Verdict::discard("the page is for nowhere, not for 10001")),
        (cart(), 404, good, Verdict::reject("no cart, status 404")),
        (page(), 404, good, Verdict::keep()),
        (page(), 429, good, Verdict::throttled(30.0)),
        (page(), 451, good, Verdict::close_crawl("not here")),
        (page(), 200, "<b class=zip>60601</b>", Verdict::discard("the page is for 60601, not for 10001")),
        (page(), 200, "<b class=zip> </b>", Verdict::discard("the page is for nowhere, not for 10001")),
        (page(), 200, "<b class=zip>10001</b>", Verdict::discard("check failed")),
    ] {
        let request = request.location(json!({"postalCode": "10001"})).build();
        let answer = testing::response().status(status).html(html).build();
        assert_eq!(Declarative::check(&answer, &request).unwrap(), expected, "{status} {html}");
    }
}

#[test]
fn what_was_found_may_be_nothing_and_have_words_of_its_own() {
    for (question, words, expected) in [
        (json!({"css": "h6"}), "no title, but {found}", "no title, but "),
        (json!({"css": "h6"}), "{found|nothing}", "nothing"),
        (json!({"css": "h6::text", "equals": "tea"}), "title {found|missing}", "title missing"),
        (json!({"header": "X-Zip", "equals": "1"}), "{found|none} in {host|somewhere}", "none in s1.shop.example"),
        (json!({"css": "h6", "at_least": 1}), "{found|none} found", "0 found"),
    ] {
        let _host = site(json!({"usual_check": false, "check": [{"require": question, "otherwise": {"discard": words}}]}));
        assert_eq!(Declarative::check(&answer().build(), &request()).unwrap(), Verdict::discard(expected), "{words}");
    }
}

#[test]
fn the_usual_check_comes_first_unless_it_is_switched_off() {
    for (usual, expected) in [(true, Verdict::discard("setLocation failed")), (false, Verdict::keep())] {
        let _host = site(json!({"usual_check": usual, "check": [{"require": {"css": "p"}}]}));
        assert_eq!(Declarative::check(&answer().build(), &request()).unwrap(), expected);
    }
}

#[test]
fn values_are_saved_of_the_answers_that_are_meant() {
    let save = json!({
        "token": {"css": "meta::attr(content)", "missing": "no token"},
        "trail": {"header": "X-Trail", "on": "any"},
        "name": {"pointer": "/product", "on": "page"},
    });
    let _host = site(json!({"save": save}));
    let session = testing::session("shop");
    let start = testing::response().html("<meta content=t0k>").header("X-Trail", "1").build();
    let init = page().init().session(&session).build();
    assert!(Declarative::check(&start, &init).unwrap().is_keep());
    assert_eq!((session.get("token").unwrap(), session.get("name").unwrap()), (Some("t0k".to_owned()), None::<Value>));

    let next = testing::response().html("<p>").header("X-Trail", "2").field("product", json!({"a": 1})).build();
    assert!(Declarative::check(&next, &page().session(&session).build()).unwrap().is_keep(), "what a page lacks is no fault");
    assert_eq!((session.get("token").unwrap(), session.get("trail").unwrap()), (Some("t0k".to_owned()), Some("2".to_owned())));
    assert_eq!(session.get("name").unwrap(), Some(json!({"a": 1})));

    let empty = testing::response().html("<p>").build();
    assert_eq!(Declarative::check(&empty, &init).unwrap(), Verdict::discard("no token"));
}
