//! The code that wasmtime makes of `wit/0.1.0/session.wit`: the types that cross the boundary and the traits of what plugins import.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated code, of which the calls of exports are not used"
)]

wasmtime::component::bindgen!({
    path: "../../wit/0.1.0",
    world: "site",
    imports: { default: trappable },
    with: {
        "carousel:session/types.request": crate::handles::RequestHandle,
        "carousel:session/types.response": crate::handles::ResponseHandle,
        "carousel:session/types.session": crate::handles::SessionHandle,
    },
});
