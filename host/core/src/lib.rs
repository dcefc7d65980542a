//! core

pub mod fingerprint;
pub mod pattern;
pub mod retry;
