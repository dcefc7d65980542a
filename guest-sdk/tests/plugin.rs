//! Plugins as their authors write them, run natively.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use carousel_guest::{prelude::*, testing};

/// A plugin that overrides two hooks and names its place in the attribute.
struct Shop;

#[session_config(
    include = ["shop.example", "shop.example.org/de"],
    exclude = ["shop.example/help"],
    priority = -5,
    instead_of = "other",
    name = "shop",
    version = "9.8.7",
)]
impl SessionConfig for Shop {
    fn check(response: &Response, request: &Request) -> Result<Verdict> {
        match request.location()? {
            Some(place) => Ok(Verdict::keep_if(response.css(".zip::text")?.first() == place.postal_code.as_ref())),
            None => default::check(response, request),
        }
    }

    fn process_request(request: &Request) -> Result<Edit> {
        let session = request.session().ok_or_else(|| Error::new("no session"))?;
        let token: String = session.get("token")?.unwrap_or_default();
        Ok(Edit::new().header("x-token", token))
    }
}

mod by_location {
    //! A plugin whose hooks are called for requests with a location only.

    use carousel_guest::prelude::*;

    pub(crate) struct Places;

    #[session_config(include = "places.example")]
    impl LocationSessionConfig for Places {
        fn pool(request: &Request) -> Result<Pool> {
            Ok(Pool::from(request.host()).size(2))
        }

        fn location_params(_request: &Request, location: &Location) -> Result<Params> {
            let code = location.postal_code.clone().unwrap_or_default();
            Ok(Params::browser_html().action(json!({"action": "type", "text": code})))
        }

        fn location_check(_response: &Response, _request: &Request, location: &Location) -> Result<Verdict> {
            Ok(Verdict::discard(format!("not at {}", location.to_value())))
        }
    }
}

mod chain {
    //! A plugin that logs in by a chain of downloads.

    use carousel_guest::prelude::*;

    pub(crate) struct Login;

    #[session_config]
    impl SessionConfig for Login {
        fn init_session(session: &Session, _request: &Request) -> Result<bool> {
            let form = download(Params::http_response_body().url("https://login.example/form"))?;
            let token = form.css("input[name=csrf]::attr(value)")?.required()?;
            session.set("token", &token)?;
            let params = Params::http_response_body().url("https://login.example/send").set("httpRequestText", token);
            Ok(download(params)?.status() == 200)
        }
    }
}

use by_location::Places;
use chain::Login;

#[test]
fn a_plugin_says_what_its_attribute_says() {
    let shop = testing::describe::<Shop>();
    assert_eq!((shop.name, shop.version, shop.priority), ("shop", "9.8.7", -5));
    assert_eq!(shop.include, ["shop.example", "shop.example.org/de"]);
    assert_eq!((shop.exclude, shop.instead_of), (&["shop.example/help"][..], Some("other")));
    assert_eq!(shop.hooks, ["check", "process-request"]);
}

