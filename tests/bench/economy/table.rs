//! The table.

use crate::crawl::Outcome;

/// The names of the columns.
pub(crate) fn head() {
    println!(
        "{:<46} {:<22} {:>8} {:>7} {:>7} {:>8} {:>13} {:>12}",
        "workload", "through", "right", "wrong", "lost", "inits", "billed/right", "makespan s"
    );
}

/// What came of a workload.
pub(crate) fn line(workload: &str, through: &str, outcome: &Outcome) {
    println!(
        "{workload:<46} {through:<22} {:>8} {:>7} {:>7} {:>8} {:>13.3} {:>12.1}",
        outcome.right,
        outcome.wrong,
        outcome.lost,
        outcome.inits,
        outcome.billed_per_right(),
        outcome.makespan.as_secs_f64()
    );
}
