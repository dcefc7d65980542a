//! zyte
