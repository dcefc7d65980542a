//! What is asked for: pools, locations, parameters, chains, edits.

use super::*;

#[test]
fn only_the_hooks_that_a_config_needs_are_asked() {
    for (config, expected) in [
        (json!({}), vec![]),
        (json!({"enabled": true, "cookie_mode": false}), vec!["enabled", "cookie-mode"]),
        (json!({"pool": "a", "params": {}}), vec!["pool", "params"]),
        (json!({"location": {}, "init": [{"params": {}}]}), vec!["location", "init-session"]),
        (json!({"save": {"a": {"css": "p"}}, "edit": [{}]}), vec!["check", "process-request"]),
        (json!({"usual_check": false}), vec!["check"]),
    ] {
        let _host = testing::Host::new().config(config.clone()).start();
        assert_eq!(Declarative::configure().unwrap(), Hooks::only(expected), "{config}");
    }
}

#[test]
fn placeholders_stand_for_what_is_known_of_a_request() {
    let session = testing::session("shop");
    session.set("token", "t&k").unwrap();
    let request = page()
        .param("geolocation", "US")
        .meta("user", json!({"name": "ann", "ids": [7, 8]}))
        .location(json!({"postalCode": "SW1A 1AA"}))
        .session(&session)
        .build();
    for (template, expected) in [
        (json!("plain"), json!("plain")),
        (json!("https://{host}/"), json!("https://s1.shop.example/")),
        (json!("{url}"), json!(PAGE)),
        (json!("{site}"), json!("shop")),
        (json!("{session_id}"), json!(session.id())),
        (json!("{session.token:url}"), json!("t%26k")),
        (json!("{location.postalCode:url}"), json!("SW1A%201AA")),
        (json!("{location}"), json!({"postalCode": "SW1A 1AA"})),
        (json!("{location:json}"), json!("{\"postalCode\":\"SW1A 1AA\"}")),
        (json!("{meta.user.name}/{meta.user.ids.1}"), json!("ann/8")),
        (json!("{meta.user.ids.0}"), json!(7)),
        (json!("{meta.none|10001}"), json!("10001")),
        (json!("{param.geolocation}"), json!("US")),
        (json!("{{host}} {host}"), json!("{host} s1.shop.example")),
        (json!(["{site}", 1, true]), json!(["shop", 1, true])),
    ] {
        let _host = site(json!({"params": {"value": template}, "save": {"token": {"css": "p"}}}));
        assert_eq!(Declarative::params(&request).unwrap().get("value"), Some(&expected), "{template}");
    }
    let _host = site(json!({"params": {"url": "{meta.none}"}}));
    assert_eq!(Declarative::params(&request).unwrap_err().message(), "there is no value for {meta.none}");
}

#[test]
fn pools_are_named_by_a_template_and_may_have_options() {
    for (pool, expected) in [
        (json!("{host}-{location.postalCode}"), json!("s1.shop.example-SW1A 1AA")),
        (json!({"id": "{site}", "size": 2, "delay": 1.5}), json!({"id": "shop", "size": 2, "delay": 1.5})),
    ] {
        let _host = site(json!({"pool": pool}));
        assert_eq!(Declarative::pool(&placed()).unwrap().as_value(), &expected);
    }
}

#[test]
fn a_location_stands_in_where_a_request_has_none() {
    let _host = site(json!({"location": {"postalCode": "{meta.zip}", "addressCountry": "US", "addressRegion": "{meta.region}"}}));
    let request = page().meta("zip", 10001).build();
    let found = Declarative::location(&request).unwrap().unwrap().to_value();
    assert_eq!(found, json!({"postalCode": "10001", "addressCountry": "US"}));
    let own = Declarative::location(&placed()).unwrap().unwrap();
    assert_eq!(own.postal_code.as_deref(), Some("SW1A 1AA"));
}

#[test]
fn without_a_location_the_host_does_as_usual_if_the_config_says_so() {
    let _host = site(json!({
        "only_with_location": true,
        "params": {"url": "https://{host}/{location.postalCode:url}"},
        "check": [{"require": {"css": "h1"}}],
        "edit": [{"params": {"tags": {"a": "{location.postalCode}"}}}],
    }));
    let url = |request: &Request| Declarative::params(request).unwrap().get("url").cloned();
    assert_eq!(url(&placed()), Some(json!("https://s1.shop.example/SW1A%201AA")));
    assert_eq!(url(&page().build()), None);
    let answer = testing::response().html("<p>").build();
    assert!(Declarative::check(&answer, &page().build()).unwrap().is_keep());
    assert!(!Declarative::check(&answer, &placed()).unwrap().is_keep());
    assert_eq!(Declarative::process_request(&page().build()).unwrap(), Edit::none());
    assert_eq!(Declarative::process_request(&placed()).unwrap(), Edit::new().set("tags", json!({"a": "SW1A 1AA"})));
}

