//! The table.

use crate::crawl::Outcome;

/// The names of the columns.
pub(crate) fn head() {
    println!(
        "{:<44} {:<24} {:>8} {:>6} {:>6} {:>7} {:>5} {:>13} {:>11}",
        "workload", "through", "right", "wrong", "lost", "inits", "busy", "billed/right", "makespan s"
    );
}

/// What came of a workload, or why nothing did.
pub(crate) fn line(workload: &str, through: &str, outcome: Result<&Outcome, &str>) {
    match outcome {
        Ok(outcome) => println!(
            "{workload:<44} {through:<24} {:>8} {:>6} {:>6} {:>7} {:>5} {:>13.3} {:>11.1}",
            outcome.right,
            outcome.wrong,
            outcome.lost,
            outcome.inits,
            outcome.busy(),
            outcome.billed_per_right(),
            outcome.makespan.as_secs_f64()
        ),
        Err(why) => println!("{workload:<44} {through:<24} n/a: {why}"),
    }
}
