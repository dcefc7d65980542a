//! Lines for the host's log, written under the plugin's name: `log::info!("{n} left")`.

use std::fmt::Arguments;

/// Writes a line; for the macros of this module.
#[doc(hidden)]
pub fn write(level: &str, message: Arguments<'_>) {
    match message.as_str() {
        Some(text) => crate::wire::log(level, text),
        None => crate::wire::log(level, &message.to_string()),
    }
}

/// Logs something that went wrong.
#[doc(hidden)]
#[macro_export]
macro_rules! __error {
    ($($text:tt)+) => { $crate::log::write("error", ::core::format_args!($($text)+)) };
}

/// Logs something that needs a look.
#[doc(hidden)]
#[macro_export]
macro_rules! __warn {
    ($($text:tt)+) => { $crate::log::write("warn", ::core::format_args!($($text)+)) };
}

/// Logs something worth knowing.
#[doc(hidden)]
#[macro_export]
macro_rules! __info {
    ($($text:tt)+) => { $crate::log::write("info", ::core::format_args!($($text)+)) };
}

/// Logs a detail for whoever works on the plugin.
#[doc(hidden)]
#[macro_export]
macro_rules! __debug {
    ($($text:tt)+) => { $crate::log::write("debug", ::core::format_args!($($text)+)) };
}

pub use crate::{__debug as debug, __error as error, __info as info, __warn as warn};
