//! `carousel plugin`: makes and builds site plugins.

pub(crate) mod build;
mod cargo;
pub(crate) mod new;
mod project;
mod script;
mod target;
