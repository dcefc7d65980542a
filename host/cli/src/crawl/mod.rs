//! `carousel crawl`: requests in, answers out.

mod assembly;
mod ending;
mod entry;
mod files;
mod input;
pub(crate) mod interrupts;
mod job;
mod leftovers;
mod lock;
mod output;
mod rendering;
mod run;
mod tally;
mod unknown_keys;

pub(crate) use assembly::crawl;
pub(crate) use ending::Ending;
pub(crate) use entry::with_web_address;
pub(crate) use run::Watch;
pub(crate) use tally::Tally;
