//! core

pub mod pattern;