#[test]
fn a_site_without_config_is_told_that_it_needs_one() {
    let _host = testing::Host::new().start();
    assert!(Declarative::params(&placed()).unwrap_err().message().contains("needs a config"));
}

#[test]
fn edits_add_to_the_requests_that_they_are_meant_for() {
    let session = testing::session("shop");
    session.set("token", "t&k").unwrap();
    let headers = json!([{"name": "Accept", "value": "*/*"}]);
    let request = || page().param("httpResponseBody", true).param("customHttpRequestHeaders", headers.clone()).session(&session);
    let save = json!({"token": {"css": "p"}});
    for (edit, url, set) in [
        (
            json!({"headers": {"X-Token": "{session.token}"}}),
            None,
            json!({"customHttpRequestHeaders": [{"name": "Accept", "value": "*/*"}, {"name": "X-Token", "value": "t&k"}]}),
        ),
        (json!({"query": {"t": "{session.token}", "a": 2}}), Some("https://s1.shop.example/p/7?t=t%26k&a=2"), json!({})),
        (json!({"url": "https://{host}/q", "query": {"a": 2}}), Some("https://s1.shop.example/q?a=2"), json!({})),
        (json!({"body": "token={session.token:url}"}), None, json!({"httpRequestText": "token=t%26k"})),
        (
            json!({"json": {"t": "{session.token}", "n": 1}, "headers": {"content-type": "text/x"}, "remove": ["customHttpRequestHeaders"]}),
            None,
            json!({
                "customHttpRequestHeaders": [{"name": "content-type", "value": "text/x"}],
                "httpRequestText": "{\"t\":\"t&k\",\"n\":1}",
            }),
        ),
        (json!({"params": {"tags": {"site": "{site}"}}}), None, json!({"tags": {"site": "shop"}})),
        (json!({"when": {"param": "browserHtml"}, "params": {"a": 1}}), None, json!({})),
        (json!({"when": {"url": "/p/"}, "params": {"a": 1}}), None, json!({"a": 1})),
    ] {
        let _host = site(json!({"save": save, "edit": [edit]}));
        let request = request().build();
        let edited = Declarative::process_request(&request).unwrap().resolve(&request).unwrap();
        assert_eq!((edited.url.as_deref(), &Value::Object(edited.set)), (url, &set), "{edit}");
    }
}

/// A login in two steps, as the example plugin `club` does it.
fn login() -> Value {
    json!({"init": [
        {"params": {"url": "https://{host}/login", "browserHtml": true}, "save": {"token": {"css": "input::attr(value)"}}},
        {
            "params": {"url": "https://{host}/login", "httpResponseBody": true},
            "headers": {"X-From": "{site}"},
            "form": {"user": "ann", "password": "a &b", "token": "{session.token}"},
            "session": false,
            "check": [
                {"require": {"not": {"status": 403}}, "otherwise": {"close_pool": "the password is refused"}},
                {"require": {"css": ".member::text", "equals": "ann"}},
            ],
        },
    ]})
}

#[test]
fn a_chain_of_calls_initialises_a_session() {
    for (form, status, greeting, expected) in [
        ("<input value=t0k>", 200, "<p class=member>ann</p>", Ok(true)),
        ("<input value=t0k>", 200, "<p class=member>bo</p>", Ok(false)),
        ("<p>closed</p>", 200, "", Ok(false)),
        ("<input value=t0k>", 403, "", Err("close-pool")),
    ] {
        let host = testing::Host::new().site_name("shop").config(login()).downloads(move |params| {
            Ok(match params.get("httpRequestMethod") {
                None => testing::response().html(form).build(),
                Some(_) => testing::response().status(status).body(greeting).build(),
            })
        });
        let host = host.start();
        Declarative::configure().unwrap();
        let session = testing::session("shop");
        let request = page().init().session(&session).build();
        let result = Declarative::init_session(&session, &request);
        assert_eq!(result.as_ref().map(|good| *good).map_err(Error::kind), expected, "{form} {greeting}");
        if let [_, sent] = host.downloaded().as_slice() {
            let expected = json!({
                "url": "https://s1.shop.example/login",
                "httpResponseBody": true,
                "customHttpRequestHeaders": [
                    {"name": "X-From", "value": "shop"},
                    {"name": "Content-Type", "value": "application/x-www-form-urlencoded"},
                ],
                "httpRequestText": "user=ann&password=a%20%26b&token=t0k",
                "httpRequestMethod": "POST",
                "session": null,
            });
            assert_eq!(sent.as_value(), &expected);
        }
    }
}

#[test]
fn sessions_can_be_switched_per_site() {
    let _host = site(json!({"enabled": false, "cookie_mode": true}));
    assert!(!Declarative::enabled(&placed()).unwrap());
    assert!(Declarative::cookie_mode(&placed()).unwrap());
}
