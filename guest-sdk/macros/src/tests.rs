//! What the attribute makes of impl blocks, and what it refuses.

use quote::quote;

use crate::expand::session_config;

fn hooks_of(block: proc_macro2::TokenStream) -> String {
    let expanded = session_config(quote!(), block).unwrap().to_string();
    let (_, rest) = expanded.split_once("hooks : & [").unwrap();
    rest.split_once(']').unwrap().0.trim().to_owned()
}

fn refusal(arguments: proc_macro2::TokenStream, block: proc_macro2::TokenStream) -> String {
    session_config(arguments, block).expect_err("must be refused").to_string()
}

#[test]
fn the_host_is_told_the_hooks_that_the_block_has_and_no_others() {
    let cases = [
        (quote!(impl SessionConfig for Shop {}), ""),
        (quote!(impl SessionConfig for Shop { fn check() {} }), r#""check""#),
        (quote!(impl carousel_guest::SessionConfig for Shop { fn pool() {} }), r#""pool""#),
        (
            quote!(impl SessionConfig for Shop { fn init_session() {} fn process_request() {} fn cookie_mode() {} }),
            r#""cookie-mode" , "process-request" , "init-session""#,
        ),
        (
            quote!(impl SessionConfig for Shop { fn enabled() {} fn location() {} fn params() {} }),
            r#""enabled" , "location" , "params""#,
        ),
        (quote!(impl LocationSessionConfig for Shop { fn location_check() {} }), r#""check""#),
        (quote!(impl SessionConfig for Shop { fn configure() {} fn check() {} }), r#""check""#),
        (quote!(impl LocationSessionConfig for Shop { fn location_params() {} fn pool() {} }), r#""pool" , "params""#),
    ];
    for (block, hooks) in cases {
        assert_eq!(hooks_of(block.clone()), hooks, "{block}");
    }
}

#[test]
fn a_check_that_never_looks_at_initialisations_says_so() {
    for (block, hooks) in [
        (quote!(impl SessionConfig for Shop { fn check() {} }), r#""check" , "check-pages-only""#),
        (
            quote!(impl LocationSessionConfig for Shop { fn location_check() {} fn pool() {} }),
            r#""pool" , "check" , "check-pages-only""#,
        ),
    ] {
        let expanded = session_config(quote!(checks = "pages"), block).unwrap().to_string();
        assert!(expanded.contains(&format!("hooks : & [{hooks}]")), "{expanded}");
    }
}

#[test]
fn a_block_that_cannot_be_a_plugin_is_refused_in_words() {
    let plain = quote!(impl SessionConfig for Shop {});
    let cases = [
        (quote!(), quote!(impl SessionConfig for Shop { fn chek() {} }), "chek is not a hook"),
        (quote!(), quote!(impl SessionConfig for Shop { fn location_check() {} }), "needs `impl LocationSessionConfig"),
        (quote!(), quote!(impl LocationSessionConfig for Shop { fn check() {} }), "write location_check instead of check"),
        (quote!(), quote!(impl Shop {}), "session_config belongs on"),
        (quote!(), quote!(impl Display for Shop {}), "session_config belongs on"),
        (quote!(includes = ["a"]), plain.clone(), "unknown argument includes: expected include"),
        (quote!(include = [1]), plain.clone(), "expected a string literal"),
        (quote!(priority = "high"), plain.clone(), "expected a whole number"),
        (quote!(checks = "inits"), quote!(impl SessionConfig for Shop { fn check() {} }), "checks can be \"pages\" only"),
        (quote!(checks = "pages"), plain.clone(), "there is no check"),
        (quote!(name = "a", name = "b"), plain, "name is given twice"),
    ];
    for (arguments, block, message) in cases {
        let refused = refusal(arguments, block);
        assert!(refused.contains(message), "{refused}");
    }
}
