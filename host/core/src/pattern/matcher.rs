//! One pattern against one URL.

use super::hopeless::refuse_hopeless;
use super::host::{hierarchical, registered_domain};
use super::query::{Query, QueryPattern};
use super::split::{BadBrackets, Parts};
use super::wildcard::{Wildcard, domain_suffixes, fold, without_www};
use std::cell::OnceCell;
use std::fmt;

/// A pattern that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternError {
    /// Brackets in the host that enclose no IPv6 address.
    BadBrackets,
    /// A `*` in the host.
    WildcardInHost,
    /// A blank in the host.
    BlankInHost,
    /// A blank before or behind everything.
    BlankAround,
    /// A character that no host has.
    BadCharacter(char),
    /// What stands behind the host's colon is no port.
    BadPort,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadBrackets => f.write_str("the brackets in its host enclose no IPv6 address; remove or complete them"),
            Self::WildcardInHost => f.write_str(
                "a host has no \"*\", so nothing matches; \"shop.example\" stands for its subdomains, too, and \"\" for every URL",
            ),
            Self::BlankInHost => f.write_str("a host has no blanks, so nothing matches; write each pattern as a text of its own"),
            Self::BlankAround => f.write_str("no URL begins or ends with a blank, so nothing matches; remove it"),
            Self::BadCharacter(character) => {
                write!(f, "a host has no {character:?}, so nothing matches; write host[/path][?name=value]")
            }
            Self::BadPort => f.write_str(
                "what stands behind the colon is no port, so nothing matches; write https://shop.example or shop.example:8080",
            ),
        }
    }
}

impl std::error::Error for PatternError {}

impl From<BadBrackets> for PatternError {
    fn from(_: BadBrackets) -> Self {
        Self::BadBrackets
    }
}

/// A part of a URL, read once and compared with many URLs.
#[derive(Debug, Clone)]
pub struct Pattern {
    scheme: String,
    host: Option<HostPattern>,
    path: Option<Wildcard>,
    query: Option<QueryPattern>,
    fragment: Option<Wildcard>,
    domain: Option<String>,
    sort_key: String,
}

/// A host, with or without `www.`, and possibly its subdomains.
#[derive(Debug, Clone)]
struct HostPattern {
    folded: String,
    reach: Reach,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    HostOnly,
    Subdomains,
}

impl Pattern {
    /// Reads a pattern; any text is one, unless its host is none that a URL could have.
    pub fn parse(pattern: &str) -> Result<Self, PatternError> {
        let parts = Parts::of_pattern(pattern)?;
        refuse_hopeless(pattern, &parts)?;
        let bare = parts.path.is_empty() && parts.query.is_empty() && parts.fragment.is_empty();
        let reach = if bare { Reach::Subdomains } else { Reach::HostOnly };
        let has_host = !parts.netloc.is_empty();
        Ok(Self {
            host: has_host.then(|| HostPattern { folded: fold(&parts.netloc), reach }),
            path: (!parts.path.is_empty()).then(|| Wildcard::prefix(&parts.path)),
            query: Some(QueryPattern::parse(&parts.query)).filter(|query| !query.is_empty()),
            fragment: (!parts.fragment.is_empty()).then(|| Wildcard::prefix(&parts.fragment)),
            domain: has_host.then(|| registered_domain(&format!("//{}", parts.netloc))),
            sort_key: [hierarchical(&parts.netloc).as_str(), &parts.path, &parts.query, &parts.fragment].concat(),
            scheme: parts.scheme,
        })
    }

    /// Tells whether a URL matches; a URL with broken brackets in its host matches nothing.
    pub fn matches(&self, url: &str) -> bool {
        Target::parse(url).is_some_and(|target| self.matches_target(&target))
    }

    pub(super) fn matches_target(&self, target: &Target) -> bool {
        (self.scheme.is_empty() || self.scheme == target.scheme)
            && self.host.as_ref().is_none_or(|host| host.matches(&target.host))
            && self.path.as_ref().is_none_or(|path| path.matches(&target.path))
            && self.fragment.as_ref().is_none_or(|fragment| fragment.matches(&target.fragment))
            && self.query.as_ref().is_none_or(|query| query.matches(target.query()))
    }

    /// The host as a key of the index.
    pub(super) fn folded_host(&self) -> Option<&str> {
        self.host.as_ref().map(|host| host.folded.as_str())
    }

    /// The registered domain of the host; empty where the host is nothing but a user or a port.
    pub(super) fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// The host-reversed text by which a special pattern sorts after a general one.
    pub(super) fn sort_key(&self) -> &str {
        &self.sort_key
    }
}

impl HostPattern {
    fn matches(&self, folded_host: &str) -> bool {
        match self.reach {
            Reach::HostOnly => folded_host == self.folded || without_www(folded_host) == Some(&self.folded),
            Reach::Subdomains => domain_suffixes(folded_host).any(|suffix| suffix == self.folded),
        }
    }
}

/// A URL cut and folded once, to be compared with many patterns.
#[derive(Debug)]
pub(super) struct Target {
    scheme: String,
    pub(super) host: String,
    path: String,
    fragment: String,
    raw_query: String,
    query: OnceCell<Query>,
}

impl Target {
    /// Reads a URL; nothing if its host has broken brackets.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let parts = Parts::of_url(url).ok()?;
        Some(Self {
            host: fold(&parts.netloc),
            path: fold(&parts.path),
            fragment: fold(&parts.fragment),
            scheme: parts.scheme,
            raw_query: parts.query,
            query: OnceCell::new(),
        })
    }

    fn query(&self) -> &Query {
        self.query.get_or_init(|| Query::parse(&self.raw_query))
    }
}
