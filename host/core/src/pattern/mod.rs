//! URL patterns and rules: which site a URL belongs to, at a cost that does not depend on how many sites there are.
//!
//! A [`Pattern`] is a piece of a URL: `shop.example` (the host and its subdomains), `shop.example/sale` (that host, with or without
//! `www.`, and paths that begin so), `shop.example/sale|` (exactly that path), `shop.example?id=1*`, `/help` (any host). `*` is any
//! run of characters; case never matters. A [`Rule`] names a site and the URLs it serves; a [`RuleIndex`] picks one rule per URL:
//!
//! 1. among the rules that replace the default config and match, the best one by priority, then by how specific its includes are,
//!    then by registration (the later wins); rules that match every URL come last;
//! 2. then, as long as some rule replaces the one picked and matches too, that one instead.
//!
//! The meaning is that of the Python library url-matcher 0.6.0 (a test compares the two), with three differences: an uppercase host
//! finds its rules, a rule without includes is never picked by URL, and a pattern that no URL can match (`*.shop.example`) is an error. URLs are expected as they are sent, that is, already
//! escaped: an international host in punycode matches a pattern in punycode only.

mod allowed;
mod circle;
mod explain;
mod hopeless;
mod host;
mod index;
mod matcher;
mod overlap;
mod query;
mod reading;
mod rule;
mod split;
mod wildcard;

#[cfg(test)]
mod tests;

pub use allowed::{AllowedHosts, is_same_host};
pub use explain::{Explanation, Reason, Standing};
pub(crate) use host::registered_domain;
pub use index::RuleIndex;
pub use matcher::{Pattern, PatternError};
pub use overlap::overlap;
pub use rule::{DEFAULT_PRIORITY, Rule, RuleError};
