//! Why a hook has no result, and how that is told to the host.

use std::borrow::Cow;
use std::fmt;

use crate::DownloadError;

/// The result of a hook.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a hook has no result.
///
/// Any standard error becomes one through `?`. A [`DownloadError`] keeps its identity on the way, so the host treats it
/// as the API's answer that it is, not as a fault of the plugin.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    kind: Cow<'static, str>,
    message: String,
    token: u32,
}

impl Error {
    /// Something unexpected; the message goes to the log.
    pub fn new(message: impl Into<String>) -> Self {
        Self::of("error", message.into())
    }

    /// Ends the crawl; the reason becomes its close reason.
    pub fn close_crawl(reason: impl Into<String>) -> Self {
        Self::of("close-crawl", reason.into())
    }

    /// Ends this pool and leaves the rest of the crawl alone.
    pub fn close_pool(reason: impl Into<String>) -> Self {
        Self::of("close-pool", reason.into())
    }

    /// Asks the host to go on as if the plugin did not override this hook.
    pub fn defer() -> Self {
        Self::of("defer", String::new())
    }

    /// Returns the word for the host: `error`, `close-crawl`, `close-pool`, `download` or `defer`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the message or reason.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the token of the failed download, 0 if there was none.
    pub fn token(&self) -> u32 {
        self.token
    }

    fn of(kind: &'static str, message: String) -> Self {
        Self { kind: Cow::Borrowed(kind), message, token: 0 }
    }

    /// Takes the error apart into kind, message and token.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "errors for the real host"))]
    pub(crate) fn into_parts(self) -> (String, String, u32) {
        (self.kind.into_owned(), self.message, self.token)
    }

    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "errors of the real host"))]
    pub(crate) fn from_parts(kind: String, message: String, token: u32) -> Self {
        Self { kind: Cow::Owned(kind), message, token }
    }
}

impl<E: std::error::Error + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        match causes(&error).find_map(|cause| cause.downcast_ref::<DownloadError>()) {
            Some(failed) => Self { kind: Cow::Borrowed("download"), message: failed.message.clone(), token: failed.token },
            None => Self::new(with_causes(&error)),
        }
    }
}

/// An error, what caused it, what caused that, and so on.
fn causes<'a>(error: &'a (dyn std::error::Error + 'static)) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

/// The message of an error and of those that caused it, without repeating one that the former already holds.
fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in causes(error).skip(1) {
        let message = cause.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
    }
    text
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind == "error" {
            return formatter.write_str(&self.message);
        }
        write!(formatter, "{}: {}", self.kind, self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
