//! What a "too busy" of the API is about.

use crate::exchange::{Problem, host_of};
use crate::pattern::registered_domain;

/// Calls that are slowed together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// All calls of this key.
    Everything,
    /// Calls on one site: its registered domain (`shop.co.uk` for `blog.shop.co.uk`), since the API speaks of domains.
    Site(Box<str>),
}

impl Scope {
    /// The site of a URL. Under a top-level domain that nobody knows (`.example`, `.internal`) it is the last two labels.
    pub fn site(url: &str) -> Self {
        let domain = registered_domain(url);
        if domain.contains('.') {
            return Self::Site(domain.into());
        }
        let host = host_of(url);
        let host = host.rsplit_once(':').map_or(&*host, |(name, _)| name);
        let start = host.rmatch_indices('.').nth(1).map_or(0, |(dot, _)| dot + 1);
        Self::Site(host.get(start..).unwrap_or(host).into())
    }

    /// What a problem with a call on this URL slows; none: it is not about being busy. By its type before its status, and everything
    /// where the type says nothing.
    pub fn slowed_by(problem: &Problem, url: &str) -> Option<Self> {
        if problem.is_session_creation_error() {
            return None;
        }
        match problem.kind.as_str() {
            "/limits/over-domain-limit" | "/limits/over-org-domain-limit" => Some(Self::site(url)),
            _ => matches!(problem.status, 429 | 503).then_some(Self::Everything),
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::Site(domain) => f.write_str(domain),
        }
    }
}
