//! The boundary to the host in its raw form: JSON as text, no conversions.
//!
//! It has two faces with the same functions: `component` calls the host, `fake` answers from the host that a unit test
//! describes.

#[cfg(target_arch = "wasm32")]
mod component;
#[cfg(not(target_arch = "wasm32"))]
mod fake;
#[cfg(target_arch = "wasm32")]
mod output;

#[cfg(target_arch = "wasm32")]
pub(crate) use component::*;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use fake::*;
#[cfg(target_arch = "wasm32")]
pub(crate) use output::flush_output;
