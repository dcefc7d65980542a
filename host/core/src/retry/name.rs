//! Policies by the names that settings use.

use super::policy::Policy;
use serde::de::{Deserialize, Deserializer, Error as _};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

const CUSTOM_DOWNLOAD: &str = "custom-download-x";

/// The name of a policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum PolicyName {
    /// `default`: [`Policy::DEFAULT`].
    #[default]
    Default,
    /// `aggressive`: [`Policy::AGGRESSIVE`].
    Aggressive,
    /// `session-default`: the default, but download errors are left to the sessions.
    SessionDefault,
    /// `session-aggressive`: the aggressive one, but download errors are left to the sessions.
    SessionAggressive,
    /// `custom-download-xN`: the default with N attempts in total for download errors.
    CustomDownload(NonZeroU32),
    /// `only-throttling`: [`Policy::ONLY_THROTTLING`].
    OnlyThrottling,
}

/// The names, as they are told to somebody who gave another one.
const NAMES: [&str; 6] =
    ["default", "aggressive", "session-default", "session-aggressive", "only-throttling", "custom-download-xN"];

/// A name that no policy has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPolicy(pub String);

impl PolicyName {
    /// The policy of this name.
    pub const fn policy(self) -> Policy {
        match self {
            Self::Default => Policy::DEFAULT,
            Self::Aggressive => Policy::AGGRESSIVE,
            Self::SessionDefault => Policy::DEFAULT.with_download_attempts(1),
            Self::SessionAggressive => Policy::AGGRESSIVE.with_download_attempts(1),
            Self::CustomDownload(attempts) => Policy::DEFAULT.with_download_attempts(attempts.get()),
            Self::OnlyThrottling => Policy::ONLY_THROTTLING,
        }
    }

    /// The policy for requests with sessions where the settings name only this one for all: the session variant of `default` and
    /// `aggressive`, any other as it is.
    pub const fn for_sessions(self) -> Self {
        match self {
            Self::Default => Self::SessionDefault,
            Self::Aggressive => Self::SessionAggressive,
            Self::SessionDefault | Self::SessionAggressive | Self::CustomDownload(_) | Self::OnlyThrottling => self,
        }
    }
}

/// Reads a name; the import paths under which the peer knows the four built-in policies are names too.
impl FromStr for PolicyName {
    type Err = UnknownPolicy;

    fn from_str(name: &str) -> Result<Self, UnknownPolicy> {
        let attempts = || name.strip_prefix(CUSTOM_DOWNLOAD)?.parse().ok();
        match name {
            "default" | "zyte_api.zyte_api_retrying" => Ok(Self::Default),
            "aggressive" | "zyte_api.aggressive_retrying" => Ok(Self::Aggressive),
            "session-default" | "scrapy_zyte_api.SESSION_DEFAULT_RETRY_POLICY" => Ok(Self::SessionDefault),
            "session-aggressive" | "scrapy_zyte_api.SESSION_AGGRESSIVE_RETRY_POLICY" => Ok(Self::SessionAggressive),
            "only-throttling" => Ok(Self::OnlyThrottling),
            _ => attempts().map(Self::CustomDownload).ok_or_else(|| UnknownPolicy(name.to_owned())),
        }
    }
}

/// An unknown name is an unknown variant, so that whoever reads settings can say where it stands and which one was meant.
impl<'de> Deserialize<'de> for PolicyName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(|UnknownPolicy(name)| D::Error::unknown_variant(&name, &NAMES))
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Aggressive => f.write_str("aggressive"),
            Self::SessionDefault => f.write_str("session-default"),
            Self::SessionAggressive => f.write_str("session-aggressive"),
            Self::CustomDownload(attempts) => write!(f, "{CUSTOM_DOWNLOAD}{attempts}"),
            Self::OnlyThrottling => f.write_str("only-throttling"),
        }
    }
}

impl fmt::Display for UnknownPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "retry policy \"{}\" is unknown; known are {}", self.0, NAMES.join(", "))
    }
}

impl std::error::Error for UnknownPolicy {}
