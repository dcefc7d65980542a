//! The source of everything random, handed in so that a seed replays it.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::id::SessionId;

/// Random numbers from a seed: the same seed, the same numbers.
#[derive(Clone, Debug)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// Starts from a seed. In production the seed comes from the operating system.
    pub fn from_seed(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Starts from a full-size seed, so that session ids cannot be guessed.
    pub fn from_secret(seed: [u8; 32]) -> Self {
        Self(ChaCha8Rng::from_seed(seed))
    }

    /// A new session id.
    pub fn session_id(&mut self) -> SessionId {
        SessionId::from_random(u128::from(self.0.next_u64()) << 64 | u128::from(self.0.next_u64()))
    }

    /// 64 random bits.
    pub fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Another source, as hard to guess as this one.
    pub fn fork(&mut self) -> Self {
        let mut seed = [0; 32];
        seed.chunks_exact_mut(8).for_each(|part| part.copy_from_slice(&self.0.next_u64().to_le_bytes()));
        Self::from_secret(seed)
    }

    /// A number from 0 (included) to 1 (excluded).
    pub fn unit(&mut self) -> f64 {
        const STEPS: f64 = (1u64 << 53) as f64;
        (self.0.next_u64() >> 11) as f64 / STEPS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_made_by_another_needs_more_than_a_word_of_it_to_be_guessed() {
        let source = Chance::from_secret([7; 32]);
        let made = |fork: fn(&mut Chance) -> Chance| fork(&mut source.clone()).session_id();
        assert_eq!(made(Chance::fork), made(Chance::fork));
        assert_ne!(made(Chance::fork), made(|chance| Chance::from_seed(chance.word())));
    }
}
