//! The hook language, run natively on scripts as they stand in scenario files.

use carousel_guest::{prelude::*, testing};

use crate::Scripted;
use crate::condition;
use crate::context::Context;
use crate::pattern::{is_ordinal, matches};
use crate::template::fill;

fn script(hooks: Value) -> testing::Running {
    testing::Host::new().config(json!({"id": "p1", "include": [], "hooks": hooks})).start()
}

fn page() -> Response {
    testing::response().answer(json!({"browserHtml": "<p>", "tags": {"tok": "t1"}, "list": [1, {"a": 2}]})).build()
}

#[test]
fn a_pattern_fits_part_of_a_value() {
    let value = json!({"a": 1, "b": {"c": [1, 2]}, "t": "text", "f": true});
    let cases = [
        (json!({"a": 1}), true),
        (json!({"a": 1.0}), true),
        (json!({"a": 2}), false),
        (json!({"a": true}), false),
        (json!({"f": 1}), false),
        (json!({"b": {"c": [1, 2]}}), true),
        (json!({"b": {"c": [1]}}), false),
        (json!({"x": 1}), false),
        (json!({}), true),
        (json!({"x": {"$absent": true}}), true),
        (json!({"a": {"$absent": true}}), false),
        (json!({"a": {"$any": true}}), true),
        (json!({"x": {"$any": true}}), false),
        (json!({"t": {"$contains": "ex"}}), true),
        (json!({"b": {"c": {"$contains": 2}}}), true),
        (json!({"b": {"c": {"$contains": 3}}}), false),
        (json!({"t": {"$regex": "^t.x"}}), true),
        (json!({"a": {"$regex": "1"}}), false),
        (json!({"t": {"$not": "text"}}), false),
        (json!({"t": {"$not": {"$contains": "z"}}}), true),
        (json!({"t": {"$len": 4}}), true),
        (json!({"b": {"c": {"$len": 3}}}), false),
        (json!({"b": {"$exact": {"c": [1, 2]}}}), true),
        (json!({"$exact": {"a": 1}}), false),
        (json!("text"), false),
    ];
    for (pattern, fits) in cases {
        assert_eq!(matches(&pattern, &value).unwrap(), fits, "{pattern}");
    }
    assert!(matches(&json!({"t": {"$regex": "("}}), &value).is_err());
    assert!(matches(&json!({"t": {"$like": "x"}}), &value).is_err());
}

#[test]
fn an_ordinal_names_counts() {
    let cases = [
        (json!(3), vec![3]),
        (json!([1, 4]), vec![1, 4]),
        (json!({"min": 4}), vec![4, 5]),
        (json!({"max": 2}), vec![1, 2]),
        (json!({"min": 2, "max": 3}), vec![2, 3]),
        (json!({"odd": true}), vec![1, 3, 5]),
        (json!({"odd": false}), vec![2, 4]),
    ];
    for (ordinal, counts) in cases {
        let named: Vec<i64> = (1..=5).filter(|count| is_ordinal(&ordinal, *count)).collect();
        assert_eq!(named, counts, "{ordinal}");
    }
}

#[test]
fn a_condition_holds_if_all_its_members_do() {
    let _host = testing::Host::new().settings(json!({"pool_size": 2})).start();
    let session = testing::session("p");
    session.set("csrf", "abc").unwrap();
    let request = testing::request("https://Shop.example/a/b?c=1")
        .param("browserHtml", true)
        .meta("note", "x")
        .location(json!({"postalCode": "10001"}))
        .session(&session)
        .init()
        .build();
    let page = page();
    let mut context = Context::new(&request).with_response(&page);
    context.call = 2;
    let cases = [
        (json!({}), true),
        (json!({"init": true}), true),
        (json!({"init": false}), false),
        (json!({"host": "shop.example"}), true),
        (json!({"host": "example"}), false),
        (json!({"host_contains": "op.ex"}), true),
        (json!({"url_contains": "/a/"}), true),
        (json!({"url_contains": "/z/"}), false),
        (json!({"url_regex": "c=[0-9]$"}), true),
        (json!({"meta": {"note": "x"}}), true),
        (json!({"meta": {"other": "x"}}), false),
        (json!({"meta_absent": ["other"]}), true),
        (json!({"meta_absent": ["other", "note"]}), false),
        (json!({"request_params": {"browserHtml": true}}), true),
        (json!({"request_params": {"screenshot": {"$absent": true}}}), true),
        (json!({"response": {"statusCode": 200, "tags": {"tok": "t1"}}}), true),
        (json!({"response": {"statusCode": 403}}), false),
        (json!({"response": {"$not": {"statusCode": 403}}}), true),
        (json!({"settings": {"session.pool_size": 2}}), true),
        (json!({"settings": {"pool_size": 3}}), false),
        (json!({"location": "set"}), true),
        (json!({"location": "unset"}), false),
        (json!({"location": {"postalCode": "10001"}}), true),
        (json!({"session": {"csrf": "abc", "other": {"$absent": true}}}), true),
        (json!({"session": {"other": "abc"}}), false),
        (json!({"call": 2}), true),
        (json!({"call": 1}), false),
        (json!({"init": true, "call": 1}), false),
        (json!({"all": [{"init": true}, {"call": 1}]}), false),
        (json!({"any": [{"init": false}, {"call": 2}]}), true),
        (json!({"any": []}), false),
        (json!({"not": {"call": 1}}), true),
    ];
    for (condition, expected) in cases {
        assert_eq!(condition::holds(&condition, &context).unwrap(), expected, "{condition}");
    }
    for wrong in [json!({"hots": "a"}), json!({"host": 1}), json!({"any": {}}), json!({"location": "here"})] {
        assert!(condition::holds(&wrong, &context).is_err(), "{wrong}");
    }
}

