//! Why a plugin or a `[[site]]` table cannot be used: what, why, and what to do.

use std::fmt;
use std::path::PathBuf;

use carousel_core::pattern::RuleError;

use crate::interface::{PACKAGE, VERSION};

/// A plugin file or a `[[site]]` table that was left out; everything else works.
#[derive(Debug)]
pub struct LoadError {
    /// What was left out.
    pub subject: Subject,
    /// Why.
    pub problem: Problem,
}

/// What a [`LoadError`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A plugin's file.
    File(PathBuf),
    /// The directory of plugins.
    Directory(PathBuf),
    /// A `[[site]]` table, by its name.
    Site(String),
}

/// Why something was left out.
#[derive(Debug)]
pub enum Problem {
    /// It cannot be read.
    Unreadable(std::io::Error),
    /// It is a directory or something else that is no file.
    NotAFile,
    /// It is larger than any plugin.
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The size that is accepted.
        limit: u64,
    },
    /// It is not WebAssembly; how it begins.
    NotWasm(String),
    /// It is a core module, not a component.
    CoreModule,
    /// It is cut short or otherwise not valid.
    Damaged(String),
    /// It is a component for something else: it exports no hooks.
    NoHooks,
    /// It was built for a version of the interface that is not served.
    OtherVersion {
        /// The interface that has the version.
        interface: String,
        /// The plugin's version of it.
        version: String,
    },
    /// It imports what plugins are not given.
    Forbidden(Vec<String>),
    /// It has the right names with the wrong types, or is larger than the limits.
    Mismatch(String),
    /// It failed when it was asked to describe itself.
    Describe(String),
    /// It cannot work with the config of a `[[site]]` table.
    Config(String),
    /// Its URL rules are wrong.
    Rules(RuleError),
    /// Its name is taken by another site, served by this plugin.
    NameTaken {
        /// The name.
        name: String,
        /// The plugin of the site that has it.
        by: String,
    },
    /// A `[[site]]` table names a plugin that is not there.
    UnknownPlugin {
        /// The name.
        plugin: String,
        /// What is there.
        known: Vec<String>,
    },
    /// A `[[site]]` table names a plugin that is there but was left out itself.
    BrokenPlugin(String),
    /// There are `[[site]]` tables but no directory of plugins.
    NoDirectory,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is left out: {}", self.subject, self.problem)?;
        match self.problem.remedy() {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for LoadError {}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "plugin \"{}\"", path.display()),
            Self::Directory(path) => write!(f, "plugin directory \"{}\"", path.display()),
            Self::Site(name) => write!(f, "[[site]] \"{name}\""),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "it cannot be read: {error}"),
            Self::NotAFile => f.write_str("it is not a file"),
            Self::TooLarge { bytes, limit } => {
                write!(f, "it has {} MiB, and a plugin has at most {} MiB", bytes >> 20, limit >> 20)
            }
            Self::NotWasm(begin) => write!(f, "it is not WebAssembly, it begins with {begin:?}"),
            Self::CoreModule => f.write_str("it is a core module, not a component"),
            Self::Damaged(why) => write!(f, "it is damaged or cut short: {why}"),
            Self::NoHooks => write!(f, "it is a component but no site plugin: it does not export {PACKAGE}/hooks@{VERSION}"),
            Self::OtherVersion { interface, version } => {
                write!(f, "it was built for {PACKAGE}/{interface}@{version}, and this host serves {PACKAGE}@{VERSION}")
            }
            Self::Forbidden(names) => write!(f, "it imports what plugins are not given: {}", names.join(", ")),
            Self::Mismatch(why) => write!(f, "it does not fit {PACKAGE}@{VERSION}: {why}"),
            Self::Describe(why) => write!(f, "asked to describe itself, it {why}"),
            Self::Config(why) => write!(f, "its plugin refuses the config: {why}"),
            Self::Rules(error) => write!(f, "{error}"),
            Self::NameTaken { name, by } => write!(f, "the site name \"{name}\" is taken by the plugin \"{by}\""),
            Self::UnknownPlugin { plugin, known } if known.is_empty() => {
                write!(f, "there is no plugin \"{plugin}\", and no other one in the directory")
            }
            Self::UnknownPlugin { plugin, known } => write!(f, "there is no plugin \"{plugin}\"; there are {}", known.join(", ")),
            Self::BrokenPlugin(plugin) => write!(f, "its plugin \"{plugin}\" is left out"),
            Self::NoDirectory => f.write_str("no plugin directory is set"),
        }
    }
}

impl Problem {
    /// What to do about it, where that can be said.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::NotWasm(_) | Self::CoreModule => {
                Some("build it as a component: cargo build --release --target wasm32-wasip2, or carousel plugin build")
            }
            Self::NotAFile => Some("only files may be named .wasm in the plugin directory"),
            Self::TooLarge { .. } => Some("build it in release mode and without embedded data"),
            Self::Damaged(_) => Some("copy or build it again"),
            Self::NoHooks => Some("write it with the carousel-guest SDK, or export that interface"),
            Self::OtherVersion { .. } => {
                Some("build it with the SDK of this version of carousel, or use the version it was built for")
            }
            Self::Forbidden(_) => Some("plugins have no files and no network; use download for pages and config for settings"),
            Self::Mismatch(_) => Some("build it again with the SDK of this version of carousel"),
            Self::NameTaken { .. } => Some("rename one of them, or give both a [[site]] table with a name"),
            Self::UnknownPlugin { .. } => Some("name a file of the directory without \".wasm\""),
            Self::NoDirectory => Some("set dir in [plugins] or use --plugins DIR"),
            Self::Unreadable(_) => Some("make it readable for the user that runs this"),
            Self::Describe(_) => Some("its code runs too long or fails before any hook is asked: mend it and build it again"),
            Self::Config(_) => Some("mend the config of the [[site]] table"),
            Self::Rules(_) => Some("mend the plugin's rules, or say others in a [[site]] table"),
            Self::BrokenPlugin(_) => Some("see the error about the plugin"),
        }
    }
}
