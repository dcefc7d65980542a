#![allow(clippy::unwrap_used, reason = "tests")]

use carousel_guest::{prelude::*, testing};

use super::Storefront;

fn chain(config: Value) -> testing::Running {
    testing::Host::new().config(config).start()
}

fn request(postal_code: &str) -> Request {
    testing::request("https://s001.shop.example/p/7").location(json!({"postalCode": postal_code})).build()
}

#[test]
fn the_plugin_applies_nowhere_by_itself() {
    assert!(testing::describe::<Storefront>().include.is_empty());
}

#[test]
fn a_chain_without_store_url_sets_the_location_on_the_start_page() {
    let _host = chain(json!({"postal_code": "#store::text"}));
    let expected = json!({
        "browserHtml": true,
        "actions": [{"action": "setLocation", "address": {"postalCode": "10001"}}],
        "url": "https://s001.shop.example/",
    });
    assert_eq!(Storefront::params(&request("10001")).unwrap(), Params::from(expected));
}

#[test]
fn a_chain_with_store_url_asks_for_it() {
    let _host = chain(json!({"postal_code": "#store::text", "store_url": "https://{host}/store?postal={postal_code}"}));
    let expected = json!({"browserHtml": true, "url": "https://s001.shop.example/store?postal=SW1A%201AA"});
    assert_eq!(Storefront::params(&request("SW1A 1AA")).unwrap(), Params::from(expected));
}

#[test]
fn each_chain_shows_its_store_in_a_place_of_its_own() {
    for (selector, right, wrong, none) in [
        ("#store::text", "<b id=store>10001</b>", "<b id=store>60601</b>", "<b id=store></b>"),
        ("meta[name=store]::attr(content)", "<meta name=store content=10001>", "<meta name=store content=60601>", "<p>10001"),
    ] {
        let _host = chain(json!({"postal_code": selector}));
        for (html, expected) in [
            (right, Verdict::keep()),
            (wrong, Verdict::discard("the page is for the store in 60601")),
            (none, Verdict::discard("the page is for no store")),
        ] {
            let page = testing::response().html(html).build();
            assert_eq!(Storefront::check(&page, &request("10001")).unwrap(), expected, "{html}");
        }
    }
}

#[test]
fn a_page_that_looks_right_is_still_bad_if_set_location_failed() {
    let _host = chain(json!({"postal_code": "#store::text"}));
    let page = testing::response()
        .html("<b id=store>10001</b>")
        .actions(json!([{"action": "setLocation", "status": "continued"}]))
        .build();
    assert_eq!(Storefront::check(&page, &request("10001")).unwrap(), Verdict::discard("setLocation failed"));
}

#[test]
fn a_chain_that_is_not_described_is_refused_when_it_is_loaded() {
    for (config, said) in [
        (Value::Null, "cannot read the site's config"),
        (json!({}), "missing field `postal_code`"),
        (json!({"postal_code": "b", "shop_url": "x"}), "unknown field `shop_url`"),
        (json!({"postal_code": "b["}), "cannot read the CSS selector \"b[\""),
    ] {
        let _host = chain(config.clone());
        let error = Storefront::configure().unwrap_err();
        assert!(error.message().contains(said), "{config}: {error}");
    }
    let _host = chain(json!({"postal_code": "b::text"}));
    assert_eq!(Storefront::configure().unwrap(), Hooks::all());
}
