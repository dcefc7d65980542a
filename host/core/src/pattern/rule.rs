//! A rule as people write it, and what can be wrong with it.

use super::matcher::PatternError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The priority of a rule that names none.
pub const DEFAULT_PRIORITY: i32 = 500;

/// Which URLs a site serves, and which other site it replaces there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The site; several rules may share it.
    pub name: String,
    /// Patterns of which one must match. Each names a host, or `""` stands alone and matches every URL. Empty (the default): never
    /// picked by URL.
    pub include: Vec<String>,
    /// Patterns of which none may match; they need no host. Default: none.
    pub exclude: Vec<String>,
    /// The highest wins among rules that match the same URL. Default: 500.
    pub priority: i32,
    /// The site that this one replaces where both would serve; default: the default config.
    pub instead_of: Option<String>,
}

impl Default for Rule {
    fn default() -> Self {
        Self { name: String::new(), include: Vec::new(), exclude: Vec::new(), priority: DEFAULT_PRIORITY, instead_of: None }
    }
}

/// A set of rules that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleError {
    /// An include pattern names no host.
    IncludeWithoutHost {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
    },
    /// The include pattern that matches everything stands beside others.
    EmptyIncludeBesideOthers {
        /// The rule's name.
        rule: String,
        /// One of the others.
        pattern: String,
    },
    /// A pattern cannot be read.
    BadPattern {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: PatternError,
    },
    /// Sites replace each other in a circle.
    Circle {
        /// The names, each replaced by the next, the first one by the last.
        rules: Vec<String>,
    },
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IncludeWithoutHost { rule, pattern } => write!(
                f,
                "rule \"{rule}\": include pattern \"{pattern}\" names no host; write the host before it, as in \"shop.example/sale\" \
                 (only exclude patterns may do without)"
            ),
            Self::EmptyIncludeBesideOthers { rule, pattern } => write!(
                f,
                "rule \"{rule}\": include pattern \"\" matches every URL and cannot stand beside \"{pattern}\"; remove one of them"
            ),
            Self::BadPattern { rule, pattern, reason } => write!(f, "rule \"{rule}\": pattern \"{pattern}\": {reason}"),
            Self::Circle { rules } => {
                write!(f, "rules \"{}\" replace each other in a circle; remove one instead_of", rules.join("\" → \""))
            }
        }
    }
}

impl std::error::Error for RuleError {}
