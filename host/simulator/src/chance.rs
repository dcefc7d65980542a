//! Chance without a random source: a seeded generator and a stable hash.

/// A small seeded generator (SplitMix64); equal seeds give equal sequences on every platform.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// Starts a sequence.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Draws 64 bits.
    pub(crate) const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Draws a fraction in `0.0..1.0`.
    pub(crate) fn fraction(&mut self) -> f64 {
        // 53 bits are what an f64 holds exactly.
        (self.draw() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Draws 32 hexadecimal digits.
    pub(crate) fn hex128(&mut self) -> String {
        format!("{:016x}{:016x}", self.draw(), self.draw())
    }

    /// Draws an address from 198.18.0.0/15, the range set aside for benchmarks.
    pub(crate) fn address(&mut self) -> String {
        let bits = self.draw();
        format!("198.{}.{}.{}", 18 + (bits & 1), (bits >> 8) & 0xff, (bits >> 16) & 0xff)
    }
}

const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Hashes text parts to 64 bits (FNV-1a, then mixed); the parts are kept apart, the result never changes between versions.
pub(crate) fn stable_hash(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    mix(hash)
}

#[cfg(test)]
mod tests {
    use super::{Chance, stable_hash};

    #[test]
    fn equal_seeds_give_equal_sequences() {
        let draw = |seed| {
            let mut chance = Chance::new(seed);
            (chance.draw(), chance.hex128(), chance.address())
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn a_hash_keeps_its_parts_apart() {
        assert_ne!(stable_hash(&["ab", "c"]), stable_hash(&["a", "bc"]));
    }
}