#[test]
fn placeholders_are_filled_in() {
    let session = testing::session("p");
    session.set("tok", &json!({"n": 7})).unwrap();
    let request = testing::request("https://shop.example/a//")
        .meta("deep", json!({"er": [1, 2]}))
        .location(json!({"postalCode": "10001"}))
        .session(&session)
        .build();
    let page = page();
    let mut context = Context::new(&request).with_response(&page);
    context.call = 3;
    let cases = [
        (json!("{host}|{url}|{url_rstrip}"), json!("shop.example|https://shop.example/a//|https://shop.example/a")),
        (json!("{call}/{session.tok.n}/{location.postalCode}"), json!("3/7/10001")),
        (json!("{session_id}"), json!(session.id())),
        (json!("{session.none}{location.none}"), json!("")),
        (json!("{other} {{call} {"), json!("{other} {3 {")),
        (json!({"$location": true}), json!({"postalCode": "10001"})),
        (json!({"a": [{"$location": "postalCode"}]}), json!({"a": ["10001"]})),
        (json!({"$meta": "deep.er.1"}), json!(2)),
        (json!({"$response": "tags.tok"}), json!("t1")),
        (json!({"$response": "list.1.a"}), json!(2)),
        (json!({"$session": "tok.n"}), json!(7)),
        (json!({"$session": "none"}), json!(null)),
        (json!({"$session": "tok", "more": 1}), json!({"$session": "tok", "more": 1})),
    ];
    for (template, filled) in cases {
        assert_eq!(fill(&template, &context).unwrap(), filled, "{template}");
    }
}

#[test]
fn a_hook_without_a_case_that_holds_gives_the_default() {
    let request = testing::request("https://shop.example/").build();
    let scripts = [
        json!({}),
        json!({"enabled": {"super": true}, "pool": {"super": true}, "check": {"super": true}}),
        json!({"enabled": [{"when": {"call": 2}, "do": {"return": false}}], "check": [{"when": {"init": true}, "do": {"raise": "x"}}]}),
    ];
    for hooks in scripts {
        let _host = script(hooks.clone());
        assert!(Scripted::enabled(&request).unwrap(), "{hooks}");
        assert!(!Scripted::cookie_mode(&request).unwrap());
        assert_eq!(Scripted::pool(&request).unwrap(), Pool::from("shop.example"));
        assert_eq!(Scripted::location(&request).unwrap(), None);
        assert_eq!(Scripted::params(&request).unwrap(), Params::browser_html());
        assert!(Scripted::check(&page(), &request).unwrap().is_keep(), "{hooks}");
        assert_eq!(Scripted::process_request(&request).unwrap(), Edit::none());
        assert_eq!(Scripted::init_session(&testing::session("p"), &request).unwrap_err().kind(), "defer");
    }
}

#[test]
fn calls_are_counted_for_each_hook() {
    let _host = script(json!({
        "pool": [{"when": {"call": 1}, "do": {"return": "first"}}, {"do": {"return": "call-{call}"}}],
        "check": {"return": {"$response": "none"}},
    }));
    let request = testing::request("https://shop.example/").build();
    assert!(!Scripted::check(&page(), &request).unwrap().is_keep());
    let pools: Vec<Pool> = (0..3).map(|_| Scripted::pool(&request).unwrap()).collect();
    assert_eq!(pools, ["first", "call-2", "call-3"].map(Pool::from));
}

