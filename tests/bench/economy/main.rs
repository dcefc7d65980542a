//! What sessions cost, in one table: each workload through the profile `scrapy-zyte-api`, through the default one, and through
//! scrapy-zyte-api itself. Fails where the default profile does not show what it must.
//!
//! `cargo bench -p carousel-simulator --bench economy`; append `-- --full` for the row of a million lines at its full size, `--
//! --no-peer` to leave scrapy-zyte-api out, or a part of a row's name to run that row alone.

#![allow(clippy::print_stdout, reason = "it prints its result")]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark may panic")]

mod busy;
mod contract;
mod crawl;
mod peer;
mod rows;
mod shops;
mod table;
mod workload;

use std::process::ExitCode;

use rows::Scale;

fn main() -> anyhow::Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    let scale = if has("--full") { Scale::FULL } else { Scale::TENTH };
    let part = args.iter().find(|arg| !arg.starts_with("--"));
    let peer = if has("--no-peer") { Err(anyhow::anyhow!("left out")) } else { peer::Peer::install() };
    let mut missed = Vec::new();
    table::head();
    for row in rows::all(scale)?.iter().filter(|row| part.is_none_or(|part| row.workload.name.contains(part.as_str()))) {
        let [other, ours] = crawl::PROFILES.map(|profile| crawl::crawl(&row.workload, profile, 1));
        let (other, ours) = (other?, ours?);
        table::line(&row.workload.name, "scrapy-zyte-api", peer_outcome(&peer, &row.workload).as_ref().map_err(String::as_str));
        table::line("", "profile scrapy-zyte-api", Ok(&other));
        table::line("", "profile default", Ok(&ours));
        missed.extend(rows::judge(row, &other, &ours).into_iter().map(|miss| format!("{}: {miss}", row.workload.name)));
    }
    for miss in &missed {
        println!("MISSED {miss}");
    }
    Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn peer_outcome(peer: &anyhow::Result<peer::Peer>, workload: &workload::Workload) -> Result<crawl::Outcome, String> {
    match peer {
        Ok(peer) => peer.crawl(workload).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
