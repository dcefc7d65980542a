//! The code that wit-bindgen makes of `wit/0.1.0/session.wit`; the rest of the crate hides it.

#![allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated code"
)]

wit_bindgen::generate!({
    path: "../wit/0.1.0",
    world: "site",
    pub_export_macro: true,
    default_bindings_module: "carousel_guest::bindings",
});
