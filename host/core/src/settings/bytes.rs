//! Numbers of bytes, as people write them.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A number of bytes: `1048576`, or a text with a unit: `"1 MiB"`, `"1.5GB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KIB", 1 << 10),
    ("MIB", 1 << 20),
    ("GIB", 1 << 30),
    ("TIB", 1 << 40),
];

impl Bytes {
    /// Reads a number, with or without a unit; none where it is no number of bytes.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = unit.trim().to_ascii_uppercase();
        let (_, factor) = UNITS.into_iter().find(|(name, _)| *name == unit || (unit.is_empty() && *name == "B"))?;
        let bytes = number.parse::<f64>().ok()? * factor as f64;
        (bytes.fract() == 0.0 || factor > 1).then_some(Self(bytes as u64))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfBytes;

        impl Visitor<'_> for OfBytes {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, such as 1073741824 or \"1 GiB\"")
            }

            fn visit_i64<E: Error>(self, bytes: i64) -> Result<Bytes, E> {
                u64::try_from(bytes).map(Bytes).map_err(|_| E::invalid_value(Unexpected::Signed(bytes), &self))
            }

            fn visit_u64<E: Error>(self, bytes: u64) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Bytes, E> {
                Bytes::read(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(OfBytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_with_the_units_of_people() {
        for (text, bytes) in [
            ("2 GiB", Some(2 << 30)),
            ("512mib", Some(512 << 20)),
            ("1.5GB", Some(1_500_000_000)),
            ("100", Some(100)),
            ("100 B", Some(100)),
            (" 3 KiB ", Some(3072)),
            ("1.5", None),
            ("GiB", None),
            ("", None),
            ("-1 GiB", None),
            ("1 GiBs", None),
            ("1..5 GB", None),
            ("2 TB", Some(2_000_000_000_000)),
            ("1000000000 TiB", Some(u64::MAX)),
        ] {
            assert_eq!(Bytes::read(text).map(|bytes| bytes.0), bytes, "{text}");
        }
    }
}
