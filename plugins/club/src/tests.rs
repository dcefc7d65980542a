#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use carousel_guest::{prelude::*, testing};

use super::Club;

const FORM: &str = "<form id=login><input type=hidden name=token value=t0k></form>";

/// A club that shows this form and answers the login with this status and page.
fn club(form: &'static str, status: u16, page: &'static str) -> testing::Host {
    testing::Host::new().downloads(move |params| match params.get("httpRequestMethod") {
        None => Ok(testing::response().html(form).build()),
        Some(_) => Ok(testing::response().status(status).body(page).build()),
    })
}

fn init() -> Result<bool> {
    let request = testing::request("https://s001.club.example/members/7").init().build();
    Club::init_session(&testing::session("club"), &request)
}

#[test]
fn a_session_begins_with_the_form_and_sends_it_back_with_its_token() {
    let host = club(FORM, 200, "<p class=member>ann</p>").config(json!({"user": "ann", "password": "a &b"})).start();
    assert!(init().unwrap());
    let sent = host.downloaded();
    assert!(sent.iter().all(|params| params.get("url") == Some(&json!("https://s001.club.example/login"))));
    assert_eq!(sent[1].get("httpRequestText"), Some(&json!("user=ann&password=a%20%26b&token=t0k")));
}

#[test]
fn a_login_counts_only_if_the_club_greets_us() {
    for (page, expected) in [("<p class=member>guest</p>", true), ("<p class=member>ann</p>", false), ("<h1>Hello</h1>", false)] {
        let _host = club(FORM, 200, page).start();
        assert_eq!(init().unwrap(), expected, "{page}");
    }
}

#[test]
fn a_refused_password_is_not_tried_again() {
    let _host = club(FORM, 403, "<p class=error>wrong user, password or token</p>").start();
    let error = init().unwrap_err();
    assert_eq!((error.kind(), error.message()), ("close-pool", "the club refuses the user guest or the password"));
}

#[test]
fn a_login_page_without_form_gives_no_session_and_says_what_was_missing() {
    let host = club("<h1>Closed for repairs</h1>", 200, "<p class=member>guest</p>").start();
    assert!(init().unwrap_err().message().contains("input[name=token]"));
    assert_eq!(host.downloaded().len(), 1, "nothing is sent without a token");
}

#[test]
fn a_page_that_does_not_greet_us_costs_the_session() {
    let _host = testing::Host::new().config(json!({"user": "ann"})).start();
    let request = testing::request("https://s001.club.example/members/7").build();
    for (html, expected) in [
        ("<p class=member>ann</p>", Verdict::keep()),
        ("<p class=member>bo</p>", Verdict::discard("the page is for bo")),
        ("<a class=login href=/login>log in</a>", Verdict::discard("logged out")),
    ] {
        let page = testing::response().html(html).build();
        assert_eq!(Club::check(&page, &request).unwrap(), expected, "{html}");
    }
}

#[test]
fn a_misspelt_setting_is_named() {
    let _host = testing::Host::new().config(json!({"usr": "ann"})).start();
    assert!(init().unwrap_err().message().contains("`usr`"));
}
