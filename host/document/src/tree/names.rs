//! Numbers for the names of a page: most of them are among a few.

use super::NONE;
use html5ever::QualName;
use precomputed_hash::PrecomputedHash;
use std::collections::HashMap;

const RECENT: usize = 256;

/// The names of a page, each once.
#[derive(Debug)]
pub(super) struct Names {
    names: Vec<QualName>,
    known: HashMap<QualName, u32>,
    /// Numbers of names used lately, by their hash.
    recent: [u32; RECENT],
}

impl Names {
    pub(super) fn new() -> Self {
        Self { names: Vec::new(), known: HashMap::new(), recent: [NONE; RECENT] }
    }

    pub(super) fn name(&self, number: u32) -> Option<&QualName> {
        self.names.get(number as usize)
    }

    /// The number of a name, a new one if the name is new.
    pub(super) fn number(&mut self, name: QualName) -> u32 {
        let slot = name.local.precomputed_hash() as usize % RECENT;
        let recent = self.recent.get(slot).copied().unwrap_or(NONE);
        if self.name(recent) == Some(&name) {
            return recent;
        }
        let number = self.look_up(name);
        if let Some(recent) = self.recent.get_mut(slot) {
            *recent = number;
        }
        number
    }

    pub(super) fn into_names(self) -> Vec<QualName> {
        self.names
    }

    fn look_up(&mut self, name: QualName) -> u32 {
        if let Some(&number) = self.known.get(&name) {
            return number;
        }
        let number = super::offset(self.names.len());
        self.names.push(name.clone());
        self.known.insert(name, number);
        number
    }
}
