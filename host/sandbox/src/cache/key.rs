//! What a compiled plugin is found by: its content, and everything in the engine that decides whether its code fits.

use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};
use wasmtime::Engine;

/// The content of a plugin's file, as a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    pub(crate) fn of(wasm: &[u8]) -> Self {
        Self(hex(&Sha256::digest(wasm)))
    }

    pub(super) fn code_file(&self, engine: &Engine) -> String {
        format!("{}-{}.cwasm", self.0, Self::engine(engine))
    }

    pub(super) fn note_file(&self, engine: &Engine) -> String {
        format!("{}-{}.json", self.0, Self::engine(engine))
    }

    /// The part of the names that is the engine's.
    pub(super) fn engine(engine: &Engine) -> String {
        let mut compatibility = Sha(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut compatibility);
        hex(compatibility.0.finalize().get(..8).unwrap_or_default())
    }
}

/// Feeds what is hashed into SHA-256, which is the same in every build of this program.
struct Sha(Sha256);

impl Hasher for Sha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not used: the digest is longer than 64 bits.
    fn finish(&self) -> u64 {
        0
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
