//! What the small types say to the host.

use std::{fmt, io};

use serde_json::{Value, json};

use crate::{DownloadError, Edit, Error, Location, Params, Pool, Verdict, shared, testing};

fn failed_download() -> DownloadError {
    DownloadError { token: 3, kind: "network".into(), status: 0, problem_type: String::new(), message: "cut".into() }
}

/// An error of an author that has another as its cause.
#[derive(Debug)]
struct Login(DownloadError);

impl fmt::Display for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no login")
    }
}

impl std::error::Error for Login {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn every_verdict_has_its_word() {
    let cases = [
        (Verdict::keep(), "keep", "", 0.0),
        (Verdict::keep_if(true), "keep", "", 0.0),
        (Verdict::keep_if(false), "discard", "check failed", 0.0),
        (false.into(), "discard", "check failed", 0.0),
        (Verdict::keep_if(false).because("wrong zip"), "discard", "wrong zip", 0.0),
        (Verdict::discard("a"), "discard", "a", 0.0),
        (Verdict::throttled(2.5), "throttled", "throttled", 2.5),
        (Verdict::reject("b"), "reject", "b", 0.0),
        (Verdict::close_pool("c"), "close-pool", "c", 0.0),
        (Verdict::close_crawl("d"), "close-crawl", "d", 0.0),
    ];
    for (verdict, kind, reason, delay) in cases {
        assert_eq!((verdict.kind(), verdict.reason(), verdict.delay()), (kind, reason, delay));
        assert_eq!(verdict.is_keep(), kind == "keep");
    }
}

#[test]
fn every_error_has_its_word() {
    let cases = [
        (Error::new("boom"), "error", "boom", 0),
        (Error::close_crawl("done"), "close-crawl", "done", 0),
        (Error::close_pool("gone"), "close-pool", "gone", 0),
        (Error::defer(), "defer", "", 0),
        (Error::from(failed_download()), "download", "cut", 3),
        (Error::from(Login(failed_download())), "download", "cut", 3),
        (Error::from(io::Error::other("disk")), "error", "disk", 0),
        (Error::from(io::Error::other(failed_download())), "error", "download failed (network): cut", 0),
        (Error::from("x".parse::<u8>().unwrap_err()), "error", "invalid digit found in string", 0),
    ];
    for (error, kind, message, token) in cases {
        assert_eq!((error.kind(), error.message(), error.token()), (kind, message, token));
    }
}

#[test]
fn a_location_is_written_as_it_was_read() {
    let address = json!({"addressCountry": "US", "postalCode": 10001, "city": "X", "streetAddress": "1 Main"});
    let location = Location::from_value(address.clone()).unwrap();
    assert_eq!(location.address_country.as_deref(), Some("US"));
    assert_eq!((location.postal_code.clone(), location.extra.get("postalCode")), (None, Some(&json!(10001))));
    assert_eq!(location.to_value(), address);
    assert!(Location::from_value(json!({})).unwrap().is_empty());
    assert!(Location::from_value(json!("10001")).is_err());
    for nothing in ["{}", "null"] {
        assert_eq!(Location::decode(nothing).unwrap(), None);
    }
}

#[test]
fn a_pool_is_a_name_until_it_has_options() {
    assert_eq!(Pool::from("a").as_value(), &json!("a"));
    let pool = Pool::from("a".to_owned()).size(1).delay(0.5).randomize_delay(false).max_in_flight(2);
    let expected = json!({"id": "a", "size": 1, "delay": 0.5, "randomize_delay": false, "max_in_flight": 2});
    assert_eq!((pool.id(), pool.as_value()), (Some("a"), &expected));
    assert_eq!(Pool::from(json!(123)).id(), None);
}

#[test]
fn params_are_built_step_by_step() {
    let params = Params::browser_html().action(json!({"action": "a"})).action(json!({"action": "b"})).without_session();
    let expected = json!({"browserHtml": true, "actions": [{"action": "a"}, {"action": "b"}], "session": null});
    assert_eq!(params.as_value(), &expected);
}

#[test]
fn headers_of_an_edit_join_those_of_the_request() {
    let one = |name: &str| json!([{"name": name, "value": "1"}]);
    let cases = [
        (Edit::new().header("b", "1"), json!([{"name": "a", "value": "1"}, {"name": "b", "value": "1"}])),
        (Edit::new().header("A", "1"), one("A")),
        (Edit::new().remove("customHttpRequestHeaders").header("b", "1"), one("b")),
        (Edit::new().set("customHttpRequestHeaders", one("b")).header("B", "1"), one("B")),
    ];
    for (edit, expected) in cases {
        let request = testing::request("https://a.example/").param("customHttpRequestHeaders", one("a")).build();
        let resolved = edit.clone().resolve(&request).unwrap();
        assert_eq!(resolved.set.get("customHttpRequestHeaders"), Some(&expected), "{edit:?}");
        assert_eq!(resolved.remove, Vec::<String>::new(), "{edit:?}");
    }
    let request = testing::request("https://a.example/").param("customHttpRequestHeaders", one("a")).build();
    let untouched = Edit::new().url("https://b.example/").remove("screenshot").resolve(&request).unwrap();
    assert!(untouched.set.is_empty() && untouched.remove == ["screenshot"]);
}

#[test]
fn selectors_pick_html_text_and_attributes() {
    let page = testing::response().html("<ul><li id=a>1<b>x</b>2</li><li id=b>3</li></ul>").build();
    let cases: [(&str, &[&str]); 6] = [
        ("b", &["<b>x</b>"]),
        ("li::text", &["1", "2", "3"]),
        ("#a ::text", &["1", "x", "2"]),
        ("li::attr(id)", &["a", "b"]),
        ("li::attr(class)", &[]),
        ("i", &[]),
    ];
    for (selector, expected) in cases {
        let found = page.css(selector).unwrap();
        assert_eq!(found.all().unwrap(), expected, "{selector}");
        assert_eq!(found.first().map(String::as_str), expected.first().copied(), "{selector}");
        assert_eq!(found.exists(), !expected.is_empty(), "{selector}");
    }
    assert!(page.css("li[").err().unwrap().message().contains("li["));
    assert!(page.xpath("//li").err().unwrap().message().contains("only the real host"));
    assert!(page.css("i").unwrap().required().unwrap_err().message().contains("\"i\""));
}

#[test]
fn an_answer_is_read_by_pointer_header_and_jmespath() {
    let page = testing::response().json(json!({"items": [{"n": 1}, {"n": 2}]})).header("Content-Type", "x/y").build();
    assert_eq!(page.jmespath::<Vec<u8>>("items[].n").unwrap(), Some(vec![1, 2]));
    assert_eq!(page.jmespath::<u8>("nothing").unwrap(), None);
    assert_eq!(page.jmespath::<Value>("items[?n > `1`] | [0]").unwrap(), Some(json!({"n": 2})));
    assert_eq!(
        page.jmespath::<Value>("{a: `[1, 2.5]`, b: to_number('3'), c: `{\"d\": 4}`}.[a, b, c.d]").unwrap(),
        Some(json!([[1, 2.5], 3, 4]))
    );
    assert_eq!(page.header("content-type").as_deref(), Some("x/y"));
    assert_eq!((page.status(), page.field::<u16>("/statusCode").unwrap()), (200, Some(200)));
    assert_eq!(page.field::<Value>("/product").unwrap(), None);
    assert!(page.field::<u8>("/url").unwrap_err().message().contains("/url"));
    let answer = testing::response().answer(json!({"browserHtml": "<p>", "actions": [{"status": "success"}]})).build();
    assert_eq!((answer.text(), answer.actions().unwrap().len()), ("<p>".to_owned(), 1));
}

#[test]
fn a_request_shows_its_parts() {
    let cases = [
        ("https://Shop.Example:8080/a?b", "shop.example:8080"),
        ("http://user:word@shop.example?x@y", "shop.example"),
        ("https://shop.example", "shop.example"),
    ];
    for (url, host) in cases {
        assert_eq!(testing::request(url).build().host(), host);
    }
    let request = testing::request("https://a.example/").meta("depth", 2).init().build();
    assert_eq!((request.meta_value::<u8>("depth").unwrap(), request.meta_value::<u8>("x").unwrap()), (Some(2), None));
    assert!(request.is_init() && request.location().unwrap().is_none() && request.session().is_none());
    assert_eq!(request.params().unwrap(), Params::new().url("https://a.example/"));
}

#[test]
fn the_shared_store_counts_only_numbers() {
    let _host = testing::Host::new().start();
    shared::set("word", "x").unwrap();
    assert!(shared::increment("word", 1).unwrap_err().message().contains("word"));
    shared::remove("word").unwrap();
    assert_eq!(shared::increment("word", -1).unwrap(), -1);
}
