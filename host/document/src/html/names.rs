//! Names of elements and attributes. Most of a page are among a few: finding those is cheaper than making them anew.

use html5ever::LocalName;

const SLOTS: usize = 256;

/// The names used last.
pub(super) struct Names {
    slots: Vec<LocalName>,
}

impl Names {
    pub(super) fn new() -> Self {
        Self { slots: vec![LocalName::default(); SLOTS] }
    }

    /// The name that is written like this.
    pub(super) fn name(&mut self, written: &[u8]) -> LocalName {
        let hash = written.iter().fold(0_usize, |hash, &byte| (hash ^ usize::from(byte)).wrapping_mul(0x0100_0193));
        match self.slots.get_mut((hash ^ (hash >> 15)) % SLOTS) {
            Some(slot) if slot.as_bytes() == written => slot.clone(),
            Some(slot) => {
                *slot = LocalName::from(String::from_utf8_lossy(written));
                slot.clone()
            }
            None => LocalName::from(String::from_utf8_lossy(written)),
        }
    }
}
