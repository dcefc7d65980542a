//! From the impl block to the plugin: hooks found, description written, component exported.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Ident, ImplItem, ItemImpl, LitStr, Path, Result, Type};

use crate::arguments::Arguments;

/// Functions of the traits and the hooks of the interface that they stand for.
const HOOKS: [(&str, &str); 8] = [
    ("enabled", "enabled"),
    ("cookie_mode", "cookie-mode"),
    ("pool", "pool"),
    ("location", "location"),
    ("params", "params"),
    ("check", "check"),
    ("process_request", "process-request"),
    ("init_session", "init-session"),
];

/// The function of the traits that is no hook.
const CONFIGURE: &str = "configure";

/// Functions that only `LocationSessionConfig` has, and the functions of `SessionConfig` that they stand in for.
const LOCATION_HOOKS: [(&str, &str); 2] = [("location_params", "params"), ("location_check", "check")];

/// The word of a description for a check that never looks at initialisations.
const PAGES_ONLY: &str = "check-pages-only";

/// Which trait the author wrote down.
#[derive(Clone, Copy, PartialEq)]
enum Base {
    Plain,
    Location,
}

/// Expands the attribute.
pub(crate) fn session_config(arguments: TokenStream, block: TokenStream) -> Result<TokenStream> {
    let arguments: Arguments = syn::parse2(arguments)?;
    let block: ItemImpl = syn::parse2(block)?;
    let base = base(&block)?;
    let mut hooks = overridden_hooks(&block, base)?;
    if let Some(checks) = &arguments.checks {
        if !hooks.contains(&"check") {
            return Err(Error::new(checks.span(), "checks says what the check looks at, and there is no check"));
        }
        hooks.push(PAGES_ONLY);
    }
    let plugin = &block.self_ty;
    let description = description(&arguments, &hooks);
    let export = export(plugin);
    let implementation = match base {
        Base::Plain => quote!(#block),
        Base::Location => split_by_trait(&block),
    };
    Ok(quote! {
        #implementation

        impl ::carousel_guest::export::Plugin for #plugin {
            const DESCRIPTION: ::carousel_guest::export::Description = #description;
        }

        #export
    })
}

fn base(block: &ItemImpl) -> Result<Base> {
    let name = block.trait_.as_ref().and_then(|(_, path, _): &(_, Path, _)| path.segments.last());
    match name.map(|segment| segment.ident.to_string()).as_deref() {
        Some("SessionConfig") => Ok(Base::Plain),
        Some("LocationSessionConfig") => Ok(Base::Location),
        _ => Err(Error::new_spanned(
            &block.self_ty,
            "session_config belongs on `impl SessionConfig for …` or `impl LocationSessionConfig for …`",
        )),
    }
}

/// The hooks that the block overrides, by their names in the interface, in the interface's order.
fn overridden_hooks(block: &ItemImpl, base: Base) -> Result<Vec<&'static str>> {
    let mut found = Vec::new();
    for item in &block.items {
        if let ImplItem::Fn(function) = item
            && function.sig.ident != CONFIGURE
        {
            found.push(hook_of(&function.sig.ident, base)?);
        }
    }
    Ok(HOOKS.iter().map(|(_, hook)| *hook).filter(|hook| found.contains(hook)).collect())
}

fn hook_of(function: &Ident, base: Base) -> Result<&'static str> {
    let name = function.to_string();
    let replaced = LOCATION_HOOKS.iter().find(|(own, _)| *own == name);
    let hidden = LOCATION_HOOKS.iter().find(|(_, plain)| *plain == name);
    let plain_name = match (base, replaced, hidden) {
        (Base::Location, Some((_, plain)), _) => *plain,
        (Base::Location, None, Some((own, _))) => {
            return Err(Error::new(function.span(), format!("write {own} instead of {name}, or implement SessionConfig")));
        }
        (Base::Plain, Some(_), _) => {
            return Err(Error::new(function.span(), format!("{name} needs `impl LocationSessionConfig for …`")));
        }
        _ => name.as_str(),
    };
    match HOOKS.iter().find(|(own, _)| *own == plain_name) {
        Some((_, hook)) => Ok(hook),
        None => Err(Error::new(function.span(), format!("{name} is not a hook; move it to an impl block of its own"))),
    }
}

fn description(arguments: &Arguments, hooks: &[&str]) -> TokenStream {
    let Arguments { include, exclude, .. } = arguments;
    let priority = arguments.priority.unwrap_or(500);
    let name = text_or(arguments.name.as_ref(), quote!(::core::env!("CARGO_PKG_NAME")));
    let version = text_or(arguments.version.as_ref(), quote!(::core::env!("CARGO_PKG_VERSION")));
    let instead_of = match &arguments.instead_of {
        Some(name) => quote!(::core::option::Option::Some(#name)),
        None => quote!(::core::option::Option::None),
    };
    quote! {
        ::carousel_guest::export::Description {
            name: #name,
            version: #version,
            include: &[#(#include),*],
            exclude: &[#(#exclude),*],
            priority: #priority,
            instead_of: #instead_of,
            hooks: &[#(#hooks),*],
        }
    }
}

fn text_or(text: Option<&LitStr>, default: TokenStream) -> TokenStream {
    text.map_or(default, |text| quote!(#text))
}

/// One block with the functions of both traits becomes one block for each.
fn split_by_trait(block: &ItemImpl) -> TokenStream {
    let (location_items, items): (Vec<_>, Vec<_>) = block.items.iter().partition(|item| is_location_hook(item));
    let (plugin, attributes) = (&block.self_ty, &block.attrs);
    quote! {
        #(#attributes)*
        impl ::carousel_guest::LocationSessionConfig for #plugin {
            #(#location_items)*
        }

        #(#attributes)*
        impl ::carousel_guest::SessionConfig for #plugin {
            #(#items)*

            fn params(request: &::carousel_guest::Request) -> ::carousel_guest::Result<::carousel_guest::Params> {
                match request.location()? {
                    ::core::option::Option::Some(location) => {
                        <#plugin as ::carousel_guest::LocationSessionConfig>::location_params(request, &location)
                    }
                    ::core::option::Option::None => ::carousel_guest::default::params(request),
                }
            }

            fn check(
                response: &::carousel_guest::Response,
                request: &::carousel_guest::Request,
            ) -> ::carousel_guest::Result<::carousel_guest::Verdict> {
                match request.location()? {
                    ::core::option::Option::Some(location) => {
                        <#plugin as ::carousel_guest::LocationSessionConfig>::location_check(response, request, &location)
                    }
                    ::core::option::Option::None => ::carousel_guest::default::check(response, request),
                }
            }
        }
    }
}

fn is_location_hook(item: &ImplItem) -> bool {
    matches!(item, ImplItem::Fn(function) if LOCATION_HOOKS.iter().any(|(own, _)| function.sig.ident == own))
}

fn export(plugin: &Type) -> TokenStream {
    quote! {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "the exports of a component are functions with fixed symbols")]
        const _: () = {
            type Component = ::carousel_guest::export::Component<#plugin>;
            ::carousel_guest::bindings::export!(Component with_types_in ::carousel_guest::bindings);
        };

        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() -> ::carousel_guest::export::Description = ::carousel_guest::testing::describe::<#plugin>;
    }
}
