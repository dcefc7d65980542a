//! `carousel plugin`: makes, builds and looks into site plugins.

pub(crate) mod bench;
pub(crate) mod build;
mod cargo;
pub(crate) mod check;
pub(crate) mod explain;
mod facts;
pub(crate) mod list;
pub(crate) mod new;
mod project;
mod release;
mod replay;
pub(crate) mod report;
pub(crate) mod run;
mod script;
mod target;
pub(crate) mod test;
mod workbench;

/// The exit code where a plugin cannot be used or does not do what is expected.
const NOT_GOOD: u8 = 1;
