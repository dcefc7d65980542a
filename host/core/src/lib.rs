//! core

pub mod pattern;
pub mod retry;
