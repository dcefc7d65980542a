//! The work that one query may do, and the way out when it is spent.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Counts the steps of one query. The engines have no way to stop half-way, so that spending more than there is unwinds
/// to [`run`] without going through the panic hook.
pub(crate) struct Budget {
    left: Cell<u64>,
}

struct Spent;

/// Why a run has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// The budget is spent.
    Spent,
    /// The engine failed.
    Failed,
}

impl Budget {
    pub(crate) fn new(steps: u64) -> Self {
        Self { left: Cell::new(steps) }
    }

    /// Spends steps; does not return if there are not enough.
    pub(crate) fn spend(&self, steps: u64) {
        match self.left.get().checked_sub(steps) {
            Some(left) => self.left.set(left),
            None => resume_unwind(Box::new(Spent)),
        }
    }

    /// Spends what looking at a text of this many bytes costs.
    pub(crate) fn spend_bytes(&self, bytes: usize) {
        self.spend(steps_of(bytes));
    }

    pub(crate) fn left(&self) -> u64 {
        self.left.get()
    }
}

/// What looking at a text of this many bytes costs, or writing it.
pub(crate) fn steps_of(bytes: usize) -> u64 {
    1 + (bytes as u64 >> 4)
}

/// Runs an engine, giving it the budget to spend from.
pub(crate) fn run<T>(budget: &Budget, engine: impl FnOnce(&Budget) -> T) -> Result<T, Stopped> {
    catch_unwind(AssertUnwindSafe(|| engine(budget))).map_err(
        |cause| {
            if cause.is::<Spent>() { Stopped::Spent } else { Stopped::Failed }
        },
    )
}
