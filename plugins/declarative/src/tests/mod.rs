//! The config language, by example.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod answers;
mod calls;
mod refusals;

use carousel_guest::{prelude::*, testing};

use super::Declarative;

const PAGE: &str = "https://s1.shop.example/p/7?a=1";

/// A host with this config, which must be one that is taken.
fn site(config: Value) -> testing::Running {
    let host = testing::Host::new().site_name("shop").config(config).start();
    Declarative::configure().unwrap();
    host
}

fn page() -> testing::RequestBuilder {
    testing::request(PAGE)
}

/// A page with a location.
fn placed() -> Request {
    page().location(json!({"postalCode": "SW1A 1AA", "addressCountry": "GB"})).build()
}