#[test]
fn hooks_fail_and_close_as_told() {
    let _host = script(json!({"params": {"raise": "boom"}, "pool": {"close": "{host} is gone"}, "location": {"return": 5}}));
    let request = testing::request("https://shop.example/").build();
    let failed = Scripted::params(&request).unwrap_err();
    assert_eq!((failed.kind(), failed.message()), ("error", "boom"));
    let closed = Scripted::pool(&request).unwrap_err();
    assert_eq!((closed.kind(), closed.message()), ("close-crawl", "shop.example is gone"));
    assert_eq!(Scripted::location(&request).unwrap_err().kind(), "error");
}

#[test]
fn a_fallback_counts_where_the_default_is_empty() {
    let _host = script(json!({"location": {"super_or": {"postalCode": "1"}}}));
    let without = testing::request("https://shop.example/").build();
    let with = testing::request("https://shop.example/").location(json!({"postalCode": "2"})).build();
    assert_eq!(Scripted::location(&without).unwrap(), Some(Location::of_postal_code("1")));
    assert_eq!(Scripted::location(&with).unwrap(), Some(Location::of_postal_code("2")));
}

#[test]
fn location_hooks_stand_in_where_there_is_a_location() {
    let hooks = json!({"location_check": {"return": false}, "location_params": {"return": {"screenshot": true}}});
    let with = testing::request("https://shop.example/").location(json!({"postalCode": "1"})).build();
    let without = testing::request("https://shop.example/").build();
    for (base, request, stands_in) in [("location", &with, true), ("location", &without, false), ("default", &with, false)] {
        let _host = testing::Host::new().config(json!({"base": base, "hooks": hooks})).start();
        assert_eq!(!Scripted::check(&page(), request).unwrap().is_keep(), stands_in, "{base}");
        let params = Scripted::params(request).unwrap();
        assert_eq!(params.get("screenshot").is_some(), stands_in, "{base}");
    }
}

#[test]
fn what_check_stores_goes_into_the_next_request() {
    let _host = script(json!({
        "check": {"store": {"csrf": {"$response": "tags.tok"}}, "return": true},
        "process_request": {"edit": {"params": {"tags": {"csrf": {"$session": "csrf"}}}, "drop_params": ["a"], "url": "{url_rstrip}?k={session.csrf}"}},
    }));
    let session = testing::session("p");
    let request = testing::request("https://shop.example/x/").session(&session).build();
    assert!(Scripted::check(&page(), &request).unwrap().is_keep());
    let edit = Edit::new().set("tags", json!({"csrf": "t1"})).remove("a").url("https://shop.example/x?k=t1");
    assert_eq!(Scripted::process_request(&request).unwrap(), edit);
    let nobody = testing::request("https://shop.example/").build();
    assert!(Scripted::check(&page(), &nobody).unwrap_err().message().contains("no session"));
}

#[test]
fn a_chain_downloads_in_order_and_stops_where_an_answer_is_wrong() {
    let chain = |status: u16| {
        json!({"init_session": {"return": true, "chain": [
            {"params": {"browserHtml": true}, "require": {"statusCode": status}, "store": {"tok": {"$response": "statusCode"}}},
            {"url": "https://shop.example/t{session.tok}", "params": {"session": null}},
        ]}})
    };
    let first = Params::browser_html().url("https://shop.example/start");
    let second = Params::new().without_session().url("https://shop.example/t200");
    for (status, good, sent) in [(200, true, vec![first.clone(), second]), (201, false, vec![first])] {
        let host =
            testing::Host::new().config(json!({"hooks": chain(status)})).downloads(|_| Ok(testing::response().build())).start();
        let session = testing::session("p");
        let request = testing::request("https://shop.example/start").init().build();
        assert_eq!(Scripted::init_session(&session, &request).unwrap(), good);
        assert_eq!(host.downloaded(), sent);
    }
}

#[test]
fn a_chain_without_a_result_hands_over_to_the_default() {
    let host = testing::Host::new()
        .config(json!({"hooks": {"init_session": {"chain": [{"params": {}}]}}}))
        .downloads(|_| Ok(testing::response().build()))
        .start();
    let request = testing::request("https://shop.example/").init().build();
    let error = Scripted::init_session(&testing::session("p"), &request).unwrap_err();
    assert_eq!((error.kind(), host.downloaded().len()), ("defer", 1));
}

#[test]
fn every_hook_is_named_because_any_may_be_scripted() {
    assert_eq!(testing::describe::<Scripted>().hooks.len(), 8);
    assert!(testing::describe::<Scripted>().include.is_empty());
}
