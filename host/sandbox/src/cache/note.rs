//! What is kept beside a compiled plugin: whether its code is whole, and what the plugin said of itself.

use std::fs::File;
use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use crate::description::Description;

/// The file beside the code.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Note {
    length: u64,
    /// Tells damage by accident; against intent there are the permissions of the folder.
    crc32: u32,
    pub(super) description: Description,
}

impl Note {
    pub(super) fn new(code: &[u8], description: &Description) -> Self {
        Self { length: code.len() as u64, crc32: crc32fast::hash(code), description: description.clone() }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn read(mut file: File) -> io::Result<Self> {
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Fails where the code is not what was written.
    pub(super) fn check(&self, code: &mut File) -> io::Result<()> {
        let mut digest = crc32fast::Hasher::new();
        let mut length = 0;
        let mut part = vec![0; 128 << 10];
        loop {
            match code.read(&mut part)? {
                0 => break,
                count => {
                    digest.update(part.get(..count).unwrap_or_default());
                    length += count as u64;
                }
            }
        }
        match length == self.length && digest.finalize() == self.crc32 {
            true => Ok(()),
            false => Err(io::Error::other("it is damaged")),
        }
    }
}
