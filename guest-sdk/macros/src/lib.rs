//! The attribute that turns an impl block into a Carousel site plugin. Use it through `carousel_guest`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod arguments;
mod expand;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Turns `impl SessionConfig for X` or `impl LocationSessionConfig for X` into the crate's site plugin.
///
/// Finds which hooks the block has, so that the host asks no others, and exports the component when the crate is built
/// for WebAssembly. There can be one such block in a crate.
///
/// Arguments, all optional:
/// - `include = ["shop.example"]`: URL patterns it applies to; without any, only `[[site]]` tables of the settings name it.
/// - `exclude = ["shop.example/help"]`: URL patterns it does not apply to.
/// - `priority = 500`: of several plugins that match, the highest wins.
/// - `instead_of = "other"`: the site config that this one replaces; without it, the default config.
/// - `name = "shop"`: default the crate's name.
/// - `version = "1.0.0"`: default the crate's version.
/// - `checks = "pages"`: the check never looks at initialisations, so that the host asks it about none, and sends none that nobody needs.
#[proc_macro_attribute]
pub fn session_config(arguments: TokenStream, block: TokenStream) -> TokenStream {
    expand::session_config(arguments.into(), block.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
