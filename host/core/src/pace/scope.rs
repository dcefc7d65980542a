//! What a "too busy" of the API is about.

use serde_json::Value;

use crate::contract;
use crate::exchange::{Object, Problem, host_of};
use crate::pattern::registered_domain;

/// Calls that are slowed together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// All calls of this key.
    Everything,
    /// Calls that ask for automatic extraction.
    Extraction,
    /// Calls on one site: its registered domain (`shop.co.uk` for `blog.shop.co.uk`), since the API speaks of domains.
    Site(Box<str>),
}

static EVERYTHING: Scope = Scope::Everything;
static EXTRACTION: Scope = Scope::Extraction;

/// The scopes that a call belongs to: one that is slowed holds it back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scopes {
    site: Scope,
    is_extraction: bool,
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
}

impl Scopes {
    /// The scopes of a call with these parameters.
    pub fn of(params: &Object) -> Self {
        let url = params.get("url").and_then(Value::as_str).unwrap_or_default();
        let is_extraction = contract::extraction(params).is_some() || contract::is_set(params, "serp");
        Self { site: Scope::site(url), is_extraction }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        [Some(&EVERYTHING), self.is_extraction.then_some(&EXTRACTION), Some(&self.site)].into_iter().flatten()
    }

    /// Is this one of them?
    pub fn contains(&self, scope: &Scope) -> bool {
        self.iter().any(|own| own == scope)
    }

    /// What a problem with a call of these scopes slows; none: it is not about being busy. By its type before its status, and everything
    /// where the type says nothing.
    pub fn slowed_by(&self, problem: &Problem) -> Option<&Scope> {
        if problem.is_session_creation_error() {
            return None;
        }
        match problem.kind.as_str() {
            "/limits/over-domain-limit" | "/limits/over-org-domain-limit" => Some(&self.site),
            _ if !matches!(problem.status, 429 | 503) => None,
            kind if kind.starts_with("/extractor/") && self.is_extraction => Some(&EXTRACTION),
            _ => Some(&EVERYTHING),
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::Extraction => f.write_str("automatic extraction"),
            Self::Site(domain) => f.write_str(domain),
        }
    }
}
