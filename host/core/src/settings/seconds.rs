//! A length of time in a settings file.

use std::time::Duration;

use serde::Deserialize;

/// Seconds, a number from 0 to a billion (31 years); fractions are allowed, as in the peer's settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Deserialize)]
#[serde(try_from = "f64")]
pub struct Seconds(Duration);

/// Sums and products of a few of them can be reckoned with.
const MOST: f64 = 1e9;

impl Seconds {
    /// Whole seconds.
    pub const fn new(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Thousandths of a second.
    pub const fn millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// The same as a duration.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl TryFrom<f64> for Seconds {
    type Error = String;

    fn try_from(seconds: f64) -> Result<Self, String> {
        match Duration::try_from_secs_f64(seconds) {
            Ok(duration) if seconds <= MOST => Ok(Self(duration)),
            Ok(_) => Err(format!("{seconds} is more than {MOST} seconds")),
            Err(_) => Err(format!("{seconds} is not a number of seconds of 0 or more")),
        }
    }
}

impl From<Seconds> for Duration {
    fn from(seconds: Seconds) -> Self {
        seconds.0
    }
}
