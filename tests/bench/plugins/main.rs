//! What plugins cost: one table of figures, each beside what it should be. Exits with 1 where a bound is not kept.
//!
//! Run by hand: `cargo bench -p carousel-cli --bench plugins`. Only some groups: append their names, as in `-- loading swaps`;
//! a number in place of the thousand plugins and swaps: append it, as in `-- swaps 100`.
//!
//! Times of a machine that does other work at the same time say little; so groups print processor time beside them, or ratios to
//! something that runs in the same minute.

#![allow(clippy::print_stdout, reason = "it prints its result")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a benchmark may panic")]

#[path = "../../../host/sandbox/tests/plugins/guests.rs"]
mod guests;
#[path = "../../../host/sandbox/tests/plugins/record.rs"]
mod record;
#[path = "../../../host/sandbox/tests/plugins/stage.rs"]
#[allow(dead_code, reason = "shared with the sandbox's tests")]
mod stage;

mod bare;
mod calls;
mod loading;
mod misdeeds;
mod packed;
mod swaps;
mod table;

use std::process::ExitCode;

use table::Table;

/// Measures a group of rows; the number is how many plugins or swaps, where there are many.
type Group = fn(&mut Table, usize);

/// What this program does as a process of its own, with its arguments.
type Child = fn(&[String]);

/// The groups, by the names that the command line may give.
const GROUPS: [(&str, Group); 4] =
    [("calls", calls::rows), ("misdeeds", misdeeds::rows), ("loading", loading::rows), ("swaps", swaps::rows)];

/// What this program does as a process of its own, by the word that makes it do so.
const CHILDREN: [(&str, Child); 2] = [(calls::CHILD, calls::child), (loading::CHILD, loading::child)];

fn main() -> ExitCode {
    // Cargo appends `--bench`.
    let given: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [child, rest @ ..] = &given[..]
        && let Some((_, work)) = CHILDREN.iter().find(|(name, _)| name == child)
    {
        work(rest);
        return ExitCode::SUCCESS;
    }
    let (numbers, names): (Vec<_>, Vec<_>) = given.iter().partition(|argument| argument.parse::<usize>().is_ok());
    let count = numbers.first().and_then(|number| number.parse().ok()).unwrap_or(loading::PLUGINS);
    let mut table = Table::default();
    for (name, rows) in GROUPS {
        if names.is_empty() || names.iter().any(|wanted| *wanted == name) {
            rows(&mut table, count);
        }
    }
    print!("{table}");
    if table.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