#[test]
fn a_plugin_without_arguments_is_named_after_its_crate() {
    let login = testing::describe::<Login>();
    assert_eq!((login.name, login.version), (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")));
    assert_eq!((login.priority, login.include, login.instead_of), (500, &[][..], None));
    assert_eq!(testing::describe::<Places>().include, ["places.example"]);
}

#[test]
fn a_check_compares_the_page_with_the_location() {
    let page = testing::response().html("<span class=zip>10001</span>").build();
    for (code, kind) in [("10001", "keep"), ("90210", "discard")] {
        let request = testing::request("https://shop.example/a").location(json!({"postalCode": code})).build();
        assert_eq!(Shop::check(&page, &request).unwrap().kind(), kind, "{code}");
    }
    let request = testing::request("https://shop.example/a").build();
    assert!(Shop::check(&page, &request).unwrap().is_keep());
}

#[test]
fn location_hooks_are_called_with_a_location_only() {
    let page = testing::response().html("").build();
    let with = testing::request("https://places.example/").location(json!({"postalCode": "1"})).build();
    let without = testing::request("https://places.example/").location(json!({})).build();
    assert_eq!(Places::check(&page, &with).unwrap(), Verdict::discard(r#"not at {"postalCode":"1"}"#));
    assert_eq!(Places::check(&page, &without).unwrap(), Verdict::keep());
    assert_eq!(
        Places::params(&with).unwrap(),
        Params::from(json!({"browserHtml": true, "actions": [{"action": "type", "text": "1"}]}))
    );
    assert_eq!(Places::params(&without).unwrap(), Params::browser_html());
    assert_eq!(Places::pool(&without).unwrap(), Pool::from(json!({"id": "places.example", "size": 2})));
}

#[test]
fn what_a_session_stores_reaches_the_request() {
    let session = testing::session("shop.example");
    session.set("token", "abc").unwrap();
    let headers = json!([{"name": "X-Token", "value": "old"}, {"name": "Accept", "value": "*/*"}]);
    let request = testing::request("https://shop.example/a").param("customHttpRequestHeaders", headers).session(&session).build();
    let edit = Shop::process_request(&request).unwrap().resolve(&request).unwrap();
    let expected = json!({"customHttpRequestHeaders":
        [{"name": "Accept", "value": "*/*"}, {"name": "x-token", "value": "abc"}]});
    assert_eq!(Value::Object(edit.set), expected);
}

#[test]
fn a_chain_of_downloads_runs_against_a_scripted_site() {
    let host = testing::Host::new()
        .downloads(|params| match params.get("url").and_then(Value::as_str) {
            Some("https://login.example/form") => Ok(testing::response().body("<input name=csrf value=t0k>").build()),
            _ => Ok(testing::response().status(200).build()),
        })
        .start();
    let session = testing::session("login.example");
    let request = testing::request("https://login.example/").init().session(&session).build();
    assert!(Login::init_session(&session, &request).unwrap());
    assert_eq!(session.get::<String>("token").unwrap().as_deref(), Some("t0k"));
    let sent = host.downloaded();
    assert_eq!(sent.last().and_then(|params| params.get("httpRequestText")), Some(&json!("t0k")));
}

#[test]
fn a_failed_download_goes_back_to_the_host_unchanged() {
    let failed = DownloadError {
        token: 7,
        kind: "api".to_owned(),
        status: 422,
        problem_type: "/problem/over-session-limit".to_owned(),
        message: "too many".to_owned(),
    };
    let _host = testing::Host::new().downloads(move |_| Err(failed.clone())).start();
    let session = testing::session("p");
    let request = testing::request("https://login.example/").init().build();
    let error = Login::init_session(&session, &request).unwrap_err();
    assert_eq!((error.kind(), error.message(), error.token()), ("download", "too many", 7));
}

#[test]
fn a_hook_that_is_not_overridden_initialises_by_deferring() {
    let request = testing::request("https://shop.example/").init().build();
    let error = Shop::init_session(&testing::session("p"), &request).unwrap_err();
    assert_eq!(error.kind(), "defer");
    assert_eq!(Shop::process_request(&testing::request("https://shop.example/").build()).unwrap_err().message(), "no session");
}

#[test]
fn a_host_answers_until_it_is_dropped() {
    let request = testing::request("https://shop.example/").build();
    {
        let _host = testing::Host::new()
            .enabled(false)
            .cookie_mode(true)
            .site_name("s")
            .settings(json!({"pool_size": 3}))
            .default_verdict(Verdict::reject("why"))
            .start();
        assert!(!default::enabled(&request).unwrap() && default::cookie_mode(&request).unwrap());
        assert_eq!((site_name(), settings().unwrap()), ("s".to_owned(), json!({"pool_size": 3})));
        assert_eq!(default::check(&testing::response().build(), &request).unwrap().reason(), "why");
        assert_eq!((shared::increment("n", 2).unwrap(), shared::increment("n", 3).unwrap()), (2, 5));
        assert_eq!(shared::get::<i64>("n").unwrap(), Some(5));
    }
    assert!(default::enabled(&request).unwrap());
    assert_eq!(shared::get::<i64>("n").unwrap(), None);
    assert_eq!(config::<Option<String>>().unwrap(), None);
}

#[test]
fn log_lines_are_kept_with_their_level() {
    let host = testing::Host::new().start();
    log::warn!("{} of {}", 1, 2);
    log::debug!("plain");
    assert_eq!(host.log(), [("warn".to_owned(), "1 of 2".to_owned()), ("debug".to_owned(), "plain".to_owned())]);
}
