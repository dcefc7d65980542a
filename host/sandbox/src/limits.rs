//! What one call may use of memory and tables, and whether it wanted more.

use wasmtime::ResourceLimiter;

use crate::trace;

/// The elements of tables that a plugin may have; compiled Rust needs hundreds.
pub(crate) const TABLE_ELEMENTS: usize = 20_000;

/// Counts the memory and the tables of one instance.
#[derive(Debug)]
pub(crate) struct Limits {
    memory_bytes: usize,
    used_bytes: usize,
    refused: Option<Refused>,
}

/// What a guest wanted more of than it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Bytes of memory; the limit is given.
    Memory(usize),
    /// Elements of tables.
    Table,
}

impl Limits {
    pub(crate) fn new(memory_bytes: usize) -> Self {
        Self { memory_bytes, used_bytes: 0, refused: None }
    }

    /// Goes on with the memory of an instance that served an earlier call.
    pub(crate) fn go_on_from(&mut self, earlier: &Self) {
        self.used_bytes = earlier.used_bytes;
    }

    /// Whether there is room for as much memory again as the instance has.
    pub(crate) fn has_room(&self) -> bool {
        self.used_bytes <= self.memory_bytes / 2
    }

    /// The last growth that was refused.
    pub(crate) fn refused(&self) -> Option<Refused> {
        self.refused
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let all = self.used_bytes.saturating_add(desired.saturating_sub(current));
        if all > self.memory_bytes {
            self.refused = Some(Refused::Memory(self.memory_bytes));
            return Ok(false);
        }
        self.used_bytes = all;
        trace::grew(all);
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS {
            self.refused = Some(Refused::Table);
            return Ok(false);
        }
        Ok(true)
    }
}
