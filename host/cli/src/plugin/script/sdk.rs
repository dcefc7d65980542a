//! The guest SDKs of the script languages and the plugin interface, as this program was built with them. They are small text
//! files, so that neither a new project nor a build needs a checkout.

use super::Language;

/// The plugin interface.
pub(super) const WIT: &str = include_str!("../../../../../wit/0.1.0/session.wit");

/// The files of a language's SDK, with their paths in a project.
pub(crate) fn files(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        Language::Python => &[
            ("carousel_guest/__init__.py", include_str!("../../../../../guest-sdk/python/carousel_guest/__init__.py")),
            ("carousel_guest/checks.py", include_str!("../../../../../guest-sdk/python/carousel_guest/checks.py")),
            ("carousel_guest/component.py", include_str!("../../../../../guest-sdk/python/carousel_guest/component.py")),
            ("carousel_guest/testing.py", include_str!("../../../../../guest-sdk/python/carousel_guest/testing.py")),
        ],
        Language::JavaScript => &[
            ("carousel-guest/index.js", include_str!("../../../../../guest-sdk/js/index.js")),
            ("carousel-guest/component.js", include_str!("../../../../../guest-sdk/js/component.js")),
            ("carousel-guest/testing.js", include_str!("../../../../../guest-sdk/js/testing.js")),
        ],
    }
}
