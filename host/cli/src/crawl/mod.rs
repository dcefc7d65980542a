//! `carousel crawl`: requests in, answers out.

mod assembly;
mod ending;
mod entry;
mod input;
mod interrupts;
mod output;
mod rendering;
mod run;
mod tally;

pub(crate) use assembly::{Api, crawl};
