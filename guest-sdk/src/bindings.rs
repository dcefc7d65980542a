//! The code that wit-bindgen makes of `wit/session.wit`; the rest of the crate hides it.

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
    path: "../wit",
    world: "site",
    pub_export_macro: true,
    default_bindings_module: "carousel_guest::bindings",
});
